//! From where on those who watch a topic read it, when rights change meanwhile.

use tulou_protocol::{MessageId, Permissions, Seq, ServerFrame, push::Pushed};

use super::{
    house::{DEADLINE, House, none_to},
    *,
};
use crate::{domain::change::Marking, hub::Floor, store::Outcome};

#[tokio::test]
async fn an_edit_between_a_change_of_rights_and_its_floors_reaches_all_who_watch() {
    let house = House::build(Permissions::empty()).await;
    let watching = house.crowd().await;
    give(&house.app, &house.alice, house.send(2, "for all")).await;
    settled(&house.app).await;
    for line in &watching {
        line.take();
    }
    let log = Log::Topic(house.topic);
    // Each takes what comes as it comes, as a session does.
    let heard = watching.iter().cloned().map(|line| {
        tokio::spawn(async move {
            loop {
                line.woken().await;
                for frame in line.take().0 {
                    match ServerFrame::parse(&frame).unwrap() {
                        ServerFrame::Pushed(Pushed::Push(push)) if push.log == log => {
                            return !push.rows.is_empty();
                        }
                        ServerFrame::Pushed(Pushed::Stale(stale)) if stale.log == log => {
                            return true;
                        }
                        ServerFrame::Pushed(_)
                        | ServerFrame::Responses(_)
                        | ServerFrame::Unknown(_) => {}
                    }
                }
            }
        })
    });
    let heard: Vec<_> = heard.collect();
    let held_up = house.hold_up();
    let hide = house.deny(none_to(Permissions::READ_HISTORY));
    let hidden = house.hand_over(&house.alice, hide).await;
    let edited = house.commit_elsewhere(Change::Marks {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(2)),
        seq: Seq(2),
        marking: Marking::Reaction {
            account: AccountId(Uuid::now_v7()),
            key: "👍".to_owned(),
            on: true,
        },
    });
    held_up.let_go().await;
    hidden.await.unwrap().unwrap();
    assert!(matches!(edited.await, Ok(Outcome::Done(_))));
    for heard in heard {
        let heard = tokio::time::timeout(DEADLINE, heard).await;
        assert!(
            heard.unwrap().unwrap(),
            "who is told how far the topic came has the row, or asks for it"
        );
    }
    house.app.close().await;
}

#[tokio::test]
async fn of_two_changes_of_rights_the_floors_of_the_later_one_hold() {
    let (none, history) = (Permissions::empty(), Permissions::READ_HISTORY);
    for (first, then, floor) in [(history, none, Seq(1)), (none, history, Seq(2))] {
        let house = House::build(then).await;
        let watching = house.crowd().await;
        let held_up = house.hold_up();
        let mut changed = Vec::new();
        for deny in [first, then] {
            changed.push(house.commit_elsewhere(house.denied_elsewhere(deny)));
        }
        held_up.let_go().await;
        for changed in changed {
            assert!(matches!(changed.await, Ok(Outcome::Done(_))));
        }
        settled(&house.app).await;
        let floors = || -> Vec<Floor> {
            let state = house.app.hub().state();
            state.watchers[&house.topic]
                .iter()
                .map(|it| it.floor)
                .collect()
        };
        let hold = vec![Floor::At(floor); watching.len()];
        let come = async {
            while floors() != hold {
                tokio::task::yield_now().await;
            }
        };
        let came = tokio::time::timeout(DEADLINE, come).await;
        assert!(came.is_ok(), "{then:?} is denied: {:?}", floors());
        house.app.close().await;
    }
}

#[tokio::test]
async fn floors_that_many_wait_for_wait_behind_nobody_who_asks() {
    let house = House::build(Permissions::empty()).await;
    let watching = house.crowd().await;
    let held = house.app.store().hold_readers();
    let hide = house.denied_elsewhere(Permissions::READ_HISTORY);
    let changed = house.commit_elsewhere(hide);
    assert!(matches!(changed.await, Ok(Outcome::Done(_))));
    let come = async {
        loop {
            let is_known = {
                let state = house.app.hub().state();
                let watches = &state.watchers[&house.topic];
                assert_eq!(watches.len(), watching.len());
                watches.iter().all(|it| it.floor == Floor::At(Seq(2)))
            };
            if is_known {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(DEADLINE, come).await;
    assert!(came.is_ok(), "all readers but one are busy with questions");
    drop(held);
    house.app.close().await;
}

#[tokio::test]
async fn a_floor_that_was_looked_up_for_rights_of_before_is_not_taken() {
    let house = House::build(Permissions::READ_HISTORY).await;
    let bob = (house.community, house.bob.account());
    let floor = || house.app.hub().state().watchers[&house.topic][0].floor;
    assert_eq!(floor(), Floor::At(Seq(2)));
    let hub = house.app.hub();
    assert!(
        !hub.goes_on(bob, house.topic, None, Seq(1)),
        "whoever may read all of it: he might until a moment ago"
    );
    assert_eq!(floor(), Floor::At(Seq(2)));
    house.app.close().await;
}

#[tokio::test]
async fn who_watches_again_goes_on_as_he_did_and_misses_nothing() {
    let house = House::build(Permissions::READ_HISTORY).await;
    let bob = &house.bob;
    house.app.hub().state().seek(bob.account(), house.topic);
    let reacted = house.commit_elsewhere(house.reacted());
    assert!(matches!(reacted.await, Ok(Outcome::Done(_))));
    settled(&house.app).await;
    assert_eq!(house.heard_by(bob), [], "from where on is not known yet");
    house.app.watch(bob, vec![house.topic]).await.unwrap();
    let log = Log::Topic(house.topic);
    let is_told = bob.take().0.iter().any(|frame| {
        let told = ServerFrame::parse(frame).unwrap();
        matches!(told, ServerFrame::Pushed(Pushed::Stale(stale)) if stale.log == log)
    });
    assert!(is_told, "he asks for what came meanwhile");
    house.app.watch(bob, vec![house.topic]).await.unwrap();
    let floor = house.app.hub().state().watchers[&house.topic][0].floor;
    assert_eq!(floor, Floor::At(Seq(2)));
    house.app.close().await;
}
