//! Decisions, without a store.

mod data;
mod limits;
mod management;
mod messages;
mod moving;
mod rights;
mod sights;
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

#[test]
fn a_refusal_names_the_field_that_was_wrong() {
    let structure = structure();
    let owner = facts(&structure, member(OWNER, &[]));
    let wrong = |command: &Command, code: Code, name: &str| {
        assert_eq!(
            field(&owner, command),
            (code, Some(name.to_owned())),
            "{command:?}"
        );
    };
    let (nowhere, nothing) = (TopicId(Uuid::from_u128(77)), GroupId(Uuid::from_u128(78)));
    wrong(&send(OPEN, " "), Code::Empty, "text");
    wrong(&send(nowhere, "x"), Code::NotFound, "topic");
    let reply = Command::MessageSend {
        topic: OPEN,
        message: MESSAGE,
        text: "x".into(),
        reply_to: Some(MESSAGE),
        written_at: NOW,
    };
    wrong(&reply, Code::NotFound, "reply_to");
    let create = |name: &str, position: &str, group: GroupId| Command::TopicCreate {
        community: COMMUNITY,
        group,
        topic: nowhere,
        name: name.into(),
        introduction: String::new(),
        closed: false,
        position: position.into(),
    };
    wrong(&create("", "80", GROUP), Code::Empty, "name");
    wrong(&create("x", "", GROUP), Code::Empty, "position");
    wrong(&create("x", "80", nothing), Code::NotFound, "group");
    let edit = |topic, name: &str| Command::TopicEdit {
        community: COMMUNITY,
        topic,
        name: Some(Edit {
            from: "闲聊".into(),
            to: name.into(),
        }),
        introduction: None,
        group: None,
        position: None,
    };
    wrong(&edit(OPEN, "a\nb"), Code::BadCharacters, "name.to");
    wrong(&edit(nowhere, "x"), Code::NotFound, "topic");
    let shelf = Command::GroupEdit {
        community: COMMUNITY,
        group: nothing,
        name: None,
        position: None,
    };
    wrong(&shelf, Code::NotFound, "group");
    let access = Command::AccessSet {
        community: COMMUNITY,
        place: Place::Topic(nowhere),
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: Permissions::PIN,
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    wrong(&access, Code::NotFound, "place");
    let kick = Command::MemberKick {
        community: COMMUNITY,
        account: CAROL,
        end_invites: false,
    };
    wrong(&kick, Code::NotFound, "account");
    let seat = Command::SeatSet {
        community: COMMUNITY,
        topic: OPEN,
        account: BOB,
        on: true,
    };
    wrong(&seat, Code::Malformed, "topic");
    let mut lost = facts(&structure, member(OWNER, &[]));
    lost.structure = None;
    assert_eq!(
        field(&lost, &send(OPEN, "x")),
        (Code::NotFound, Some("topic".into())),
        "a topic that leads nowhere"
    );
    assert_eq!(
        field(&lost, &kick),
        (Code::NotFound, Some("community".into()))
    );
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

#[test]
fn a_member_speaks_where_he_may() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    let decision = run(&bob, &send(OPEN, "你好")).unwrap();
    assert!(matches!(&decision.changes[..], [Change::Send(sent)] if sent.text == "你好"));
    let refused = run(&bob, &send(CLOSED, "hello")).unwrap_err();
    assert_eq!(
        refused.decided_by,
        Some(Why::NoSeat),
        "he sees that it is there, and has no seat"
    );
    let carol = facts(&structure, member(CAROL, &[]));
    assert!(
        run(&carol, &send(CLOSED, "hello")).is_ok(),
        "she has a seat"
    );
}

#[test]
fn a_text_that_may_not_be_is_refused_with_its_limit() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    assert_eq!(code(&bob, &send(OPEN, " ")), Code::Empty);
    assert_eq!(code(&bob, &send(OPEN, "a\u{0}b")), Code::BadCharacters);
    let long = run(&bob, &send(OPEN, &"x".repeat(20_000))).unwrap_err();
    assert_eq!((long.code, long.limit), (Code::TooLong, Some(16_384)));
}

