//! Where an answer ends that goes on in another.

use tulou_protocol::{TopicId, id::Millis};

/// Where a page of heads ends: up to when it says what moved, and after which topic of that time the next one goes on. What is
/// still to be written moves at `settled` or later, and may come before the page's last topic there: so it ends before that
/// moment. Where that would lead no further than was asked (time stands still, or much moved in one moment that is being
/// written), it ends with its last topic all the same: what comes before that one is told by a digest.
#[must_use]
pub fn page_ends(
    last: (Millis, TopicId),
    settled: Millis,
    asked: (Millis, Option<TopicId>),
) -> (Millis, TopicId) {
    let (moved_at, topic) = last;
    let before = moved_at.min(settled - 1);
    if (before, Some(topic)) > asked {
        (before, topic)
    } else {
        last
    }
}
