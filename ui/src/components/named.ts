import type { AuthorView, MemberView } from '../api'

/** What `PersonName` needs of somebody who writes. */
export const named = (author: AuthorView): Pick<AuthorView, 'name' | 'accountName' | 'mark'> => ({
  name: author.name,
  accountName: author.accountName ?? null,
  mark: author.mark ?? null,
})

/** What `PersonName` needs of a member: the account name only where the name does not tell enough. */
export const namedMember = (member: MemberView): Pick<AuthorView, 'name' | 'accountName' | 'mark'> => ({
  name: member.name,
  accountName: member.looksAlike ? member.accountName : null,
  mark: member.mark ?? null,
})
