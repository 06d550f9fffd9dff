//! Commits that share one transaction: each row goes out with the rights of its own commit, in the order of commit.

use std::{sync::atomic::Ordering, time::Duration};

use rusqlite::Connection;
use tempfile::TempDir;
use tulou_protocol::{
    MemberGroupId, MessageId, Permissions, Question, Seq, ServerFrame,
    command::Edit,
    frame::Refusal,
    permission::Place,
    push::{Pushed, Stale},
    question::{PageAt, Told},
    row::AccessRow,
};

use super::*;
use crate::{
    app::execute::CommandAnswer,
    domain::change::{Marking, Sent},
    hub::Floor,
    store::{Outcome, Pending, engine},
};

/// Longer than handing a command to the store takes, on any machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// A community of alice's that bob has joined, who watches its topic.
struct House {
    app: App,
    folder: TempDir,
    alice: Arc<Line>,
    bob: Arc<Line>,
    community: CommunityId,
    topic: TopicId,
}

/// The store's writer, held up: what is committed until this is let go of shares one transaction.
struct HeldUp {
    lock: Connection,
    waiting: Pending<()>,
}

/// What somebody was pushed, as far as the order of a topic's rows and the community's is concerned.
#[derive(Debug, PartialEq)]
enum Heard {
    /// A message or its marks: the text, or how often it was reacted to.
    Row(String),
    /// Rows of the topic that he may not read.
    LeftOut,
    /// The community changed.
    Community,
}

fn none_to(set: Permissions) -> Edit<Permissions> {
    Edit {
        from: Permissions::empty(),
        to: set,
    }
}

impl House {
    /// Rights of everyone at the topic, before bob joins: what is denied. One message is older than he.
    async fn build(denied: Permissions) -> Self {
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
        let question = Question::InviteCreate {
            community,
            expires_at: None,
            max_uses: None,
        };
        let Ok(Told::Invite(invite)) = house.app.ask(&house.alice.actor, question).await else {
            panic!("the owner invites")
        };
        let join = Command::CommunityJoin {
            community,
            invite: Some(invite.code),
        };
        give(&house.app, &house.bob, join).await;
        house.app.watch(&house.bob, vec![topic]).await.unwrap();
        settled(&house.app).await;
        house.bob.take();
        house
    }

