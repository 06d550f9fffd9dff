//! A page of members that is being made: whom it lists, in which section.

use std::collections::HashSet;

use tulou_protocol::{AccountId, MemberGroupId, Permissions, TopicId, limits, permission::Place};
use uuid::Uuid;

use super::LOOKED_AT;
use crate::{
    domain::{Member, Structure},
    store::Listed,
};

/// What a section is in an answer, without its members.
const SECTION_BYTES: usize = 96;
/// What a member is in an answer without his names and member groups, and what one of these is: an id in quotes, and a comma.
const MEMBER_BYTES: usize = 160;
const GROUP_BYTES: usize = 25;

/// A list that is being made.
pub struct Page<'a> {
    pub structure: &'a Structure,
    pub topic: Option<TopicId>,
    pub seats_of: Option<TopicId>,
    /// Shown member groups, highest rank first, then everybody else.
    pub sections: Vec<Option<MemberGroupId>>,
    pub found: Vec<(Option<MemberGroupId>, Listed)>,
    pub left: usize,
    /// Of the answer, about. Whoever needs the last of them is the last.
    pub bytes_left: usize,
    pub looked_at: usize,
}

impl Page<'_> {
    /// How many bytes of an answer there are for members.
    pub fn room(structure: &Structure) -> usize {
        let sections = SECTION_BYTES * sections(structure).len();
        limits::ANSWER_BYTES.saturating_sub(sections)
    }

    /// Lists a member, if he may see the topic that the list is of.
    pub fn take(&mut self, listed: Listed) {
        if self.left > 0 && self.sees(&listed.member) {
            self.left -= 1;
            self.bytes_left = self.bytes_left.saturating_sub(bytes(&listed));
            if self.bytes_left == 0 {
                self.left = 0;
            }
            let section = section_of(self.structure, &self.sections, &listed.member);
            self.found.push((section, listed));
        }
    }

    pub fn sees(&self, member: &Member) -> bool {
        self.topic
            .is_none_or(|topic| self.structure.sight(member).sees(topic))
    }

    /// Those who may see a closed topic, if they are few enough to look at each.
    pub fn seats(&self) -> Option<Vec<AccountId>> {
        let topic = self.topic?;
        if !self.structure.topics.get(&topic)?.body.closed {
            return None;
        }
        let mut accounts: HashSet<AccountId> = self.structure.seats.in_topic(topic).collect();
        accounts.insert(self.structure.community.body.owner);
        (accounts.len() <= LOOKED_AT).then(|| accounts.into_iter().collect())
    }

    /// Whether those in a section, and in no other member group, see the topic that the list is of.
    pub fn is_seen_by_those_in(&self, section: Option<MemberGroupId>) -> bool {
        let Some(topic) = self.topic else { return true };
        let someone = Member {
            account: AccountId(Uuid::nil()),
            joined_at: 0,
            member_groups: section.into_iter().collect(),
            rev: tulou_protocol::Rev::ZERO,
        };
        self.structure
            .permissions(&someone, Place::Topic(topic))
            .contains(Permissions::VIEW)
    }

    pub fn count<'a>(&self, members: impl Iterator<Item = &'a Member>) -> Vec<u64> {
        let mut counts = vec![0; self.sections.len()];
        for member in members.filter(|member| self.sees(member)) {
            let section = section_of(self.structure, &self.sections, member);
            if let Some(at) = self.sections.iter().position(|known| *known == section) {
                counts[at] += 1;
            }
        }
        counts
    }

    pub fn count_found(&self) -> Vec<u64> {
        self.count(self.found.iter().map(|(_, listed)| &listed.member))
    }
}

/// About as long as a member is in an answer.
fn bytes(listed: &Listed) -> usize {
    let groups = listed.member.member_groups.len();
    let names = listed.account_name.len() + listed.display_name.len();
    MEMBER_BYTES + GROUP_BYTES * groups + 2 * names
}

/// Shown member groups, highest rank first, then everybody else.
pub fn sections(structure: &Structure) -> Vec<Option<MemberGroupId>> {
    let mut shown: Vec<_> = structure
        .member_groups
        .iter()
        .filter(|(_, kept)| kept.body.shown)
        .map(|(id, kept)| (kept.body.rank.as_str(), *id))
        .collect();
    shown.sort_unstable_by(|one, other| other.cmp(one));
    shown
        .into_iter()
        .map(|(_, id)| Some(id))
        .chain([None])
        .collect()
}

/// The first section that a member belongs to.
pub fn section_of(
    structure: &Structure,
    sections: &[Option<MemberGroupId>],
    member: &Member,
) -> Option<MemberGroupId> {
    let mine = structure.ranked(member);
    sections
        .iter()
        .copied()
        .find(|section| section.is_none_or(|id| mine.contains(&id)))
        .flatten()
}
