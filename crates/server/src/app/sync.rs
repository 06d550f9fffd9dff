//! What changed in logs since a client's cursor, as the client may see it. Whatever there is, an answer has about
//! [`limits::ANSWER_BYTES`]; the rest is asked for again, page by page.
//!
//! * `pages`: how much of it goes into an answer
//! * `states`: present states of communities, encoded once for all who see the same

mod pages;
mod states;

use std::sync::Arc;

use tulou_protocol::{
    AccountId, Code, CommunityId, Log, Rev, Row, TopicId,
    frame::Refusal,
    limits,
    push::{SyncOutcome, SyncedLog},
    question::SyncLog,
    row::Body,
};

use super::{App, answer::at_most, sight::LOOKS};
use crate::{
    domain::{Member, Structure},
    store::{StoreError, wire},
};
use pages::{Encoded, Page, cut, encode};
pub use states::States;

/// Changed rows that are looked at for one question, in all its topics together.
const LOOKED_AT: usize = if cfg!(test) { 1_500 } else { 20_000 };

/// Refuses what cannot be asked.
pub(super) fn check(logs: &[SyncLog]) -> Result<(), Refusal> {
    at_most(limits::SYNC_LOGS, logs, "logs")?;
    for (at, log) in logs.iter().enumerate() {
        let field = format!("logs[{at}].ranges");
        at_most(limits::SYNC_RANGES, &log.ranges, &field)?;
        if logs[..at].iter().any(|other| other.log == log.log) {
            let field = format!("logs[{at}].log");
            return Err(Refusal::Rejected(Code::Malformed.at(&field)));
        }
    }
    Ok(())
}

/// What was found of a log: the outcome without its rows, and these.
struct Found {
    outcome: SyncOutcome,
    rows: Vec<Encoded>,
}

impl From<SyncOutcome> for Found {
    fn from(outcome: SyncOutcome) -> Self {
        let rows = Vec::new();
        Self { outcome, rows }
    }
}

