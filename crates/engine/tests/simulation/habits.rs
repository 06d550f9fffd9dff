//! What people of a run like to do more than others, so that what seldom meets in ordinary days meets often in some runs.

use tulou_engine::Input;
use tulou_protocol::id::Millis;
use tulou_protocol::{
    Body, Command, CommunityId, GroupId, Log, Permissions, Seq, TopicId,
    command::Edit,
    permission::Place,
    question::PageAt,
    row::{AccessRow, Message},
};

use crate::{
    acts::Known,
    client::{Client, Wish},
};

/// More kinds of reaction than a message takes.
const KEYS: &[&str] = &[
    "🔥", "👍", "😀", "😁", "😂", "😃", "😄", "😅", "😆", "😇", "😈", "😉", "😊", "😋", "😌", "😍",
    "😎", "😏", "😐", "😑", "😒", "😓", "😔", "😕", "😖",
];

/// What the people of a run like to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Nothing more than other things.
    Everything,
    /// Taking a right away and giving it back.
    Rights,
    /// Making things in things that are not made yet, and that may be refused.
    Making,
    /// Coming and going.
    Going,
    /// Reading here and there what somebody changes meanwhile.
    Reading,
    /// Putting on one message all that it takes, and more.
    Marking,
    /// Changing what was just written, on whichever device.
    Rewriting,
}

impl Habit {
    /// Six runs of eight have one.
    pub fn of(seed: u64) -> Self {
        match seed % 8 {
            1 => Self::Rights,
            3 => Self::Making,
            5 => Self::Going,
            7 => Self::Reading,
            4 => Self::Marking,
            6 => Self::Rewriting,
            _ => Self::Everything,
        }
    }
}

impl Client {
    /// Something that follows from the habit, if there is one.
    pub fn follow_habit(
        &mut self,
        community: CommunityId,
        topic: TopicId,
        known: &Known,
        now: Millis,
    ) -> Option<Vec<Wish>> {
        match self.habit {
            Habit::Everything => None,
            Habit::Rights => Some(self.flip(community, topic, now)),
            Habit::Making => Some(self.make_chain(community, known, now)),
            Habit::Going => Some(match self.chance.below(6) {
                0 | 1 => self.live(Command::CommunityLeave { community }, now),
                2 => self.live(Command::CommunityDissolve { community }, now),
                3 => self.create(known, now),
                _ => self.join(known, now),
            }),
            Habit::Reading => Some(self.browse(topic, known, now)),
            Habit::Marking => Some(self.mark_first(topic, now)),
            Habit::Rewriting => Some(self.rewrite(topic, known, now)),
        }
    }

    /// A right is taken away from everybody, and perhaps given back in the same breath.
    fn flip(&mut self, community: CommunityId, topic: TopicId, now: Millis) -> Vec<Wish> {
        let place = if self.chance.one_in(3) {
            Place::Community
        } else {
            Place::Topic(topic)
        };
        let right = if self.chance.one_in(2) {
            Permissions::VIEW
        } else {
            Permissions::READ_HISTORY
        };
        let row = self.row(
            Log::Community(community),
            "access",
            AccessRow::id(place, None),
        );
        let (allow, deny) = match row.map(|row| row.body) {
            Some(Body::AccessRow(access)) => (access.allow, access.deny),
            _ => (Permissions::empty(), Permissions::empty()),
        };
        let (open, shut) = ((allow | right, deny - right), (allow - right, deny | right));
        let mut was = (allow, deny);
        let mut wishes = Vec::new();
        let first = if deny.contains(right) { open } else { shut };
        let second = if first == shut { open } else { shut };
        let both = [first, second];
        let count = if self.chance.one_in(3) { 2 } else { 1 };
        for is in both.into_iter().take(count) {
            let set = Command::AccessSet {
                community,
                place,
                member_group: None,
                allow: Edit {
                    from: was.0,
                    to: is.0,
                },
                deny: Edit {
                    from: was.1,
                    to: is.1,
                },
            };
            wishes.extend(self.submit(set, now));
            was = is;
        }
        wishes
    }

