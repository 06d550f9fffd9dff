#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "anything else fails the test"
)]

//! Actions against a community made offline.

use tulou_engine::Write;
use tulou_protocol::{
    CommunityId, Permissions, Rev, Row,
    permission::Place,
    row::{Content, Message},
};

use super::*;
use crate::{read::access::rights, shape::Shape, store::Store, view::AccessPlace};

const ME: AccountId = AccountId(Uuid::from_u128(1));

fn at(now: i64) -> AsOf {
    AsOf {
        me: ME,
        now,
        skew: 0,
        is_linked: false,
    }
}

struct Desk {
    store: Store,
    community: CommunityId,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
        let mut desk = Self {
            store,
            community: CommunityId(Uuid::nil()),
            _folder: folder,
        };
        let made = desk.act(Action::CreateCommunity {
            name: " 星 海 ".into(),
            group: "g".into(),
            topic: "t".into(),
        });
        desk.community = made.unwrap().parse().unwrap();
        desk
    }

    fn compose(&self, action: Action) -> Result<Composed, Error> {
        let as_of = at(7);
        self.store.write(|db| compose(db, as_of, action))
    }

    /// Puts the command into the outbox; the id of what it makes.
    fn act(&self, action: Action) -> Option<String> {
        match self.compose(action).unwrap() {
            Composed::Queue(command, made) => {
                let id = CommandId(Uuid::now_v7());
                self.store
                    .write(|db| outbox::push(db, id, command, 7, OutboxState::Waiting))
                    .unwrap();
                made
            }
            other => panic!("not queued: {other:?}"),
        }
    }

    fn shape(&self) -> Shape {
        self.store
            .read(|db| Shape::load(db, ME, self.community))
            .unwrap()
            .unwrap()
    }

    fn topics(&self) -> Vec<String> {
        let shape = self.shape();
        shape
            .topics
            .iter()
            .map(|topic| topic.name.clone())
            .collect()
    }

    fn community(&self) -> String {
        self.community.to_string()
    }
}

#[test]
fn names_are_cleaned() {
    assert_eq!(Desk::new().shape().name, "星 海");
}

#[test]
fn topics_are_made_at_the_end_and_move_where_they_are_put() {
    let desk = Desk::new();
    let group = desk.shape().groups[0].id.to_string();
    let make = |name: &str| {
        desk.act(Action::CreateTopic {
            community: desk.community(),
            group: group.clone(),
            name: name.into(),
            introduction: String::new(),
            is_closed: false,
        })
        .unwrap()
    };
    let first = desk.shape().topics[0].id.to_string();
    let (b, c) = (make("b"), make("c"));
    assert_eq!(desk.topics(), ["t", "b", "c"]);
    let put = |topic: &str, after: Option<&String>| Action::MoveTopic {
        community: desk.community(),
        topic: topic.to_owned(),
        group: group.clone(),
        after: after.cloned(),
    };
    desk.act(put(&c, None));
    assert_eq!(desk.topics(), ["c", "t", "b"]);
    desk.act(put(&c, Some(&first)));
    assert_eq!(desk.topics(), ["t", "c", "b"]);
    assert!(
        matches!(desk.compose(put(&b, Some(&c))), Ok(Composed::Nothing)),
        "it stands there already"
    );
}

#[test]
fn a_second_change_starts_from_the_first() {
    let desk = Desk::new();
    let rename = |name: &str| Action::EditCommunity {
        community: desk.community(),
        name: Some(name.into()),
        introduction: None,
    };
    desk.act(rename("一"));
    let second = desk.compose(rename("二")).unwrap();
    assert!(
        matches!(&second, Composed::Queue(Command::CommunityEdit { name: Some(edit), .. }, _)
            if edit.from == "一" && edit.to == "二"),
        "{second:?}"
    );
    assert!(matches!(desk.compose(rename("一")), Ok(Composed::Nothing)));
}

#[test]
fn a_right_is_allowed_denied_and_inherited_again() {
    let desk = Desk::new();
    let topic = desk.shape().topics[0].id;
    let place = Place::Topic(topic);
    let set = |value| Action::SetAccess {
        community: desk.community(),
        place: AccessPlace::Topic {
            id: topic.to_string(),
        },
        member_group: "everyone".into(),
        permission: "speak".into(),
        value,
    };
    let speak = tulou_protocol::Permissions::SPEAK;
    assert!(desk.shape().of_everyone(place).contains(speak));
    desk.act(set(Some(false)));
    assert!(!desk.shape().of_everyone(place).contains(speak));
    desk.act(set(None));
    assert!(desk.shape().of_everyone(place).contains(speak));
    assert!(matches!(desk.compose(set(None)), Ok(Composed::Nothing)));
}

