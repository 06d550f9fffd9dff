//! Rights: one set of bits, one function that computes them, and the explanation that comes out of the same function.
//!
//! ```text
//! p = ∅;  at the community, then the group, then the topic:   p = (p − everyone.deny) ∪ everyone.allow
//!                                                             p = (p − ⋃ groups.deny) ∪ ⋃ groups.allow
//! at the end: without View nothing else holds.  The owner has everything, always.
//! ```

mod place;

use bitflags::bitflags;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::place::{NotAPlace, Place};
use crate::id::MemberGroupId;

bitflags! {
    /// A set of rights. Written as a whole number; bits are only ever appended, and unknown ones are kept.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
    pub struct Permissions: u64 {
        /// See the place and its topics.
        const VIEW = 1;
        /// Read messages from before joining.
        const READ_HISTORY = 1 << 1;
        /// Write messages.
        const SPEAK = 1 << 2;
        /// Attach files.
        const ATTACH = 1 << 3;
        /// React to messages.
        const REACT = 1 << 4;
        /// Mention everyone or a member group.
        const MENTION_ALL = 1 << 5;
        /// Pin messages.
        const PIN = 1 << 6;
        /// Recall messages of others.
        const RECALL_OTHERS = 1 << 7;
        /// Mute members.
        const MUTE = 1 << 8;
        /// Write without waiting for slow mode.
        const BYPASS_SLOW_MODE = 1 << 9;
        /// Enter voice rooms.
        const JOIN_VOICE = 1 << 10;
        /// Speak in voice rooms.
        const SPEAK_VOICE = 1 << 11;
        /// Make, change, order, archive and delete topics and groups; set access there.
        const MANAGE_TOPICS = 1 << 12;
        /// Change the community itself.
        const MANAGE_COMMUNITY = 1 << 16;
        /// Make, change, order and delete member groups; set access at the community.
        const MANAGE_MEMBER_GROUPS = 1 << 17;
        /// Put members into member groups.
        const ASSIGN_MEMBER_GROUPS = 1 << 18;
        /// Make invite links.
        const INVITE = 1 << 19;
        /// Decide on applications.
        const APPROVE_MEMBERS = 1 << 20;
        /// Remove members.
        const KICK = 1 << 21;
        /// Ban members.
        const BAN = 1 << 22;
        /// Read the audit log and statistics.
        const VIEW_AUDIT = 1 << 23;
    }
}

/// Every right with its key, in the order in which they are shown.
pub const KEYS: [(Permissions, &str); 21] = [
    (Permissions::VIEW, "view"),
    (Permissions::READ_HISTORY, "readHistory"),
    (Permissions::SPEAK, "speak"),
    (Permissions::ATTACH, "attach"),
    (Permissions::REACT, "react"),
    (Permissions::MENTION_ALL, "mentionAll"),
    (Permissions::PIN, "pin"),
    (Permissions::RECALL_OTHERS, "recallOthers"),
    (Permissions::MUTE, "mute"),
    (Permissions::BYPASS_SLOW_MODE, "bypassSlowMode"),
    (Permissions::JOIN_VOICE, "joinVoice"),
    (Permissions::SPEAK_VOICE, "speakVoice"),
    (Permissions::MANAGE_TOPICS, "manageTopics"),
    (Permissions::MANAGE_COMMUNITY, "manageCommunity"),
    (Permissions::MANAGE_MEMBER_GROUPS, "manageMemberGroups"),
    (Permissions::ASSIGN_MEMBER_GROUPS, "assignMemberGroups"),
    (Permissions::INVITE, "invite"),
    (Permissions::APPROVE_MEMBERS, "approveMembers"),
    (Permissions::KICK, "kick"),
    (Permissions::BAN, "ban"),
    (Permissions::VIEW_AUDIT, "viewAudit"),
];

impl Permissions {
    /// Rights that exist only at the level of the community.
    pub const COMMUNITY_ONLY: Self = Self::MANAGE_COMMUNITY
        .union(Self::MANAGE_MEMBER_GROUPS)
        .union(Self::ASSIGN_MEMBER_GROUPS)
        .union(Self::INVITE)
        .union(Self::APPROVE_MEMBERS)
        .union(Self::KICK)
        .union(Self::BAN)
        .union(Self::VIEW_AUDIT);

    /// What everyone may do in a new community.
    pub const NEW_COMMUNITY: Self = Self::VIEW
        .union(Self::READ_HISTORY)
        .union(Self::SPEAK)
        .union(Self::ATTACH)
        .union(Self::REACT)
        .union(Self::JOIN_VOICE)
        .union(Self::SPEAK_VOICE);

    /// What the participants of a direct conversation may do.
    pub const DIRECT: Self = Self::VIEW
        .union(Self::READ_HISTORY)
        .union(Self::SPEAK)
        .union(Self::ATTACH)
        .union(Self::REACT)
        .union(Self::PIN);

    /// The keys of the rights in the set, in the order of [`KEYS`].
    #[must_use]
    pub fn keys(self) -> Vec<&'static str> {
        KEYS.iter()
            .filter(|(bit, _)| self.contains(*bit))
            .map(|(_, key)| *key)
            .collect()
    }

    /// The right with this key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        KEYS.iter()
            .find(|(_, known)| *known == key)
            .map(|(bit, _)| *bit)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.bits())
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::from_bits_retain)
    }
}

