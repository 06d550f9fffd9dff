import type { AuthorView, MemberView } from '../api'
import type { Named } from '../state/person.svelte'

/** What `PersonName` needs of somebody who writes. */
export const named = (author: AuthorView): Pick<AuthorView, 'name' | 'accountName' | 'mark'> => ({
  name: author.name,
  accountName: author.accountName ?? null,
  mark: author.mark ?? null,
})

/** Who a member is, for what is about him: beyond doubt among those who are called alike. */
export const knownBy = (member: MemberView): Named => ({ id: member.id, ...namedMember(member) })

/** What `PersonName` needs of a member: the account name only where the name does not tell enough. */
export const namedMember = (member: MemberView): Pick<AuthorView, 'name' | 'accountName' | 'mark'> => ({
  name: member.name,
  accountName: member.looksAlike ? member.accountName : null,
  mark: member.mark ?? null,
})
