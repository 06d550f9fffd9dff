//! A client's store as a model: applies changes the way the real one must, and checks what may never happen.

use std::collections::{BTreeMap, BTreeSet};

use tulou_engine::{Batch, Counts, Island, OutboxEntry, OutboxState, Restored, TopicHead, Write};
use tulou_protocol::{
    AccountId, Body, Command, CommandId, CommunityId, Epoch, Log, Rev, Row, Seq, TopicId,
    id::Millis, row::Message,
};
use uuid::Uuid;

use crate::chance::Chance;

/// Rows of a log that is not a topic's, by kind and id.
pub type Rows = BTreeMap<(String, String), Row>;

#[derive(Debug, Clone, Default)]
pub struct Store {
    pub account: Option<AccountId>,
    pub epoch: Option<Epoch>,
    pub rows: BTreeMap<Log, Rows>,
    pub cursors: BTreeMap<Log, (Rev, Option<String>)>,
    pub messages: BTreeMap<TopicId, BTreeMap<Seq, (String, Message)>>,
    pub islands: BTreeMap<TopicId, Vec<Island>>,
    pub heads: BTreeMap<TopicId, TopicHead>,
    pub counts: BTreeMap<CommunityId, Counts>,
    /// Up to when heads are known.
    pub heads_known: BTreeMap<CommunityId, Millis>,
    pub profiles: BTreeMap<AccountId, Row>,
    /// Profiles that are named and not held.
    pub lacking: BTreeMap<AccountId, Rev>,
    pub outbox: BTreeMap<u64, OutboxEntry>,
    /// Commands that the program which runs cannot read.
    pub raw: BTreeMap<u64, OutboxEntry>,
    /// Commands that the person said are to be sent although they are old.
    pub confirmed: BTreeSet<CommandId>,
    /// Uploads that are not done.
    pub uploads: BTreeSet<Uuid>,
    /// The furthest that each cursor was, in this epoch.
    furthest: BTreeMap<Log, Rev>,
    pub next_no: u64,
}

impl Store {
    /// What a new engine is told.
    /// What came beyond a gap is of no use to another engine.
    pub fn tidy(&mut self, now: Millis) {
        self.mark_old(now);
        for (topic, messages) in &mut self.messages {
            let islands = self.islands.get(topic);
            let last = islands.and_then(|islands| islands.last());
            let end = last.map_or(Seq::ZERO, |island| island.to);
            messages.retain(|seq, _| *seq <= end);
        }
    }

    /// A row cannot be read: it is dropped, and its log is fetched again from the beginning.
    pub fn heal(&mut self, chance: &mut Chance) {
        let logs: Vec<Log> = self.cursors.keys().copied().collect();
        let Some(log) = chance.pick(&logs).copied() else {
            return;
        };
        let rows = self.rows.entry(log).or_default();
        let present = rows.iter();
        let present = present.filter(|(_, row)| !matches!(row.body, Body::Deleted(_)));
        let keys: Vec<(String, String)> = present.map(|(key, _)| key.clone()).collect();
        if let Some(key) = chance.pick(&keys) {
            rows.remove(key);
            self.cursors.insert(log, (Rev::ZERO, None));
            // A community whose membership cannot be read is forgotten and learnt anew.
            self.furthest.clear();
        }
    }

    /// What is too old to be sent unasked waits for the person; which that is.
    pub fn mark_old(&mut self, now: Millis) -> Vec<CommandId> {
        let waiting = self.outbox.values_mut().filter(|entry| {
            let is_waiting = entry.state == OutboxState::Waiting;
            is_waiting && entry.is_old(now) && !self.confirmed.contains(&entry.id)
        });
        waiting
            .map(|entry| {
                entry.state = OutboxState::Stale;
                entry.id
            })
            .collect()
    }

    pub fn restored(&self) -> Restored {
        let communities: Vec<CommunityId> = self.communities();
        let numbers = communities
            .iter()
            .map(|community| {
                let rows = self.rows.get(&Log::Community(*community));
                let topics = rows
                    .into_iter()
                    .flat_map(|rows| rows.values())
                    .filter_map(|row| match &row.body {
                        Body::Topic(topic) => Some((topic.no, row.id.parse().unwrap())),
                        _ => None,
                    })
                    .collect();
                (*community, topics)
            })
            .collect();
        Restored {
            account: self.account,
            epoch: self.epoch,
            cursors: self.places(),
            islands: self.islands.clone(),
            heads: self.heads.clone(),
            numbers,
            communities: communities
                .into_iter()
                .map(|community| {
                    let known = self.heads_known.get(&community).copied();
                    (community, known.unwrap_or_default())
                })
                .collect(),
            profiles: self
                .profiles
                .iter()
                .map(|(account, row)| (*account, row.rev))
                .collect(),
            lacking: self.lacking.clone(),
            outbox: self.outbox.values().cloned().collect(),
        }
    }

    /// The cursors. A community of which the first pages of a state came, and no more, is at its beginning.
    fn places(&self) -> BTreeMap<Log, (Rev, Option<String>)> {
        let mut places = self.cursors.clone();
        for log in self.rows.keys() {
            if matches!(log, Log::Community(_)) {
                places.entry(*log).or_insert((Rev::ZERO, None));
            }
        }
        places
    }