    /// A group, a topic in it, a message in that, and something about it. A name may be too long for the server.
    fn make_chain(&mut self, community: CommunityId, known: &Known, now: Millis) -> Vec<Wish> {
        let group = GroupId(self.chance.uuid());
        let topic = TopicId(self.chance.uuid());
        let much = |client: &mut Self| {
            let is_refused = client.chance.one_in(4);
            "長".repeat(if is_refused { 40 } else { 1 })
        };
        let create = Command::GroupCreate {
            community,
            group,
            name: much(self),
            position: self.position(),
        };
        let mut wishes = self.submit(create, now);
        let create = Command::TopicCreate {
            community,
            group,
            topic,
            name: much(self),
            introduction: String::new(),
            closed: false,
            position: self.position(),
        };
        wishes.extend(self.submit(create, now));
        for _ in 0..self.chance.below(3) {
            wishes.extend(self.send(topic, known, now));
        }
        wishes
    }

    /// More reactions to the first message than it takes, each by one of them; and more pins than the topic takes.
    fn mark_first(&mut self, topic: TopicId, now: Millis) -> Vec<Wish> {
        if self.chance.one_in(3) {
            return self.pin_some(topic, now);
        }
        let held = self.store.messages.get(&topic);
        let Some((id, _)) = held.and_then(|held| held.get(&Seq(1))) else {
            return vec![];
        };
        let message = id.parse().unwrap();
        let mut wishes = Vec::new();
        for _ in 0..8 {
            let on = !self.chance.one_in(8);
            let key = *self.chance.pick(KEYS).unwrap();
            let react = Command::MessageReact {
                topic,
                message,
                key: key.to_owned(),
                on,
            };
            wishes.extend(self.submit(react, now));
        }
        wishes
    }

    fn pin_some(&mut self, topic: TopicId, now: Millis) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for _ in 0..4 {
            if let Some((message, ..)) = self.message(topic) {
                let on = !self.chance.one_in(4);
                let pin = Command::MessagePin { topic, message, on };
                wishes.extend(self.submit(pin, now));
            }
        }
        wishes
    }

    /// What may be on its way is changed, or else what was written last.
    fn rewrite(&mut self, topic: TopicId, known: &Known, now: Millis) -> Vec<Wish> {
        let mut entries = self.store.outbox.values();
        let is_unknown = entries.any(|entry| {
            matches!(entry.command, Command::MessageSend { .. }) && self.may_be_sent(entry.id)
        });
        if is_unknown && !self.chance.one_in(3) {
            return self.replace(now);
        }
        let mine = |message: &&(String, Message)| {
            let content = message.1.content.as_ref();
            content.is_some_and(|content| content.author == self.account)
        };
        let held = self.store.messages.get(&topic).into_iter();
        let last = held.flat_map(|held| held.values().rev()).find(mine);
        let Some((id, message)) = last.filter(|_| !self.chance.one_in(3)) else {
            return self.send(topic, known, now);
        };
        let message_id = id.parse().unwrap();
        let from = message.content.as_ref().unwrap().text.clone();
        self.edited.insert(message_id);
        let to = format!("better {}", self.chance.below(1_000));
        let edit = Command::MessageEdit {
            topic,
            message: message_id,
            text: Edit { from, to },
        };
        self.submit(edit, now)
    }

    /// A page somewhere, and a change of something that is held.
    fn browse(&mut self, topic: TopicId, known: &Known, now: Millis) -> Vec<Wish> {
        let seq = Seq(1 + self.chance.below(30));
        let at = match self.chance.below(4) {
            0 => PageAt::After(seq),
            1 => PageAt::Around(seq),
            _ => PageAt::Before(seq),
        };
        let mut wishes = self.input(Input::Want(topic, at), now);
        match self.chance.below(3) {
            0 => wishes.extend(self.about_message(topic, known, now)),
            1 => wishes.extend(self.send(topic, known, now)),
            _ => {}
        }
        wishes
    }
}
