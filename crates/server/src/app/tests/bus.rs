//! What gets lost between the store and the sessions of a node: whoever is connected gets every row all the same.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tulou_protocol::{
    MessageId, Permissions, Question, ServerFrame,
    command::Edit,
    permission::Place,
    push::{Pushed, Stale},
    question::Told,
};

use super::*;
use crate::store::{Batch, Bus};

/// A bus that loses what it is given while it is cut.
struct Lossy {
    bus: Arc<dyn Bus>,
    is_cut: Arc<AtomicBool>,
    lost: Arc<Mutex<usize>>,
}

impl Bus for Lossy {
    fn publish(&self, batch: Batch) {
        if self.is_cut.load(Ordering::SeqCst) {
            *self.lost.lock().unwrap() += batch.len();
        } else {
            self.bus.publish(batch);
        }
    }
}

/// A community of alice's that bob has joined; both are connected, and bob watches its topic.
struct House {
    app: App,
    _folder: tempfile::TempDir,
    is_cut: Arc<AtomicBool>,
    lost: Arc<Mutex<usize>>,
    alice: Arc<Line>,
    bob: Arc<Line>,
    community: CommunityId,
    topic: TopicId,
}

impl House {
    async fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        let (is_cut, lost) = (Arc::default(), Arc::default());
        let lay = |bus| -> Arc<dyn Bus> {
            let (is_cut, lost) = (Arc::clone(&is_cut), Arc::clone(&lost));
            Arc::new(Lossy { bus, is_cut, lost })
        };
        let app = App::open_over(config, lay).await.unwrap();
        let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
        let (community, topic) = found(&app, &alice).await;
        let house = Self {
            app,
            _folder: folder,
            is_cut,
            lost,
            alice,
            bob,
            community,
            topic,
        };
        house.join(&house.bob).await;
        house.app.watch(&house.bob, vec![topic]).await.unwrap();
        let _ = house.hears(&house.bob).await;
        house
    }

    async fn join(&self, line: &Arc<Line>) {
        let question = Question::InviteCreate {
            community: self.community,
            expires_at: None,
            max_uses: None,
        };
        let Ok(Told::Invite(invite)) = self.app.ask(&self.alice.actor, question).await else {
            panic!("the owner invites")
        };
        let join = Command::CommunityJoin {
            community: self.community,
            invite: Some(invite.code),
        };
        give(&self.app, line, join).await;
    }

    /// Gives commands of which nothing is heard.
    async fn unheard(&self, commands: Vec<Command>) {
        let before = *self.lost.lock().unwrap();
        self.is_cut.store(true, Ordering::SeqCst);
        let count = commands.len();
        for command in commands {
            give(&self.app, &self.alice, command).await;
        }
        self.is_cut.store(false, Ordering::SeqCst);
        let lost = *self.lost.lock().unwrap() - before;
        assert_eq!(lost, count, "it is the bus that loses them");
    }

    async fn says(&self, no: u128, text: &str) {
        give(&self.app, &self.alice, self.send(no, text)).await;
    }

    fn send(&self, no: u128, text: &str) -> Command {
        Command::MessageSend {
            topic: self.topic,
            message: MessageId(Uuid::from_u128(no)),
            text: text.to_owned(),
            reply_to: None,
            written_at: 1,
        }
    }

    fn rename(&self, from: &str, to: &str) -> Command {
        Command::CommunityEdit {
            community: self.community,
            name: Some(Edit {
                from: from.to_owned(),
                to: to.to_owned(),
            }),
            introduction: None,
        }
    }

    /// What was pushed once everything that was committed is told.
    async fn hears(&self, line: &Line) -> Vec<Pushed> {
        settled(&self.app).await;
        let frames = line.take().0.into_iter();
        frames
            .filter_map(|frame| match ServerFrame::parse(&frame).unwrap() {
                ServerFrame::Pushed(pushed) => Some(pushed),
                ServerFrame::Responses(_) | ServerFrame::Unknown(_) => None,
            })
            .collect()
    }
}

/// Rows of a log that were pushed, by id; each push continues the one before.
fn rows(heard: &[Pushed], log: Log) -> Vec<String> {
    let mut at: Option<Rev> = None;
    let mut ids = Vec::new();
    for pushed in heard {
        if let Pushed::Push(push) = pushed
            && push.log == log
        {
            assert!(
                at.is_none_or(|at| push.prev <= at),
                "nothing is spliced over: {push:?} after {at:?}"
            );
            at = Some(push.rev);
            ids.extend(push.rows.iter().map(|row| row.id.clone()));
        }
    }
    ids
}

fn message(no: u128) -> String {
    MessageId(Uuid::from_u128(no)).to_string()
}

#[tokio::test]
async fn of_a_batch_that_was_lost_every_row_of_a_topic_is_told_with_the_next() {
    let house = House::build().await;
    house.says(1, "heard").await;
    let edit = Command::MessageEdit {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(1)),
        text: Edit {
            from: "heard".to_owned(),
            to: "changed".to_owned(),
        },
    };
    house
        .unheard(vec![
            house.send(2, "lost"),
            house.send(3, "lost, too"),
            edit,
        ])
        .await;
    house.says(4, "heard again").await;
    house.says(5, "and again").await;
    let heard = house.hears(&house.bob).await;
    let ids = rows(&heard, Log::Topic(house.topic));
    assert_eq!(
        ids,
        [1, 2, 3, 1, 4, 5].map(message),
        "in the order of rev, each once"
    );
    house.app.close().await;
}

