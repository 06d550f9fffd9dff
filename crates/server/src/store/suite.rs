//! The suite that every store passes.

mod accounts;
mod answers;
mod bus;
mod invites;
mod members;
mod places;
mod preconditions;
mod reading;
mod settled;
mod upkeep;

use std::{collections::HashMap, sync::Arc};

use tulou_protocol::{
    AccountId, Code, CommandId, CommunityId, Log, MemberGroupId, MessageId, Rev, Seq, SessionId,
    TopicId,
    id::Millis,
    limits,
    question::{Invite, PageAt, Range},
    row::{Body, Content, Cursor, Membership, Mention, MessageKey},
};
use uuid::Uuid;

use super::{
    Bus, Commit, Fading, Inviting, MemberSlice, NewAccount, NewSession, Nowhere, Outcome, SliceOf,
    Store, sqlite::Sqlite,
};
use crate::{
    actor::Origin,
    domain::{
        Member,
        change::{Change, Contents, Expect, Sent},
        facts::Needs,
    },
};

/// A store with one community, one topic, and alice in it.
struct Bench {
    store: Box<dyn Store>,
    folder: tempfile::TempDir,
    alice: AccountId,
    community: CommunityId,
    topic: TopicId,
}

fn open(folder: &std::path::Path) -> Box<dyn Store> {
    open_over(folder, Arc::new(Nowhere))
}

fn open_over(folder: &std::path::Path, bus: Arc<dyn Bus>) -> Box<dyn Store> {
    Box::new(Sqlite::open(folder, bus).unwrap())
}

async fn bench() -> Bench {
    bench_over(Arc::new(Nowhere)).await
}

async fn bench_over(bus: Arc<dyn Bus>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench {
        store: open_over(folder.path(), bus),
        folder,
        alice: AccountId(Uuid::now_v7()),
        community: CommunityId(Uuid::now_v7()),
        topic: TopicId(Uuid::now_v7()),
    };
    bench.account(bench.alice, "alice").await;
    let (community, topic) = (bench.community, bench.topic);
    let log = Log::Community(community);
    let outcome = bench
        .commit(
            bench.alice,
            vec![Expect::New(log), Expect::New(Log::Topic(topic))],
            vec![
                bench.community_row("土楼"),
                Change::TopicBegins { community, topic },
                Change::Numbered { community, last: 1 },
                bench.joins(bench.alice),
            ],
        )
        .await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    bench
}

impl Bench {
    async fn account(&self, id: AccountId, name: &str) {
        let made = self
            .store
            .create_account(NewAccount {
                id,
                name: name.to_owned(),
                display_name: name.to_owned(),
                password: "hash".to_owned(),
                codes: Vec::new(),
                unless_first: None,
                invite: None,
                now: 1,
            })
            .await
            .unwrap();
        assert_eq!(made, Ok(id), "the name is free");
    }

    fn community_row(&self, name: &str) -> Change {
        Change::Row {
            log: Log::Community(self.community),
            id: self.community.to_string(),
            body: tulou_protocol::row::Community {
                name: name.to_owned(),
                introduction: String::new(),
                owner: self.alice,
                join: tulou_protocol::row::Join::Invite,
                recall_window_ms: 1,
                edit_window_ms: None,
                created_at: 1,
                more: Default::default(),
            }
            .into(),
        }
    }

    fn joins(&self, account: AccountId) -> Change {
        Change::Member {
            community: self.community,
            member: Member {
                account,
                joined_at: 5,
                member_groups: Vec::new(),
                rev: Rev::ZERO,
            },
        }
    }

    async fn commit(
        &self,
        account: AccountId,
        expects: Vec<Expect>,
        changes: Vec<Change>,
    ) -> Outcome {
        self.commit_as(CommandId(Uuid::now_v7()), account, 10, expects, changes)
            .await
    }

