//! A member as a row of the table holds him.

use rusqlite::Row as SqlRow;
use tulou_protocol::{AccountId, MemberGroupId, Rev};

use super::log::counter;
use crate::domain::Member;

/// Ids of member groups, as a member's row holds them.
pub fn group_ids(bytes: &[u8]) -> Vec<MemberGroupId> {
    let (ids, _) = bytes.as_chunks::<16>();
    ids.iter()
        .map(|id| MemberGroupId::from_bytes(*id))
        .collect()
}

/// A member from the columns of a member's row: account, when he joined, his member groups, rev.
pub fn read_member(row: &SqlRow<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        account: AccountId::from_bytes(row.get(0)?),
        joined_at: row.get(1)?,
        member_groups: group_ids(&row.get::<_, Vec<u8>>(2)?),
        rev: Rev(counter(row, 3)?),
    })
}

/// The key that names are ordered and searched by.
pub fn name_key(name: &str) -> String {
    name.to_lowercase()
}
