//! What an outbox promises, whatever happens.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "anything else fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::Index};
use tulou_protocol::{Code, CommandId, MessageId, frame::Request};

use super::*;
use crate::{io::Output, topics::Topics};

#[derive(Debug, Clone)]
enum Step {
    /// A text in one of two topics: it may reply to one before, and await something.
    Send {
        topic: u128,
        reply_to: Option<Index>,
        awaits: bool,
    },
    Made(Index),
    Done(Index),
    Busy(Index),
    Refused(Index),
    /// What it awaits is left out.
    Replaced(Index),
    Discarded(Index),
    LinkLost,
}

fn step() -> impl Strategy<Value = Step> {
    let send = (
        0..2_u128,
        prop::option::weighted(0.3, any::<Index>()),
        prop::bool::weighted(0.3),
    );
    prop_oneof![
        6 => send.prop_map(|(topic, reply_to, awaits)| Step::Send { topic, reply_to, awaits }),
        2 => any::<Index>().prop_map(Step::Made),
        5 => any::<Index>().prop_map(Step::Done),
        1 => any::<Index>().prop_map(Step::Busy),
        1 => any::<Index>().prop_map(Step::Refused),
        1 => any::<Index>().prop_map(Step::Replaced),
        1 => any::<Index>().prop_map(Step::Discarded),
        1 => Just(Step::LinkLost),
    ]
}

/// An outbox, and what is known of its entries without asking it.
struct Desk {
    outbox: Outbox,
    topics: Topics,
    turn: Turn,
    /// Those that wait or are on their way, by place.
    entries: BTreeMap<u64, OutboxEntry>,
    /// Everything that was ever written.
    written: Vec<(TopicId, MessageId)>,
    unmade: Vec<Uuid>,
    on_way: BTreeSet<CommandId>,
    busy: BTreeSet<TopicId>,
    next: u64,
}

impl Desk {
    fn new() -> Self {
        let mut turn = Turn::new(0);
        Self {
            outbox: Outbox::restored(None, vec![], &mut turn),
            topics: Topics::default(),
            turn,
            entries: BTreeMap::new(),
            written: vec![],
            unmade: vec![],
            on_way: BTreeSet::new(),
            busy: BTreeSet::new(),
            next: 1,
        }
    }

    fn take(&mut self, step: &Step) {
        let on_way: Vec<CommandId> = self.on_way.iter().copied().collect();
        let places: Vec<u64> = self.entries.keys().copied().collect();
        let pick = |at: &Index| (!on_way.is_empty()).then(|| *at.get(&on_way));
        let place = |at: &Index| (!places.is_empty()).then(|| *at.get(&places));
        match step {
            Step::Send {
                topic,
                reply_to,
                awaits,
            } => self.send(TopicId(Uuid::from_u128(*topic)), *reply_to, *awaits),
            Step::Made(at) if !self.unmade.is_empty() => {
                let thing = self.unmade.remove(at.index(self.unmade.len()));
                self.make(thing);
            }
            Step::Made(_) => {}
            Step::Done(at) => pick(at).into_iter().for_each(|id| self.done(id)),
            Step::Busy(at) => {
                if let Some(id) = pick(at) {
                    self.on_way.remove(&id);
                    let (log, _) = self.outbox.land(id, 0).expect("it is on its way");
                    self.busy.extend(log.topic());
                    self.outbox.put_off(id, log, self.turn.now() + 1);
                }
            }
            Step::Refused(at) => {
                if let Some(id) = pick(at) {
                    self.on_way.remove(&id);
                    self.outbox.land(id, 0);
                    self.outbox.refuse(id, &Code::Muted.into(), &mut self.turn);
                }
            }
            Step::Replaced(at) => {
                if let Some(no) = place(at) {
                    let entry = self.entries.get_mut(&no).expect("it was picked");
                    entry.awaits.clear();
                    self.outbox.replace(entry.clone());
                }
            }
            Step::Discarded(at) => {
                if let Some(no) = place(at) {
                    let entry = self.entries.remove(&no).expect("it was picked");
                    self.outbox.discard(entry.id, &mut self.turn);
                }
            }
            Step::LinkLost => {
                self.on_way.clear();
                self.outbox.lose_link();
                // By then nobody is busy any more.
                self.turn.begin(self.turn.now() + 1);
                self.busy.clear();
            }
        }
        self.pump();
    }

    fn send(&mut self, topic: TopicId, reply_to: Option<Index>, awaits: bool) {
        let no = self.next;
        self.next += 1;
        let there = self.written.iter().filter(|(of, _)| *of == topic);
        let there: Vec<MessageId> = there.map(|(_, message)| *message).collect();
        let reply_to = reply_to.filter(|_| !there.is_empty());
        let message = MessageId(Uuid::from_u128(1_000 + u128::from(no)));
        let thing = Uuid::from_u128(2_000 + u128::from(no));
        self.unmade.extend(awaits.then_some(thing));
        self.written.push((topic, message));
        let entry = OutboxEntry {
            id: CommandId(Uuid::from_u128(3_000 + u128::from(no))),
            no,
            command: Command::MessageSend {
                topic,
                message,
                text: "hello".into(),
                reply_to: reply_to.map(|at| *at.get(&there)),
                written_at: 0,
            },
            created_at: 0,
            state: OutboxState::Waiting,
            awaits: awaits.then_some(thing).into_iter().collect(),
            first_text: None,
        };
        self.entries.insert(no, entry.clone());
        self.outbox.submit(entry, &mut self.turn);
    }