    pub fn communities(&self) -> Vec<CommunityId> {
        self.account
            .and_then(|account| self.rows.get(&Log::Account(account)))
            .into_iter()
            .flat_map(|rows| rows.values())
            .filter_map(|row| match &row.body {
                Body::Membership(membership) => Some(membership.community),
                _ => None,
            })
            .collect()
    }

    /// Topics that the window would show.
    pub fn topics(&self) -> Vec<(CommunityId, TopicId)> {
        self.communities()
            .into_iter()
            .flat_map(|community| {
                let rows = self.rows.get(&Log::Community(community));
                rows.into_iter()
                    .flat_map(|rows| rows.values())
                    .filter(|row| matches!(row.body, Body::Topic(_)))
                    .map(move |row| (community, row.id.parse().unwrap()))
            })
            .collect()
    }

    /// An upload is done: nothing awaits it any more.
    pub fn made(&mut self, upload: Uuid) {
        self.uploads.remove(&upload);
        for entry in self.outbox.values_mut().chain(self.raw.values_mut()) {
            entry.awaits.remove(&upload);
        }
    }

    pub fn put(&mut self, id: CommandId, command: Command, now: Millis) -> OutboxEntry {
        self.next_no += 1;
        let entry = OutboxEntry {
            id,
            no: self.next_no,
            command,
            created_at: now,
            state: OutboxState::Waiting,
            awaits: BTreeSet::new(),
            first_text: None,
        };
        self.outbox.insert(entry.no, entry.clone());
        entry
    }

    /// Applies a batch; the commands that follow from it are for the driver to put into the outbox.
    pub fn apply(&mut self, batch: Batch) -> Vec<Command> {
        let mut follow_ups = Vec::new();
        let mut touched = BTreeSet::new();
        let is_reset = batch.iter().any(
            |change| matches!(change, Write::Greeted(greeting) if Some(greeting.epoch) != self.epoch),
        );
        if is_reset {
            self.furthest.clear();
        }
        let shown = concerns_rows(&batch).then(|| (self.rows_of_topics(), self.communities()));
        for change in batch {
            match change {
                Write::Greeted(greeting) => {
                    self.account = Some(greeting.account);
                    if self.epoch.replace(greeting.epoch) != Some(greeting.epoch) {
                        self.profiles.clear();
                        self.lacking.clear();
                    }
                }
                Write::Rows(Log::Topic(topic), rows) => {
                    touched.insert(topic);
                    for row in rows {
                        self.put_message(topic, row);
                    }
                }
                Write::Rows(log, rows) => {
                    for row in rows {
                        if matches!(row.body, Body::Profile(_)) {
                            self.put_profile(row.clone());
                        }
                        let kept = self.rows.entry(log).or_default();
                        let key = (row.body.kind().to_owned(), row.id.clone());
                        if kept.get(&key).is_none_or(|old| old.rev < row.rev) {
                            kept.insert(key, row);
                        }
                    }
                }
                Write::Reset { log, rev, kept } => {
                    let kept: BTreeSet<(String, String)> = kept.into_iter().collect();
                    if let Some(rows) = self.rows.get_mut(&log) {
                        rows.retain(|key, row| row.rev > rev || kept.contains(key));
                    }
                }
                Write::Bury(log, rev) => {
                    assert!(
                        self.cursors
                            .get(&log)
                            .is_some_and(|(cursor, _)| *cursor >= rev),
                        "tombstones go when the cursor has passed them"
                    );
                    if let Some(rows) = self.rows.get_mut(&log) {
                        rows.retain(|_, row| {
                            row.rev > rev || !matches!(row.body, Body::Deleted(_))
                        });
                    }
                }
                Write::Cursor { log, rev, view } => {
                    assert!(log.topic().is_none(), "a topic's cursor is its islands");
                    self.cursors.insert(log, (rev, view));
                    let furthest = self.furthest.entry(log).or_default();
                    assert!(*furthest <= rev, "the cursor of {log} went back");
                    *furthest = rev;
                }
                Write::Me(..) => {}
                Write::Forget(Log::Topic(topic)) => {
                    self.messages.remove(&topic);
                    self.islands.remove(&topic);
                    self.heads.remove(&topic);
                }
                Write::Forget(log) => {
                    assert!(
                        is_reset || !matches!(log, Log::Account(_)),
                        "an account's log is forgotten for another epoch only"
                    );
                    self.rows.remove(&log);
                    self.cursors.remove(&log);
                    if let Log::Community(community) = log {
                        self.counts.remove(&community);
                        self.heads_known.remove(&community);
                    }
                }
                Write::Islands(topic, islands) => {
                    touched.insert(topic);
                    self.islands.insert(topic, islands);
                }
                Write::DropRange(topic, from, to) => {
                    if let Some(messages) = self.messages.get_mut(&topic) {
                        messages.retain(|seq, _| *seq < from || *seq > to);
                    }
                }
                Write::Head(topic, head) => {
                    let was = self.heads.insert(topic, head.clone());
                    assert!(
                        was.is_none_or(|was| was.seq <= head.seq && was.rev <= head.rev),
                        "the head of {topic} went back"
                    );
                }
                Write::Counts(community, counts) => {
                    self.counts.insert(community, counts);
                }
                Write::HeadsKnown(community, as_of) => {
                    self.heads_known.insert(community, as_of);
                }
                Write::Profiles(rows) => {
                    for row in rows {
                        self.put_profile(row);
                    }
                }
                Write::Lacking(account, Some(rev)) => {
                    self.lacking.insert(account, rev);
                }
                Write::Lacking(account, None) => {
                    self.lacking.remove(&account);
                }
                Write::Done(id) => self.outbox.retain(|_, entry| entry.id != id),
                Write::Rejected(id, rejection) => {
                    let entry = self.outbox.values_mut().find(|entry| entry.id == id);
                    if let Some(entry) = entry {
                        entry.state = OutboxState::Rejected(rejection);
                    }
                }
                Write::FollowUp(command) => follow_ups.push(command),
            }
        }
        for topic in touched {
            self.check_islands(topic);
        }
        if let Some((topics, communities)) = shown {
            self.check_vanished(&topics, &communities);
        }
        follow_ups
    }

