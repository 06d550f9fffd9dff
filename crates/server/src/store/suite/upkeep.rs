//! What became old, what ended, and where reading begins.

use super::*;

#[tokio::test]
async fn what_ended_is_removed_in_bounded_steps_also_after_a_restart() {
    let bench = bench().await;
    for n in 0..25 {
        bench.send(&n.to_string(), 10).await;
    }
    let (community, topic) = (bench.community, bench.topic);
    let outcome = bench
        .commit(
            bench.alice,
            Vec::new(),
            vec![Change::TopicEnds { community, topic }],
        )
        .await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(
        bench.store.community_of(topic).await.unwrap(),
        None,
        "it is hidden at once"
    );
    let left = async |store: &dyn Store| {
        let page = store.page(topic, PageAt::After(Seq(0)), 200, None);
        page.await.unwrap().unwrap().rows.len()
    };
    assert_eq!(left(&*bench.store).await, 25, "and not removed yet");
    assert!(bench.store.sweep(10).await.unwrap(), "there is more");
    assert_eq!(left(&*bench.store).await, 15, "a step is bounded");
    bench.store.close().await.unwrap();
    let store = open(bench.folder.path());
    let mut steps = 0;
    while store.sweep(10).await.unwrap() {
        steps += 1;
        assert!(steps < 10, "it comes to an end");
    }
    assert_eq!(left(&*store).await, 0, "nothing is left");
}

/// Ids of rows of a kind in an account's log: those that are there, and those of which a tombstone is.
async fn rows_of(bench: &Bench, account: AccountId, kind: &str) -> (Vec<String>, Vec<String>) {
    let own = Log::Account(account);
    let since = bench
        .store
        .rows_since(own, Rev::ZERO, None, 10_000)
        .await
        .unwrap();
    let of_kind = since.rows.into_iter().filter(|row| row.body.kind() == kind);
    let (gone, there): (Vec<_>, Vec<_>) =
        of_kind.partition(|row| matches!(row.body, Body::Deleted(_)));
    let ids = |rows: Vec<tulou_protocol::Row>| rows.into_iter().map(|row| row.id).collect();
    (ids(there), ids(gone))
}

impl Bench {
    async fn mention(&self, account: AccountId, id: &str, now: Millis) {
        let body = Mention {
            topic: self.topic,
            seq: Seq(1),
            sent_at: now,
            by_edit: false,
            more: Default::default(),
        };
        let row = Change::Row {
            log: Log::Account(account),
            id: id.to_owned(),
            body: body.into(),
        };
        let command = CommandId(Uuid::now_v7());
        let outcome = self
            .commit_as(command, self.alice, now, Vec::new(), vec![row])
            .await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }

    async fn fade(&self, old: Vec<Fading>, now: Millis) {
        let fades = old.into_iter().map(|row| Change::Fades {
            account: row.account,
            kind: row.kind,
            id: row.id,
            rev: row.rev,
        });
        let command = CommandId(Uuid::now_v7());
        let outcome = self
            .commit_as(command, self.alice, now, Vec::new(), fades.collect())
            .await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_mention_that_an_edit_added_is_seen_once_and_only_in_its_topic() {
    let bench = bench().await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    let message = MessageId(Uuid::now_v7());
    let row = Change::Row {
        log: Log::Account(bob),
        id: MessageKey::of(bench.topic, message).to_string(),
        body: Mention {
            topic: bench.topic,
            seq: Seq(1),
            sent_at: 1,
            by_edit: true,
            more: Default::default(),
        }
        .into(),
    };
    let says = |topic, message, seen| Change::MentionSeen {
        account: bob,
        topic,
        message,
        seen,
    };
    let see = |topic, message| says(topic, message, true);
    let other = TopicId(Uuid::now_v7());
    let nothing = MessageId(Uuid::now_v7());
    let steps = [
        (row, 1, "it is news"),
        (see(other, message), 0, "it stands in another topic"),
        (see(bench.topic, nothing), 0, "nothing mentions him there"),
        (see(bench.topic, message), 1, "it is seen"),
        (see(bench.topic, message), 0, "and was before"),
        (
            says(other, message, false),
            0,
            "nothing is taken back elsewhere",
        ),
        (says(bench.topic, message, false), 1, "it is news again"),
        (says(bench.topic, message, false), 0, "and was before"),
    ];
    for (change, rows, why) in steps {
        let command = CommandId(Uuid::now_v7());
        let outcome = bench
            .commit_as(command, bob, 10, Vec::new(), vec![change])
            .await;
        let Outcome::Done(committed) = outcome else {
            panic!("{why}: {outcome:?}")
        };
        let written: usize = committed.logs.iter().map(|log| log.rows.len()).sum();
        assert_eq!(written, rows, "{why}");
    }
}

#[tokio::test]
async fn mentions_fade_by_age_and_by_number_and_their_tombstones_go() {
    let bench = bench().await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    for n in 0..6 {
        bench.mention(bob, &n.to_string(), 100 + n).await;
    }
    let old = bench.store.fading(102, 100).await.unwrap();
    let ids: Vec<&str> = old.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["0", "1"], "those from before the time");
    // One of them is new again before it fades.
    bench.mention(bob, "1", 110).await;
    bench.fade(old, 200).await;
    let (there, gone) = rows_of(&bench, bob, "mention").await;
    assert_eq!(gone, ["0"], "what changed meanwhile stays: {there:?}");
    let crowded = bench.store.crowded(3).await.unwrap();
    assert_eq!(crowded, [(bob, "mention".to_owned(), 2)]);
    let oldest = |limit| bench.store.oldest(bob, "mention".to_owned(), limit);
    let many = oldest(2).await.unwrap();
    let ids: Vec<&str> = many.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["2", "3"], "the oldest beyond three");
    let few = oldest(1).await.unwrap();
    assert_eq!(few.len(), 1, "never more than asked for");
    bench.fade(many, 300).await;

