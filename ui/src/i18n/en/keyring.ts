import type { keyring as zh } from '../zh-CN/keyring'

/** Of the system's keyring, which keeps the sign-ins. */
export const keyring: typeof zh = {
  names: { windows: 'Credential Manager', mac: 'the keychain', other: 'the keyring' },
  keeps: (keyring) => `Sign-ins are kept in ${keyring} of this system.`,
  missing: 'This system has no keyring, so sign-ins can’t be kept: you’ll have to sign in each time Tulou starts.',
  does: {
    waits: (keyring) =>
      `Waiting for ${keyring}: if the system asks you to unlock it, do so, or sign-ins can’t be kept.`,
    refused: (keyring) => `Tulou couldn’t open ${keyring} of this system, so sign-ins can’t be kept for now.`,
  },
  still: {
    missing: 'There is still no keyring',
    refused: (keyring) => `Tulou still can’t use ${keyring}`,
  },
  who: (name) => `“${name}”`,
  kept: {
    reading: (keyring, who) =>
      `Waiting for ${keyring} to sign in ${who}. If the system asks you to unlock it, do so; you can also sign in with the password.`,
    keeping: (keyring, who) =>
      `Waiting for ${keyring} to keep the sign-in of ${who}. If the system asks you to unlock it, do so.`,
    forgetting: (keyring, who) =>
      `Signed out ${who}; waiting for ${keyring} to remove the sign-in. If the system asks you to unlock it, do so.`,
    unread: (keyring, who) =>
      `The sign-in of ${who} couldn’t be read from ${keyring}. Unlock it and try again, or sign in with the password.`,
    unkept: (keyring, who) =>
      `The sign-in of ${who} wasn’t kept in ${keyring}: you’ll have to sign in again when Tulou next starts.`,
    unforgotten: (keyring, who) =>
      `Signed out ${who}, but the sign-in is still in ${keyring}. Tulou won’t use it again.`,
  },
  lost: (who) =>
    `No keyring was found, so the sign-in of ${who} couldn’t be read. Start the keyring and try again, or sign in with the password.`,
}