    async fn commit_as(
        &self,
        command: CommandId,
        account: AccountId,
        now: Millis,
        expects: Vec<Expect>,
        changes: Vec<Change>,
    ) -> Outcome {
        self.store
            .commit(Commit {
                account,
                command,
                origin: Origin::SERVER,
                is_apart: false,
                now,
                expects,
                changes,
            })
            .await
            .unwrap()
    }

    fn sent(&self, message: MessageId, text: &str) -> Change {
        Change::Send(Box::new(Sent {
            topic: self.topic,
            message,
            author: self.alice,
            author_rev: Rev(1),
            text: text.to_owned(),
            reply_to: None,
            written_at: Some(1),
            mentions: Vec::new(),
            wide: Vec::new(),
            reader: crate::domain::Reader::ALWAYS,
        }))
    }

    async fn send(&self, text: &str, now: Millis) -> MessageId {
        let id = MessageId(Uuid::now_v7());
        let outcome = self
            .commit_as(
                CommandId(Uuid::now_v7()),
                self.alice,
                now,
                Vec::new(),
                vec![self.sent(id, text)],
            )
            .await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        id
    }

    fn edited(&self, id: MessageId, seq: Seq, text: &str) -> Change {
        Change::Content(Box::new(Contents {
            topic: self.topic,
            message: id,
            seq,
            content: Content {
                author: self.alice,
                sent_at: 10,
                written_at: Some(1),
                text: text.to_owned(),
                reply_to: None,
                edited_at: Some(11),
                recalled_by: None,
                more: Default::default(),
            },
            mentioned: Vec::new(),
            unmentioned: Vec::new(),
            wide: Vec::new(),
        }))
    }

    async fn edit(&self, id: MessageId, seq: Seq, text: &str) {
        let change = self.edited(id, seq, text);
        let outcome = self.commit(self.alice, Vec::new(), vec![change]).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }

    async fn page(&self, at: PageAt, limit: usize) -> Vec<u64> {
        let page = self
            .store
            .page(self.topic, at, limit, None)
            .await
            .unwrap()
            .unwrap();
        page.rows.iter().map(seq).collect()
    }
}

fn seq(row: &tulou_protocol::Row) -> u64 {
    let Body::Message(message) = &row.body else {
        panic!("{row:?} is no message")
    };
    message.seq.0
}

#[tokio::test]
async fn a_command_that_was_committed_gets_its_stored_answer() {
    let bench = bench().await;
    let command = CommandId(Uuid::now_v7());
    let id = MessageId(Uuid::now_v7());
    let first = bench
        .commit_as(
            command,
            bench.alice,
            10,
            Vec::new(),
            vec![bench.sent(id, "x")],
        )
        .await;
    let Outcome::Done(first) = first else {
        panic!("{first:?}")
    };
    let again = bench
        .commit_as(
            command,
            bench.alice,
            20,
            Vec::new(),
            vec![bench.sent(id, "x")],
        )
        .await;
    let Outcome::Repeat(again) = again else {
        panic!("{again:?}")
    };
    let rows = |answer: &str| {
        let mut answer: tulou_protocol::Answer = serde_json::from_str(answer).unwrap();
        answer.pushes.remove(0).rows
    };
    assert_eq!(rows(&again), rows(&first.answer), "the message, once");
    assert_eq!(
        bench.store.forget_answers(11, 1_000).await.unwrap(),
        2,
        "that of the community's making, too"
    );
    let stored = bench.store.answer(bench.alice, command).await.unwrap();
    assert_eq!(stored, None, "old answers are dropped");
}

