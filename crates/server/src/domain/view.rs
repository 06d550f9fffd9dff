//! A community as one member sees it, before and after a commit: what the difference means for whoever is connected.

use std::{collections::HashMap, sync::Arc};

use tulou_protocol::{Rev, TopicId, id::Millis};

use super::{
    membership::Member,
    structure::{
        Structure,
        sight::{Difference, Sight},
    },
};

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

/// How two kinds of members differ, by what names the kinds. A sight of each is held, so that nothing else gets its name.
type Pairs = HashMap<(usize, usize), (Arc<Sight>, Arc<Sight>, Difference)>;

/// What was compared for a commit: of members of one kind it is seats alone that may make another difference.
#[derive(Debug, Default)]
pub struct Compared {
    kinds: Pairs,
    looks: usize,
}

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
        self.structure.rev < other.structure.rev || self.member.rev < other.member.rev
    }

    /// Of topics that somebody watches those of this community, as it was with this view or as it is after it. A watch
    /// may rest on a version between the two, so it does not matter whether this view shows the topic.
    pub fn watched_here<'a>(
        &self,
        after: &Structure,
        watched: &'a [TopicId],
    ) -> impl Iterator<Item = &'a TopicId> {
        watched
            .iter()
            .filter(|topic| self.has(**topic) || after.topics.contains_key(*topic))
    }

    /// Whether a topic is of the community in this version, seen or not.
    #[must_use]
    pub fn has(&self, topic: TopicId) -> bool {
        self.structure.topics.contains_key(&topic)
    }

    /// What whoever had this view, and watches these topics, has to be told to have the other.
    #[must_use]
    pub fn diff(&self, after: &Self, watched: &[TopicId], compared: &mut Compared) -> Diff {
        let mut diff = Diff {
            is_other: self.stands_otherwise(after) || compared.differ(self, after),
            ..Diff::default()
        };
        for topic in self.watched_here(&after.structure, watched) {
            if !after.sight.sees(*topic) {
                diff.hidden.push(*topic);
            } else if !self.sight.sees(*topic)
                || self.readable_since(*topic) != after.readable_since(*topic)
            {
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
            let is_there =
                |(topic, _): &(TopicId, Millis)| after.structure.topics.contains_key(topic);
            seats.filter(is_there).collect::<Vec<_>>()
        };
        self.member.joined_at != after.member.joined_at
            || self.structure.ranked(&self.member) != after.structure.ranked(&after.member)
            || seats(self) != seats(after)
    }

    /// Since when the member may read a topic; none if he may read all of it.
    #[must_use]
    pub fn readable_since(&self, topic: TopicId) -> Option<Millis> {
        self.structure
            .readable_as_seen(&self.sight, &self.member, topic)
    }
}

impl Compared {
    /// Whether things that were there before and are there after appeared or vanished, or who owns the community changed.
    /// What a commit itself made or deleted comes with its rows.
    pub(crate) fn differ(&mut self, before: &View, after: &View) -> bool {
        let (one, other) = (&before.sight, &after.sight);
        if Arc::ptr_eq(one, other) {
            return false;
        }
        let compared = self.kinds.entry((one.kind(), other.kind()));
        let (.., difference) = compared.or_insert_with(|| {
            let difference = Difference::between(one, other);
            self.looks += difference.looks;
            (one.clone(), other.clone(), difference)
        });
        difference.is_seen_by(one, other, &mut self.looks)
    }

    /// How many topics were looked at.
    pub(crate) fn looks(&self) -> usize {
        self.looks
    }
}