impl App {
    /// Answers `log.sync`: a [`tulou_protocol::question::Synced`] as JSON.
    pub(crate) async fn sync(
        &self,
        account: AccountId,
        logs: Vec<SyncLog>,
    ) -> Result<String, StoreError> {
        let mut json = String::from(r#"{"logs":["#);
        let mut to_look_at = LOOKED_AT;
        for (at, asked) in logs.into_iter().enumerate() {
            if at > 0 {
                if json.len() > limits::ANSWER_BYTES / 2 || to_look_at == 0 {
                    break;
                }
                json.push(',');
            }
            let log = asked.log;
            let left = limits::ANSWER_BYTES.saturating_sub(json.len());
            let found = match log {
                Log::Account(id) if id == account => self.sync_account(&asked, left).await?,
                Log::Account(_) => SyncOutcome::Gone {}.into(),
                Log::Community(id) => self.sync_community(account, id, &asked, left).await?,
                Log::Topic(id) => self.sync_topic(account, id, asked, &mut to_look_at).await?,
            };
            let outcome = found.outcome;
            json.push_str(&wire::synced_json(&SyncedLog { log, outcome }, &found.rows));
        }
        json.push_str("]}");
        Ok(json)
    }

    async fn sync_account(&self, asked: &SyncLog, left: usize) -> Result<Found, StoreError> {
        let since = asked.since;
        let found = self
            .store()
            .rows_since(asked.log, since, asked.begun, limits::SYNC_ROWS)
            .await?;
        let head = found.head.rev;
        if since > head {
            return Ok(SyncOutcome::Ahead { rev: head }.into());
        }
        // He has nothing, or not seen tombstones that are forgotten: he is told what there is.
        let is_anew = found.since == Rev::ZERO;
        let is_last = found.rows.len() < limits::SYNC_ROWS;
        let is_told = |row: &Row| !is_anew || !matches!(row.body, Body::Deleted(_));
        let rows = found.rows.iter();
        let rows = rows.map(|row| (row.rev, is_told(row).then(|| encode(row))));
        let page = cut(rows, left);
        let rev = if page.is_whole && is_last {
            head
        } else {
            page.rev
        };
        // So that whoever holds some of it all the same (what could not be read made him begin anew) drops the rest.
        let outcome = if is_anew {
            SyncOutcome::Reset {
                rev,
                rows: Vec::new(),
                begun: (rev < head).then_some(head),
                view: None,
                me: None,
            }
        } else {
            SyncOutcome::Rows {
                rev,
                rows: Vec::new(),
                has_more: rev < head,
                view: None,
            }
        };
        let rows = page.rows;
        Ok(Found { outcome, rows })
    }

    async fn sync_community(
        &self,
        account: AccountId,
        community: CommunityId,
        asked: &SyncLog,
        left: usize,
    ) -> Result<Found, StoreError> {
        let mut seen = self.communities().membership(community, account).await?;
        for _ in 0..LOOKS {
            let Some((structure, member)) = &seen else {
                return Ok(SyncOutcome::Gone {}.into());
            };
            let found = self.as_seen(structure, member, asked, left).await?;
            let again = self.communities().membership(community, account).await?;
            // Who sees the same is shown it, though there may be more by now.
            let is_same = again.as_ref().is_some_and(|(later, as_member)| {
                Arc::ptr_eq(later, structure) && as_member == member
                    || later.stamp(as_member) == structure.stamp(member)
            });
            if is_same {
                return Ok(found);
            }
            seen = again;
        }
        Err(StoreError::TooLong)
    }

    /// What changed in a community, as a member sees it.
    async fn as_seen(
        &self,
        structure: &Arc<Structure>,
        member: &Member,
        asked: &SyncLog,
        left: usize,
    ) -> Result<Found, StoreError> {
        let (sight, me) = (structure.sight(member), structure.me(member));
        let stamp = structure.stamp_as_seen(&sight, &me);
        let head = structure.rev;
        let rev_of = |page: &Page| if page.is_whole { head } else { page.rev };
        let is_known = Rev::ZERO < asked.since && asked.since <= head;
        let view = asked.view.as_ref();
        let holds = view == Some(&stamp)
            || asked.begun.is_some()
                && view.is_some_and(|view| structure.goes_on(&sight, &me, view));
        // The stamp of a page says what was so when it was made; the last has that of the whole.
        let stamp_of = |rev: Rev| {
            if rev < head && (asked.begun.is_some() || !is_known || !holds) {
                structure.page_stamp(&sight, &me)
            } else {
                stamp.clone()
            }
        };
        if !is_known || !holds {
            let state = self.states().of(structure, &sight).await?;
            let rows = state.iter().map(|(rev, row)| (*rev, Some(row.clone())));
            let page = cut(rows, left);
            let rev = rev_of(&page);
            let outcome = SyncOutcome::Reset {
                rev,
                rows: Vec::new(),
                begun: (rev < head).then_some(head),
                view: Some(stamp_of(rev)),
                me: Some(me.clone()),
            };
            let rows = page.rows;
            return Ok(Found { outcome, rows });
        }
        let page = if let Some(begun) = asked.begun {
            let state = self.states().of(structure, &sight).await?;
            let gone = structure.tombstones_since(begun.max(asked.since));
            let gone = gone.iter().map(|row| (row.rev, encode(row)));
            let at = state.partition_point(|(rev, _)| *rev <= asked.since);
            let mut rows: Vec<(Rev, Encoded)> = state[at..].to_vec();
            rows.extend(gone);
            rows.sort_by_key(|(rev, _)| *rev);
            cut(rows.into_iter().map(|(rev, row)| (rev, Some(row))), left)
        } else {
            let rows = structure.rows_since(&sight, asked.since, true);
            cut(rows.iter().map(|row| (row.rev, Some(encode(row)))), left)
        };
        let rev = rev_of(&page);
        let outcome = SyncOutcome::Rows {
            rev,
            rows: Vec::new(),
            has_more: rev < head,
            view: Some(stamp_of(rev)),
        };
        let rows = page.rows;
        Ok(Found { outcome, rows })
    }

    async fn sync_topic(
        &self,
        account: AccountId,
        topic: TopicId,
        asked: SyncLog,
        to_look_at: &mut usize,
    ) -> Result<Found, StoreError> {
        let ranges = asked.ranges;
        let newest = ranges
            .iter()
            .map(|range| range.rev)
            .max()
            .unwrap_or_default()
            .max(asked.since);
        let highest = ranges
            .iter()
            .map(|range| range.to)
            .max()
            .unwrap_or_default();
        let (has_tail, most) = (!asked.without_tail, *to_look_at);
        let read = |since| {
            let ranges = ranges.clone();
            self.store()
                .topic_changes(topic, ranges, since, has_tail, most)
        };
        let Some(changes) = self.read_topic(topic, account, read).await? else {
            return Ok(SyncOutcome::Gone {}.into());
        };
        *to_look_at = to_look_at.saturating_sub(changes.looked_at);
        if newest > changes.head.rev || highest > changes.head.seq {
            let rev = changes.head.rev;
            return Ok(SyncOutcome::Ahead { rev }.into());
        }
        let outcome = SyncOutcome::Topic {
            rev: changes.rev,
            head_seq: changes.head.seq,
            floor: changes.floor,
            rows: Vec::new(),
            tail_from: changes.tail_from,
            has_more: changes.has_more,
            authors: changes.authors,
        };
        let rows = changes.rows.iter().map(encode).collect();
        Ok(Found { outcome, rows })
    }
}
