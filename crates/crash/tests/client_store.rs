//! The client's store through losses of power: what was acknowledged is there, once, and rows and cursor agree.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "shared/points.rs"]
mod points;

use std::collections::{BTreeMap, BTreeSet};

use points::Chance;
use rusqlite::Connection;
use tempfile::TempDir;
use tulou_client::store::{Store, StoreError, drafts, messages, outbox, rows};
use tulou_crash::vfs;
use tulou_engine::{OutboxState, Write};
use tulou_protocol::{
    AccountId, Command, CommandId, CommunityId, Log, MessageId, Rev, Row, Seq, TopicId,
    row::{Content, Group, Message},
};
use uuid::Uuid;

const ME: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
const LOG: Log = Log::Community(CommunityId(Uuid::from_u128(3)));
/// Losses of power that each store goes through, one after the other.
const LOSSES: u64 = 4;
/// What a person and a server do between two losses, at most.
const STEPS: u64 = 60;
/// Operations of the disk that so many steps take, at most.
const OPERATIONS: u64 = 500;

/// What the store has to hold.
#[derive(Default)]
struct Model {
    next: u128,
    /// Commands that the person was told are durable.
    durable: BTreeSet<u128>,
    /// Commands that the person was told are taken out.
    gone: BTreeSet<u128>,
    /// Commands of which nobody was told anything: power was lost on the way, or the server's answer need not be kept.
    either: BTreeSet<u128>,
    /// Commands that the server answered, as far as the person did not take them out: each is here as its message, or
    /// else waits.
    answered: BTreeSet<u128>,
    /// The draft that is durable, and those that were being kept when power was lost.
    draft: String,
    drafts: Vec<String>,
    /// Batches from the server, at each of which rows and cursor move by one.
    batches: u64,
}

fn id(no: u128) -> CommandId {
    CommandId(Uuid::from_u128(no))
}

fn send(no: u128, chance: &mut Chance) -> Command {
    let words = usize::try_from(chance.below(400)).unwrap();
    Command::MessageSend {
        topic: TOPIC,
        message: MessageId(Uuid::from_u128(no)),
        text: format!("{no} {}", "话 ".repeat(words)),
        reply_to: None,
        written_at: 1,
    }
}

fn batch(no: u64, chance: &mut Chance) -> [Write; 2] {
    let name = "n".repeat(usize::try_from(chance.below(2_000)).unwrap());
    let row = Row {
        id: no.to_string(),
        rev: Rev(no),
        body: Group {
            name,
            position: "V".into(),
            more: serde_json::Map::new(),
        }
        .into(),
    };
    let cursor = Write::Cursor {
        log: LOG,
        rev: Rev(no),
        view: None,
    };
    [Write::Rows(LOG, vec![row]), cursor]
}

/// The server's answer to a command that sent a message: its row, and the end of the command.
fn answer(no: u128, chance: &mut Chance) -> [Write; 2] {
    let at = u64::try_from(no).unwrap();
    let words = usize::try_from(chance.below(2_000)).unwrap();
    let content = Content {
        author: ME,
        sent_at: 1,
        written_at: Some(1),
        text: "话 ".repeat(words),
        reply_to: None,
        edited_at: None,
        recalled_by: None,
        more: serde_json::Map::new(),
    };
    let row = Row {
        id: MessageId(Uuid::from_u128(no)).to_string(),
        rev: Rev(at),
        body: Message {
            seq: Seq(at),
            content: Some(content),
            content_rev: Rev(at),
            marks: None,
            marks_rev: Rev::ZERO,
            more: serde_json::Map::new(),
        }
        .into(),
    };
    [
        Write::Rows(Log::Topic(TOPIC), vec![row]),
        Write::Done(id(no)),
    ]
}

