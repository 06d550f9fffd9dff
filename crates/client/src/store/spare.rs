//! A second copy of what only this computer has: outbox and drafts, and how the server is known, in a small file beside
//! the store.
//!
//! It is written a little later than the store and is there for the day on which the store cannot be read. It may name
//! commands that were answered meanwhile; sent again they get the answer that the server has stored.

use std::{
    collections::{BTreeSet, HashSet},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tulou_protocol::{Command, CommandId, id::Millis};
use uuid::Uuid;

use super::{
    StoreError,
    drafts::{self, Draft},
    edits::{self, EditDraft},
    file::beside,
    meta::{self, Aside, Left},
    outbox::{self, RawEntry},
};
use crate::known::Known;

/// What is kept beside the store.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Spare {
    outbox: Vec<Entry>,
    drafts: Vec<Draft>,
    edits: Vec<EditDraft>,
    /// What the list of accounts says of this one. Where list and store are damaged together nothing else knows the
    /// server's key, and only another invite link would bring it.
    pub known: Option<Known>,
    /// As what the person signed out: a keyring that did not let go of that token signs nobody in.
    pub left: Option<Left>,
    /// The file that was set aside, between doing that and beginning the new one.
    pub aside: Option<Aside>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    no: u64,
    id: CommandId,
    /// As it stands in the store, be it known or not; a text is none that could be read.
    command: Value,
    created_at: Millis,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_stale: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejection: Option<Value>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    awaits: BTreeSet<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_text: Option<String>,
}

impl Spare {
    /// What a store holds.
    pub fn of(db: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            outbox: outbox::raw(db)?.into_iter().map(Entry::from).collect(),
            drafts: drafts::salvage(db).0,
            edits: edits::salvage(db).0,
            known: meta::known(db)?,
            left: meta::left(db)?,
            aside: None,
        })
    }

    /// What a damaged store gives, and whether that is all that was written. What it does not say of the account, the copy of
    /// before does.
    pub fn salvage(db: &Connection, before: &Self) -> (Self, bool) {
        let (outbox, has_outbox) = outbox::salvage(db);
        let (drafts, has_drafts) = drafts::salvage(db);
        let (edits, has_edits) = edits::salvage(db);
        let spare = Self {
            outbox: outbox.into_iter().map(Entry::from).collect(),
            drafts,
            edits,
            known: meta::known(db)
                .unwrap_or_default()
                .or_else(|| before.known.clone()),
            left: meta::left(db).unwrap_or_else(|_| before.left.clone()),
            aside: None,
        };
        (spare, has_outbox && has_drafts && has_edits)
    }

    /// What it says of the account alone.
    pub fn of_the_account(&self) -> Self {
        Self {
            known: self.known.clone(),
            left: self.left.clone(),
            ..Self::default()
        }
    }

    /// The copy beside a store; nothing if there is none that can be read.
    pub fn beside(path: &Path) -> Self {
        let read = || -> io::Result<Self> {
            let bytes = fs::read(name(path))?;
            serde_json::from_slice(&bytes).map_err(io::Error::other)
        };
        read().unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!("the copy of outbox and drafts cannot be read: {error}");
            }
            Self::default()
        })
    }

    /// Adds what only the other has.
    pub fn add(&mut self, other: Self) {
        let ids: HashSet<CommandId> = self.outbox.iter().map(|entry| entry.id).collect();
        self.outbox.extend(
            other
                .outbox
                .into_iter()
                .filter(|entry| !ids.contains(&entry.id)),
        );
        self.outbox.sort_by_key(|entry| entry.no);
        let topics: HashSet<_> = self.drafts.iter().map(|draft| draft.topic).collect();
        self.drafts.extend(
            other
                .drafts
                .into_iter()
                .filter(|draft| !topics.contains(&draft.topic)),
        );
        let held: HashSet<_> = self.edits.iter().map(|edit| edit.message).collect();
        self.edits.extend(
            other
                .edits
                .into_iter()
                .filter(|edit| !held.contains(&edit.message)),
        );
    }

    /// How many commands and drafts it holds, commands left out for which nobody waits.
    pub fn counts(&self) -> (u32, u32) {
        let is_quiet = |entry: &&Entry| {
            Command::deserialize(&entry.command).is_ok_and(|command| command.is_quiet())
        };
        let commands = self.outbox.iter().filter(|entry| !is_quiet(entry));
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let drafts = self.drafts.len() + self.edits.len();
        (count(commands.count()), count(drafts))
    }

    /// Writes it beside a store, in one step; how many bytes it has.
    pub fn keep(&self, path: &Path, is_synced: bool) -> Result<usize, StoreError> {
        let bytes = serde_json::to_vec(self)?;
        let made = beside(path, ".spare.new");
        let mut file = File::create(&made)?;
        file.write_all(&bytes)?;
        if is_synced {
            file.sync_all()?;
        }
        fs::rename(&made, name(path))?;
        Ok(bytes.len())
    }
}

/// Brings what is kept beside a store into it, because it is new. If the program ended between the two, nothing is
/// twice: the copy has the commands' ids.
pub(super) fn bring_in(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let spare = Spare::beside(path);
    let tx = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    for entry in spare.outbox {
        outbox::put_back(&tx, &entry.into())?;
    }
    for draft in spare.drafts {
        drafts::put_back(&tx, &draft)?;
    }
    for edit in spare.edits {
        edits::put_back(&tx, &edit)?;
    }
    if let Some(known) = &spare.known {
        meta::set_known(&tx, known)?;
    }
    if spare.left.is_some() {
        meta::set_left(&tx, spare.left.as_ref())?;
    }
    if let Some(aside) = &spare.aside {
        meta::set_aside(&tx, aside)?;
    }
    meta::set_begun(&tx)?;
    tx.commit()?;
    Ok(())
}

fn name(path: &Path) -> PathBuf {
    beside(path, ".spare")
}

impl From<RawEntry> for Entry {
    fn from(entry: RawEntry) -> Self {
        let read = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            no: entry.no,
            id: entry.id,
            command: read(entry.command),
            created_at: entry.created_at,
            is_stale: entry.state == "stale",
            rejection: (entry.state == "rejected").then(|| read(entry.rejection)),
            awaits: entry.awaits,
            first_text: entry.first_text,
        }
    }
}

impl From<Entry> for RawEntry {
    fn from(entry: Entry) -> Self {
        let text = |value| {
            if let Value::String(text) = value {
                return text;
            }
            value.to_string()
        };
        let state = match &entry.rejection {
            Some(_) => "rejected",
            None if entry.is_stale => "stale",
            None => "waiting",
        };
        Self {
            no: entry.no,
            id: entry.id,
            command: text(entry.command),
            created_at: entry.created_at,
            state: state.to_owned(),
            rejection: entry.rejection.map(text).unwrap_or_default(),
            awaits: entry.awaits,
            first_text: entry.first_text,
        }
    }
}
