//! What a store puts on the bus, and what it says of that which was lost on the way.

use std::sync::Mutex;

use super::*;
use crate::{
    domain::change::Marking,
    store::{Batch, Committed, WrittenRow},
};

/// Keeps what it is given.
#[derive(Default)]
struct Recorded(Mutex<Vec<Batch>>);

impl Bus for Recorded {
    fn publish(&self, batch: Batch) {
        self.0.lock().unwrap().push(batch);
    }
}

impl Recorded {
    /// What was committed, in the order in which it was given.
    fn all(&self) -> Vec<Arc<Committed>> {
        self.0.lock().unwrap().concat()
    }
}

/// A bench over which much happens, and what its bus was given of that.
async fn busy() -> (Bench, Vec<Arc<Committed>>) {
    let bus = Arc::new(Recorded::default());
    let bench = bench_over(bus.clone()).await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    let first = bench.send("1", 10).await;
    bench.send("2", 20).await;
    bench.edit(first, Seq(1), "one").await;
    let reacts = |on| Change::Marks {
        topic: bench.topic,
        message: first,
        seq: Seq(1),
        marking: Marking::Reaction {
            account: bob,
            key: "👍".to_owned(),
            on,
        },
    };
    let shelf = |body| Change::Row {
        log: Log::Community(bench.community),
        id: "shelf".to_owned(),
        body,
    };
    let group = tulou_protocol::row::Group {
        name: "架".to_owned(),
        position: "80".to_owned(),
        more: Default::default(),
    };
    for changes in [
        vec![bench.joins(bob)],
        vec![reacts(true)],
        vec![shelf(group.into()), bench.community_row("围楼")],
        vec![reacts(false)],
        vec![shelf(Body::Deleted("group".to_owned()))],
    ] {
        let outcome = bench.commit(bob, Vec::new(), changes).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    bench.send("3", 30).await;
    (bench, bus.all())
}

fn id_of(row: &WrittenRow) -> String {
    let row: serde_json::Value = serde_json::from_str(&row.json).unwrap();
    row["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_goes_on_the_bus_goes_on_from_what_went_before_it() {
    let (bench, committed) = busy().await;
    let mut at: HashMap<Log, Rev> = HashMap::new();
    for written in committed.iter().flat_map(|it| &it.logs) {
        // What is made with an account is not on the bus: nobody listens to its log before.
        let before = at.insert(written.log, written.rev).unwrap_or(written.prev);
        assert_eq!(written.prev, before, "{}", written.log);
        assert!(written.prev < written.rev, "{}", written.log);
    }
    for (log, rev) in at {
        let head = bench.store.heads(vec![log]).await.unwrap()[0].unwrap();
        assert_eq!(head.rev, rev, "the last of {log} is its head");
    }
}

#[tokio::test]
async fn whatever_is_lost_on_the_way_the_store_has_it() {
    let (bench, committed) = busy().await;
    let head = |log| bench.store.heads(vec![log]);
    for lost in committed.iter().flat_map(|it| &it.logs) {
        let missed = bench.store.missed(lost.log, lost.prev, 1_000).await;
        let missed = missed.unwrap().unwrap();
        assert_eq!(missed.prev, lost.prev, "it goes on from what was heard");
        let head = head(lost.log).await.unwrap()[0].unwrap();
        assert_eq!(missed.rev, head.rev, "up to what is there");
        let ids: Vec<String> = missed.rows.iter().map(id_of).collect();
        for row in &lost.rows {
            assert!(ids.contains(&id_of(row)), "{} of {}", row.json, lost.log);
        }
    }
}

#[tokio::test]
async fn what_is_not_written_is_not_on_the_bus() {
    let bus = Arc::new(Recorded::default());
    let bench = bench_over(bus.clone()).await;
    let before = bus.all().len();
    let (command, id) = (CommandId(Uuid::now_v7()), MessageId(Uuid::now_v7()));
    for _ in 0..3 {
        let changes = vec![bench.sent(id, "once")];
        bench
            .commit_as(command, bench.alice, 10, Vec::new(), changes)
            .await;
    }
    let stale = Expect::Head(Log::Community(bench.community), Rev(99));
    let changes = vec![bench.community_row("围楼")];
    let outcome = bench.commit(bench.alice, vec![stale], changes).await;
    assert!(matches!(outcome, Outcome::Conflict), "{outcome:?}");
    assert_eq!(bus.all().len(), before + 1, "the first send");
}