#[test]
fn member_groups_are_made_below_all_others_and_move() {
    let desk = Desk::new();
    let make = |name: &str| {
        desk.act(Action::CreateMemberGroup {
            community: desk.community(),
            name: name.into(),
            is_shown: true,
            has_tag: false,
        })
        .unwrap()
    };
    let names = || -> Vec<String> {
        let shape = desk.shape();
        shape
            .member_groups
            .iter()
            .map(|group| group.name.clone())
            .collect()
    };
    let (a, _, c) = (make("a"), make("b"), make("c"));
    assert_eq!(names(), ["a", "b", "c"]);
    let put = |member_group: &str, below: Option<&String>| Action::MoveMemberGroup {
        community: desk.community(),
        member_group: member_group.to_owned(),
        below: below.cloned(),
    };
    desk.act(put(&c, None));
    assert_eq!(names(), ["c", "a", "b"], "the owner may use the top");
    desk.act(put(&c, Some(&a)));
    assert_eq!(names(), ["a", "c", "b"]);
}

#[test]
fn a_pending_message_is_changed_in_place_and_withdrawn() {
    let desk = Desk::new();
    let topic = desk.shape().topics[0].id.to_string();
    desk.store
        .write(|db| drafts::put(db, topic.parse().unwrap(), "dra", None))
        .unwrap();
    let message = desk
        .act(Action::SendMessage {
            topic: topic.clone(),
            text: "draft\u{7}\r\n".into(),
            reply_to: None,
        })
        .unwrap();
    let draft = desk
        .store
        .read(|db| drafts::one(db, topic.parse().unwrap()));
    assert_eq!(draft.unwrap(), None, "the draft goes with the message");
    let edit = Action::EditMessage {
        topic: topic.clone(),
        message: message.clone(),
        from: "draft".into(),
        text: "better".into(),
    };
    let Composed::Reword(entry, text) = desk.compose(edit).unwrap() else {
        panic!("it is not changed in place");
    };
    let was = entry.id;
    assert_eq!(text, "better");
    let recall = Action::RecallMessage { topic, message };
    assert!(matches!(desk.compose(recall), Ok(Composed::Discard(id)) if id == was));
}

const TOPIC: TopicId = TopicId(Uuid::from_u128(20));
const MESSAGE: MessageId = MessageId(Uuid::from_u128(21));

impl Desk {
    /// The server says what my message says.
    fn says(&self, rev: u64, text: &str, recalled_by: Option<AccountId>) {
        let message = Message {
            seq: Seq(1),
            content_rev: Rev(rev),
            content: Some(Content {
                author: ME,
                text: text.into(),
                reply_to: None,
                sent_at: 1,
                written_at: Some(1),
                edited_at: None,
                recalled_by,
                more: Default::default(),
            }),
            marks_rev: Rev::ZERO,
            marks: None,
            more: Default::default(),
        };
        let row = Row {
            id: MESSAGE.to_string(),
            rev: Rev(rev),
            body: message.into(),
        };
        self.store
            .apply(&[Write::Rows(Log::Topic(TOPIC), vec![row])], 7)
            .unwrap();
    }

    fn edit(&self, from: &str, to: &str) -> Result<Composed, Error> {
        self.compose(Action::EditMessage {
            topic: TOPIC.to_string(),
            message: MESSAGE.to_string(),
            from: from.into(),
            text: to.into(),
        })
    }

    /// Puts an edit into the outbox; its id, and the refused ones in whose place it is.
    fn queue_edit(&self, from: &str, to: &str) -> (CommandId, Vec<CommandId>) {
        match self.edit(from, to).unwrap() {
            Composed::Instead(refused, command) => {
                assert!(
                    matches!(&command, Command::MessageEdit { text, .. } if text.from == from && text.to == to),
                    "{command:?}"
                );
                let id = CommandId(Uuid::now_v7());
                self.store
                    .write(|db| outbox::push(db, id, command, 7, OutboxState::Waiting))
                    .unwrap();
                (id, refused)
            }
            other => panic!("not queued: {other:?}"),
        }
    }

