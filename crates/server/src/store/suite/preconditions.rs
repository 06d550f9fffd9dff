//! What a commit rests on is looked at when it is written, not when it was decided.

use tulou_protocol::{GroupId, limits, permission::Place, row::AccessRow};

use super::*;
use crate::domain::change::Marking;

impl Bench {
    /// Whether a commit that rests on something is written.
    async fn is_written(&self, expect: Expect) -> bool {
        let changes = vec![self.sent(MessageId(Uuid::now_v7()), "x")];
        match self.commit(self.alice, vec![expect], changes).await {
            Outcome::Done(_) => true,
            Outcome::Conflict => false,
            other @ (Outcome::Repeat(_) | Outcome::Refused(_)) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_commit_that_rests_on_an_older_message_is_not_written() {
    let bench = bench().await;
    let message = bench.send("a", 10).await;
    let rests_on = |rev| Expect::Content(bench.topic, message, Rev(rev));
    assert!(bench.is_written(rests_on(1)).await);
    bench.edit(message, Seq(1), "b").await;
    assert!(
        !bench.is_written(rests_on(1)).await,
        "it was edited meanwhile"
    );
    assert!(bench.is_written(rests_on(3)).await, "as it is");
}

#[tokio::test]
async fn a_commit_that_rests_on_an_older_cursor_is_not_written() {
    let bench = bench().await;
    let rests_on = |rev| Expect::Cursor(bench.alice, bench.topic, Rev(rev));
    assert!(
        bench.is_written(rests_on(0)).await,
        "there is none, and writing makes one"
    );
    assert!(!bench.is_written(rests_on(0)).await, "there is one");
    let head = bench
        .store
        .heads(vec![Log::Account(bench.alice)])
        .await
        .unwrap()[0]
        .unwrap();
    assert!(bench.is_written(rests_on(head.rev.0)).await, "as it is");
}

#[tokio::test]
async fn a_commit_that_rests_on_an_older_profile_is_not_written() {
    let bench = bench().await;
    let rests_on = |rev| Expect::Profile(bench.alice, Rev(rev));
    assert!(bench.is_written(rests_on(1)).await);
    assert!(!bench.is_written(rests_on(0)).await);
    assert!(!bench.is_written(rests_on(2)).await);
}

#[tokio::test]
async fn a_commit_that_rests_on_an_older_member_is_not_written() {
    let bench = bench().await;
    let rests_on = |rev| Expect::Member(bench.community, bench.alice, Rev(rev));
    assert!(bench.is_written(rests_on(1)).await);
    let again = bench.joins(bench.alice);
    let written = bench.commit(bench.alice, vec![], vec![again]).await;
    assert!(matches!(written, Outcome::Done(_)), "{written:?}");
    assert!(!bench.is_written(rests_on(1)).await, "his row was written");
    assert!(bench.is_written(rests_on(2)).await, "as it is");
}

#[tokio::test]
async fn a_commit_that_rests_on_rights_is_written_unless_what_gives_them_has_changed() {
    let bench = bench().await;
    let log = Log::Community(bench.community);
    let (group, other) = (GroupId(Uuid::now_v7()), GroupId(Uuid::now_v7()));
    let elsewhere = TopicId(Uuid::now_v7());
    let head = async || bench.store.heads(vec![log]).await.unwrap()[0].unwrap().rev;
    let deletes = |kind: &str, id: String| Change::Row {
        log,
        id,
        body: Body::Deleted(kind.to_owned()),
    };
    let access = |place: Place| deletes("access", AccessRow::id(place, None));
    for (change, decides) in [
        (deletes("group", group.to_string()), false),
        (deletes("topic", elsewhere.to_string()), false),
        (deletes("member_group", group.to_string()), false),
        (access(Place::Group(other)), false),
        (access(Place::Topic(elsewhere)), false),
        (access(Place::Topic(bench.topic)), true),
        (access(Place::Group(group)), true),
        (access(Place::Community), true),
        (deletes("topic", bench.topic.to_string()), true),
        (bench.community_row("围楼"), true),
    ] {
        let rests_on = Expect::Rights(bench.community, bench.topic, group, head().await);
        assert!(bench.is_written(rests_on).await, "as it is");
        let written = bench
            .commit(bench.alice, vec![], vec![change.clone()])
            .await;
        assert!(matches!(written, Outcome::Done(_)), "{written:?}");
        assert_eq!(bench.is_written(rests_on).await, !decides, "{change:?}");
    }
}

#[tokio::test]
async fn what_is_put_on_a_message_twice_is_written_once_and_never_too_much_of_it() {
    let bench = bench().await;
    let message = bench.send("a", 10).await;
    let marks = |marking| Change::Marks {
        topic: bench.topic,
        message,
        seq: Seq(1),
        marking,
    };
    let reacts = |key: &str, on| {
        marks(Marking::Reaction {
            account: bench.alice,
            key: key.to_owned(),
            on,
        })
    };
    let rows_of = async |change: Change| match bench.commit(bench.alice, vec![], vec![change]).await
    {
        Outcome::Done(committed) => Some(committed.logs.len()),
        Outcome::Refused(no) => {
            assert_eq!(no.code, Code::TooMany);
            None
        }
        other @ (Outcome::Repeat(_) | Outcome::Conflict) => panic!("{other:?}"),
    };
    // The topic's row, and that of whoever did it.
    for (change, logs) in [
        (reacts("👍", false), Some(0)),
        (reacts("👍", true), Some(2)),
        (reacts("👍", true), Some(0)),
        (reacts("👍", false), Some(2)),
        (marks(Marking::Pin(None)), Some(0)),
        (marks(Marking::Pin(Some(5))), Some(1)),
        (marks(Marking::Pin(Some(6))), Some(0)),
        (marks(Marking::Touch), Some(1)),
    ] {
        assert_eq!(rows_of(change.clone()).await, logs, "{change:?}");
    }
    for kind in 0..limits::REACTION_KINDS {
        assert_eq!(rows_of(reacts(&kind.to_string(), true)).await, Some(2));
    }
    assert_eq!(rows_of(reacts("one more", true)).await, None);
    let Some(found) = bench
        .store
        .page(bench.topic, PageAt::End, 1, None)
        .await
        .unwrap()
    else {
        panic!("it is there")
    };
    let Body::Message(found) = &found.rows[0].body else {
        panic!("it is a message")
    };
    let found = found.marks.as_ref().unwrap();
    assert_eq!(
        found.pinned_at,
        Some(5),
        "the first pin is the one that counts"
    );
    assert!(found.reactions.iter().all(|reaction| reaction.count == 1));
    assert_eq!(found.reactions.len(), limits::REACTION_KINDS);
}

#[tokio::test]
async fn who_reacts_again_after_his_mark_has_faded_has_it_again_and_the_topic_does_not_move() {
    let bench = bench().await;
    let message = bench.send("a", 10).await;
    let reacts = |on| Change::Marks {
        topic: bench.topic,
        message,
        seq: Seq(1),
        marking: Marking::Reaction {
            account: bench.alice,
            key: "👍".to_owned(),
            on,
        },
    };
    let logs_of = async |change: Change| match bench.commit(bench.alice, vec![], vec![change]).await
    {
        Outcome::Done(committed) => committed.logs.clone(),
        no @ (Outcome::Repeat(_) | Outcome::Conflict | Outcome::Refused(_)) => panic!("{no:?}"),
    };
    let own = Log::Account(bench.alice);
    let given = logs_of(reacts(true)).await;
    let mark = given.iter().find(|written| written.log == own).unwrap();
    let fades = Change::Fades {
        account: bench.alice,
        kind: "mark".to_owned(),
        id: MessageKey::of(bench.topic, message).to_string(),
        rev: mark.rev,
    };
    assert_eq!(logs_of(fades).await.len(), 1);
    let again = logs_of(reacts(true)).await;
    let logs: Vec<Log> = again.iter().map(|written| written.log).collect();
    assert_eq!(logs, [own], "he sees that it is his, and can take it back");
    assert_eq!(logs_of(reacts(true)).await.len(), 0, "it is there");
    assert_eq!(logs_of(reacts(false)).await.len(), 2);
    let page = bench.store.page(bench.topic, PageAt::End, 1, None).await;
    let Body::Message(found) = &page.unwrap().unwrap().rows[0].body else {
        panic!("it is a message")
    };
    let marks = found.marks.clone().unwrap_or_default();
    assert!(marks.reactions.is_empty(), "it was counted once: {marks:?}");
}

#[tokio::test]
async fn two_people_have_a_reaction_each_and_each_takes_back_his_own() {
    let bench = bench().await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    let message = bench.send("a", 10).await;
    for (account, on, count) in [
        (bench.alice, true, 1),
        (bob, true, 2),
        (bench.alice, false, 1),
        (bob, false, 0),
    ] {
        let change = Change::Marks {
            topic: bench.topic,
            message,
            seq: Seq(1),
            marking: Marking::Reaction {
                account,
                key: "👍".to_owned(),
                on,
            },
        };
        let written = bench.commit(account, vec![], vec![change]).await;
        assert!(matches!(written, Outcome::Done(_)), "{written:?}");
        let page = bench.store.page(bench.topic, PageAt::End, 1, None).await;
        let Body::Message(found) = &page.unwrap().unwrap().rows[0].body else {
            panic!("it is a message")
        };
        let marks = found.marks.clone().unwrap_or_default();
        let counted = marks.reactions.first().map_or(0, |kind| kind.count);
        assert_eq!(counted, count);
    }
}

#[tokio::test]
async fn a_touch_of_a_message_that_is_not_there_any_more_is_done_and_writes_nothing() {
    let bench = bench().await;
    let change = Change::Marks {
        topic: bench.topic,
        message: MessageId(Uuid::now_v7()),
        seq: Seq(1),
        marking: Marking::Touch,
    };
    let Outcome::Done(committed) = bench.commit(bench.alice, vec![], vec![change]).await else {
        panic!("there is nobody to be told")
    };
    assert!(committed.logs.is_empty(), "{:?}", committed.logs);
}
