import { admin } from './zh-CN/admin'
import { because } from './zh-CN/because'
import { entering } from './zh-CN/entering'
import { hosting } from './zh-CN/hosting'
import { house } from './zh-CN/house'
import { keyring } from './zh-CN/keyring'
import { self } from './zh-CN/self'
import { talk } from './zh-CN/talk'
import { text } from './zh-CN/text'
import { trouble } from './zh-CN/trouble'

/** The catalogue in Simplified Chinese; its shape is the shape of every other one. */
export const zhCN = {
  app: 'Tulou',
  ok: '确定',
  cancel: '取消',
  close: '关闭',
  save: '保存',
  create: '创建',
  delete: '删除',
  rename: '重命名',
  retry: '重试',
  discard: '丢弃',
  edit: '编辑',
  copy: '复制',
  copied: '已复制',
  notCopied: '没能复制',
  back: '返回',
  loading: '正在加载…',
  more: '更多',
  optional: (field: string) => `${field}（可不填）`,
  everyone: '所有人',
  /** What is done, and to which of several. */
  labelOf: (action: string, which: string) => `${action}：${which}`,
  /** Two things that are heard one after the other. */
  both: (one: string, other: string) => `${one}，${other}`,
  notices: '通知',
  undo: '撤销',

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

/** The shape of a catalogue: a missing key is a type error. */
export type Messages = typeof zhCN