    fn make(&mut self, thing: Uuid) {
        for entry in self.entries.values_mut() {
            entry.awaits.remove(&thing);
        }
        self.outbox.made(thing);
    }

    fn done(&mut self, id: CommandId) {
        self.on_way.remove(&id);
        let (_, sent) = self.outbox.land(id, 0).expect("it is on its way");
        self.outbox
            .done(id, &sent, None, &self.topics, &mut self.turn);
    }

    fn pump(&mut self) {
        self.hear();
        self.outbox.pump(&self.topics, &mut self.turn);
        self.hear();
        for topic in (0..2).map(|topic| TopicId(Uuid::from_u128(topic))) {
            let is_on_way = |entry: &&OutboxEntry| self.on_way.contains(&entry.id);
            let is_sending = self.of(topic).any(|entry| is_on_way(&entry));
            let is_stopped = is_sending || self.is_sending_discarded(topic);
            if !is_stopped && !self.busy.contains(&topic) {
                let free = self.of(topic).find(|entry| self.is_free(entry));
                assert!(free.is_none(), "nothing keeps {free:?} from being sent");
            }
        }
    }

    /// What was discarded on its way is still on its way.
    fn is_sending_discarded(&self, topic: TopicId) -> bool {
        let lane = self.outbox.lanes.get(&Log::Topic(topic));
        lane.is_some_and(|lane| !lane.in_flight.is_empty())
    }

    fn hear(&mut self) {
        for output in self.turn.end() {
            match output {
                Output::Send(frame) => {
                    let sent = frame.0.iter().map(|request| match request {
                        Request::Command(commanded) => commanded.id,
                        Request::Question(..) => unreachable!("an outbox asks nothing"),
                    });
                    let sent: Vec<CommandId> = sent.collect();
                    self.check(&sent);
                    self.on_way.extend(sent);
                }
                Output::Apply(batch) => {
                    for change in batch {
                        if let Write::Done(id) | Write::Rejected(id, _) = change {
                            self.entries.retain(|_, entry| entry.id != id);
                        }
                    }
                }
                other => unreachable!("{other:?}"),
            }
        }
    }

    fn of(&self, topic: TopicId) -> impl Iterator<Item = &OutboxEntry> {
        let is_one = move |entry: &&OutboxEntry| topic_of(entry) == topic;
        self.entries.values().filter(is_one)
    }

    /// Whether nothing keeps an entry from being sent.
    fn is_free(&self, entry: &OutboxEntry) -> bool {
        let Command::MessageSend { reply_to, .. } = &entry.command else {
            unreachable!()
        };
        let makes = |other: &&OutboxEntry| matches!(&other.command, Command::MessageSend { message, .. } if Some(*message) == *reply_to);
        entry.awaits.is_empty() && !self.entries.values().any(|other| makes(&other))
    }

    /// A frame has what may be sent of one log, in order, and leaves out nothing that comes before.
    fn check(&self, sent: &[CommandId]) {
        let entry = |id: &CommandId| self.entries.values().find(|entry| entry.id == *id);
        let sent: Vec<&OutboxEntry> = sent
            .iter()
            .map(|id| entry(id).expect("what is sent is in the outbox"))
            .collect();
        assert!(sent.is_sorted_by_key(|entry| entry.no), "in order");
        for entry in &sent {
            assert!(self.is_free(entry), "it waits for something: {entry:?}");
            assert!(!self.on_way.contains(&entry.id), "it is sent once");
        }
        let last = sent.last().expect("a frame has something");
        let overtaken = self.of(topic_of(last)).find(|other| {
            other.no < last.no && self.is_free(other) && !sent.iter().any(|one| one.id == other.id)
        });
        assert!(
            overtaken.is_none(),
            "only what waits for something is overtaken: {overtaken:?}"
        );
    }
}

fn topic_of(entry: &OutboxEntry) -> TopicId {
    match &entry.command {
        Command::MessageSend { topic, .. } => *topic,
        other => unreachable!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn what_waits_for_nothing_is_sent_and_nothing_else(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut desk = Desk::new();
        for step in &steps {
            desk.take(step);
        }
        for thing in std::mem::take(&mut desk.unmade) {
            desk.make(thing);
        }
        desk.take(&Step::LinkLost);
        while let Some(id) = desk.on_way.first().copied() {
            desk.done(id);
            desk.pump();
        }
        prop_assert!(desk.entries.is_empty(), "everything is sent in the end: {:?}", desk.entries);
    }
}