    fn refuse(&self, id: CommandId, code: Code) {
        self.store
            .apply(&[Write::Rejected(id, code.into())], 7)
            .unwrap();
    }

    fn begin_edit(&self, base: &str, text: &str) {
        self.store
            .write(|db| edits::put(db, TOPIC, MESSAGE, base, text))
            .unwrap();
    }

    fn has_edit(&self) -> bool {
        let found = self.store.read(|db| edits::of_topic(db, TOPIC)).unwrap();
        !found.is_empty()
    }
}

fn is(code: Code) -> impl Fn(&Error) -> bool {
    move |error| matches!(error, Error::Rejected(rejection) if rejection.code == code)
}

#[test]
fn an_edit_of_what_the_person_has_not_seen_is_not_begun() {
    let desk = Desk::new();
    desk.says(1, "helo", None);
    desk.begin_edit("helo", "hello");
    desk.says(2, "hi", None);
    let refused = desk.edit("helo", "hello").unwrap_err();
    assert!(is(Code::ChangedMeanwhile)(&refused), "{refused:?}");
    assert!(desk.has_edit(), "nothing that was written is lost");
    desk.queue_edit("hi", "hello");
    assert!(!desk.has_edit(), "it goes with the command");
}

#[test]
fn an_edit_of_a_message_that_is_recalled_is_refused_and_stays() {
    let desk = Desk::new();
    desk.says(1, "helo", None);
    desk.begin_edit("helo", "hello");
    desk.says(2, "", Some(ME));
    let refused = desk.edit("helo", "hello").unwrap_err();
    assert!(is(Code::Gone)(&refused), "{refused:?}");
    assert!(desk.has_edit(), "the person copies it or gives it up");
}

#[test]
fn an_edit_to_the_same_text_is_nothing() {
    let desk = Desk::new();
    desk.says(1, "hello", None);
    desk.begin_edit("hello", "hello");
    assert!(matches!(
        desk.edit("hello", "hello\n"),
        Ok(Composed::Nothing)
    ));
    assert!(!desk.has_edit());
    let refused = desk.edit("hello", " ").unwrap_err();
    assert!(is(Code::Empty)(&refused), "{refused:?}");
}

#[test]
fn a_second_edit_starts_from_the_first_and_speaks_for_refused_ones() {
    let desk = Desk::new();
    desk.says(1, "one", None);
    let (first, _) = desk.queue_edit("one", "two");
    let (second, refused) = desk.queue_edit("two", "three");
    assert!(refused.is_empty(), "the first waits");
    desk.says(2, "one!", None);
    desk.refuse(first, Code::ChangedMeanwhile);
    desk.refuse(second, Code::ChangedMeanwhile);
    let (_, refused) = desk.queue_edit("one!", "four");
    assert_eq!(refused, [first, second], "one mark is left, not three");
}

#[test]
fn a_refused_edit_that_is_tried_again_starts_from_what_the_person_sees() {
    let desk = Desk::new();
    desk.says(1, "one", None);
    let (first, _) = desk.queue_edit("one", "two");
    let (second, _) = desk.queue_edit("two", "three");
    desk.says(2, "theirs", None);
    desk.refuse(first, Code::ChangedMeanwhile);
    desk.refuse(second, Code::ChangedMeanwhile);
    let as_of = at(8);
    let (entry, others) = desk
        .store
        .write(|db| again(db, outbox::one(db, second)?.unwrap(), as_of))
        .unwrap();
    assert!(
        matches!(&entry.command, Command::MessageEdit { text, .. } if text.from == "theirs" && text.to == "three"),
        "{entry:?}"
    );
    assert_eq!(others, [first], "it speaks for the first");
}

#[test]
fn what_is_counted_in_the_window_is_counted_here() {
    let cases = include_str!("../../../../ui/src/lib/counted.json");
    let cases: Vec<(String, usize)> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() > 10);
    for (text, bytes) in cases {
        assert_eq!(clean(&text).len(), bytes, "{text:?}");
    }
}