#[tokio::test]
async fn of_a_batch_that_was_lost_every_row_of_an_account_is_told_with_the_next() {
    let house = House::build().await;
    let mention = format!("<@{}>", house.bob.account());
    house.says(1, &mention).await;
    house.unheard(vec![house.send(2, &mention)]).await;
    house.says(3, &mention).await;
    let heard = house.hears(&house.bob).await;
    let ids = rows(&heard, Log::Account(house.bob.account()));
    assert_eq!(ids, [1, 2, 3].map(message), "he is mentioned thrice");
    house.app.close().await;
}

#[tokio::test]
async fn of_a_batch_that_was_lost_every_row_of_a_community_is_told_with_the_next() {
    let house = House::build().await;
    let shelf = GroupId(Uuid::now_v7());
    let make = Command::GroupCreate {
        community: house.community,
        group: shelf,
        name: "书架".to_owned(),
        position: "b".to_owned(),
    };
    house
        .unheard(vec![make, house.rename("土楼", "围楼")])
        .await;
    give(&house.app, &house.alice, house.rename("围楼", "方楼")).await;
    let heard = house.hears(&house.bob).await;
    let log = Log::Community(house.community);
    let ids = rows(&heard, log);
    assert_eq!(
        ids.last(),
        Some(&house.community.to_string()),
        "as it is now"
    );
    let head = house.app.store().heads(vec![log]).await.unwrap()[0].unwrap();
    let reaches = heard.iter().any(
        |pushed| matches!(pushed, Pushed::Push(push) if push.log == log && push.rev == head.rev),
    );
    assert!(reaches, "up to the head: {heard:?}");
    house.app.close().await;
}

#[tokio::test]
async fn whoever_changed_a_community_finds_it_changed_though_the_node_did_not_hear_of_it() {
    let house = House::build().await;
    let (group, topic) = (GroupId(Uuid::now_v7()), TopicId(Uuid::now_v7()));
    let shelf = Command::GroupCreate {
        community: house.community,
        group,
        name: "书架".to_owned(),
        position: "b".to_owned(),
    };
    let make = Command::TopicCreate {
        community: house.community,
        group,
        topic,
        name: "书".to_owned(),
        introduction: String::new(),
        closed: false,
        position: "a".to_owned(),
    };
    let send = Command::MessageSend {
        topic,
        message: MessageId(Uuid::from_u128(9)),
        text: "first".to_owned(),
        reply_to: None,
        written_at: 1,
    };
    house.unheard(vec![shelf, make, send]).await;
    house.app.close().await;
}

#[tokio::test]
async fn a_right_that_was_taken_unheard_is_gone_with_the_next_that_is_heard() {
    let house = House::build().await;
    let hide = Command::AccessSet {
        community: house.community,
        place: Place::Topic(house.topic),
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::VIEW,
        },
    };
    house.unheard(vec![hide]).await;
    give(&house.app, &house.alice, house.rename("土楼", "围楼")).await;
    house.says(1, "not for bob").await;
    let heard = house.hears(&house.bob).await;
    assert_eq!(rows(&heard, Log::Topic(house.topic)), [""; 0]);
    let log = Log::Community(house.community);
    let asks =
        |pushed: &Pushed| matches!(pushed, Pushed::Stale(Stale { log: of, .. }) if *of == log);
    assert!(heard.iter().any(asks), "he is told to ask anew: {heard:?}");
    house.app.close().await;
}

#[tokio::test]
async fn who_was_removed_unheard_is_gone_with_the_next_row_of_his_account() {
    let house = House::build().await;
    let carol = account(&house.app, "carol").await;
    house.join(&carol).await;
    house.app.watch(&carol, vec![house.topic]).await.unwrap();
    let _ = house.hears(&carol).await;
    let kick = Command::MemberKick {
        community: house.community,
        account: carol.account(),
    };
    house.unheard(vec![kick]).await;
    let rename = Command::ProfileEdit {
        display_name: Edit {
            from: "carol".to_owned(),
            to: "Carol".to_owned(),
        },
    };
    let other = house.app.hub().attach(
        carol.account(),
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    give(&house.app, &other, rename).await;
    house.says(1, "not for carol").await;
    let heard = house.hears(&carol).await;
    let own: HashSet<String> = rows(&heard, Log::Account(carol.account()))
        .into_iter()
        .collect();
    assert!(
        own.contains(&house.community.to_string()),
        "the end of her membership is told"
    );
    assert_eq!(rows(&heard, Log::Topic(house.topic)), [""; 0]);
    house.app.close().await;
}

#[tokio::test]
async fn what_is_durable_is_answered_though_the_bus_brings_nothing() {
    let house = House::build().await;
    house.is_cut.store(true, Ordering::SeqCst);
    house.says(1, "durable").await;
    let heads = house.app.store().heads(vec![Log::Topic(house.topic)]).await;
    assert_eq!(heads.unwrap()[0].unwrap().seq, tulou_protocol::Seq(1));
    assert!(house.bob.take().0.is_empty(), "it was told to nobody");
    house.app.close().await;
}
