//! What is asked, and read when rights have changed meanwhile: it is answered by the rights of then.

use tulou_protocol::{
    Permissions, Question, Seq,
    frame::Refusal,
    question::{PageAt, Told},
};

use super::{
    house::{House, none_to},
    *,
};

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
        Question::CommunityHeads {
            community,
            since: 0,
            after: None,
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
    let Ok(Told::Heads(digest)) = &answered[2] else {
        panic!("{:?}", answered[2])
    };
    assert_eq!(digest.topics, [], "nothing moved that he sees");
    assert!(
        is_refused(&answered[3], Code::NotFound),
        "who else sees it: {:?}",
        answered[3]
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
        Question::CommunityHeads {
            community,
            since: 0,
            after: None,
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
    assert!(is_refused(&answered[2], Code::NotAMember));
    house.app.close().await;
}