impl JsonSchema for Permissions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Permissions".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let bits: serde_json::Map<String, serde_json::Value> = KEYS
            .iter()
            .map(|(bit, key)| ((*key).to_owned(), bit.bits().into()))
            .collect();
        schemars::json_schema!({
            "type": "integer",
            "minimum": 0,
            "description": "A set of rights, one bit each: `x-bits` names them. Bits that are not named belong to a newer version.",
            "x-bits": bits,
        })
    }
}

/// What is allowed and denied at one place for one member group. A bit in neither is inherited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Allowed.
    pub allow: Permissions,
    /// Denied.
    pub deny: Permissions,
}

/// The access rows of one place on the way from the community down to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceAccess {
    /// The place.
    pub place: Place,
    /// For everyone.
    pub everyone: Access,
    /// For member groups. Those that the member is not in have no effect.
    pub groups: Vec<(MemberGroupId, Access)>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Owns the community.
    pub is_owner: bool,
    /// The member groups he is in, highest rank first.
    pub member_groups: &'a [MemberGroupId],
    /// For a closed topic: whether he has a seat. None for places that need no seat.
    pub has_seat: Option<bool>,
}

/// What decided on one right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Decision {
    /// The owner has everything.
    Owner,
    /// No row speaks of it.
    Nothing,
    /// An access row allowed or denied it.
    Access {
        /// Where.
        place: Place,
        /// For whom; absent: everyone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member_group: Option<MemberGroupId>,
    },
    /// The place is not visible, so nothing else holds.
    NoView,
    /// The topic is closed and he has no seat.
    NoSeat,
    /// The actor's rank is not above the target's.
    Rank,
    /// A kind of decision that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The rights someone holds at a place, and what decided on each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The rights.
    pub permissions: Permissions,
    decisions: [Decision; KEYS.len()],
}

impl Held {
    /// What decided on a right.
    #[must_use]
    pub fn decision(&self, permission: Permissions) -> Decision {
        KEYS.iter()
            .position(|(bit, _)| *bit == permission)
            .map_or(Decision::Nothing, |at| self.decisions[at])
    }

    /// Whether the right is held; if not, which part of it is lacking and why.
    ///
    /// # Errors
    /// What is lacking. It becomes a rejection, `not_allowed`.
    pub fn require(&self, permission: Permissions) -> Result<(), Lacking> {
        if self.permissions.contains(permission) {
            return Ok(());
        }
        let missing = KEYS
            .iter()
            .map(|(bit, _)| *bit)
            .find(|bit| permission.contains(*bit) && !self.permissions.contains(*bit));
        let permission = missing.unwrap_or(permission);
        Err(Lacking {
            permission,
            decided_by: self.decision(permission),
        })
    }
}

/// A right that is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking {
    /// Which.
    pub permission: Permissions,
    /// What decided so.
    pub decided_by: Decision,
}

/// Computes the rights of a member at the last of the places, with the explanation. `places` starts with the community;
/// then comes the group, then the topic, as far down as the question goes.
#[must_use]
pub fn held(standing: Standing<'_>, places: &[PlaceAccess]) -> Held {
    let Held {
        mut permissions,
        mut decisions,
    } = granted(standing, places);
    if standing.is_owner {
        return Held {
            permissions,
            decisions,
        };
    }
    let hidden = match standing.has_seat {
        Some(false) => Some(Decision::NoSeat),
        Some(true) | None if !permissions.contains(Permissions::VIEW) => Some(Decision::NoView),
        Some(true) | None => None,
    };
    if let Some(reason) = hidden {
        for (at, (bit, _)) in KEYS.iter().enumerate() {
            if *bit != Permissions::VIEW || reason == Decision::NoSeat {
                decisions[at] = reason;
            }
        }
        permissions = Permissions::empty();
    }
    Held {
        permissions,
        decisions,
    }
}

/// What the access rows alone come to, each right by itself: the last step, that without `View` or a seat nothing holds,
/// is left out. A table of rights shows this; whether something may be done is decided by [`held`].
#[must_use]
pub fn granted(standing: Standing<'_>, places: &[PlaceAccess]) -> Held {
    if standing.is_owner {
        return Held {
            permissions: Permissions::all(),
            decisions: [Decision::Owner; KEYS.len()],
        };
    }
    let mut permissions = Permissions::empty();
    let mut decisions = [Decision::Nothing; KEYS.len()];
    let mut set = |access: Permissions, decision: Decision| {
        for (at, (bit, _)) in KEYS.iter().enumerate() {
            if access.contains(*bit) {
                decisions[at] = decision;
            }
        }
    };
    for level in places {
        let place = level.place;
        let usable = if place == Place::Community {
            Permissions::all()
        } else {
            Permissions::all() - Permissions::COMMUNITY_ONLY
        };
        let by = |member_group| Decision::Access {
            place,
            member_group,
        };

        permissions.remove(level.everyone.deny & usable);
        set(level.everyone.deny & usable, by(None));
        permissions.insert(level.everyone.allow & usable);
        set(level.everyone.allow & usable, by(None));

        // Lowest rank first, so that the explanation names the highest of those that agree.
        let mine = || {
            standing
                .member_groups
                .iter()
                .rev()
                .filter_map(|id| level.groups.iter().find(|(group, _)| group == id))
        };
        for (id, access) in mine() {
            permissions.remove(access.deny & usable);
            set(access.deny & usable, by(Some(*id)));
        }
        for (id, access) in mine() {
            permissions.insert(access.allow & usable);
            set(access.allow & usable, by(Some(*id)));
        }
    }
    Held {
        permissions,
        decisions,
    }
}

#[cfg(test)]
mod tests;
