//! Up to when everything that moved can be read.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::*;
use crate::store::{Shift, Time};

/// A time that goes on whenever somebody looks.
struct Looked(AtomicI64);

impl Time for Looked {
    fn now(&self) -> Millis {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn went_back(&self, _shifts: &[Shift]) {}
}

#[tokio::test]
async fn what_comes_to_be_read_later_moved_no_earlier_than_was_settled() {
    let bench = bench().await;
    let time = Arc::new(Looked(AtomicI64::new(1_000)));
    bench.store.follow(time.clone());
    let community = bench.community;
    for _ in 0..100 {
        let topic = TopicId(Uuid::now_v7());
        let begins = bench.store.commit(Commit {
            account: bench.alice,
            command: CommandId(Uuid::now_v7()),
            origin: Origin::SERVER,
            is_apart: false,
            now: time.now(),
            expects: Vec::new(),
            changes: vec![Change::TopicBegins { community, topic }],
        });
        let begins = tokio::spawn(begins);
        let mut settled = 0;
        let at = loop {
            let now = bench.store.settled(time.now()).await.unwrap();
            let moved = bench.store.moved_since(community, 0, None);
            let moved = moved.await.unwrap();
            if let Some((_, at)) = moved.iter().find(|(moved, _)| *moved == topic) {
                break *at;
            }
            settled = now;
        };
        assert!(
            at >= settled,
            "{at} came to be read after {settled} was settled"
        );
        assert!(matches!(begins.await.unwrap(), Ok(Outcome::Done(_))));
    }
}
