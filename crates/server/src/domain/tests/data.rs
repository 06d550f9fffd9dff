//! Changes as plain data: what goes to another process comes out there as it went in.

use super::*;
use crate::domain::change::{Contents, Expect, Marking, Sent};

/// One of each kind. A kind more does not compile until it is among them.
fn all() -> Vec<Change> {
    let (community, topic, account) = (COMMUNITY, OPEN, BOB);
    let content = Content {
        author: BOB,
        sent_at: 1,
        written_at: Some(2),
        text: "话 \"x\"\n".to_owned(),
        reply_to: Some(MESSAGE),
        edited_at: Some(3),
        recalled_by: Some(OWNER),
        more: Default::default(),
    };
    let row = |body| Change::Row {
        log: Log::Community(community),
        id: topic.to_string(),
        body,
    };
    let poll = serde_json::json!({"question": "?", "options": [1, 2.5], "none": null});
    vec![
        row(topic_body()),
        row(Body::Deleted("topic".to_owned())),
        row(Body::Unknown("poll".to_owned(), poll)),
        Change::Send(Box::new(Sent {
            topic,
            message: MESSAGE,
            author: BOB,
            author_rev: Rev(7),
            text: "话".to_owned(),
            reply_to: None,
            written_at: Some(1),
            mentions: vec![CAROL],
            wide: vec![None, Some(KEEPERS)],
            reader: crate::domain::Reader::ALWAYS,
        })),
        Change::Content(Box::new(Contents {
            topic,
            message: MESSAGE,
            seq: Seq(3),
            content,
            mentioned: vec![CAROL],
            unmentioned: vec![OWNER],
            wide: vec![Some(HIGH)],
        })),
        Change::Marks {
            topic,
            message: MESSAGE,
            seq: Seq(3),
            marking: Marking::Reaction {
                account: BOB,
                key: "👍".to_owned(),
                on: true,
            },
        },
        Change::Marks {
            topic,
            message: MESSAGE,
            seq: Seq(3),
            marking: Marking::Pin(Some(4)),
        },
        Change::Marks {
            topic,
            message: MESSAGE,
            seq: Seq(3),
            marking: Marking::Touch,
        },
        Change::Numbered { community, last: 9 },
        Change::Member {
            community,
            member: member(BOB, &[KEEPERS, HIGH]),
        },
        Change::MemberGone { community, account },
        Change::Seat {
            community,
            topic,
            account,
            since: Some(5),
        },
        Change::ReadSoFar { account, topic },
        Change::TopicBegins { community, topic },
        Change::TopicEnds { community, topic },
        Change::CommunityEnds { community },
        Change::Bereft { community, account },
        Change::Fades {
            account,
            kind: "mention".to_owned(),
            id: MESSAGE.to_string(),
            rev: Rev(4),
        },
        Change::MentionSeen {
            account,
            topic,
            message: MESSAGE,
            seen: true,
        },
        Change::InviteUsed {
            community,
            code: "ABC".to_owned(),
        },
        Change::InvitesEnd { community, account },
        Change::Named {
            account,
            display_name: "Bob".to_owned(),
        },
    ]
}

fn topic_body() -> Body {
    topic("闲聊", true, 4).into()
}

/// How many kinds there are.
const fn no_of(change: &Change) -> usize {
    match change {
        Change::Row { .. } => 0,
        Change::Send(_) => 1,
        Change::Content(_) => 2,
        Change::Marks { .. } => 3,
        Change::Numbered { .. } => 4,
        Change::Member { .. } => 5,
        Change::MemberGone { .. } => 6,
        Change::Seat { .. } => 7,
        Change::ReadSoFar { .. } => 8,
        Change::TopicBegins { .. } => 9,
        Change::TopicEnds { .. } => 10,
        Change::CommunityEnds { .. } => 11,
        Change::Bereft { .. } => 12,
        Change::Fades { .. } => 13,
        Change::MentionSeen { .. } => 14,
        Change::InviteUsed { .. } => 15,
        Change::Named { .. } => 16,
        Change::InvitesEnd { .. } => 17,
    }
}

#[test]
fn every_change_comes_out_of_json_as_it_went_in() {
    let mut kinds = [false; 18];
    for change in all() {
        let json = serde_json::to_string(&change).unwrap();
        let back: Change = serde_json::from_str(&json).unwrap();
        assert_eq!(back, change, "{json}");
        kinds[no_of(&change)] = true;
    }
    assert_eq!(kinds, [true; 18], "one of each kind was tried");
}

#[test]
fn what_a_commit_rests_on_comes_out_of_json_as_it_went_in() {
    for expect in [
        Expect::Head(Log::Topic(OPEN), Rev(3)),
        Expect::New(Log::Community(COMMUNITY)),
        Expect::Member(COMMUNITY, BOB, Rev::ZERO),
        Expect::Content(OPEN, MESSAGE, Rev(2)),
        Expect::Rights(COMMUNITY, OPEN, GROUP, Rev(2)),
        Expect::Cursor(BOB, OPEN, Rev(1)),
        Expect::Profile(BOB, Rev(1)),
        Expect::Lives(BOB),
    ] {
        let json = serde_json::to_string(&expect).unwrap();
        let back: Expect = serde_json::from_str(&json).unwrap();
        assert_eq!(back, expect, "{json}");
    }
}

#[test]
fn a_row_without_its_kind_is_not_read() {
    let json = serde_json::to_string(&Change::Row {
        log: Log::Community(COMMUNITY),
        id: OPEN.to_string(),
        body: topic_body(),
    });
    let json = json.unwrap();
    assert!(serde_json::from_str::<Change>(&json).is_ok());
    let cut = json.replace("\"body\":{\"kind\"", "\"body\":{\"sort\"");
    assert_ne!(cut, json);
    assert!(serde_json::from_str::<Change>(&cut).is_err(), "{cut}");
}
