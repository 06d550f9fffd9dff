//! The server's store through losses of power: what was answered is there, once, with its answer, and nothing else is.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "shared/points.rs"]
mod points;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use points::Chance;
use tempfile::TempDir;
use tulou_crash::{Disk, vfs};
use tulou_protocol::{
    AccountId, Body, CommandId, CommunityId, Log, MessageId, Rev, Seq, TopicId, question::PageAt,
};
use tulou_server::{
    actor::Origin,
    domain::{
        Reader,
        change::{Change, Expect, Sent},
    },
    store::{Accounts, Commit, NewAccount, Nowhere, Outcome, Store, sqlite::Sqlite},
};
use uuid::Uuid;

const ALICE: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(3));
/// Losses of power that each store goes through, one after the other.
const LOSSES: u64 = 4;
/// Groups of commands between two losses, at most.
const GROUPS: u64 = 30;
/// Operations of the disk that so many groups take, at most.
const OPERATIONS: u64 = 600;

/// What the store has to hold.
#[derive(Default)]
struct Model {
    next: u128,
    /// Commands that were answered.
    answered: BTreeSet<u128>,
    /// Commands that got no answer.
    either: BTreeSet<u128>,
    /// Accounts that were made, by name.
    accounts: BTreeSet<u128>,
    /// Whether the topic was begun.
    has_begun: bool,
}

fn open(folder: &TempDir) -> Option<Sqlite> {
    Sqlite::open(folder.path(), Arc::new(Nowhere)).ok()
}

fn commit(no: u128, expects: Vec<Expect>, changes: Vec<Change>) -> Commit {
    Commit {
        account: ALICE,
        command: CommandId(Uuid::from_u128(no)),
        origin: Origin::SERVER,
        is_apart: false,
        now: 10,
        expects,
        changes,
    }
}

fn send(no: u128, chance: &mut Chance) -> Commit {
    let words = usize::try_from(chance.below(300)).unwrap();
    let sent = Change::Send(Box::new(Sent {
        topic: TOPIC,
        message: MessageId(Uuid::from_u128(no)),
        author: ALICE,
        author_rev: Rev(1),
        text: format!("{no} {}", "话 ".repeat(words)),
        reply_to: None,
        written_at: Some(1),
        mentions: Vec::new(),
        wide: Vec::new(),
        reader: Reader {
            since: 0,
            has_history: true,
        },
    }));
    commit(no, Vec::new(), vec![sent])
}

fn account(no: u128) -> NewAccount {
    NewAccount {
        id: AccountId(Uuid::from_u128(no)),
        name: format!("somebody{no}"),
        display_name: format!("Somebody {no}"),
        password: "hash".to_owned(),
        codes: Vec::new(),
        unless_first: None,
        invite: None,
        now: 1,
    }
}

impl Model {
    async fn begin(&mut self, store: &Sqlite) {
        if !self.has_begun {
            let begins = Change::TopicBegins {
                community: COMMUNITY,
                topic: TOPIC,
            };
            let expects = vec![Expect::New(Log::Topic(TOPIC))];
            self.has_begun = matches!(
                store.commit(commit(0, expects, vec![begins])).await,
                Ok(Outcome::Done(_) | Outcome::Repeat(_))
            );
        }
    }

    /// Several commands at once, so that they share a transaction; some of them are repeats.
    async fn step(&mut self, store: &Sqlite, chance: &mut Chance) {
        let mut waiting = Vec::new();
        for _ in 0..=chance.below(6) {
            let is_repeat = chance.below(6) == 0;
            let no = match self.answered.first() {
                Some(no) if is_repeat => *no,
                _ => {
                    self.next += 1;
                    self.next
                }
            };
            waiting.push((no, store.commit(send(no, chance))));
        }
        let made = (chance.below(5) == 0).then(|| {
            self.next += 1;
            (self.next, store.create_account(account(self.next)))
        });
        for (no, answer) in waiting {
            match answer.await {
                Ok(Outcome::Done(_)) => {
                    assert!(self.answered.insert(no), "{no} was done a second time");
                }
                Ok(Outcome::Repeat(_)) => assert!(self.answered.contains(&no), "{no} is no repeat"),
                Ok(other) => panic!("{no}: {other:?}"),
                Err(_) if self.answered.contains(&no) => {}
                Err(_) => {
                    self.either.insert(no);
                }
            }
        }
        if let Some((no, made)) = made
            && made.await.is_ok()
        {
            self.accounts.insert(no);
        }
    }

