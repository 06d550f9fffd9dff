//! What goes into the engine and what comes out of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tulou_protocol::{
    AccountId, ClientFrame, Code, Command, CommandId, CommunityId, Epoch, Greeting, Log, Question,
    Rejection, Rev, Row, Seq, ServerFrame, TopicId,
    frame::Refusal,
    id::Millis,
    limits::ANSWER_DAYS,
    push::{Me, ReadBefore, WideMention},
    question::PageAt,
};
use uuid::Uuid;

/// Everything that the engine hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The socket that [`Output::Connect`] asked for is open.
    LinkUp,
    /// The socket closed, or could not be opened.
    LinkDown,
    /// The server said something.
    Frame(ServerFrame),
    /// A command was made. It is in the outbox already, and the window shows it.
    Submit(OutboxEntry),
    /// The text of a pending message was changed in the outbox ([`OutboxEntry::reword`]).
    Replace(OutboxEntry),
    /// The person wants a refused or stale command to be tried again. It has a new id if it was refused; it keeps its
    /// `no`, or takes a new one and the old entry is discarded.
    Retry(OutboxEntry),
    /// The person does not want it any more; it is out of the outbox already.
    Discard(CommandId),
    /// Something that entries of the outbox await is done.
    Made(Uuid),
    /// A command is older than the server keeps answers for ([`OutboxEntry::is_old`]): it is not sent until
    /// [`Input::Retry`]. The store says so already. Said before a link is opened.
    Aged(CommandId),
    /// There is no room for messages of a topic up to this place: they are held no longer. Of one that is shown the last
    /// message stays, and of one that is pushed what came beyond a gap.
    LetGo(TopicId, Seq),
    /// Bytes of a frame came that is not whole yet: a slow link is not a dead one. Said at most every second, and not of
    /// what a quiet link says.
    Stirred,
    /// A topic is shown.
    Watch(TopicId),
    /// It is shown no longer.
    Unwatch(TopicId),
    /// Rows of a topic are wanted that are not held.
    Want(TopicId, PageAt),
    /// A question whose answer goes to the asker, not to the store.
    Ask(Ticket, Question),
    /// A command that is never queued.
    Live(Ticket, CommandId, Command),
    /// The person wants to be connected at once (or the system woke up): do not wait for the back-off.
    Hurry,
    /// The deadline has come.
    Tick,
}

/// Names the asker of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A command that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its id, which is its request's.
    pub id: CommandId,
    /// Its place: entries of one log are sent in this order.
    pub no: u64,
    /// What is to be done.
    pub command: Command,
    /// When the person did it.
    pub created_at: Millis,
    /// How it stands.
    pub state: OutboxState,
    /// What has to be done before it is sent and is no command: an upload. Only what is not done is named; when it is,
    /// [`Input::Made`] says so, and the store names it no more. Until then whatever comes later in the same log overtakes
    /// this entry, except what needs the thing that it makes. If it cannot be done, the person changes the entry
    /// ([`Input::Replace`]) or gives it up ([`Input::Discard`]).
    pub awaits: BTreeSet<Uuid>,
    /// What a message said when it was sent first, if the person has changed it since: the server may have that text, and
    /// somebody may have edited it by the time of the answer. Kept by the store, over a restart too.
    pub first_text: Option<String>,
}

impl OutboxEntry {
    /// The person changes the text of a message. If the server may have the one before, that is remembered.
    pub fn reword(&mut self, to: String, may_be_sent: bool) {
        let Command::MessageSend { text, .. } = &mut self.command else {
            return;
        };
        let before = std::mem::replace(text, to);
        if may_be_sent {
            self.first_text.get_or_insert(before);
        }
    }

    /// Whether the entry is older than the server keeps answers for, by the clock that dated it: the computer's. The
    /// engine's own time is another one and decides nothing about it.
    #[must_use]
    pub const fn is_old(&self, now: Millis) -> bool {
        now.saturating_sub(self.created_at) > ANSWER_DAYS * 24 * 60 * 60 * 1_000
    }
}

/// How an entry of the outbox stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxState {
    /// It is sent as soon as its turn comes.
    Waiting,
    /// Refused; it waits for the person.
    Rejected(Rejection),
    /// Too old to be repeated without asking.
    Stale,
}

/// Everything that the engine wants done. Performed in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a socket; then say `LinkUp` or `LinkDown`.
    Connect,
    /// Close the socket; then say `LinkDown`.
    Disconnect,
    /// Send a frame. If there is no socket any more, nothing happens: `LinkDown` is on its way.
    Send(ClientFrame),
    /// Apply to the store in one transaction.
    Apply(Batch),
    /// The answer to an asker.
    Told(Ticket, Result<Value, Untold>),
    /// The state of the link changed.
    Link(LinkState),
    /// A message came that the person may want to hear of.
    Notify {
        /// Where.
        topic: TopicId,
        /// Which.
        seq: Seq,
        /// It mentions the person.
        mentions_me: bool,
    },
}

/// Why an asker gets no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untold {
    /// There is no link, or it was cut before the answer came.
    Offline,
    /// The server refused.
    Refused(Refusal),
}

