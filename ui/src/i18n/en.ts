import { admin } from './en/admin'
import { because } from './en/because'
import { entering } from './en/entering'
import { hosting } from './en/hosting'
import { house } from './en/house'
import { keyring } from './en/keyring'
import { self } from './en/self'
import { talk } from './en/talk'
import { text } from './en/text'
import { trouble } from './en/trouble'
import type { Messages } from './zh-CN'

/** The catalogue in English. */
export const en: Messages = {
  app: 'Tulou',
  ok: 'OK',
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  create: 'Create',
  delete: 'Delete',
  rename: 'Rename',
  retry: 'Retry',
  discard: 'Discard',
  edit: 'Edit',
  copy: 'Copy',
  copied: 'Copied',
  notCopied: 'Couldn’t be copied',
  back: 'Back',
  loading: 'Loading…',
  more: 'More',
  optional: (field) => `${field} (optional)`,
  everyone: 'everyone',
  labelOf: (action, which) => `${action}: ${which}`,
  both: (one, other) => `${one}, ${other}`,
  notices: 'Notices',
  undo: 'Undo',

  ...entering,
  ...house,
  ...talk,
  ...self,
  keyring,
  ...hosting,
  ...admin,
  ...text,
  ...trouble,

  because,
}
