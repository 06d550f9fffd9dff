//! Questions on their way, what each was asked for, and when the server wants none.

use std::collections::BTreeMap;

use tulou_protocol::{
    AccountId, ClientFrame, CommunityId, Question, Rev, TopicId,
    frame::Request,
    id::Millis,
    question::{PageAt, SyncLog},
};

use crate::{
    io::{Output, Ticket},
    turn::Turn,
};

/// What a question on its way was asked for.
#[derive(Debug)]
pub enum Asked {
    /// The greeting.
    Open,
    /// Changes of these logs.
    Sync(Vec<SyncLog>),
    /// To watch these topics.
    Watch(Vec<TopicId>),
    /// A page of history.
    Page(TopicId, PageAt),
    /// Profiles, with the revs that were said to be there.
    Profiles(Vec<(AccountId, Rev)>),
    /// Heads of a community's topics that moved from there on.
    Heads(CommunityId, HeadsFrom),
    /// By somebody else.
    Told(Ticket),
}

/// From where on heads are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeadsFrom {
    /// What moved at this time or later.
    pub since: Millis,
    /// An answer that was full ended with this topic.
    pub after: Option<TopicId>,
}

/// Questions on their way.
#[derive(Debug)]
pub struct Questions {
    /// By number, with the time they were sent.
    on_way: BTreeMap<u64, (Millis, Asked)>,
    next: u64,
    /// The server asked not to be asked before this time.
    paused_until: Millis,
}

impl Questions {
    pub const fn new() -> Self {
        Self {
            on_way: BTreeMap::new(),
            next: 1,
            paused_until: 0,
        }
    }

    /// Sends a question.
    pub fn ask(&mut self, asked: Asked, question: Question, turn: &mut Turn) {
        let number = self.next;
        self.next += 1;
        self.on_way.insert(number, (turn.now(), asked));
        let frame = ClientFrame(vec![Request::Question(number, question)]);
        turn.push(Output::Send(frame));
    }

    /// What the answered question was asked for.
    pub fn take(&mut self, number: u64) -> Option<Asked> {
        self.on_way.remove(&number).map(|(_, asked)| asked)
    }

    /// How many of a kind are on their way.
    pub fn count(&self, is_kind: impl Fn(&Asked) -> bool) -> usize {
        let asked = self.on_way.values().map(|(_, asked)| asked);
        asked.filter(|asked| is_kind(asked)).count()
    }

    pub fn is_empty(&self) -> bool {
        self.on_way.is_empty()
    }

    /// When the oldest that is unanswered was sent.
    pub fn oldest(&self) -> Option<Millis> {
        self.on_way.values().map(|(at, _)| *at).min()
    }

    /// The server wants not to be asked before this time.
    pub fn pause(&mut self, until: Millis) {
        self.paused_until = self.paused_until.max(until);
    }

    pub const fn paused_until(&self) -> Millis {
        self.paused_until
    }

    /// The link is lost: what was on its way has no answer. Another link may be asked at once.
    pub fn lose_link(&mut self) -> impl Iterator<Item = Asked> {
        self.paused_until = 0;
        std::mem::take(&mut self.on_way)
            .into_values()
            .map(|(_, asked)| asked)
    }
}
