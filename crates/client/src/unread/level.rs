//! Levels: which messages count and notify, and which place decides it.

use tulou_protocol::{
    GroupId, TopicId,
    id::Millis,
    limits,
    row::{Level, NotifyScope},
};

use super::Ledger;
use crate::shape::Shape;

/// A level and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The level; `inherit` only where no community is looked at and nothing is set.
    pub level: Level,
    /// The place that decided; none is the size of the community.
    pub by: Option<NotifyScope>,
}

impl Ledger {
    /// Where the level of a topic, a group or a community is looked for, the nearest place first.
    pub fn scopes(
        shape: &Shape,
        group: Option<GroupId>,
        topic: Option<TopicId>,
    ) -> Vec<NotifyScope> {
        let topic = topic.map(NotifyScope::Topic);
        let group = group.map(NotifyScope::Group);
        let wide = [NotifyScope::Community(shape.id), NotifyScope::Global];
        topic.into_iter().chain(group).chain(wide).collect()
    }

    /// What is set at a place, and until when. None when nothing is, or its time is over.
    pub fn set_at(&self, scope: NotifyScope) -> Option<(Level, Option<Millis>)> {
        self.levels
            .get(&scope.key())
            .filter(|set| {
                set.until
                    .is_none_or(|until| until > self.as_of.server_now())
            })
            .map(|set| (set.level, set.until))
    }

    /// When the next level that is set for a while ends.
    pub fn next_end(&self) -> Option<Millis> {
        self.levels
            .values()
            .filter_map(|set| set.until)
            .filter(|until| *until > self.as_of.server_now())
            .min()
    }

    /// The nearest of the places whose level is not `inherit` decides; without one the size of the community does.
    pub fn decide(&self, shape: Option<&Shape>, scopes: &[NotifyScope]) -> Decision {
        let set = scopes.iter().find_map(|scope| {
            let (level, _) = self.set_at(*scope)?;
            (level != Level::Inherit).then_some(Decision {
                level,
                by: Some(*scope),
            })
        });
        set.unwrap_or_else(|| Decision {
            level: match shape.map(|shape| shape.counts) {
                Some(Some((members, _))) if members > limits::SMALL_COMMUNITY => Level::Mentions,
                Some(Some(_) | None) => Level::All,
                None => Level::Inherit,
            },
            by: None,
        })
    }

    /// The level of a topic: the nearest that is not `inherit` decides.
    pub fn level(&self, shape: &Shape, group: GroupId, topic: TopicId) -> Level {
        self.decide(Some(shape), &Self::scopes(shape, Some(group), Some(topic)))
            .level
    }
}