    /// Topics that there is a row of, whether or not I am a member.
    fn rows_of_topics(&self) -> BTreeSet<TopicId> {
        self.rows
            .values()
            .flatten()
            .filter(|(_, row)| matches!(row.body, Body::Topic(_)))
            .map(|((_, id), _)| id.parse().unwrap())
            .collect()
    }

    /// What may not be seen any more leaves with the row that said so, in the same transaction.
    fn check_vanished(&self, topics: &BTreeSet<TopicId>, communities: &[CommunityId]) {
        for topic in topics.difference(&self.rows_of_topics()) {
            let messages = self.messages.get(topic);
            assert!(
                messages.is_none_or(BTreeMap::is_empty),
                "messages of {topic} outlived its row"
            );
        }
        let mine = self.communities();
        for left in communities
            .iter()
            .filter(|community| !mine.contains(community))
        {
            assert!(
                !self.rows.contains_key(&Log::Community(*left)),
                "rows of {left} outlived the membership"
            );
        }
    }

    fn put_profile(&mut self, row: Row) {
        let account: AccountId = row.id.parse().unwrap();
        let old = self.profiles.get(&account);
        if old.is_none_or(|old| old.rev < row.rev) {
            self.profiles.insert(account, row);
        }
    }

    fn put_message(&mut self, topic: TopicId, row: Row) {
        let Body::Message(new) = row.body else {
            panic!("a topic has messages only: {row:?}")
        };
        let kept = self
            .messages
            .entry(topic)
            .or_default()
            .entry(new.seq)
            .or_insert_with(|| (row.id.clone(), new.clone()));
        assert_eq!(kept.0, row.id, "a place belongs to one message");
        if new.content.is_some()
            && (kept.1.content.is_none() || new.content_rev > kept.1.content_rev)
        {
            kept.1.content = new.content;
            kept.1.content_rev = new.content_rev;
        }
        if new.marks.is_some() && (kept.1.marks.is_none() || new.marks_rev > kept.1.marks_rev) {
            kept.1.marks = new.marks;
            kept.1.marks_rev = new.marks_rev;
        }
    }

    /// Islands are in order, apart, and every message in them is held whole.
    fn check_islands(&self, topic: TopicId) {
        let Some(islands) = self.islands.get(&topic) else {
            return;
        };
        for pair in islands.windows(2) {
            assert!(
                pair[0].to.next() < pair[1].from,
                "islands are apart: {islands:?}"
            );
        }
        let empty = BTreeMap::new();
        let messages = self.messages.get(&topic).unwrap_or(&empty);
        for island in islands {
            assert!(island.from.0 > 0 && island.from <= island.to, "{island:?}");
            for seq in island.from.0..=island.to.0 {
                let held = messages.get(&Seq(seq));
                assert!(
                    held.is_some_and(|(_, message)| message.content.is_some()
                        && (message.marks.is_some() || message.marks_rev == Rev::ZERO)),
                    "message {seq} of {topic} is in {island:?}: {held:?}"
                );
            }
        }
        for seq in messages.keys() {
            let is_inside = islands
                .iter()
                .any(|island| island.from <= *seq && *seq <= island.to);
            let is_tail = islands.last().is_none_or(|last| last.to < *seq);
            assert!(
                is_inside || is_tail,
                "message {seq} of {topic} is outside of {islands:?}"
            );
        }
    }
}

/// Whether a batch may make something vanish. What is of a community whose membership never came is forgotten with the
/// greeting, and its topics when they are asked about.
fn concerns_rows(batch: &[Write]) -> bool {
    let is_greeting = |change: &Write| matches!(change, Write::Greeted(_));
    let concerns = |change: &Write| match change {
        Write::Rows(log, _) | Write::Reset { log, .. } | Write::Forget(log) => {
            log.topic().is_none()
        }
        _ => false,
    };
    batch.iter().any(concerns) && !batch.iter().any(is_greeting)
}
