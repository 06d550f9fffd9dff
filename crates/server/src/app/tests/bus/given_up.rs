//! What is given up in the middle, while others rest on it.

use std::time::Duration;

use super::*;
use crate::task::cut_off;

/// Longer than it takes to look up where a topic begins, on any machine.
const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_watch_goes_on_though_another_device_is_given_up_while_it_opens() {
    let (none, history) = (Permissions::empty(), Permissions::READ_HISTORY);
    for waits in 0.. {
        let house = House::build().await;
        house.says(1, "older than carol").await;
        house.app.parts.clock.set_by(1_000);
        let carol = house.comes("carol").await;
        house.unheard(vec![house.deny(none, history)]).await;
        // Another device of hers opens, and finds that she reads from another place.
        let gathering = house.app.gather(house.community, carol.account());
        let has_ended = cut_off(gathering, waits).await.is_some();
        let settles = async {
            while house.app.hub().seeks(&carol, house.topic) {
                tokio::task::yield_now().await;
            }
        };
        let settled = tokio::time::timeout(DEADLINE, settles).await;
        assert!(settled.is_ok(), "given up after {waits} waits");
        house.says(2, "for carol").await;
        let heard = house.hears(&carol).await;
        let ids = rows(&heard, Log::Topic(house.topic));
        assert_eq!(ids, [message(2)], "given up after {waits} waits");
        house.app.close().await;
        if has_ended {
            assert!(waits > 1, "it was given up while it looked");
            return;
        }
    }
}