#[test]
fn a_refused_message_gets_another_id_when_it_is_tried_again() {
    let mut entry = OutboxEntry {
        id: CommandId(Uuid::from_u128(1)),
        no: 1,
        command: Command::CursorSet {
            topic: TopicId(Uuid::nil()),
            seq: Seq(1),
        },
        created_at: 1,
        state: OutboxState::Rejected(Code::NotAllowed.into()),
        awaits: std::collections::BTreeSet::new(),
        first_text: Some("before".into()),
    };
    let as_of = at(7);
    renew(&mut entry, as_of);
    assert_ne!(
        entry.id,
        CommandId(Uuid::from_u128(1)),
        "the server would repeat its answer"
    );
    assert_eq!(entry.first_text, None, "the server has none of it");
    let id = entry.id;
    entry.state = OutboxState::Stale;
    entry.first_text = Some("before".into());
    renew(&mut entry, as_of);
    assert_eq!(
        entry.id, id,
        "what may have been done must not be done twice"
    );
    assert_eq!(entry.state, OutboxState::Waiting);
    assert_eq!(entry.first_text.as_deref(), Some("before"));
}

#[test]
fn a_table_of_rights_says_what_is_set_here_and_what_comes_from_where() {
    let desk = Desk::new();
    let shape = desk.shape();
    let (group, topic) = (shape.groups[0].id, shape.topics[0].id);
    let keepers = desk
        .act(Action::CreateMemberGroup {
            community: desk.community(),
            name: "Keepers".into(),
            is_shown: true,
            has_tag: false,
        })
        .unwrap();
    let set = |place: Place, member_group: &str, permission: &str, value| {
        let place = match place {
            Place::Community => AccessPlace::Community,
            Place::Group(id) => AccessPlace::Group { id: id.to_string() },
            Place::Topic(id) => AccessPlace::Topic { id: id.to_string() },
        };
        desk.act(Action::SetAccess {
            community: desk.community(),
            place,
            member_group: member_group.into(),
            permission: permission.into(),
            value: Some(value),
        });
    };
    set(Place::Group(group), "everyone", "speak", false);
    set(Place::Topic(topic), &keepers, "speak", true);
    set(Place::Community, &keepers, "pin", true);
    set(Place::Topic(topic), "everyone", "pin", false);

    let shape = desk.shape();
    let table = rights(&shape, &keepers).unwrap();
    let bit = |key: &str| {
        let at = table.permissions.iter().position(|one| one.key == key);
        1_u32 << at.unwrap()
    };
    let (speak, pin) = (bit("speak"), bit("pin"));
    let [community, in_group, in_topic] = &table.lines[..] else {
        panic!("a line each: {:?}", table.lines)
    };
    assert_eq!((community.allow, community.deny), (pin, 0));
    assert_eq!(community.inherited & pin, 0, "nobody else has it");
    assert_ne!(
        community.inherited & speak & community.from_everyone & community.from_community,
        0
    );
    assert_eq!(in_group.inherited & speak, 0, "denied for everyone");
    assert_ne!(in_group.from_group & in_group.from_everyone & speak, 0);
    assert_ne!(in_group.inherited & in_group.from_community & pin, 0);
    assert_eq!(
        in_group.from_everyone & pin,
        0,
        "from the member group itself"
    );
    assert_eq!((in_topic.allow, in_topic.deny), (speak, 0));
    assert!(in_topic.is_pending);
    assert_ne!(in_topic.from_group & speak, 0, "were nothing set here");
    assert_eq!(in_topic.inherited & pin, 0, "everyone is denied it here");
    assert_ne!(in_topic.from_topic & in_topic.from_everyone & pin, 0);
    assert_eq!(in_topic.settable & bit("kick"), 0, "of the community only");

    // What a cell shows is what somebody in that member group holds.
    let id = keepers.parse().unwrap();
    let places = [Place::Community, Place::Group(group), Place::Topic(topic)];
    for (line, place) in table.lines.iter().zip(places) {
        let held = shape.of(false, &[id], place, true);
        let shown = line.allow | (line.inherited & !line.deny);
        for (at, column) in table.permissions.iter().enumerate() {
            let permission = Permissions::from_key(&column.key).unwrap();
            let is_held = held.permissions.contains(permission);
            assert_eq!(
                shown >> at & 1 == 1,
                is_held && (place == Place::Community || !column.is_community_only),
                "{place} {}",
                column.key
            );
        }
    }
    assert!(rights(&shape, &tulou_protocol::GroupId(Uuid::now_v7()).to_string()).is_err());
}