#[test]
fn mentioning_everyone_is_a_right_of_its_own() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    let refused = run(&bob, &send(OPEN, "<@everyone>")).unwrap_err();
    assert_eq!(refused.permission, Some(Permissions::MENTION_ALL));
    let explained = run(&bob, &send(OPEN, "`<@everyone>` calls all")).unwrap();
    let Change::Send(sent) = &explained.changes[0] else {
        panic!("{explained:?}")
    };
    assert_eq!(sent.wide, [], "in code nobody is called");
    let owner = facts(&structure, member(OWNER, &[]));
    let decision = run(&owner, &send(OPEN, &format!("<@everyone> <@&{KEEPERS}>"))).unwrap();
    let Change::Send(sent) = &decision.changes[0] else {
        panic!("{decision:?}")
    };
    assert_eq!(sent.wide, [Some(KEEPERS), None]);
}

#[test]
fn persons_who_may_not_see_the_topic_are_not_mentioned() {
    let structure = structure();
    let mut carol = facts(&structure, member(CAROL, &[]));
    for account in [BOB, OWNER] {
        carol.members.insert(account, member(account, &[]));
    }
    let decision = run(&carol, &send(CLOSED, &format!("<@{BOB}> <@{OWNER}>"))).unwrap();
    let Change::Send(sent) = &decision.changes[0] else {
        panic!("{decision:?}")
    };
    assert_eq!(sent.mentions, [OWNER], "bob has no seat");
}

#[test]
fn an_edit_that_comes_too_late_names_the_present_row() {
    let structure = structure();
    let bob = with_message(facts(&structure, member(BOB, &[])), stored(BOB, NOW, "b"));
    let edit = |from: &str, to: &str| Command::MessageEdit {
        topic: OPEN,
        message: MESSAGE,
        text: Edit {
            from: from.into(),
            to: to.into(),
        },
    };
    let refused = run(&bob, &edit("a", "c")).unwrap_err();
    assert_eq!(refused.code, Code::ChangedMeanwhile);
    assert_eq!(refused.present.unwrap().rev, Rev(4));
    assert!(run(&bob, &edit("b", "c")).is_ok(), "from what it is");
    assert_eq!(
        run(&bob, &edit("a", "b")).unwrap().changes,
        [],
        "it is so already"
    );
    let others = with_message(facts(&structure, member(BOB, &[])), stored(CAROL, NOW, "b"));
    assert_eq!(code(&others, &edit("b", "c")), Code::NotYours);
}

#[test]
fn a_message_is_recalled_by_its_author_for_two_minutes_and_by_keepers_always() {
    let structure = structure();
    let recall = Command::MessageRecall {
        topic: OPEN,
        message: MESSAGE,
    };
    let at = |who, groups: &[MemberGroupId], author, age| {
        let facts = with_message(
            facts(&structure, member(who, groups)),
            stored(author, NOW - age, "x"),
        );
        run(&facts, &recall).map_err(|rejection| rejection.code)
    };
    assert!(at(BOB, &[], BOB, 120_000).is_ok());
    assert_eq!(at(BOB, &[], BOB, 120_001), Err(Code::RecallTooLate));
    assert_eq!(at(BOB, &[], CAROL, 0), Err(Code::NotAllowed));
    assert!(at(BOB, &[KEEPERS], CAROL, 9_000_000).is_ok());
}

