//! What a model server tells when it is asked.

use crate::server::*;
use std::collections::BTreeMap;
use tulou_protocol::{
    AccountId, Body, Code, CommunityId, Log, Question, Rejection, Rev, Row, Seq, TopicId,
    push::{SyncOutcome, SyncedLog},
    question::{Page, PageAt, Profiles, SyncLog, Synced, Told, Watched, WatchedTopic},
};

/// Rows in a page of changes: few, so that there are pages.
const SYNC_ROWS: usize = 5;
/// Rows of the tail.
const TAIL: u64 = 8;

/// The first rows of what is to be told, and the rev that they bring to. Rows of one rev come together.
fn page(mut rows: Vec<Row>, head: Rev) -> (Vec<Row>, Rev) {
    let Some(last) = rows.get(SYNC_ROWS - 1).map(|row| row.rev) else {
        return (rows, head);
    };
    let count = rows.partition_point(|row| row.rev <= last);
    let rev = if count < rows.len() { last } else { head };
    rows.truncate(count);
    (rows, rev)
}

impl Server {
    pub fn tell(
        &mut self,
        from: u64,
        account: AccountId,
        question: Question,
    ) -> Result<Told, Rejection> {
        match question {
            Question::LogSync { mut logs } => {
                // Sometimes there is no room for all.
                if self.chance.one_in(4) {
                    logs.truncate(1 + self.chance.below(logs.len() as u64) as usize);
                }
                let synced = logs.into_iter().map(|asked| SyncedLog {
                    log: asked.log,
                    outcome: self.sync(account, &asked),
                });
                let logs = synced.collect();
                Ok(Told::Synced(Synced { logs }))
            }
            Question::SessionWatch { topics } => {
                let mut watched = BTreeMap::new();
                let mut told = Vec::new();
                for topic in topics {
                    let Some((_, _, log)) = self.memory.visible(account, topic) else {
                        continue;
                    };
                    watched.insert(topic, self.memory.floor(account, topic));
                    told.push(WatchedTopic {
                        topic,
                        head_seq: log.head(),
                        rev: log.rev,
                    });
                }
                self.sessions.get_mut(&from).unwrap().watched = watched;
                Ok(Told::Watched(Watched { topics: told }))
            }
            Question::TopicPage { topic, at, limit } => {
                if self.memory.visible(account, topic).is_none() {
                    return Err(Code::NotFound.into());
                }
                let page = self.page(account, topic, at, limit.min(7));
                page.map(Told::Page).ok_or_else(|| Code::NotFound.into())
            }
            Question::ProfileList { accounts } => Ok(Told::Profiles(Profiles {
                rows: accounts
                    .iter()
                    .filter_map(|account| self.memory.row(*account, "profile", account).cloned())
                    .collect(),
            })),
            Question::CommunityHeads {
                community,
                since,
                after,
            } => {
                let now = self.now();
                self.memory
                    .membership(account, community)
                    .ok_or(Code::NotAMember)?;
                // He heard of a later time while the clock was ahead.
                let from = if since > now {
                    (0, None)
                } else {
                    (since, after)
                };
                Ok(Told::Heads(self.heads(account, community, from, now)))
            }
            Question::MemberList { .. } => Ok(Told::Nothing {}),
            other => panic!("nobody asks {}", other.method()),
        }
    }

    pub fn page(
        &self,
        account: AccountId,
        topic: TopicId,
        at: PageAt,
        limit: usize,
    ) -> Option<Page> {
        let log = &self.memory.topics[&topic];
        let floor = self.memory.floor(account, topic).0;
        let (head, limit) = (log.head().0, limit as u64);
        let around = |seq: Seq| {
            let seq = seq.0.clamp(floor, head.max(floor));
            (seq.saturating_sub(limit / 2), (seq + limit / 2).min(head))
        };
        let (from, to) = match at {
            PageAt::End => (head.saturating_sub(limit - 1), head),
            PageAt::Before(seq) => (
                seq.0.saturating_sub(limit),
                seq.0.saturating_sub(1).min(head),
            ),
            PageAt::After(seq) => {
                let from = (seq.0 + 1).max(floor);
                (from, (from + limit - 1).min(head))
            }
            PageAt::Around(seq) => around(seq),
            PageAt::Message(id) => {
                let seq = log.find(id)?.message.seq;
                if seq.0 < floor {
                    return None;
                }
                around(seq)
            }
        };
        let from = from.max(floor).max(1);
        let rows: Vec<Row> = (from..=to)
            .map(|seq| log.messages[seq as usize - 1].row())
            .collect();
        let (from, to) = if rows.is_empty() { (0, 0) } else { (from, to) };
        Some(Page {
            topic,
            rev: log.rev,
            head_seq: log.head(),
            floor: Seq(floor),
            from: Seq(from),
            to: Seq(to),
            authors: self.memory.authors(&rows),
            rows,
        })
    }

