//! Since when a member is where a topic is: what was sent before counts as read, and may not be read by everybody.

use tulou_protocol::{Permissions, TopicId, id::Millis};

use super::{Member, Structure, sight::Sight};
use crate::domain::membership::Reader;

impl Structure {
    /// A member as somebody who reads a topic.
    #[must_use]
    pub fn reader(&self, member: &Member, topic: TopicId) -> Reader {
        self.reader_as_seen(&self.sight(member), member, topic)
    }

    /// The same for whoever knows what the member sees.
    #[must_use]
    pub fn reader_as_seen(&self, sight: &Sight, member: &Member, topic: TopicId) -> Reader {
        let rights = sight.rights(topic);
        let seat = self.seat(topic, member.account).flatten();
        Reader {
            since: seat.unwrap_or(member.joined_at).max(member.joined_at),
            has_history: rights.is_some_and(|rights| rights.contains(Permissions::READ_HISTORY)),
        }
    }

    /// Since when the member may read a topic; none if he may read all of it.
    #[must_use]
    pub fn readable_since(&self, member: &Member, topic: TopicId) -> Option<Millis> {
        self.reader(member, topic).readable_since()
    }

    /// The same for whoever knows what the member sees.
    #[must_use]
    pub fn readable_as_seen(
        &self,
        sight: &Sight,
        member: &Member,
        topic: TopicId,
    ) -> Option<Millis> {
        self.reader_as_seen(sight, member, topic).readable_since()
    }
}
