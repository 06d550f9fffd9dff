//! What a commit rests on is looked at when it is written, not when it was decided.

use super::*;

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
    let rests_on = |rev| Expect::Message(bench.topic, message, Rev(rev));
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
