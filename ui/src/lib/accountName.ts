/** What an account name looks like: as `check_account_name` of the protocol has it. */
export const ACCOUNT_NAME = String.raw`[a-z0-9][a-z0-9_.\-]*`

/** An account name made from a display name, as far as its letters can stand in one; empty if none can. */
export function proposedAccountName(displayName: string): string {
  return displayName
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\s+/g, '-')
    .replaceAll(/[^a-z0-9._-]/g, '')
    .replaceAll(/^[._-]+|[._-]+$/g, '')
    .slice(0, 32)
}
