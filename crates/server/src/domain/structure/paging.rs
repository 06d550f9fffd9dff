//! Whether a present state that is told page by page may go on although something changed since its last page. What was made,
//! moved or deleted in between has a newer rev, or a tombstone, and comes with a later page. What may be seen otherwise
//! although its row is as it was has neither, so the state begins again.

use sha2::{Digest, Sha256};
use tulou_protocol::{Rev, TopicId, permission::Place, push::Me, row::AccessRow};

use super::{
    Structure,
    sight::{Sight, short},
};

impl Structure {
    /// The stamp of a page that is not the last: how the member stands, how far the community was, which topics there were.
    #[must_use]
    pub fn page_stamp(&self, sight: &Sight, me: &Me) -> String {
        let standing = self.standing(sight, me, self.rev);
        let last_no = self.topics.values().map(|kept| kept.body.no).max();
        format!("{standing}.{}.{}", self.rev.0, last_no.unwrap_or_default())
    }

    /// Whether the pages told so far, the last of them with this stamp, hold: with those to come they are what is seen.
    #[must_use]
    pub fn goes_on(&self, sight: &Sight, me: &Me, stamp: &str) -> bool {
        let Some((standing, rev, last_no)) = parts(stamp) else {
            return false;
        };
        // What was made since was never told.
        let is_made_since = |topic: &TopicId| {
            let topic = self.topics.get(topic);
            topic.is_none_or(|kept| kept.body.no > last_no)
        };
        let is_apart = |place: Place| match place {
            Place::Topic(topic) => is_made_since(&topic),
            Place::Community | Place::Group(_) => false,
        };
        let mut rights = self.access.iter();
        let are_rights_as_before =
            rights.all(|((place, _), kept)| kept.rev <= rev || is_apart(*place));
        let mut gone = self.gone.iter();
        let are_rights_there = gone.all(|((kind, id), gone)| {
            let named = AccessRow::named(id).map(|(place, _)| place);
            kind != "access" || *gone <= rev || named.is_some_and(is_apart)
        });
        // A topic that was moved is told again if it is seen, but nobody tells that it is seen no more, nor the rights in it
        // that were hidden before.
        let is_seen = |topic: TopicId| sight.sees(topic) || sight.is_locked(topic);
        let has_rights = |topic: TopicId| {
            let mut places = self.access.keys();
            places.any(|(place, _)| *place == Place::Topic(topic))
        };
        let mut topics = self.topics.iter();
        let are_topics_seen = topics.all(|(id, kept)| {
            kept.rev <= rev || kept.body.no > last_no || is_seen(*id) && !has_rights(*id)
        });
        rev <= self.rev
            && standing == self.standing(sight, me, rev)
            && are_rights_as_before
            && are_rights_there
            && are_topics_seen
    }

    /// Names how a member stands, and which of the groups that have not changed since a rev he sees: a group comes and goes
    /// with the topics in it.
    fn standing(&self, sight: &Sight, me: &Me, at: Rev) -> String {
        let mut hash = Sha256::new();
        let seats = (&me.member_groups, me.joined_at, &me.seats);
        hash.update(format!("{:?}", (sight.is_owner(), seats)));
        for id in sight.groups() {
            if self.groups.get(id).is_some_and(|kept| kept.rev <= at) {
                hash.update(id.as_bytes());
            }
        }
        short(hash)
    }
}

fn parts(stamp: &str) -> Option<(&str, Rev, u32)> {
    let mut parts = stamp.split('.');
    let standing = parts.next()?;
    let rev = parts.next()?.parse().ok()?;
    let last_no = parts.next()?.parse().ok()?;
    Some((standing, Rev(rev), last_no))
}
