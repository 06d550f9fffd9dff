//! How far topics count as read.

use tulou_protocol::push::ReadBefore;

use super::*;
use crate::domain::Reader;

/// Two persons and a topic of five messages, sent at 10, 20, 30, 40, 50.
async fn read_topic() -> (Bench, AccountId) {
    let bench = bench().await;
    for n in 1..=5 {
        bench.send(&n.to_string(), n * 10).await;
    }
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    (bench, bob)
}

impl Bench {
    /// How far the topic counts as read for somebody who is there since a time.
    async fn read_before(
        &self,
        account: AccountId,
        since: Millis,
        has_history: bool,
    ) -> Option<ReadBefore> {
        let topics = vec![(self.topic, Reader { since, has_history })];
        let read = self.store.read_before(account, topics);
        read.await.unwrap().pop().unwrap()
    }

    async fn reads_at(&self, account: AccountId, seq: u64, now: Millis) {
        let body = tulou_protocol::row::Cursor {
            seq: Seq(seq),
            own: 0,
            set_no: 0,
            more: Default::default(),
        };
        let row = Change::Row {
            log: Log::Account(account),
            id: self.topic.to_string(),
            body: body.into(),
        };
        let command = CommandId(Uuid::now_v7());
        self.commit_as(command, account, now, Vec::new(), vec![row])
            .await;
    }

    async fn cursor(&self, account: AccountId) -> (u64, u64) {
        let needs = Needs {
            topic: Some(self.topic),
            cursor_at: Some(Seq(0)),
            ..Needs::default()
        };
        let known = self.store.known(account, needs).await.unwrap();
        let (cursor, _) = known.cursor.unwrap();
        (cursor.seq.0, cursor.own)
    }
}

fn up_to(seq: u64, over: u64) -> Option<ReadBefore> {
    let (seq, over) = (Seq(seq), Rev(over));
    Some(ReadBefore { seq, own: 0, over })
}

#[tokio::test]
async fn what_was_sent_before_somebody_came_is_read_without_a_row() {
    let (bench, bob) = read_topic().await;
    for (since, seq) in [(11, 1), (30, 2), (31, 3), (50, 4), (51, 5), (1_000, 5)] {
        for has_history in [true, false] {
            let read = bench.read_before(bob, since, has_history).await;
            assert_eq!(read, up_to(seq, 0), "who came at {since}");
        }
    }
    assert_eq!(bench.read_before(bob, 10, true).await, None, "nothing was");
    let other = (TopicId(Uuid::now_v7()), Reader::ALWAYS);
    let read = bench.store.read_before(bob, vec![other]).await.unwrap();
    assert_eq!(read, [None], "where nobody wrote nothing was, either");
}

#[tokio::test]
async fn a_row_of_since_he_is_there_says_itself_what_is_read() {
    let (bench, bob) = read_topic().await;
    bench.reads_at(bob, 1, 60).await;
    let rev = bench.store.heads(vec![Log::Account(bob)]).await.unwrap()[0];
    let rev = rev.unwrap().rev.0;
    assert_eq!(bench.read_before(bob, 35, true).await, None, "he set it");
    assert_eq!(
        bench.read_before(bob, 35, false).await,
        up_to(3, rev),
        "what he may not read is not unread"
    );
    assert_eq!(
        bench.read_before(bob, 61, true).await,
        up_to(5, rev),
        "it is of before he went and came back"
    );
    bench.reads_at(bob, 4, 60).await;
    assert_eq!(
        bench.read_before(bob, 35, false).await,
        None,
        "it is beyond"
    );
}

#[tokio::test]
async fn the_first_send_goes_on_from_what_was_sent_before_its_author_came() {
    // How many of the five were sent since, and what his row says then.
    for (since, row) in [(51, (6, 0)), (35, (3, 1)), (1, (0, 1))] {
        let (bench, bob) = read_topic().await;
        let Change::Send(sent) = bench.sent(MessageId(Uuid::now_v7()), "6") else {
            panic!("it is a send")
        };
        let sent = Sent {
            author: bob,
            reader: Reader {
                since,
                has_history: true,
            },
            ..*sent
        };
        let command = CommandId(Uuid::now_v7());
        let changes = vec![Change::Send(Box::new(sent))];
        let outcome = bench.commit_as(command, bob, 60, Vec::new(), changes);
        assert!(matches!(outcome.await, Outcome::Done(_)));
        assert_eq!(bench.cursor(bob).await, row, "he came at {since}");
    }
}
