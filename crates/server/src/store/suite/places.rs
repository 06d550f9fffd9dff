//! The place of a message in its topic.

use super::*;

#[tokio::test]
async fn an_edit_moves_the_rev_and_no_place() {
    let bench = bench().await;
    let first = bench.send("a", 10).await;
    bench.edit(first, Seq(1), "b").await;
    bench.send("c", 11).await;
    assert_eq!(bench.page(PageAt::End, 10).await, [1, 2]);
    let log = Log::Topic(bench.topic);
    let head = bench.store.heads(vec![log]).await.unwrap()[0].unwrap();
    assert_eq!(
        (head.seq, head.rev),
        (Seq(2), Rev(3)),
        "two places, and three changes"
    );
}