impl Model {
    /// Does one thing.
    fn step(&mut self, store: &Store, chance: &mut Chance) {
        match chance.below(12) {
            0..=3 => {
                self.next += 1;
                let no = self.next;
                let command = send(no, chance);
                let pushed =
                    store.write(|db| outbox::push(db, id(no), command, 1, OutboxState::Waiting));
                match pushed {
                    Ok(_) => self.durable.insert(no),
                    Err(_) => self.either.insert(no),
                };
            }
            4 => {
                if let Some(no) = self.durable.pop_first() {
                    self.answered.remove(&no);
                    let removed = store.write(|db| outbox::remove(db, id(no)));
                    match removed {
                        Ok(()) => self.gone.insert(no),
                        Err(_) => self.either.insert(no),
                    };
                }
            }
            5 => {
                // The server has answered. If that is forgotten the command is sent again, and answered as before.
                if let Some(no) = self.durable.pop_first() {
                    self.either.insert(no);
                    self.answered.insert(no);
                    let _ = store.apply(&answer(no, chance), 1);
                }
            }
            6..=8 => {
                let no = self.batches + 1;
                if store.apply(&batch(no, chance), 1).is_ok() {
                    self.batches = no;
                }
            }
            9..=10 => {
                let text = format!("draft {}", chance.below(1_000_000));
                let put = store.write(|db| drafts::put(db, TOPIC, &text, None));
                if put.is_ok() {
                    self.draft = text;
                    self.drafts.clear();
                } else {
                    self.drafts.push(text);
                }
            }
            _ => {
                let _ = store.checkpoint();
            }
        }
    }

    /// Compares, and goes on from what is there.
    fn compare(&mut self, store: &Store, seed: u64) {
        let entries = store.read(outbox::all).unwrap();
        let mut held: BTreeMap<u128, u32> = BTreeMap::new();
        for entry in &entries {
            *held.entry(entry.id.0.as_u128()).or_default() += 1;
        }
        assert!(
            held.values().all(|count| *count == 1),
            "seed {seed}: nothing is twice"
        );
        for no in &self.durable {
            assert!(
                held.contains_key(no),
                "seed {seed}: command {no} was acknowledged and is lost"
            );
        }
        for no in held.keys() {
            assert!(!self.gone.contains(no), "seed {seed}: {no} came back");
            assert!(
                self.durable.contains(no) || self.either.contains(no),
                "seed {seed}: nobody gave the command {no}"
            );
        }
        for no in &self.answered {
            let message = MessageId(Uuid::from_u128(*no));
            let row = store.read(|db| messages::by_id(db, TOPIC, message));
            assert_ne!(
                row.unwrap().is_some(),
                held.contains_key(no),
                "seed {seed}: the row of {no} came as its command left, in one step"
            );
        }
        self.answered.retain(|no| !held.contains_key(no));
        let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
        let draft = draft.map_or_else(String::new, |(text, _)| text);
        assert!(
            draft == self.draft || self.drafts.contains(&draft),
            "seed {seed}: the draft is {draft:?}, not {:?}",
            self.draft
        );
        let (cursor, found) = store
            .read(|db| {
                let cursors = rows::cursors(db)?;
                let cursor = cursors.into_iter().find(|(log, ..)| *log == LOG);
                let found = rows::of_log(db, LOG)?;
                Ok::<_, StoreError>((cursor.map_or(Rev::ZERO, |(_, rev, _)| rev), found))
            })
            .unwrap();
        let mut revs: Vec<u64> = found.iter().map(|row| row.rev.0).collect();
        revs.sort_unstable();
        let expected: Vec<u64> = (1..=cursor.0).collect();
        assert_eq!(revs, expected, "seed {seed}: rows and cursor agree");
        self.durable = held.into_keys().collect();
        self.either.clear();
        self.draft = draft;
        self.drafts.clear();
        self.batches = cursor.0;
    }
}

#[test]
fn every_acknowledged_command_is_in_the_clients_store_once_after_a_loss_of_power() {
    let mut points = 0;
    for seed in points::seeds() {
        let mut chance = Chance::new(seed);
        let mut model = Model::default();
        let mut folder = TempDir::new().unwrap();
        for _ in 0..LOSSES {
            let disk = vfs::insert(folder.path()).unwrap();
            disk.lose_power_after(chance.below(OPERATIONS));
            // Making the tables is part of it.
            if let Ok(store) = Store::open(&folder.path().join("a.sqlite"), ME) {
                for _ in 0..STEPS {
                    if disk.is_dead() {
                        break;
                    }
                    model.step(&store, &mut chance);
                }
            }
            disk.lose_power();
            vfs::eject(&disk);
            let after = TempDir::new().unwrap();
            disk.files_after(seed ^ points, after.path()).unwrap();
            folder = after;
            points += 1;

            let path = folder.path().join("a.sqlite");
            let store = Store::open(&path, ME)
                .unwrap_or_else(|error| panic!("seed {seed}: the store does not open: {error:?}"));
            let check: String = Connection::open(&path)
                .unwrap()
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .unwrap();
            assert_eq!(check, "ok", "seed {seed}: the file is whole");
            model.compare(&store, seed);
        }
    }
    println!("{points} losses of power");
}