    pub fn sync(&mut self, account: AccountId, asked: &SyncLog) -> SyncOutcome {
        match asked.log {
            Log::Account(id) if id != account => SyncOutcome::Gone {},
            Log::Account(_) => self.sync_account(account, asked),
            Log::Community(community) => self.sync_community(account, community, asked),
            Log::Topic(topic) => self.sync_topic(account, topic, asked),
        }
    }

    fn sync_account(&self, account: AccountId, asked: &SyncLog) -> SyncOutcome {
        let log = &self.memory.accounts[&account];
        let (head, floor) = (log.rev, log.floor);
        if asked.since > head {
            return SyncOutcome::Ahead { rev: head };
        }
        let is_forgotten = asked.begun.unwrap_or(asked.since) < floor;
        let is_anew = asked.since == Rev::ZERO || is_forgotten;
        let from = if is_anew { Rev::ZERO } else { asked.since };
        let (mut rows, rev) = page(self.memory.since(account, from), head);
        if is_anew {
            rows.retain(|row| !matches!(row.body, Body::Deleted(_)));
        }
        if is_anew {
            return SyncOutcome::Reset {
                rev,
                rows,
                begun: (rev < head).then_some(head),
                view: None,
                me: None,
            };
        }
        SyncOutcome::Rows {
            rev,
            rows,
            has_more: rev < head,
            view: None,
        }
    }

    pub fn sync_community(
        &mut self,
        account: AccountId,
        community: CommunityId,
        asked: &SyncLog,
    ) -> SyncOutcome {
        let Some((home, member)) = self.memory.membership(account, community) else {
            return SyncOutcome::Gone {};
        };
        let structure = &home.structure;
        let stamp = structure.stamp(member);
        let (sight, me) = (structure.sight(member), structure.me(member));
        let head = structure.rev;
        let view = asked.view.as_ref();
        let is_page = asked.begun.is_some();
        let holds = view == Some(&stamp)
            || is_page && view.is_some_and(|view| structure.goes_on(&sight, &me, view));
        let page_stamp = structure.page_stamp(&sight, &me);
        if asked.since > head || asked.since == Rev::ZERO || !holds {
            let (rows, rev) = page(structure.rows_since(&sight, Rev::ZERO, false), head);
            return SyncOutcome::Reset {
                rev,
                rows,
                begun: (rev < head).then_some(head),
                view: Some(if rev < head { page_stamp } else { stamp }),
                me: Some(me),
            };
        }
        let mut rows = structure.rows_since(&sight, asked.since, true);
        // In the middle of a state tombstones of before it say nothing.
        let is_new = |row: &Row| asked.begun.is_none_or(|begun| row.rev > begun);
        rows.retain(|row| !matches!(row.body, Body::Deleted(_)) || is_new(row));
        let (rows, rev) = page(rows, head);
        let is_last = rev == head;
        let view = if is_page && !is_last {
            page_stamp
        } else {
            stamp
        };
        SyncOutcome::Rows {
            rev,
            rows,
            has_more: !is_last,
            view: Some(view),
        }
    }

    pub fn sync_topic(&self, account: AccountId, topic: TopicId, asked: &SyncLog) -> SyncOutcome {
        let Some((_, _, log)) = self.memory.visible(account, topic) else {
            return SyncOutcome::Gone {};
        };
        let newest = asked.ranges.iter().map(|range| range.rev).max();
        let highest = asked
            .ranges
            .iter()
            .map(|range| range.to)
            .max()
            .unwrap_or_default();
        if newest.unwrap_or_default().max(asked.since) > log.rev || highest > log.head() {
            return SyncOutcome::Ahead { rev: log.rev };
        }
        let floor = self.memory.floor(account, topic);
        let is_changed = |sent: &&crate::memory::Sent| {
            let seq = sent.message.seq;
            let is_held = asked
                .ranges
                .iter()
                .any(|range| range.from <= seq && seq <= range.to && sent.rev > range.rev);
            is_held && seq >= floor && sent.rev > sent.first_rev
        };
        let mut changed: Vec<Row> = log
            .messages
            .iter()
            .filter(is_changed)
            .map(|sent| sent.row())
            .collect();
        changed.sort_by_key(|row| row.rev);
        let has_more = changed.len() > SYNC_ROWS;
        changed.truncate(SYNC_ROWS);
        let rev = if has_more {
            changed[SYNC_ROWS - 1].rev
        } else {
            log.rev
        };
        let mut tail_from = None;
        if !has_more && !asked.without_tail {
            let from = (highest.0 + 1)
                .max(log.head().0.saturating_sub(TAIL - 1))
                .max(floor.0);
            if from <= log.head().0 {
                tail_from = Some(Seq(from));
                changed
                    .extend((from..=log.head().0).map(|seq| log.messages[seq as usize - 1].row()));
            }
        }
        SyncOutcome::Topic {
            rev,
            head_seq: log.head(),
            floor,
            authors: self.memory.authors(&changed),
            rows: changed,
            tail_from,
            has_more,
        }
    }
}