    let own = Log::Account(bob);
    let before = bench
        .store
        .rows_since(own, Rev::ZERO, None, 100)
        .await
        .unwrap();
    assert_eq!(before.floor, Rev::ZERO, "all tombstones are there");
    assert_eq!(bench.store.forget_tombstones(250, 100).await.unwrap(), 1);
    let after = bench
        .store
        .rows_since(own, Rev::ZERO, None, 100)
        .await
        .unwrap();
    let first = before.rows.iter().find(|row| row.id == "0").unwrap();
    assert_eq!(
        after.floor, first.rev,
        "the floor rises to what was forgotten"
    );
    assert_eq!(after.head, before.head, "the head does not move");
    let (_, gone) = rows_of(&bench, bob, "mention").await;
    assert_eq!(gone, ["2", "3"], "younger tombstones stay");
    let forgotten = after.floor.0;
    for (asked, begun, goes_on, why) in [
        (1, None, false, "what he holds may be gone since"),
        (1, Some(forgotten), true, "what came since he was told"),
        (1, Some(forgotten - 1), false, "pages that began before it"),
        (
            forgotten + 1,
            Some(forgotten - 1),
            false,
            "however far they came",
        ),
        (forgotten, None, true, "he has heard of it"),
    ] {
        let found = bench.store.rows_since(own, Rev(asked), begun.map(Rev), 100);
        let since = found.await.unwrap().since;
        let from = if goes_on { Rev(asked) } else { Rev::ZERO };
        assert_eq!(since, from, "{why}");
    }
}

#[tokio::test]
async fn a_row_of_a_newer_kind_is_kept_as_it_came() {
    let bench = bench().await;
    let body = serde_json::json!({"question": "?", "options": [1, 2.5]});
    let own = Log::Account(bench.alice);
    let row = Change::Row {
        log: own,
        id: "x".to_owned(),
        body: Body::Unknown("poll".to_owned(), body.clone()),
    };
    bench.commit(bench.alice, Vec::new(), vec![row]).await;
    let rows = bench
        .store
        .rows_since(own, Rev(1), None, 10)
        .await
        .unwrap()
        .rows;
    assert_eq!(
        rows[0].body,
        Body::Unknown("poll".to_owned(), body),
        "a newer program reads it"
    );
}

#[tokio::test]
async fn what_changed_comes_in_pages_by_rev_until_it_is_complete() {
    const MESSAGES: u64 = 1_800;
    let bench = bench().await;
    let mut ids = Vec::new();
    let mut pending = Vec::new();
    for n in 1..=MESSAGES {
        let id = MessageId(Uuid::now_v7());
        ids.push(id);
        pending.push(bench.begin(vec![bench.sent(id, &n.to_string())]));
    }
    for (id, seq) in ids.iter().zip(1..) {
        pending.push(bench.begin(vec![bench.edited(*id, Seq(seq), "new")]));
    }
    for pending in pending {
        let outcome = pending.await.unwrap();
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    // Everything but the last ten is held, as of the last message; and a stretch at the end by itself.
    for (from, pages) in [(1, 2), (MESSAGES - 20, 2)] {
        let mut ranges = vec![Range {
            from: Seq(from),
            to: Seq(MESSAGES - 10),
            rev: Rev(MESSAGES),
        }];
        let mut seen = Vec::new();
        let mut asked = 0;
        loop {
            let changes = bench
                .store
                .topic_changes(bench.topic, ranges.clone(), None, true, 1_500)
                .await
                .unwrap();
            asked += 1;
            seen.extend(changes.rows.iter().map(seq));
            if !changes.has_more {
                assert_eq!(changes.rev, Rev(2 * MESSAGES), "as of the head");
                assert_eq!(changes.tail_from, Some(Seq(MESSAGES - 9)));
                break;
            }
            assert!(changes.rev > ranges[0].rev, "each page goes on");
            assert_eq!(changes.tail_from, None, "the tail comes last");
            ranges[0].rev = changes.rev;
        }
        let expected: Vec<u64> = (from..=MESSAGES).collect();
        assert_eq!(seen, expected, "each once, and the tail");
        assert_eq!(asked, pages, "from {from}");
    }
}

impl Bench {
    fn begin(&self, changes: Vec<Change>) -> super::super::Pending<Outcome> {
        self.store.commit(Commit {
            account: self.alice,
            command: CommandId(Uuid::now_v7()),
            origin: Origin::SERVER,
            now: 10,
            expects: Vec::new(),
            changes,
            is_apart: false,
        })
    }
}
