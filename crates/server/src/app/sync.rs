//! What changed in logs since a client's cursor, as the client may see it.

use tulou_protocol::{
    AccountId, CommandId, CommunityId, Log, Rev, TopicId, limits,
    push::{SyncOutcome, SyncedLog},
    question::{SyncLog, Synced},
    row::Body,
};
use uuid::Uuid;

use super::App;
use crate::{
    actor::Origin,
    domain::{Structure, change::Change, structure::Member},
    store::{Commit, ReadableSince, StoreError},
};

impl App {
    /// Answers `log.sync`.
    pub(crate) async fn sync(
        &self,
        account: AccountId,
        logs: Vec<SyncLog>,
    ) -> Result<Synced, StoreError> {
        let mut synced = Vec::new();
        for asked in logs {
            let log = asked.log;
            let outcome = match log {
                Log::Account(id) if id == account => self.sync_account(id, asked.since).await?,
                Log::Account(_) => SyncOutcome::Gone {},
                Log::Community(id) => self.sync_community(account, id, &asked).await?,
                Log::Topic(id) => self.sync_topic(account, id, asked).await?,
            };
            synced.push(SyncedLog { log, outcome });
        }
        Ok(Synced { logs: synced })
    }

    async fn sync_account(
        &self,
        account: AccountId,
        since: Rev,
    ) -> Result<SyncOutcome, StoreError> {
        let log = Log::Account(account);
        let found = self
            .store()
            .rows_since(log, since, limits::SYNC_ROWS)
            .await?;
        let (head, mut rows) = (found.head, found.rows);
        if since > head.rev {
            return Ok(SyncOutcome::Ahead { rev: head.rev });
        }
        // Tombstones that he has not seen are forgotten: he is told what there is.
        if found.since < since {
            rows.retain(|row| !matches!(row.body, Body::Deleted(_)));
            return Ok(SyncOutcome::Reset {
                rev: head.rev,
                rows,
                view: None,
                me: None,
            });
        }
        let has_more = rows.len() == limits::SYNC_ROWS;
        let last = rows.last().map(|row| row.rev);
        if since == Rev::ZERO {
            rows.retain(|row| !matches!(row.body, Body::Deleted(_)));
        }
        Ok(SyncOutcome::Rows {
            rev: last.filter(|_| has_more).unwrap_or(head.rev),
            rows,
            has_more,
            view: None,
        })
    }

    async fn sync_community(
        &self,
        account: AccountId,
        community: CommunityId,
        asked: &SyncLog,
    ) -> Result<SyncOutcome, StoreError> {
        let Some((structure, member)) = self.communities().membership(community, account).await?
        else {
            return Ok(SyncOutcome::Gone {});
        };
        let stamp = structure.stamp(&member);
        let sight = structure.sight(&member);
        let is_ahead = asked.since > structure.rev;
        if is_ahead || asked.since == Rev::ZERO || asked.view.as_ref() != Some(&stamp) {
            self.read_before(&structure, &member).await?;
            return Ok(SyncOutcome::Reset {
                rev: structure.rev,
                rows: structure.rows_since(&sight, Rev::ZERO, false),
                view: Some(stamp),
                me: Some(structure.me(&member)),
            });
        }
        Ok(SyncOutcome::Rows {
            rev: structure.rev,
            rows: structure.rows_since(&sight, asked.since, true),
            has_more: false,
            view: Some(stamp),
        })
    }

    /// What was written in a topic before the member joined (or got his seat) is read. Joining and seats write such
    /// cursors; for topics that become visible later, or whose older messages he may not read any more, it is done when
    /// the member asks what he sees.
    async fn read_before(&self, structure: &Structure, member: &Member) -> Result<(), StoreError> {
        let account = member.account;
        let sight = structure.sight(member);
        let topics = sight
            .topics
            .keys()
            .map(|topic| {
                let seat = structure.seat(*topic, account).flatten();
                ReadableSince {
                    topic: *topic,
                    since: seat.unwrap_or(member.joined_at).max(member.joined_at),
                    has_history: structure.readable_since(member, *topic).is_none(),
                }
            })
            .collect();
        let read = self.store().never_read(account, topics).await?;
        if read.is_empty() {
            return Ok(());
        }
        let changes = read
            .into_iter()
            .map(|(topic, seq)| Change::ReadUpTo {
                account,
                topic,
                seq,
            })
            .collect();
        let commit = Commit {
            account,
            command: CommandId(Uuid::now_v7()),
            origin: Origin::SERVER,
            is_apart: false,
            now: self.now(),
            expects: Vec::new(),
            changes,
        };
        self.store().commit(commit).await.map(drop)
    }

    async fn sync_topic(
        &self,
        account: AccountId,
        topic: TopicId,
        asked: SyncLog,
    ) -> Result<SyncOutcome, StoreError> {
        let Some((structure, member)) = self.communities().visible(topic, account).await? else {
            return Ok(SyncOutcome::Gone {});
        };
        let floor = self.communities().floor(&structure, &member, topic).await?;
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
        let changes = self.store().topic_changes(topic, ranges, floor).await?;
        if newest > changes.head.rev || highest > changes.head.seq {
            return Ok(SyncOutcome::Ahead {
                rev: changes.head.rev,
            });
        }
        Ok(SyncOutcome::Topic {
            rev: changes.rev,
            head_seq: changes.head.seq,
            floor,
            rows: changes.rows,
            tail_from: changes.tail_from,
            has_more: changes.has_more,
            authors: changes.authors,
        })
    }
}
