//! What reaches whom: nothing leaves the server for somebody who may not see it.

use crate::oracle::*;
use tulou_protocol::{
    AccountId, Answer, Body, Command, Log, Row,
    permission::Place,
    push::{Pushed, SyncOutcome},
    question::Told,
};

impl Oracle {
    pub fn look_at_push(&self, account: AccountId, pushed: &Pushed) {
        if let Pushed::Push(push) = pushed {
            self.look_at_rows(account, push.log, &push.rows);
        }
    }

    pub fn look_at_answer(&self, account: AccountId, answer: &Answer) {
        for push in &answer.pushes {
            self.look_at_rows(account, push.log, &push.rows);
        }
    }

    /// Of what somebody wrote a repeat tells what is written: he may not see the topic any more.
    pub fn look_at_repeat(command: &Command, answer: &Answer) {
        let (Command::MessageSend { .. }
        | Command::MessageEdit { .. }
        | Command::MessageRecall { .. }) = command
        else {
            return;
        };
        for row in answer.pushes.iter().flat_map(|push| &push.rows) {
            let is_alone = matches!(&row.body, Body::Message(message) if message.marks.is_none());
            assert!(is_alone, "{row:?} answers a repeat");
        }
    }

    pub fn look_at_told(&self, account: AccountId, told: &Told) {
        match told {
            Told::Synced(synced) => {
                for log in &synced.logs {
                    match &log.outcome {
                        SyncOutcome::Rows { rows, .. }
                        | SyncOutcome::Reset { rows, .. }
                        | SyncOutcome::Topic { rows, .. } => {
                            self.look_at_rows(account, log.log, rows);
                        }
                        SyncOutcome::Ahead { .. } | SyncOutcome::Gone {} => {}
                    }
                }
            }
            Told::Page(page) => self.look_at_rows(account, Log::Topic(page.topic), &page.rows),
            Told::Watched(watched) => {
                for topic in &watched.topics {
                    assert!(
                        self.sees_topic(account, topic.topic),
                        "a hidden topic is watched"
                    );
                }
            }
            _ => {}
        }
    }

    pub fn look_at_rows(&self, account: AccountId, log: Log, rows: &[Row]) {
        for row in rows {
            assert!(
                self.sees_row(account, log, row),
                "{row:?} of {log} may not reach {account}"
            );
        }
    }

    /// Whether somebody may see a row as the things stand.
    pub fn sees_row(&self, account: AccountId, log: Log, row: &Row) -> bool {
        match log {
            Log::Account(own) => own == account,
            Log::Topic(topic) => match &row.body {
                Body::Message(message) => {
                    let sent = &self.topics[&topic].messages[message.seq.0 as usize - 1];
                    self.sees_topic(account, topic)
                        && (sent.author == account || self.reads(account, topic, sent.sent_at))
                }
                _ => false,
            },
            Log::Community(community) => {
                // A tombstone names an opaque id and nothing else.
                if matches!(row.body, Body::Deleted(_)) {
                    return true;
                }
                let Some(kept) = self.communities.get(&community) else {
                    return false;
                };
                let at = |place: Place| match place {
                    Place::Community => true,
                    Place::Group(group) => self.sees_group(account, community, group),
                    Place::Topic(topic) => self.sees_topic(account, topic),
                };
                kept.members.contains_key(&account)
                    && match &row.body {
                        Body::Community(_) | Body::MemberGroup(_) => true,
                        Body::Group(_) => at(Place::Group(row.id.parse().unwrap())),
                        Body::Topic(_) => at(Place::Topic(row.id.parse().unwrap())),
                        Body::LockedTopic(_) => self.is_locked(account, row.id.parse().unwrap()),
                        Body::AccessRow(access) => at(access.place),
                        _ => false,
                    }
            }
        }
    }
}