#[test]
fn a_reaction_counts_once_and_goes_when_nobody_gives_it() {
    let structure = structure();
    let mut message = stored(CAROL, NOW, "x");
    message.message.marks = Some(Marks {
        reactions: vec![Reaction {
            key: "👍".into(),
            count: 1,
        }],
        ..Marks::default()
    });
    message.has_reacted = true;
    let bob = with_message(facts(&structure, member(BOB, &[])), message);
    let react = |on| Command::MessageReact {
        topic: OPEN,
        message: MESSAGE,
        key: "👍".into(),
        on,
    };
    let again = run(&bob, &react(true)).unwrap().changes;
    assert_eq!(again.len(), 1, "the store knows whether he has a row of it");
    let decision = run(&bob, &react(false)).unwrap();
    let marks = marked_by(&bob, &decision.changes[0]);
    assert_eq!(marks.reactions, [], "the last one took it back");
}

#[test]
fn nobody_acts_on_his_own_rank_or_above() {
    let structure = structure();
    let mut keeper = facts(&structure, member(BOB, &[KEEPERS]));
    keeper.members.insert(CAROL, member(CAROL, &[HIGH]));
    keeper.members.insert(OWNER, member(OWNER, &[]));
    let kick = |account| Command::MemberKick {
        community: COMMUNITY,
        account,
        end_invites: false,
    };
    assert_eq!(code(&keeper, &kick(CAROL)), Code::RankTooLow);
    assert_eq!(code(&keeper, &kick(OWNER)), Code::LastOwner);
    keeper.members.insert(CAROL, member(CAROL, &[KEEPERS]));
    assert_eq!(
        code(&keeper, &kick(CAROL)),
        Code::RankTooLow,
        "his own rank"
    );
    keeper.members.insert(CAROL, member(CAROL, &[]));
    assert!(run(&keeper, &kick(CAROL)).is_ok());
    let assign = |member_group, account| Command::MemberGroupAssign {
        community: COMMUNITY,
        member_group,
        account,
        on: true,
    };
    assert_eq!(code(&keeper, &assign(HIGH, CAROL)), Code::RankTooLow);
    assert_eq!(code(&keeper, &assign(KEEPERS, CAROL)), Code::RankTooLow);
    let owner = Facts {
        members: keeper.members.clone(),
        ..facts(&structure, member(OWNER, &[]))
    };
    assert!(run(&owner, &assign(HIGH, CAROL)).is_ok());
}