#[tokio::test]
async fn many_at_once_leave_no_gap() {
    let bench = bench().await;
    let pending: Vec<_> = (0..200)
        .map(|n| {
            bench.store.commit(Commit {
                account: bench.alice,
                command: CommandId(Uuid::now_v7()),
                origin: Origin::SERVER,
                is_apart: false,
                now: 10,
                expects: Vec::new(),
                changes: vec![bench.sent(MessageId(Uuid::now_v7()), &n.to_string())],
            })
        })
        .collect();
    for (n, pending) in (1..).zip(pending) {
        let Outcome::Done(committed) = pending.await.unwrap() else {
            panic!("it is written")
        };
        let written = &committed.logs[0];
        assert_eq!(
            (written.prev.0, written.rev.0, written.rows[0].seq.0),
            (n - 1, n, n),
            "in the order in which they were handed in"
        );
    }
    let head = bench
        .store
        .heads(vec![Log::Topic(bench.topic)])
        .await
        .unwrap()[0]
        .unwrap();
    assert_eq!((head.rev, head.seq), (Rev(200), Seq(200)));
}

#[tokio::test]
async fn what_has_moved_is_a_conflict_and_writes_nothing() {
    let bench = bench().await;
    let log = Log::Community(bench.community);
    let outcome = bench
        .commit(
            bench.alice,
            vec![Expect::Head(log, Rev(7))],
            vec![bench.community_row("other")],
        )
        .await;
    assert!(matches!(outcome, Outcome::Conflict), "{outcome:?}");
    let outcome = bench
        .commit(
            bench.alice,
            vec![Expect::Member(bench.community, bench.alice, Rev(9))],
            vec![bench.community_row("other")],
        )
        .await;
    assert!(matches!(outcome, Outcome::Conflict), "{outcome:?}");
    let structure = bench
        .store
        .structure(bench.community)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(structure.community.body.name, "土楼", "nothing was written");
    assert_eq!(structure.rev, Rev(1));
    assert_eq!((structure.members(), structure.last_no), (1, 1));
}

