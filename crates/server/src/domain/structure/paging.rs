//! Whether a present state that is told page by page may go on although something changed since its last page. What was made,
//! moved or deleted in between has a newer rev, or a tombstone, and comes with a later page. What may be seen otherwise
//! although its row is as it was has neither, so the state begins again.

use sha2::{Digest, Sha256};
use tulou_protocol::{Rev, TopicId, permission::Place, push::Me, row::AccessRow};

use super::{
    Structure,
    sight::{Sight, short},
};

/// The kind under which access rows are among what is gone.
const GONE_RIGHTS: &str = "access";

impl Structure {
    /// The stamp of a page that is not the last: how the member stands, how far the community was, which topics there were.
    #[must_use]
    pub fn page_stamp(&self, sight: &Sight, me: &Me) -> String {
        let standing = self.standing(sight, me, self.rev);
        let last_no = self.topics.values().map(|kept| kept.body.no).max();
        format!("{standing}.{}.{}", self.rev.0, last_no.unwrap_or_default())
    }

    /// Whether the pages told so far, the last of them with this stamp, hold: with those to come they are what is seen. The
    /// stamp may be made up by whoever asks: for any it costs no more than to look at each thing once.
    #[must_use]
    pub fn goes_on(&self, sight: &Sight, me: &Me, stamp: &str) -> bool {
        let Some((standing, rev, last_no)) = parts(stamp) else {
            return false;
        };
        rev <= self.rev
            && standing == self.standing(sight, me, rev)
            && self.are_rights_as_at(rev, last_no)
            && self.are_topics_told(sight, rev, last_no)
    }

    /// Whether no rights have changed since a rev, but in topics that were made since: of these nothing was told.
    fn are_rights_as_at(&self, rev: Rev, last_no: u32) -> bool {
        let is_apart = |place: Place| match place {
            Place::Topic(topic) => {
                let topic = self.topics.get(&topic);
                topic.is_none_or(|kept| kept.body.no > last_no)
            }
            Place::Community | Place::Group(_) => false,
        };
        let mut rights = self.access.iter();
        let gone = self.gone.range((GONE_RIGHTS.to_owned(), String::new())..);
        rights.all(|((place, _), kept)| kept.rev <= rev || is_apart(*place))
            && gone
                .take_while(|((kind, _), _)| kind == GONE_RIGHTS)
                .filter(|(_, gone)| **gone > rev)
                .all(|((_, id), _)| AccessRow::named(id).is_some_and(|(place, _)| is_apart(place)))
    }

    /// Whether each topic that was moved since a rev, and is not newer than that, is told of by its row. If it is seen, its
    /// row is told again; but nobody tells that it is seen no more, nor the rights in it that were hidden before.
    fn are_topics_told(&self, sight: &Sight, rev: Rev, last_no: u32) -> bool {
        let is_seen = |topic: TopicId| sight.sees(topic) || sight.is_locked(topic);
        let has_rights = |topic: TopicId| {
            let place = Place::Topic(topic);
            let mut rights = self.access.range((place, None)..);
            rights.next().is_some_and(|((at, _), _)| *at == place)
        };
        let is_old = |topic: &TopicId| {
            let kept = self.topics.get(topic);
            kept.is_some_and(|kept| kept.body.no <= last_no)
        };
        let mut placed = self.placed.iter();
        placed.all(|(id, at)| *at <= rev || !is_old(id) || is_seen(*id) && !has_rights(*id))
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