    /// Compares, and goes on from what is there.
    async fn compare(&mut self, store: &Sqlite, seed: u64) {
        let begun = store
            .heads(vec![Log::Topic(TOPIC)])
            .await
            .unwrap()
            .remove(0);
        assert!(
            begun.is_some() || !self.has_begun,
            "seed {seed}: the topic was begun and is lost"
        );
        self.has_begun = begun.is_some();
        let head = begun.unwrap_or_default();
        let mut rows = Vec::new();
        while rows.len() < usize::try_from(head.seq.0).unwrap() {
            let at = PageAt::After(Seq(rows.len() as u64));
            let page = store.page(TOPIC, at, 100, None).await.unwrap().unwrap();
            assert!(!page.rows.is_empty(), "seed {seed}: no seq is left out");
            rows.extend(page.rows);
        }
        let mut held: BTreeMap<u128, u64> = BTreeMap::new();
        for (row, seq) in rows.iter().zip(1..) {
            let Body::Message(message) = &row.body else {
                panic!("seed {seed}: {row:?} is no message");
            };
            assert_eq!(message.seq, Seq(seq), "seed {seed}: each has its place");
            let id: MessageId = row.id.parse().unwrap();
            assert!(
                held.insert(id.0.as_u128(), seq).is_none(),
                "seed {seed}: {} is there twice",
                row.id
            );
        }
        assert_eq!(
            head.rev.0,
            rows.len() as u64,
            "seed {seed}: the head's rev counts the messages"
        );
        for no in &self.answered {
            assert!(
                held.contains_key(no),
                "seed {seed}: {no} was answered and is lost"
            );
        }
        for no in held.keys() {
            assert!(
                self.answered.contains(no) || self.either.contains(no),
                "seed {seed}: nobody sent {no}"
            );
        }
        for no in self.answered.iter().chain(&self.either) {
            let command = CommandId(Uuid::from_u128(*no));
            let answer = store.answer(ALICE, command).await.unwrap();
            assert_eq!(
                answer.is_some(),
                held.contains_key(no),
                "seed {seed}: {no} and its answer are there both or neither"
            );
        }
        for no in &self.accounts {
            let found = store.account(account(*no).name).await.unwrap();
            assert!(found.is_some(), "seed {seed}: an account is lost");
        }
        self.answered = held.into_keys().collect();
        self.either.clear();
    }
}

/// Works until power is lost.
async fn work(folder: &TempDir, disk: &Disk, model: &mut Model, chance: &mut Chance) {
    // Making the tables is part of it.
    let Some(store) = open(folder) else {
        return;
    };
    model.begin(&store).await;
    for _ in 0..GROUPS {
        if disk.is_dead() || !model.has_begun {
            break;
        }
        model.step(&store, chance).await;
    }
    disk.lose_power();
    let _ = store.close().await;
}

#[tokio::test]
async fn every_answered_command_is_in_the_servers_store_once_after_a_loss_of_power() {
    let mut points = 0;
    for seed in points::seeds() {
        let mut chance = Chance::new(seed);
        let mut model = Model::default();
        let mut folder = TempDir::new().unwrap();
        for _ in 0..LOSSES {
            let disk = vfs::insert(folder.path()).unwrap();
            disk.lose_power_after(chance.below(OPERATIONS));
            work(&folder, &disk, &mut model, &mut chance).await;
            disk.lose_power();
            vfs::eject(&disk);
            let after = TempDir::new().unwrap();
            disk.files_after(seed ^ points, after.path()).unwrap();
            folder = after;
            points += 1;

            // It is checked at this start, because its log was left behind.
            let store = open(&folder).unwrap_or_else(|| panic!("seed {seed}: it does not open"));
            model.compare(&store, seed).await;
            tulou_server::store::engine::check(folder.path()).unwrap();
            store.close().await.unwrap();
        }
    }
    println!("{points} losses of power");
}

/// What is made with the store, the key, comes when it was opened; beside no store it is taken for what is left of one.
#[tokio::test]
async fn a_store_that_was_opened_is_there_after_a_loss_of_power() {
    for seed in points::seeds() {
        let folder = TempDir::new().unwrap();
        let disk = vfs::insert(folder.path()).unwrap();
        let store = open(&folder).unwrap();
        let made = store.identity();
        disk.lose_power();
        let _ = store.close().await;
        vfs::eject(&disk);
        let after = TempDir::new().unwrap();
        disk.files_after(seed, after.path()).unwrap();
        std::fs::write(after.path().join("server-key.pem"), "a key").unwrap();
        let store = open(&after).unwrap_or_else(|| panic!("seed {seed}: the store is lost"));
        assert_eq!(store.identity(), made, "seed {seed}: it is the same server");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn commits_that_wait_share_one_sync_and_none_is_answered_before_it() {
    /// Fewer than a transaction takes.
    const WAITING: u128 = 200;
    let folder = TempDir::new().unwrap();
    let disk = vfs::insert(folder.path()).unwrap();
    let store = open(&folder).unwrap();
    let mut model = Model::default();
    model.begin(&store).await;
    assert!(model.has_begun);
    let mut chance = Chance::new(1);

    disk.hold_syncs();
    let (asked, over) = disk.syncs();
    let mut first = store.commit(send(1, &mut chance));
    let deadline = Instant::now() + Duration::from_secs(30);
    while disk.syncs().0 == asked {
        assert!(Instant::now() < deadline, "a commit asks for a sync");
        tokio::task::yield_now().await;
    }
    // The writer is busy with the first, so these wait for it.
    let mut others: Vec<_> = (2..2 + WAITING)
        .map(|no| store.commit(send(no, &mut chance)))
        .collect();
    for commit in std::iter::once(&mut first).chain(&mut others) {
        let answer = poll_fn(|at| Poll::Ready(commit.as_mut().poll(at).is_ready())).await;
        assert!(!answer, "nothing is answered before its sync is over");
    }
    assert_eq!(disk.syncs(), (asked + 1, over), "that of the first goes on");
    disk.let_syncs_go();
    for commit in std::iter::once(first).chain(others) {
        assert!(matches!(commit.await, Ok(Outcome::Done(_))));
    }
    assert_eq!(
        disk.syncs(),
        (asked + 2, over + 2),
        "one for the first, and one for all that waited meanwhile"
    );
    store.close().await.unwrap();
    vfs::eject(&disk);
}