#[tokio::test]
async fn an_id_is_taken_whatever_its_kind() {
    let bench = bench().await;
    let taken = Log::Topic(TopicId(bench.community.0));
    let outcome = bench
        .commit(bench.alice, vec![Expect::New(taken)], Vec::new())
        .await;
    assert!(
        matches!(&outcome, Outcome::Refused(rejection) if rejection.code == Code::IdTaken),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn pages_are_contiguous_in_every_direction() {
    let bench = bench().await;
    let mut ids = Vec::new();
    for n in 1..=10 {
        ids.push(bench.send(&n.to_string(), n * 10).await);
    }
    assert_eq!(bench.page(PageAt::End, 3).await, [8, 9, 10]);
    assert_eq!(bench.page(PageAt::Before(Seq(4)), 2).await, [2, 3]);
    assert_eq!(bench.page(PageAt::After(Seq(4)), 2).await, [5, 6]);
    assert_eq!(bench.page(PageAt::Around(Seq(5)), 4).await, [3, 4, 5, 6]);
    assert_eq!(
        bench.page(PageAt::Message(ids[0]), 4).await,
        [1, 2],
        "nothing is before the first"
    );
    let nothing = bench
        .store
        .page(
            bench.topic,
            PageAt::Message(MessageId(Uuid::now_v7())),
            4,
            None,
        )
        .await
        .unwrap();
    assert_eq!(nothing, None, "there is no such message");
    for (time, first) in [(0, 1), (10, 1), (11, 2), (100, 10), (101, 11)] {
        let found = bench.store.first_since(bench.topic, time).await.unwrap();
        assert_eq!(found, Seq(first), "the first sent at {time} or later");
    }
    let page = bench
        .store
        .page(bench.topic, PageAt::End, 50, Some(90))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        page.rows.iter().map(seq).collect::<Vec<_>>(),
        [9, 10],
        "nothing that was sent before"
    );
    assert_eq!(
        page.floor,
        Seq(9),
        "and where that begins, of the same moment"
    );
    assert_eq!(page.authors, [], "her profile is as it was made");
}

#[tokio::test]
async fn a_sync_brings_what_changed_in_held_stretches_and_the_tail() {
    let bench = bench().await;
    let mut ids = Vec::new();
    for n in 1..=6 {
        ids.push(bench.send(&n.to_string(), n * 10).await);
    }
    bench.edit(ids[1], Seq(2), "two").await;
    bench.edit(ids[4], Seq(5), "five").await;
    let range = |from, to, rev| Range {
        from: Seq(from),
        to: Seq(to),
        rev: Rev(rev),
    };
    let changes = bench
        .store
        .topic_changes(bench.topic, vec![range(1, 4, 6)], None, true, 1_500)
        .await
        .unwrap();
    assert_eq!(
        changes.rows.iter().map(seq).collect::<Vec<_>>(),
        [2, 5, 6],
        "what changed of 1 to 4, then the tail"
    );
    assert_eq!(changes.tail_from, Some(Seq(5)));
    assert_eq!((changes.rev, changes.has_more), (Rev(8), false));
    let changes = bench
        .store
        .topic_changes(bench.topic, vec![range(1, 6, 7)], Some(30), true, 1_500)
        .await
        .unwrap();
    assert_eq!(
        changes.rows.iter().map(seq).collect::<Vec<_>>(),
        [5],
        "only what is newer than held"
    );
    assert_eq!(changes.tail_from, None, "nothing is new");
    assert_eq!(changes.floor, Seq(3), "of the same moment");
}

#[tokio::test]
async fn an_invite_is_used_as_often_as_it_may_be() {
    let bench = bench().await;
    let invite = Invite {
        code: "ABCDEFGHIJKL".into(),
        expires_at: Some(100),
        max_uses: Some(1),
        uses: 0,
        came: Vec::new(),
        by: bench.alice,
        lapsed: false,
        created_at: 1,
    };
    let made = bench
        .store
        .create_invite(bench.community, invite.clone(), Vec::new())
        .await
        .unwrap();
    assert_eq!(made, Inviting::Made);
    let uses = |account| {
        vec![
            bench.joins(account),
            Change::InviteUsed {
                community: bench.community,
                code: invite.code.clone(),
            },
        ]
    };
    let (bob, carol) = (AccountId(Uuid::now_v7()), AccountId(Uuid::now_v7()));
    bench.account(bob, "bob").await;
    bench.account(carol, "carol").await;
    let outcome = bench.commit(bob, Vec::new(), uses(bob)).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let outcome = bench.commit(carol, Vec::new(), uses(carol)).await;
    assert!(
        matches!(&outcome, Outcome::Refused(rejection) if rejection.code == Code::InviteInvalid),
        "{outcome:?}"
    );
    let members = bench
        .store
        .members(bench.community, vec![bob, carol])
        .await
        .unwrap();
    assert_eq!(members.len(), 1, "carol is none");
    let listed = bench
        .store
        .list_members(
            bench.community,
            MemberSlice {
                of: SliceOf::Display("bo".into()),
                after: None,
                limit: 10,
            },
        )
        .await
        .unwrap();
    assert_eq!(listed[0].account_name, "bob", "whatever the case");
    assert_eq!(bench.store.count_members(bench.community).await.unwrap(), 2);
}

#[tokio::test]
async fn a_dissolved_community_leaves_tombstones_and_nothing_else() {
    let bench = bench().await;
    bench.send("x", 10).await;
    let (community, topic) = (bench.community, bench.topic);
    let own = Log::Account(bench.alice);
    bench
        .commit(
            bench.alice,
            Vec::new(),
            vec![Change::Row {
                log: own,
                id: community.to_string(),
                body: Membership {
                    community,
                    joined_at: 1,
                    more: Default::default(),
                }
                .into(),
            }],
        )
        .await;
    let outcome = bench
        .commit(
            bench.alice,
            Vec::new(),
            vec![
                Change::Row {
                    log: Log::Community(community),
                    id: community.to_string(),
                    body: Body::Deleted("community".into()),
                },
                Change::TopicEnds { community, topic },
                Change::CommunityEnds { community },
            ],
        )
        .await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert!(bench.store.structure(community).await.unwrap().is_none());
    assert_eq!(bench.store.community_of(topic).await.unwrap(), None);
    let bereft = bench.store.bereft(10).await.unwrap();
    assert_eq!(
        bereft,
        [(community, bench.alice)],
        "she is still to be told"
    );
    bench
        .commit(
            bench.alice,
            Vec::new(),
            vec![Change::Bereft {
                community,
                account: bench.alice,
            }],
        )
        .await;
    assert_eq!(bench.store.bereft(10).await.unwrap(), []);
    let rows = bench
        .store
        .rows_since(own, Rev::ZERO, None, 100)
        .await
        .unwrap()
        .rows;
    let kinds: HashMap<&str, &Body> = rows
        .iter()
        .map(|row| (row.body.kind(), &row.body))
        .collect();
    assert!(
        matches!(kinds["membership"], Body::Deleted(_)),
        "the membership is gone: {kinds:?}"
    );
    let outcome = bench
        .commit(
            bench.alice,
            vec![Expect::New(Log::Topic(topic))],
            Vec::new(),
        )
        .await;
    assert!(
        matches!(&outcome, Outcome::Refused(_)),
        "its id stays taken: {outcome:?}"
    );
}

#[tokio::test]
async fn a_head_names_the_last_hundred_mentions_of_many_and_no_more() {
    let bench = bench().await;
    for no in 0..15_u128 {
        let id = MessageId(Uuid::now_v7());
        let Change::Send(mut sent) = bench.sent(id, "all of you") else {
            panic!("a message is sent")
        };
        let groups = (0..10).map(|group| MemberGroupId(Uuid::from_u128(no * 10 + group)));
        sent.wide = groups.map(Some).collect();
        let outcome = bench
            .commit(bench.alice, Vec::new(), vec![Change::Send(sent)])
            .await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    let moved = bench.store.moved(vec![bench.topic]).await.unwrap();
    assert_eq!(moved[0].wide.len(), 100);
    let last: Vec<u64> = moved[0].wide.iter().map(|wide| wide.seq.0).collect();
    assert!(last.is_sorted() && last[0] == 6, "the newest: {last:?}");
}

#[tokio::test]
async fn a_message_moves_its_authors_cursor() {
    let bench = bench().await;
    bench.send("1", 10).await;
    let known = bench
        .store
        .known(
            bench.alice,
            Needs {
                topic: Some(bench.topic),
                cursor_at: Some(Seq(0)),
                ..Needs::default()
            },
        )
        .await
        .unwrap();
    let (cursor, _) = known.cursor.unwrap();
    assert_eq!(
        cursor,
        Cursor {
            seq: Seq(1),
            own: 0,
            set_no: 0,
            more: Default::default()
        }
    );
    assert_eq!((known.head_seq, known.own_after), (Seq(1), 1));
}

#[tokio::test]
async fn a_store_that_is_opened_again_is_the_same() {
    let bench = bench().await;
    bench.send("kept", 10).await;
    let session = SessionId(Uuid::now_v7());
    bench
        .store
        .create_session(NewSession {
            session,
            account: bench.alice,
            token: [7; 32],
            password: "hash".into(),
            device: "attic".into(),
            address: String::new(),
            now: 1,
        })
        .await
        .unwrap();
    let identity = bench.store.identity();
    bench.store.close().await.unwrap();
    let store = open(bench.folder.path());
    assert_eq!(
        store.identity(),
        identity,
        "the same server, the same epoch"
    );
    let found = store.session([7; 32], 0).await.unwrap().unwrap();
    assert_eq!(
        (found.account, found.session),
        (bench.alice, session),
        "sessions outlive a restart"
    );
    assert_eq!(found.communities, [bench.community]);
    assert_eq!(store.end_session([7; 32]).await.unwrap(), Some(session));
    assert_eq!(store.session([7; 32], 0).await.unwrap(), None, "signed out");
    let since = store.moved_since(bench.community, 0, None).await.unwrap();
    assert_eq!(since.len(), 1);
    let moved = store.moved(vec![since[0].0]).await.unwrap();
    assert_eq!(moved[0].head.seq, Seq(1), "the message is there");
}