#[test]
fn nobody_grants_a_right_that_he_lacks() {
    let structure = structure();
    let keeper = facts(&structure, member(BOB, &[KEEPERS]));
    let set = |place, allow| Command::AccessSet {
        community: COMMUNITY,
        place,
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: allow,
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    assert_eq!(
        refused(&keeper, &set(Place::Topic(OPEN), Permissions::PIN)),
        (Code::NotAllowed, Some(Permissions::PIN))
    );
    assert!(run(&keeper, &set(Place::Topic(OPEN), Permissions::SPEAK)).is_ok());
    assert_eq!(
        code(&keeper, &set(Place::Topic(OPEN), Permissions::KICK)),
        Code::Malformed,
        "it exists only at the community"
    );
    assert_eq!(
        code(&keeper, &set(Place::Topic(CLOSED), Permissions::SPEAK)),
        Code::NotAllowed,
        "he has no seat there"
    );
    assert_eq!(
        code(&keeper, &set(Place::Community, Permissions::SPEAK)),
        Code::ChangedMeanwhile,
        "the row is not what he thinks"
    );
}

#[test]
fn a_group_with_topics_in_it_stays() {
    let structure = structure();
    let owner = facts(&structure, member(OWNER, &[]));
    let delete = Command::GroupDelete {
        community: COMMUNITY,
        group: GROUP,
    };
    assert_eq!(code(&owner, &delete), Code::GroupNotEmpty);
}

#[test]
fn who_makes_a_closed_topic_has_its_first_seat() {
    let structure = structure();
    let keeper = facts(&structure, member(BOB, &[KEEPERS]));
    let made = TopicId(Uuid::from_u128(99));
    let decision = run(
        &keeper,
        &Command::TopicCreate {
            community: COMMUNITY,
            group: GROUP,
            topic: made,
            name: "新".into(),
            introduction: String::new(),
            closed: true,
            position: "90".into(),
        },
    )
    .unwrap();
    assert!(decision.changes.contains(&Change::Seat {
        community: COMMUNITY,
        topic: made,
        account: BOB,
        since: Some(NOW)
    }));
    assert!(
        decision.changes.contains(&Change::Numbered {
            community: COMMUNITY,
            last: 3
        }),
        "numbers are not given twice"
    );
}

#[test]
fn the_owner_stays() {
    let structure = structure();
    let leave = Command::CommunityLeave {
        community: COMMUNITY,
    };
    let owner = facts(&structure, member(OWNER, &[]));
    assert_eq!(code(&owner, &leave), Code::LastOwner);
    let carol = facts(&structure, member(CAROL, &[]));
    let decision = run(&carol, &leave).unwrap();
    assert!(
        decision.changes.contains(&Change::Seat {
            community: COMMUNITY,
            topic: CLOSED,
            account: CAROL,
            since: None
        }),
        "her seats go with her"
    );
}

#[test]
fn a_stranger_learns_nothing() {
    let structure = structure();
    let mut stranger = facts(&structure, member(BOB, &[]));
    stranger.actor = None;
    let refused = decide(&stranger, BOB, &send(OPEN, "x"), NOW).unwrap_err();
    assert_eq!(refused.code, Code::NotAMember);
    let join = |invite: Option<&str>| Command::CommunityJoin {
        community: COMMUNITY,
        invite: invite.map(str::to_owned),
    };
    let refused = decide(&stranger, BOB, &join(None), NOW).unwrap_err();
    assert_eq!(refused.code, Code::InviteNeeded);
    let refused = decide(&stranger, BOB, &join(Some("code")), NOW).unwrap_err();
    assert_eq!(refused.code, Code::InviteInvalid, "it leads nowhere");
    stranger.inviter = Some(member(CAROL, &[]));
    assert!(!structure.may_invite(&member(CAROL, &[])));
    let refused = decide(&stranger, BOB, &join(Some("code")), NOW).unwrap_err();
    assert_eq!(refused.code, Code::InviteInvalid, "she may not invite");
    stranger.inviter = Some(member(OWNER, &[]));
    let decision = decide(&stranger, BOB, &join(Some("code")), NOW).unwrap();
    let is_use = |change: &Change| matches!(change, Change::InviteUsed { .. });
    assert!(
        decision.changes.iter().any(is_use),
        "the invite is used in the same transaction"
    );
    let inviter = super::change::Expect::Member(COMMUNITY, OWNER, Rev(1));
    assert!(
        decision.expects.contains(&inviter),
        "and whoever it belongs to is a member at commit"
    );
}

#[test]
fn the_stamp_moves_with_what_is_seen_and_with_nothing_else() {
    let mut structure = structure();
    let bob = member(BOB, &[]);
    let before = structure.stamp(&bob);
    let renamed = row(10, OPEN, topic("新名", false, 1));
    structure.apply(Rev(10), [&renamed].into_iter(), &[]);
    assert_eq!(structure.stamp(&bob), before, "a name is only a row");
    structure.apply(
        Rev(11),
        std::iter::empty(),
        &[Change::Seat {
            community: COMMUNITY,
            topic: CLOSED,
            account: BOB,
            since: Some(NOW),
        }],
    );
    assert_ne!(structure.stamp(&bob), before, "he sees one topic more");
    assert_eq!(structure.log(), Log::Community(COMMUNITY));
}

#[test]
fn history_is_read_from_joining_without_the_right() {
    let mut structure = structure();
    let less = Permissions::NEW_COMMUNITY - Permissions::READ_HISTORY;
    let changed = row(
        10,
        AccessRow::id(Place::Community, None),
        access(Place::Community, None, less),
    );
    structure.apply(Rev(10), [&changed].into_iter(), &[]);
    assert_eq!(
        structure.readable_since(&member(BOB, &[]), OPEN),
        Some(1_000),
        "since he joined"
    );
    assert_eq!(
        structure.readable_since(&member(OWNER, &[]), OPEN),
        None,
        "the owner reads everything"
    );
}

#[test]
fn a_decision_names_the_rows_that_it_rests_on() {
    use super::change::Expect;

    let structure = structure();
    let head = Expect::Head(structure.log(), Rev(9));
    let rights = Expect::Rights(COMMUNITY, OPEN, structure.topics[&OPEN].body.group, Rev(9));
    let bob = Expect::Member(COMMUNITY, BOB, Rev(1));
    let mut keeper = facts(&structure, member(BOB, &[KEEPERS]));
    let sent = run(&keeper, &send(OPEN, "x")).unwrap();
    assert_eq!(
        sent.expects,
        [rights, bob],
        "rights are those at commit: what gives them in the topic, and the actor's"
    );
    keeper.members.insert(CAROL, member(CAROL, &[]));
    let kick = Command::MemberKick {
        community: COMMUNITY,
        account: CAROL,
        end_invites: false,
    };
    let carol = Expect::Member(COMMUNITY, CAROL, Rev(1));
    let kicked = run(&keeper, &kick).unwrap();
    assert_eq!(kicked.expects, [carol, head, bob], "and the target's");
    let recall = Command::MessageRecall {
        topic: OPEN,
        message: MESSAGE,
    };
    let facts = with_message(
        facts(&structure, member(BOB, &[])),
        stored(BOB, NOW, "mine"),
    );
    let recalled = run(&facts, &recall).unwrap();
    assert_eq!(
        recalled.expects,
        [Expect::Content(OPEN, MESSAGE, Rev(2)), rights, bob],
        "and the message's"
    );
}

#[test]
fn nobody_frees_himself_of_what_a_member_group_denies() {
    let mut structure = structure();
    let muted = MemberGroupId(Uuid::from_u128(20));
    let deny = AccessRow {
        deny: Permissions::SPEAK,
        ..access(Place::Topic(OPEN), Some(muted), Permissions::empty())
    };
    let rows = [
        row(10, muted, member_group("禁言", "20")),
        row(10, AccessRow::id(Place::Topic(OPEN), Some(muted)), deny),
    ];
    structure.apply(Rev(10), rows.iter(), &[]);
    let bob = member(BOB, &[KEEPERS, muted]);
    let mut keeper = facts(&structure, bob.clone());
    keeper.members.insert(BOB, bob);
    assert_eq!(code(&keeper, &send(OPEN, "x")), Code::NotAllowed);
    let leave = Command::MemberGroupAssign {
        community: COMMUNITY,
        member_group: muted,
        account: BOB,
        on: false,
    };
    let delete = Command::MemberGroupDelete {
        community: COMMUNITY,
        member_group: muted,
    };
    for command in [leave, delete] {
        assert_eq!(
            refused(&keeper, &command),
            (Code::NotAllowed, Some(Permissions::SPEAK)),
            "he would give himself a right that he lacks: {command:?}"
        );
    }
}

#[test]
fn an_edit_keeps_the_fields_of_a_newer_version() {
    let mut structure = structure();
    let mut newer = topic("闲聊", false, 1);
    newer.more.insert("colour".to_owned(), "red".into());
    structure.apply(Rev(10), [row(10, OPEN, newer)].iter(), &[]);
    let owner = facts(&structure, member(OWNER, &[]));
    let rename = Command::TopicEdit {
        community: COMMUNITY,
        topic: OPEN,
        name: Some(Edit {
            from: "闲聊".into(),
            to: "茶馆".into(),
        }),
        introduction: None,
        group: None,
        position: None,
    };
    let decision = run(&owner, &rename).unwrap();
    let [
        Change::Row {
            body: Body::Topic(edited),
            ..
        },
    ] = &decision.changes[..]
    else {
        panic!("{decision:?}")
    };
    assert_eq!(
        (edited.name.as_str(), &edited.more["colour"]),
        ("茶馆", &"red".into())
    );
}