    /// Everyone is denied other rights at the topic.
    fn deny(&self, deny: Edit<Permissions>) -> Command {
        Command::AccessSet {
            community: self.community,
            place: Place::Topic(self.topic),
            member_group: None::<MemberGroupId>,
            allow: none_to(Permissions::empty()),
            deny,
        }
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

    /// Bob and twelve who have joined and watch the topic.
    async fn crowd(&self) -> Vec<Arc<Line>> {
        let question = Question::InviteCreate {
            community: self.community,
            expires_at: None,
            max_uses: None,
        };
        let Ok(Told::Invite(invite)) = self.app.ask(&self.alice.actor, question).await else {
            panic!("the owner invites")
        };
        let mut watching = vec![self.bob.clone()];
        for no in 0..12 {
            let line = account(&self.app, &format!("guest{no}")).await;
            let join = Command::CommunityJoin {
                community: self.community,
                invite: Some(invite.code.clone()),
            };
            give(&self.app, &line, join).await;
            self.app.watch(&line, vec![self.topic]).await.unwrap();
            watching.push(line);
        }
        watching
    }

    /// What another node commits: what everyone is denied at the topic.
    fn denied_elsewhere(&self, deny: Permissions) -> Change {
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
    fn hold_up(&self) -> HeldUp {
        let lock = Connection::open(self.folder.path().join(engine::FILE)).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        let waiting = self.app.store().try_to_write();
        HeldUp { lock, waiting }
    }

    /// Begins a command, and waits until it is in the store's hands.
    async fn hand_over(
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
    fn commit_elsewhere(&self, change: Change) -> Pending<Outcome> {
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
    fn reacted(&self) -> Change {
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

    fn heard_by(&self, line: &Line) -> Vec<Heard> {
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
    async fn let_go(self) {
        drop(self.lock);
        self.waiting.await.unwrap();
    }
}

fn row(text: &str) -> Heard {
    Heard::Row(text.to_owned())
}

#[tokio::test]
async fn of_one_transaction_what_comes_before_a_topic_is_hidden_is_told_and_what_comes_after_is_not()
 {
    let house = House::build(Permissions::empty()).await;
    let again = house.app.hub().attach(
        house.alice.account(),
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    house.app.watch(&again, vec![house.topic]).await.unwrap();

    let held_up = house.hold_up();
    let before = house.hand_over(&house.alice, house.send(2, "before")).await;
    let hide = house.deny(none_to(Permissions::VIEW));
    let hidden = house.hand_over(&house.alice, hide).await;
    let after = house.commit_elsewhere(Change::Send(Box::new(Sent {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(3)),
        author: house.alice.account(),
        author_rev: Rev(1),
        text: "after".to_owned(),
        reply_to: None,
        written_at: Some(1),
        mentions: Vec::new(),
        wide: Vec::new(),
    })));
    held_up.let_go().await;
    before.await.unwrap().unwrap();
    hidden.await.unwrap().unwrap();
    assert!(matches!(after.await, Ok(Outcome::Done(_))));

    settled(&house.app).await;
    assert_eq!(
        house.heard_by(&house.bob),
        [row("before"), Heard::Community],
        "what was committed while he saw the topic, then that it is gone, and nothing of what came then"
    );
    assert_eq!(
        house.heard_by(&again),
        [row("before"), Heard::Community, row("after")],
        "who sees all of it hears it in the order of commit"
    );
    house.app.close().await;
}

#[tokio::test]
async fn of_one_transaction_old_rows_are_told_from_the_commit_on_that_lets_them_be_read() {
    let (none, history) = (Permissions::empty(), Permissions::READ_HISTORY);
    for (from, to, heard) in [
        (history, none, [Heard::LeftOut, Heard::Community, row("2")]),
        (none, history, [row("1"), Heard::Community, Heard::LeftOut]),
    ] {
        let house = House::build(from).await;
        let held_up = house.hold_up();
        let before = house.commit_elsewhere(house.reacted());
        let change = house.deny(Edit { from, to });
        let changed = house.hand_over(&house.alice, change).await;
        let after = house.commit_elsewhere(house.reacted());
        held_up.let_go().await;
        assert!(matches!(before.await, Ok(Outcome::Done(_))));
        changed.await.unwrap().unwrap();
        assert!(matches!(after.await, Ok(Outcome::Done(_))));
        settled(&house.app).await;
        assert_eq!(
            house.heard_by(&house.bob),
            heard,
            "each with the rights of its own commit: {from:?} denied, then {to:?}"
        );
        house.app.close().await;
    }
}

#[tokio::test]
async fn of_one_transaction_what_was_decided_before_a_right_was_taken_is_decided_again() {
    let house = House::build(Permissions::empty()).await;
    let held_up = house.hold_up();
    let mute = house.deny(none_to(Permissions::SPEAK));
    let denied = house.hand_over(&house.alice, mute).await;
    let sent = house
        .hand_over(&house.bob, house.send(2, "a moment too late"))
        .await;
    held_up.let_go().await;
    denied.await.unwrap().unwrap();
    let Err(Refusal::Rejected(refused)) = sent.await.unwrap() else {
        panic!("rights are those at commit")
    };
    assert_eq!(refused.permission, Some(Permissions::SPEAK));
    let heads = house.app.store().heads(vec![Log::Topic(house.topic)]);
    let head = heads.await.unwrap()[0].unwrap();
    assert_eq!(head.seq, Seq(1), "nothing of it was written");
    house.app.close().await;
}

#[tokio::test]
async fn who_joins_copies_nothing_of_the_community() {
    let house = House::build(Permissions::empty()).await;
    let known = || house.app.communities().known_structure(house.community);
    let before = known().unwrap();
    let carol = account(&house.app, "carol").await;
    let question = Question::InviteCreate {
        community: house.community,
        expires_at: None,
        max_uses: None,
    };
    let Ok(Told::Invite(invite)) = house.app.ask(&house.alice.actor, question).await else {
        panic!("the owner invites")
    };
    let join = Command::CommunityJoin {
        community: house.community,
        invite: Some(invite.code),
    };
    give(&house.app, &carol, join).await;
    settled(&house.app).await;
    let after = known().unwrap();
    assert!(
        Arc::ptr_eq(&before, &after),
        "10,000 who join would hold 10,000 copies"
    );
    assert_eq!(after.members(), 3, "and is counted all the same");
    house.app.close().await;
}

#[tokio::test]
async fn of_one_transaction_what_many_put_on_one_message_is_all_written() {
    let house = House::build(Permissions::empty()).await;
    let message = MessageId(Uuid::from_u128(1));
    let react = |key: &str, on| Command::MessageReact {
        topic: house.topic,
        message,
        key: key.to_owned(),
        on,
    };
    let held_up = house.hold_up();
    let mut given = Vec::new();
    for (line, command) in [
        (&house.alice, react("👍", true)),
        (&house.bob, react("👍", true)),
        (&house.alice, react("🔥", true)),
        (
            &house.alice,
            Command::MessagePin {
                topic: house.topic,
                message,
                on: true,
            },
        ),
        (
            &house.alice,
            Command::MessageEdit {
                topic: house.topic,
                message,
                text: Edit {
                    from: "older than bob".to_owned(),
                    to: "edited".to_owned(),
                },
            },
        ),
    ] {
        given.push(house.hand_over(line, command).await);
    }
    held_up.let_go().await;
    for given in given {
        given.await.unwrap().unwrap();
    }
    settled(&house.app).await;
    let store = house.app.store();
    let page = store.page(house.topic, PageAt::End, 1, Seq(1)).await;
    let Body::Message(found) = &page.unwrap().unwrap().rows[0].body else {
        panic!("it is a message")
    };
    let text = found.content.as_ref().map(|content| content.text.as_str());
    assert_eq!(text, Some("edited"));
    let marks = found.marks.as_ref().unwrap();
    assert!(marks.pinned_at.is_some());
    let counts: Vec<(&str, u32)> = marks
        .reactions
        .iter()
        .map(|given| (given.key.as_str(), given.count))
        .collect();
    assert_eq!(counts, [("👍", 2), ("🔥", 1)], "of two people and of one");
    for (line, given) in [(&house.alice, vec!["👍", "🔥"]), (&house.bob, vec!["👍"])] {
        let log = Log::Account(line.account());
        let own = store.rows_since(log, Rev::ZERO, None, usize::MAX).await;
        let own = own.unwrap();
        let marks = own.rows.iter().filter_map(|row| {
            let Body::Mark(mark) = &row.body else {
                return None;
            };
            Some(mark.reactions.clone())
        });
        assert_eq!(marks.collect::<Vec<_>>(), [given], "each has his own");
    }
    let pushes = house.bob.take().0.into_iter().filter(|frame| {
        matches!(ServerFrame::parse(frame), Ok(ServerFrame::Pushed(Pushed::Push(push))) if push.log == Log::Topic(house.topic))
    });
    assert_eq!(pushes.count(), 1, "none of them was decided again");
    house.app.close().await;
}

#[tokio::test]
async fn what_moves_in_a_topic_that_nobody_asked_for_since_the_start_is_in_the_digest() {
    let house = House::build(Permissions::empty()).await;
    // As after a start, when nobody has come to the topic yet: a deletion recalls what was written in it.
    let communities = house.app.communities();
    communities.drop_community(house.community);
    communities.loaded(house.community).await.unwrap();
    assert_eq!(communities.known_home(house.topic), None);
    let sent = Sent {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(7)),
        author: house.alice.account(),
        author_rev: Rev(1),
        text: "moved".to_owned(),
        reply_to: None,
        written_at: None,
        mentions: Vec::new(),
        wide: Vec::new(),
    };
    let change = Change::Send(Box::new(sent));
    let commit = Commit::of_server(house.alice.account(), house.app.now(), vec![change]);
    {
        let mut state = house.app.hub().state();
        let gathering = state.communities.get_mut(&house.community);
        gathering.unwrap().moved.clear();
    }
    house.app.store().commit(commit).await.unwrap();
    settled(&house.app).await;
    // The next digest names it, or one did a moment ago.
    let is_next = {
        let state = house.app.hub().state();
        let gathering = &state.communities[&house.community];
        gathering.moved.contains(&house.topic)
    };
    let frames = house.bob.take().0;
    let is_told = frames.iter().any(|frame| {
        let Ok(ServerFrame::Pushed(Pushed::Digest(digest))) = ServerFrame::parse(frame) else {
            return false;
        };
        digest.topics.iter().any(|head| head.head_seq == Seq(2))
    });
    assert!(is_next || is_told, "those who do not watch it hear of it");
}

#[tokio::test]
async fn an_edit_between_a_change_of_rights_and_its_floors_reaches_all_who_watch() {
    let house = House::build(Permissions::empty()).await;
    let watching = house.crowd().await;
    give(&house.app, &house.alice, house.send(2, "for all")).await;
    settled(&house.app).await;
    for line in &watching {
        line.take();
    }
    let log = Log::Topic(house.topic);
    // Each takes what comes as it comes, as a session does.
    let heard = watching.iter().cloned().map(|line| {
        tokio::spawn(async move {
            loop {
                line.woken().await;
                for frame in line.take().0 {
                    match ServerFrame::parse(&frame).unwrap() {
                        ServerFrame::Pushed(Pushed::Push(push)) if push.log == log => {
                            return !push.rows.is_empty();
                        }
                        ServerFrame::Pushed(Pushed::Stale(stale)) if stale.log == log => {
                            return true;
                        }
                        ServerFrame::Pushed(_)
                        | ServerFrame::Responses(_)
                        | ServerFrame::Unknown(_) => {}
                    }
                }
            }
        })
    });
    let heard: Vec<_> = heard.collect();
    let held_up = house.hold_up();
    let hide = house.deny(none_to(Permissions::READ_HISTORY));
    let hidden = house.hand_over(&house.alice, hide).await;
    let edited = house.commit_elsewhere(Change::Marks {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(2)),
        seq: Seq(2),
        marking: Marking::Reaction {
            account: AccountId(Uuid::now_v7()),
            key: "👍".to_owned(),
            on: true,
        },
    });
    held_up.let_go().await;
    hidden.await.unwrap().unwrap();
    assert!(matches!(edited.await, Ok(Outcome::Done(_))));
    for heard in heard {
        let heard = tokio::time::timeout(DEADLINE, heard).await;
        assert!(
            heard.unwrap().unwrap(),
            "who is told how far the topic came has the row, or asks for it"
        );
    }
    house.app.close().await;
}

#[tokio::test]
async fn of_two_changes_of_rights_the_floors_of_the_later_one_hold() {
    let (none, history) = (Permissions::empty(), Permissions::READ_HISTORY);
    for (first, then, floor) in [(history, none, Seq(1)), (none, history, Seq(2))] {
        let house = House::build(then).await;
        let watching = house.crowd().await;
        let held_up = house.hold_up();
        let mut changed = Vec::new();
        for deny in [first, then] {
            changed.push(house.commit_elsewhere(house.denied_elsewhere(deny)));
        }
        held_up.let_go().await;
        for changed in changed {
            assert!(matches!(changed.await, Ok(Outcome::Done(_))));
        }
        settled(&house.app).await;
        let floors = || -> Vec<Floor> {
            let state = house.app.hub().state();
            state.watchers[&house.topic]
                .iter()
                .map(|it| it.floor)
                .collect()
        };
        let hold = vec![Floor::At(floor); watching.len()];
        let come = async {
            while floors() != hold {
                tokio::task::yield_now().await;
            }
        };
        let came = tokio::time::timeout(DEADLINE, come).await;
        assert!(came.is_ok(), "{then:?} is denied: {:?}", floors());
        house.app.close().await;
    }
}

#[tokio::test]
async fn floors_that_many_wait_for_wait_behind_nobody_who_asks() {
    let house = House::build(Permissions::empty()).await;
    let watching = house.crowd().await;
    let held = house.app.store().hold_readers();
    let hide = house.denied_elsewhere(Permissions::READ_HISTORY);
    let changed = house.commit_elsewhere(hide);
    assert!(matches!(changed.await, Ok(Outcome::Done(_))));
    let come = async {
        loop {
            let is_known = {
                let state = house.app.hub().state();
                let watches = &state.watchers[&house.topic];
                assert_eq!(watches.len(), watching.len());
                watches.iter().all(|it| it.floor == Floor::At(Seq(2)))
            };
            if is_known {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(DEADLINE, come).await;
    assert!(came.is_ok(), "all readers but one are busy with questions");
    drop(held);
    house.app.close().await;
}

#[tokio::test]
async fn a_floor_that_was_looked_up_for_rights_of_before_is_not_taken() {
    let house = House::build(Permissions::READ_HISTORY).await;
    let bob = (house.community, house.bob.account());
    let floor = || house.app.hub().state().watchers[&house.topic][0].floor;
    assert_eq!(floor(), Floor::At(Seq(2)));
    let hub = house.app.hub();
    assert!(
        !hub.goes_on(bob, house.topic, None, Seq(1)),
        "whoever may read all of it: he might until a moment ago"
    );
    assert_eq!(floor(), Floor::At(Seq(2)));
    house.app.close().await;
}

#[tokio::test]
async fn who_watches_again_goes_on_as_he_did_and_misses_nothing() {
    let house = House::build(Permissions::READ_HISTORY).await;
    let bob = &house.bob;
    house.app.hub().state().seek(bob.account(), house.topic);
    let reacted = house.commit_elsewhere(house.reacted());
    assert!(matches!(reacted.await, Ok(Outcome::Done(_))));
    settled(&house.app).await;
    assert_eq!(house.heard_by(bob), [], "from where on is not known yet");
    house.app.watch(bob, vec![house.topic]).await.unwrap();
    let log = Log::Topic(house.topic);
    let is_told = bob.take().0.iter().any(|frame| {
        let told = ServerFrame::parse(frame).unwrap();
        matches!(told, ServerFrame::Pushed(Pushed::Stale(stale)) if stale.log == log)
    });
    assert!(is_told, "he asks for what came meanwhile");
    house.app.watch(bob, vec![house.topic]).await.unwrap();
    let floor = house.app.hub().state().watchers[&house.topic][0].floor;
    assert_eq!(floor, Floor::At(Seq(2)));
    house.app.close().await;
}

impl House {
    /// What bob asks that is read when somebody has given a command meanwhile.
    async fn asked_while(&self, questions: Vec<Question>, command: Command) -> Vec<Answered> {
        let held = self.app.store().hold_readers();
        let mut asked: Vec<_> = questions
            .into_iter()
            .map(|question| Box::pin(self.app.ask(&self.bob.actor, question)))
            .collect();
        for one in &mut asked {
            let read = futures_util::FutureExt::now_or_never(one);
            assert!(read.is_none(), "it waits to be read");
        }
        give(&self.app, &self.alice, command).await;
        drop(held);
        futures_util::future::join_all(asked).await
    }

    fn page(&self) -> Question {
        Question::TopicPage {
            topic: self.topic,
            at: PageAt::End,
            limit: 10,
        }
    }

    fn sync(log: Log) -> Question {
        let log = SyncLog {
            log,
            since: Rev::ZERO,
            begun: None,
            view: None,
            ranges: Vec::new(),
            without_tail: false,
        };
        Question::LogSync { logs: vec![log] }
    }
}

type Answered = Result<Told, Refusal>;

fn outcome(answered: &Answered) -> &SyncOutcome {
    match answered {
        Ok(Told::Synced(synced)) => &synced.logs[0].outcome,
        other => panic!("{other:?}"),
    }
}

fn is_refused(answered: &Answered, code: Code) -> bool {
    matches!(answered, Err(Refusal::Rejected(rejection)) if rejection.code == code)
}

#[tokio::test]
async fn what_is_read_after_a_topic_was_hidden_is_not_handed_out() {
    let house = House::build(Permissions::empty()).await;
    let (community, topic) = (house.community, house.topic);
    let questions = vec![
        house.page(),
        House::sync(Log::Topic(topic)),
        House::sync(Log::Community(community)),
        Question::CommunityHeads {
            community,
            since: 0,
        },
        Question::MemberList {
            community,
            topic: Some(topic),
            seats_of: None,
            prefix: String::new(),
            accounts: Vec::new(),
            after: None,
            limit: 10,
        },
    ];
    let hide = house.deny(none_to(Permissions::VIEW));
    let answered = house.asked_while(questions, hide).await;
    assert!(
        is_refused(&answered[0], Code::NotFound),
        "a page: {:?}",
        answered[0]
    );
    assert_eq!(outcome(&answered[1]), &SyncOutcome::Gone {});
    let SyncOutcome::Reset { rows, .. } = outcome(&answered[2]) else {
        panic!("{:?}", answered[2])
    };
    assert!(
        rows.iter().all(|row| row.id != topic.to_string()),
        "the community as it is for him: {rows:?}"
    );
    let Ok(Told::Heads(digest)) = &answered[3] else {
        panic!("{:?}", answered[3])
    };
    assert_eq!(digest.topics, [], "nothing moved that he sees");
    assert!(
        is_refused(&answered[4], Code::NotFound),
        "who else sees it: {:?}",
        answered[4]
    );
    house.app.close().await;
}

#[tokio::test]
async fn what_is_read_after_history_was_closed_begins_where_it_may_be_read() {
    let house = House::build(Permissions::empty()).await;
    let questions = vec![house.page(), House::sync(Log::Topic(house.topic))];
    let close = house.deny(none_to(Permissions::READ_HISTORY));
    let answered = house.asked_while(questions, close).await;
    let Ok(Told::Page(page)) = &answered[0] else {
        panic!("{:?}", answered[0])
    };
    assert_eq!((page.floor, page.rows.len()), (Seq(2), 0));
    let SyncOutcome::Topic { floor, rows, .. } = outcome(&answered[1]) else {
        panic!("{:?}", answered[1])
    };
    assert_eq!((*floor, rows.len()), (Seq(2), 0));
    house.app.close().await;
}

#[tokio::test]
async fn what_is_read_after_somebody_was_removed_is_not_handed_out() {
    let house = House::build(Permissions::empty()).await;
    let community = house.community;
    let questions = vec![
        house.page(),
        House::sync(Log::Topic(house.topic)),
        House::sync(Log::Community(community)),
        Question::CommunityHeads {
            community,
            since: 0,
        },
    ];
    let kick = Command::MemberKick {
        community,
        account: house.bob.account(),
        end_invites: false,
    };
    // He is one who is in memory, so that nothing has to be read to remove him.
    let answered = house.asked_while(questions, kick).await;
    assert!(is_refused(&answered[0], Code::NotFound));
    assert_eq!(outcome(&answered[1]), &SyncOutcome::Gone {});
    assert_eq!(outcome(&answered[2]), &SyncOutcome::Gone {});
    assert!(is_refused(&answered[3], Code::NotAMember));
    house.app.close().await;
}

#[tokio::test]
async fn of_one_transaction_nobody_is_mentioned_who_has_left_before() {
    let house = House::build(Permissions::empty()).await;
    let bob = house.bob.account();
    let community = house.community;
    let held_up = house.hold_up();
    let left = house.hand_over(&house.bob, Command::CommunityLeave { community });
    let left = left.await;
    let text = format!("<@{bob}> stays, I think");
    let sent = house.hand_over(&house.alice, house.send(2, &text)).await;
    held_up.let_go().await;
    left.await.unwrap().unwrap();
    sent.await.unwrap().unwrap();
    let log = Log::Account(bob);
    let own = house
        .app
        .store()
        .rows_since(log, Rev::ZERO, None, usize::MAX);
    let own = own.await.unwrap().rows;
    assert!(
        own.iter().all(|row| row.body.kind() != "mention"),
        "it was decided while he was a member: {own:?}"
    );
    house.app.close().await;
}
