//! What is known of one person at a place.

use serde::Serialize;
use specta::Type;
use specta_typescript::Number;

use super::{ExplainView, MemberView};

/// A person, as the card shows him.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    /// The account.
    pub id: String,
    /// The name to show; empty for a deleted account.
    pub name: String,
    /// The name signed in with; empty when it is not known.
    pub account_name: String,
    /// What he says about himself; may be empty.
    pub introduction: String,
    /// As a member of the community; none when he is none, as far as is known.
    pub member: Option<MemberView>,
    /// His member groups, the highest first.
    pub member_groups: Vec<PersonGroup>,
    /// When he joined the community.
    #[specta(type = Option<Number>)]
    pub joined_at: Option<i64>,
    /// What he may do at the place, and what decided it; empty when he is no member.
    pub rights: Vec<ExplainView>,
    /// The server named him just now; otherwise it is what this computer remembers.
    pub is_fresh: bool,
}

/// A member group that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PersonGroup {
    /// The member group.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its name stands as a tag beside names.
    pub has_tag: bool,
}
