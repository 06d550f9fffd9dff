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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_page_ends_before_the_moment_that_is_being_written_unless_that_leads_nowhere() {
        let topic = |no: u128| TopicId(Uuid::from_u128(no));
        let settled = 1_000;
        let ends = |last, asked| page_ends(last, settled, asked);
        let long_ago = (0, None);
        let last = (700, topic(5));
        assert_eq!(ends(last, long_ago), last, "nothing comes to that time");
        let before = (999, topic(5));
        for moved_at in [999, 1_000, 1_400] {
            assert_eq!(ends((moved_at, topic(5)), long_ago), before);
        }
        // The page before it ended there.
        let asked = |no| (999, Some(topic(no)));
        assert_eq!(ends((1_000, topic(5)), asked(4)), before, "one further");
        for no in [5, 6] {
            let last = (1_000, topic(5));
            assert_eq!(ends(last, asked(no)), last, "or the same page for ever");
        }
        let last = (1_000, topic(6));
        assert_eq!(ends(last, (1_000, Some(topic(5)))), last);
        assert_eq!(ends((1_000, topic(5)), (999, None)), before);
        assert_eq!(ends((1_000, topic(5)), (1_000, None)), (1_000, topic(5)));
    }
}
