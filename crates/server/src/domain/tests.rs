//! Decisions, without a store.

mod answers;
mod audiences;
mod data;
mod kinds;
mod limits;
mod management;
mod membership;
mod messages;
mod moving;
mod paging;
mod ranks;
mod rights;
mod sending;
mod sights;
mod topics;
mod transfer;
mod view;

use tulou_protocol::{
    AccountId, Code, Command, CommunityId, GroupId, Log, MemberGroupId, MessageId, Permissions,
    Rejection, Rev, Row, Seq, TopicId,
    command::Edit,
    permission::{Decision as Why, Place},
    row::{
        AccessRow, Body, Community, Content, Group, Join, Marks, MemberGroup, Message, Reaction,
        Topic,
    },
};
use uuid::Uuid;

use super::{
    Facts, Member, Structure, case::Decision, change::Change, decide::decide, facts::Stored,
};

const OWNER: AccountId = AccountId(Uuid::from_u128(1));
const BOB: AccountId = AccountId(Uuid::from_u128(2));
const CAROL: AccountId = AccountId(Uuid::from_u128(3));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(10));
const GROUP: GroupId = GroupId(Uuid::from_u128(11));
const OPEN: TopicId = TopicId(Uuid::from_u128(12));
const CLOSED: TopicId = TopicId(Uuid::from_u128(13));
const KEEPERS: MemberGroupId = MemberGroupId(Uuid::from_u128(14));
const HIGH: MemberGroupId = MemberGroupId(Uuid::from_u128(15));
const MESSAGE: MessageId = MessageId(Uuid::from_u128(16));
const NOW: i64 = 1_000_000_000;

fn row(rev: u64, id: impl ToString, body: impl Into<Body>) -> Row {
    Row {
        id: id.to_string(),
        rev: Rev(rev),
        body: body.into(),
    }
}

fn access(place: Place, group: Option<MemberGroupId>, allow: Permissions) -> AccessRow {
    AccessRow {
        place,
        member_group: group,
        allow,
        deny: Permissions::empty(),
        more: Default::default(),
    }
}

fn topic(name: &str, closed: bool, no: u32) -> Topic {
    Topic {
        group: GROUP,
        name: name.into(),
        introduction: String::new(),
        closed,
        position: "80".into(),
        no,
        more: Default::default(),
    }
}

fn member_group(name: &str, rank: &str) -> MemberGroup {
    MemberGroup {
        name: name.into(),
        rank: rank.into(),
        shown: true,
        tagged: false,
        more: Default::default(),
    }
}

/// A community with an open and a closed topic, and two member groups: keepers, and one above them.
fn structure() -> Structure {
    let keepers = Permissions::MANAGE_TOPICS
        | Permissions::MANAGE_MEMBER_GROUPS
        | Permissions::ASSIGN_MEMBER_GROUPS
        | Permissions::KICK
        | Permissions::RECALL_OTHERS;
    Structure::from_rows(
        COMMUNITY,
        Rev(9),
        vec![
            row(
                1,
                COMMUNITY,
                Community {
                    name: "土楼".into(),
                    introduction: String::new(),
                    owner: OWNER,
                    join: Join::Invite,
                    recall_window_ms: 120_000,
                    edit_window_ms: None,
                    created_at: 0,
                    more: Default::default(),
                },
            ),
            row(
                2,
                AccessRow::id(Place::Community, None),
                access(Place::Community, None, Permissions::NEW_COMMUNITY),
            ),
            row(
                3,
                AccessRow::id(Place::Community, Some(KEEPERS)),
                access(Place::Community, Some(KEEPERS), keepers),
            ),
            row(
                4,
                GROUP,
                Group {
                    name: "大厅".into(),
                    position: "80".into(),
                    more: Default::default(),
                },
            ),
            row(5, OPEN, topic("闲聊", false, 1)),
            row(6, CLOSED, topic("密室", true, 2)),
            row(7, KEEPERS, member_group("管理", "50")),
            row(8, HIGH, member_group("长老", "90")),
        ],
        vec![(CLOSED, CAROL, 500)],
        2,
        3,
    )
    .unwrap()
}

fn member(account: AccountId, groups: &[MemberGroupId]) -> Member {
    Member {
        account,
        joined_at: 1_000,
        member_groups: groups.to_vec(),
        rev: Rev(1),
    }
}

fn facts<'a>(structure: &'a Structure, actor: Member) -> Facts<'a> {
    Facts {
        structure: Some(structure),
        actor: Some(actor),
        profile_rev: Rev(1),
        ..Facts::default()
    }
}

fn stored(author: AccountId, sent_at: i64, text: &str) -> Stored {
    Stored {
        message: Message {
            seq: Seq(4),
            content: Some(Content {
                author,
                sent_at,
                written_at: None,
                text: text.into(),
                reply_to: None,
                edited_at: None,
                recalled_by: None,
                more: Default::default(),
            }),
            content_rev: Rev(2),
            marks: None,
            marks_rev: Rev::ZERO,
            more: Default::default(),
        },
        rev: Rev(4),
        has_reacted: false,
    }
}

/// The marks of the message asked for, after a change.
fn marked_by(facts: &Facts<'_>, change: &Change) -> Marks {
    let Change::Marks { marking, .. } = change else {
        panic!("{change:?}")
    };
    let stored = facts.known.message.as_ref().unwrap();
    marking.done_to(stored.message.marks.as_ref(), 0).unwrap()
}

fn with_message<'a>(mut facts: Facts<'a>, stored: Stored) -> Facts<'a> {
    facts.known.message = Some(stored);
    facts.asked_message = Some(MESSAGE);
    facts
}

fn run(facts: &Facts<'_>, command: &Command) -> Result<Decision, Rejection> {
    let actor = facts.actor.as_ref().unwrap().account;
    decide(facts, actor, command, NOW)
}

fn code(facts: &Facts<'_>, command: &Command) -> Code {
    run(facts, command).unwrap_err().code
}

fn refused(facts: &Facts<'_>, command: &Command) -> (Code, Option<Permissions>) {
    let refused = run(facts, command).unwrap_err();
    (refused.code, refused.permission)
}

fn field(facts: &Facts<'_>, command: &Command) -> (Code, Option<String>) {
    let refused = run(facts, command).unwrap_err();
    (refused.code, refused.field)
}

fn send(topic: TopicId, text: &str) -> Command {
    Command::MessageSend {
        topic,
        message: MESSAGE,
        text: text.into(),
        reply_to: None,
        written_at: NOW,
    }
}
