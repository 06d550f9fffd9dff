import type { MemberView } from '../api'

/** A person, a member group (`&id`) or `everyone`, as the list under an `@` offers them. */
export type Mentionable = { id: string; name: string; accountName: string; mark?: MemberView['mark'] }