/// The state of the link, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// No link; the next attempt is at `retry_at`.
    Offline {
        /// When.
        retry_at: Millis,
    },
    /// A socket is being opened, or the greeting is awaited.
    Connecting,
    /// Connected, not complete.
    Syncing,
    /// Connected and complete.
    Synced,
    /// The server speaks another version of the protocol. Nothing is lost: what waits goes on waiting. The next attempt is
    /// at `retry_at`, and at every start.
    OtherVersion {
        /// Whether the server's is the newer one.
        is_server_newer: bool,
        /// When.
        retry_at: Millis,
    },
    /// The token is not accepted: the person has to sign in.
    SignedOut(Code),
}

/// What is written to the store together: rows and cursors move in one transaction.
pub type Batch = Vec<Write>;

/// One thing that is written to the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// The server greeted. With an epoch other than the stored one (it was restored) the store drops the profiles of
    /// others, with what is lacking of them, and keeps my own messages, which the server may have lost, so that they
    /// can be offered for sending again; every log is forgotten before this in the same batch.
    Greeted(Box<Greeting>),
    /// Rows, each in its latest state: the newest rev of a row wins (for a message, of each of its parts).
    Rows(Log, Vec<Row>),
    /// The present state of a log is in the rows before this: others with rev ≤ this are gone.
    /// `kept` are the ids of the rows, by kind.
    Reset {
        /// Which log.
        log: Log,
        /// The rev of the state.
        rev: Rev,
        /// The rows of the state, as (kind, id).
        kept: Vec<(String, String)>,
    },
    /// The cursor of the log passed this rev, and nothing that is older is on its way: tombstones up to it go.
    Bury(Log, Rev),
    /// The cursor of a log moved.
    Cursor {
        /// Which log.
        log: Log,
        /// To here.
        rev: Rev,
        /// The view stamp, for a community.
        view: Option<String>,
    },
    /// How I stand in a community.
    Me(CommunityId, Me),
    /// The log may not be seen any more: rows, islands, heads go; drafts and pending messages stay.
    Forget(Log),
    /// What is held of a topic, whole: replaces what was stored. Disjoint, in order, never touching each other. For a
    /// topic this is its cursor: [`Write::Cursor`] is said of accounts and communities only.
    Islands(TopicId, Vec<Island>),
    /// Messages of the topic with a `seq` between these, both included, are dropped. The islands without them follow
    /// in the same batch.
    DropRange(TopicId, Seq, Seq),
    /// The head of a topic, as far as known; never goes back within an epoch (its floor may).
    Head(TopicId, TopicHead),
    /// A digest's counts.
    Counts(CommunityId, Counts),
    /// Heads of a community that moved before this time of the server are known. It goes back where they are known no
    /// longer (other rights, a server's clock that was wrong), and the store takes it as it is said: whoever starts asks
    /// for heads from there.
    HeadsKnown(CommunityId, Millis),
    /// Profiles of others, by account; the newest rev wins.
    Profiles(Vec<Row>),
    /// Rows of this batch name an author whose profile is not held at this rev (or, with none, it is lacking no more).
    /// It is asked for, after a restart too: nothing else may ever name it again.
    Lacking(AccountId, Option<Rev>),
    /// The command became rows, or a later one took its place (a cursor): out of the outbox, if it is still there.
    Done(CommandId),
    /// The command was refused: it stays in the outbox for the person to see. Also said of a command that needs what a
    /// refused one would have made (a message in a topic made offline), with the same rejection.
    Rejected(CommandId, Rejection),
    /// A message was changed or withdrawn in the outbox while it was on its way: this command makes up for it. The store
    /// puts it into the outbox with an id of its own; then it is submitted like any other.
    FollowUp(Command),
}

/// A stretch of contiguous `seq` that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Island {
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
    /// Valid as of this rev at least. While the topic is watched, a live island moves with the topic's pushes.
    pub rev: Rev,
    /// Somebody went there: of too many islands it is among the last to go.
    pub is_paged: bool,
}

/// What is known of a topic's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicHead {
    /// The last `seq`.
    pub seq: Seq,
    /// The last rev.
    pub rev: Rev,
    /// The first `seq` that I may read; 0 while unknown.
    pub floor: Seq,
    /// Mentions of everyone or a member group among the last 100.
    pub wide_mentions: Vec<WideMention>,
    /// How far it counts as read, where my `Cursor` row does not say it. None while the server has not told it: without a
    /// row nothing counts as unread then, for it is not known what was sent before I was there.
    pub read: Option<ReadBefore>,
}

/// Counts of a community.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Members.
    pub members: u64,
    /// Members connected.
    pub online: u64,
}

/// What the store holds when the engine is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// Who.
    pub account: Option<AccountId>,
    /// The epoch of the server's store.
    pub epoch: Option<Epoch>,
    /// Cursors of logs, with the view stamp of communities.
    pub cursors: BTreeMap<Log, (Rev, Option<String>)>,
    /// Islands of topics.
    pub islands: BTreeMap<TopicId, Vec<Island>>,
    /// Heads of topics.
    pub heads: BTreeMap<TopicId, TopicHead>,
    /// Small numbers of topics, by community.
    pub numbers: BTreeMap<CommunityId, BTreeMap<u32, TopicId>>,
    /// Communities that I am a member of, with the time up to which their heads are known.
    pub communities: BTreeMap<CommunityId, Millis>,
    /// The revs of the profiles held.
    pub profiles: BTreeMap<AccountId, Rev>,
    /// The revs of profiles that are lacking, as [`Write::Lacking`] noted them.
    pub lacking: BTreeMap<AccountId, Rev>,
    /// The outbox in order.
    pub outbox: Vec<OutboxEntry>,
}
