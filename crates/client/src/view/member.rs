//! Members of a community, a part at a time.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;

use super::Mark;

/// Which part of a list of members is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MembersPart {
    /// Only those whose name begins so.
    pub prefix: String,
    /// Where the part before ended, as it said; none is the beginning.
    pub after: Option<String>,
    /// So many at most.
    pub limit: u32,
}

impl MembersPart {
    /// The first members.
    #[must_use]
    pub fn first(prefix: &str, limit: u32) -> Self {
        Self {
            prefix: prefix.to_owned(),
            after: None,
            limit,
        }
    }
}

/// A part of a community's members.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MembersView {
    /// Sections: one per shown member group by rank, then everybody else.
    pub sections: Vec<MemberSection>,
    /// Where the list goes on; none at its end.
    pub next: Option<String>,
    /// The answer came from the server just now; otherwise it is what this computer remembers.
    pub is_fresh: bool,
}

/// A section of the member panel.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MemberSection {
    /// The member group; none for everybody else.
    pub member_group: Option<String>,
    /// Its name; empty for everybody else.
    pub name: String,
    /// How many members it has.
    #[specta(type = Number)]
    pub count: u64,
    /// Its first members.
    pub members: Vec<MemberView>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// The account.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// The name signed in with.
    pub account_name: String,
    /// The name looks like another's here or like a member group's: the account name stands beside.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[specta(optional)]
    pub looks_alike: bool,
    /// What marks the person, beside the name and never part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub mark: Option<Mark>,
    /// Connected now.
    pub is_online: bool,
    /// Owner of the community.
    pub is_owner: bool,
    /// Member groups, by id.
    pub member_groups: Vec<String>,
    /// It is me.
    pub is_me: bool,
    /// Has a seat in the topic that the list is about; false where seats were not asked for.
    pub has_seat: bool,
    /// I may put this member in member groups below my rank.
    pub can_assign: bool,
    /// I may remove this member.
    pub can_kick: bool,
}
