//! A community as one member sees it, before and after a commit: what the difference means for whoever is connected.

use std::{collections::HashMap, sync::Arc};

use tulou_protocol::{GroupId, Permissions, Rev, TopicId, id::Millis};

use super::structure::{Member, Structure, sight::Sight};

/// A version of a community as one member sees it.
#[derive(Debug, Clone)]
pub struct View {
    structure: Arc<Structure>,
    /// The member.
    pub member: Member,
    /// What he sees.
    pub sight: Arc<Sight>,
}

/// What a session that had one view has to be told when it gets another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Watched topics that are not seen any more: their watches end.
    pub hidden: Vec<TopicId>,
    /// Watched topics that are read from another place on.
    pub refloored: Vec<TopicId>,
    /// Rows alone do not say it: the community is to be asked for anew.
    pub is_other: bool,
}

/// Sights that were compared for a commit: members of one kind have the same.
#[derive(Debug, Default)]
pub struct Compared(HashMap<(usize, usize), Pair>);

/// Two sights, kept for as long as they are known by where they lie, and whether they differ.
type Pair = (Arc<Sight>, Arc<Sight>, bool);

impl View {
    /// A version of a community, seen by a member.
    #[must_use]
    pub fn of(structure: Arc<Structure>, member: Member) -> Self {
        let sight = structure.sight(&member);
        Self {
            structure,
            member,
            sight,
        }
    }

    /// The version: the rev of the community's log.
    #[must_use]
    pub fn rev(&self) -> Rev {
        self.structure.rev
    }

    /// Whether it is of an older version of the community, or of the member, than another.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        (self.structure.rev, self.member.rev) < (other.structure.rev, other.member.rev)
    }

    /// What whoever had this view, and watches these topics, has to be told to have the other.
    #[must_use]
    pub fn diff(&self, after: &Self, watched: &[TopicId], compared: &mut Compared) -> Diff {
        let mut diff = Diff {
            is_other: self.stands_otherwise(after) || compared.differ(self, after),
            ..Diff::default()
        };
        let seen = watched.iter();
        for topic in seen.filter(|topic| self.sight.topics.contains_key(topic)) {
            if !after.sight.topics.contains_key(topic) {
                diff.hidden.push(*topic);
            } else if self.readable_since(*topic) != after.readable_since(*topic) {
                diff.refloored.push(*topic);
            }
        }
        diff
    }

    /// Whether the member himself stands otherwise: since when, in which member groups, with which seats. That a topic
    /// ends with its seats comes with its row.
    fn stands_otherwise(&self, after: &Self) -> bool {
        let seats = |view: &Self| {
            let seats = view.structure.seats_of(self.member.account);
            let mut seats: Vec<(TopicId, Millis)> = seats
                .filter(|(topic, _)| after.structure.topics.contains_key(topic))
                .collect();
            seats.sort_unstable();
            seats
        };
        self.member.joined_at != after.member.joined_at
            || self.structure.ranked(&self.member) != after.structure.ranked(&after.member)
            || seats(self) != seats(after)
    }

    fn readable_since(&self, topic: TopicId) -> Option<Millis> {
        self.structure.readable_since(&self.member, topic)
    }

    /// Whether things that were there before and are there after appeared or vanished, or who owns the community changed.
    /// What a commit itself made or deleted comes with its rows.
    fn sees_otherwise(&self, after: &Self) -> bool {
        let (was, is) = (&self.structure, &after.structure);
        let topic_was = |id: &TopicId| was.topics.contains_key(id) && is.topics.contains_key(id);
        let group_was = |id: &GroupId| was.groups.contains_key(id) && is.groups.contains_key(id);
        let topics = |sight: &Sight| -> Vec<(TopicId, bool)> {
            sight
                .topics
                .iter()
                .filter(|(id, _)| topic_was(id))
                .map(|(id, rights)| (*id, rights.contains(Permissions::READ_HISTORY)))
                .collect()
        };
        let locked = |sight: &Sight| -> Vec<TopicId> {
            sight.locked.iter().copied().filter(topic_was).collect()
        };
        let groups = |sight: &Sight| -> Vec<GroupId> {
            sight.groups.iter().copied().filter(group_was).collect()
        };
        let (before, after) = (&*self.sight, &*after.sight);
        before.is_owner != after.is_owner
            || topics(before) != topics(after)
            || locked(before) != locked(after)
            || groups(before) != groups(after)
    }
}

impl Compared {
    /// A sight is of one kind of member in one version, so two of them are compared once.
    fn differ(&mut self, before: &View, after: &View) -> bool {
        if Arc::ptr_eq(&before.sight, &after.sight) {
            return false;
        }
        let address = |sight: &Arc<Sight>| Arc::as_ptr(sight).addr();
        let (_, _, differ) = self
            .0
            .entry((address(&before.sight), address(&after.sight)))
            .or_insert_with(|| {
                // Held, so that no other sight gets the address.
                let (one, other) = (before.sight.clone(), after.sight.clone());
                (one, other, before.sees_otherwise(after))
            });
        *differ
    }
}
