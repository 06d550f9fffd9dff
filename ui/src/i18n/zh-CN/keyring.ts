/** Of the system's keyring, which keeps the sign-ins. */
export const keyring = {
  /** What each system calls it. */
  names: { windows: '凭据管理器', mac: '钥匙串', other: '密钥环' },
  keeps: (keyring: string) => `登录状态保存在系统的${keyring}里。`,
  missing: '系统没有密钥环：登录状态无法保存，每次启动都要重新登录。',
  /** What it does. */
  does: {
    waits: (keyring: string) => `正在等待${keyring}：如果系统要求解锁，请解锁，登录状态才能保存。`,
    refused: (keyring: string) => `没能打开系统的${keyring}：登录状态暂时无法保存。`,
  },
  /** It was asked again, and does no better. */
  still: {
    missing: '还是没有找到密钥环',
    refused: (keyring: string) => `${keyring}还是不能用`,
  },
  who: (name: string) => `“${name}”`,
  /** How it keeps the sign-ins of some accounts. */
  kept: {
    reading: (keyring: string, who: string) =>
      `正在从${keyring}读取${who}的登录状态。如果系统要求解锁，请解锁；也可以输入密码登录。`,
    keeping: (keyring: string, who: string) => `正在等待${keyring}保存${who}的登录状态。如果系统要求解锁，请解锁。`,
    forgetting: (keyring: string, who: string) =>
      `${who}已退出登录，正在等待${keyring}删除保存的登录状态。如果系统要求解锁，请解锁。`,
    unread: (keyring: string, who: string) => `没能从${keyring}读出${who}的登录状态。请解锁后重试，或者输入密码登录。`,
    unkept: (keyring: string, who: string) => `${keyring}没有保存${who}的登录状态，下次启动时要重新登录。`,
    unforgotten: (keyring: string, who: string) =>
      `${who}已退出登录，但${keyring}没有删除保存的登录状态。Tulou 不会再用它登录。`,
  },
  /** There is no keyring, or it was not started yet. */
  lost: (who: string) => `没有找到密钥环，读不出${who}的登录状态。启动密钥环后重试，或者输入密码登录。`,
}
