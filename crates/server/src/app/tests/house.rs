//! A community with somebody who watches, and the store held up, so that what several commit shares one transaction.

use std::{sync::atomic::Ordering, time::Duration};

use rusqlite::Connection;
use tempfile::TempDir;
use tulou_protocol::{
    MemberGroupId, MessageId, Permissions, Seq, ServerFrame,
    command::Edit,
    permission::Place,
    push::{Pushed, Stale},
    row::AccessRow,
};

use super::*;
use crate::{
    app::execute::CommandAnswer,
    domain::change::Marking,
    store::{Outcome, Pending, engine},
};

/// Longer than handing a command to the store takes, on any machine.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A community of alice's that bob has joined, who watches its topic.
pub(super) struct House {
    pub(super) app: App,
    pub(super) folder: TempDir,
    pub(super) alice: Arc<Line>,
    pub(super) bob: Arc<Line>,
    pub(super) community: CommunityId,
    pub(super) topic: TopicId,
}

/// The store's writer, held up: what is committed until this is let go of shares one transaction.
pub(super) struct HeldUp {
    lock: Connection,
    waiting: Pending<()>,
}

/// What somebody was pushed, as far as the order of a topic's rows and the community's is concerned.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// A message or its marks: the text, or how often it was reacted to.
    Row(String),
    /// Rows of the topic that he may not read.
    LeftOut,
    /// The community changed.
    Community,
}

pub(super) fn none_to(set: Permissions) -> Edit<Permissions> {
    Edit {
        from: Permissions::empty(),
        to: set,
    }
}

impl House {
    /// Rights of everyone at the topic, before bob joins: what is denied. One message is older than he.
    pub(super) async fn build(denied: Permissions) -> Self {
        let (app, folder) = app().await;
        let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
        let (community, topic) = found(&app, &alice).await;
        let house = Self {
            app,
            folder,
            alice,
            bob,
            community,
            topic,
        };
        if !denied.is_empty() {
            give(&house.app, &house.alice, house.deny(none_to(denied))).await;
        }
        give(&house.app, &house.alice, house.send(1, "older than bob")).await;
        join(&house.app, &house.alice, &house.bob, community).await;
        house.app.watch(&house.bob, vec![topic]).await.unwrap();
        settled(&house.app).await;
        house.bob.take();
        house
    }

    /// Everyone is denied other rights at the topic.
    pub(super) fn deny(&self, deny: Edit<Permissions>) -> Command {
        Command::AccessSet {
            community: self.community,
            place: Place::Topic(self.topic),
            member_group: None::<MemberGroupId>,
            allow: none_to(Permissions::empty()),
            deny,
        }
    }

    pub(super) fn send(&self, no: u128, text: &str) -> Command {
        Command::MessageSend {
            topic: self.topic,
            message: MessageId(Uuid::from_u128(no)),
            text: text.to_owned(),
            reply_to: None,
            written_at: 1,
        }
    }

    /// Bob and twelve who have joined and watch the topic.
    pub(super) async fn crowd(&self) -> Vec<Arc<Line>> {
        let mut watching = vec![self.bob.clone()];
        for no in 0..12 {
            let line = account(&self.app, &format!("guest{no}")).await;
            join(&self.app, &self.alice, &line, self.community).await;
            self.app.watch(&line, vec![self.topic]).await.unwrap();
            watching.push(line);
        }
        watching
    }

    /// What another node commits: what everyone is denied at the topic.
    pub(super) fn denied_elsewhere(&self, deny: Permissions) -> Change {
        let place = Place::Topic(self.topic);
        let access = AccessRow {
            place,
            member_group: None,
            allow: Permissions::empty(),
            deny,
            more: Default::default(),
        };
        Change::Row {
            log: Log::Community(self.community),
            id: AccessRow::id(place, None),
            body: access.into(),
        }
    }

    /// The writer waits for a lock that another program has, until it is let go.
    pub(super) fn hold_up(&self) -> HeldUp {
        let lock = Connection::open(self.folder.path().join(engine::FILE)).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        let waiting = self.app.store().try_to_write();
        HeldUp { lock, waiting }
    }

    /// Begins a command, and waits until it is in the store's hands.
    pub(super) async fn hand_over(
        &self,
        line: &Arc<Line>,
        command: Command,
    ) -> tokio::task::JoinHandle<CommandAnswer> {
        let commanded = Commanded {
            id: CommandId(Uuid::now_v7()),
            command,
        };
        // Between noting that something is written and handing it over nothing is waited for.
        let written_at = &self.app.parts.written_at;
        written_at.store(u64::MAX, Ordering::Relaxed);
        let (app, line) = (self.app.clone(), line.clone());
        let begun =
            tokio::spawn(async move { app.begin(line.actor.clone(), commanded).await.await });
        let handed = async {
            while written_at.load(Ordering::Relaxed) == u64::MAX {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, handed).await.unwrap();
        begun
    }

    /// What another node commits, which has decided it on the same state by rights of its own.
    pub(super) fn commit_elsewhere(&self, change: Change) -> Pending<Outcome> {
        self.app.store().commit(Commit {
            account: self.alice.account(),
            command: CommandId(Uuid::now_v7()),
            origin: Origin::SERVER,
            is_apart: false,
            now: self.app.now(),
            expects: Vec::new(),
            changes: vec![change],
        })
    }

    /// A topic's message of alice's gets one more reaction.
    pub(super) fn reacted(&self) -> Change {
        Change::Marks {
            topic: self.topic,
            message: MessageId(Uuid::from_u128(1)),
            seq: Seq(1),
            marking: Marking::Reaction {
                account: AccountId(Uuid::now_v7()),
                key: "👍".to_owned(),
                on: true,
            },
        }
    }

    pub(super) fn heard_by(&self, line: &Line) -> Vec<Heard> {
        let (topic, community) = (Log::Topic(self.topic), Log::Community(self.community));
        let mut heard = Vec::new();
        for frame in line.take().0 {
            match ServerFrame::parse(&frame).unwrap() {
                ServerFrame::Pushed(Pushed::Push(push)) if push.log == topic => {
                    if push.rows.is_empty() {
                        heard.push(Heard::LeftOut);
                    }
                    heard.extend(push.rows.iter().map(|row| {
                        let Body::Message(message) = &row.body else {
                            panic!("{row:?}")
                        };
                        let text = message.content.as_ref().map(|content| content.text.clone());
                        let reactions = message.marks.as_ref().map(|marks| &marks.reactions);
                        let count = reactions.and_then(|given| Some(given.first()?.count));
                        Heard::Row(text.unwrap_or_else(|| count.unwrap_or_default().to_string()))
                    }));
                }
                ServerFrame::Pushed(
                    Pushed::Push(tulou_protocol::Push { log, .. })
                    | Pushed::Stale(Stale { log, .. }),
                ) if log == community => heard.push(Heard::Community),
                ServerFrame::Pushed(_) | ServerFrame::Responses(_) | ServerFrame::Unknown(_) => {}
            }
        }
        heard
    }
}

impl HeldUp {
    pub(super) async fn let_go(self) {
        drop(self.lock);
        self.waiting.await.unwrap();
    }
}

pub(super) fn row(text: &str) -> Heard {
    Heard::Row(text.to_owned())
}
