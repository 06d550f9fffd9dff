//! What a decision is made from: gathered before, so that the decision itself asks nobody.

use std::collections::HashMap;

use tulou_protocol::{
    AccountId, Code, Command, CommunityId, MessageId, Rejection, Rev, Seq, TopicId,
    command::Whose,
    push::ReadBefore,
    rejection::Counted,
    row::{Cursor, Message, Profile},
    text,
};

use super::{
    membership::{Member, Reader},
    structure::Structure,
};

/// A message as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Both parts.
    pub message: Message,
    /// The rev of its last change.
    pub rev: Rev,
    /// Whether the actor gave the reaction that the command names.
    pub has_reacted: bool,
}

/// What a command needs to be known. The actor's member row and the structure are always gathered where there is a
/// community.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The topic that the command names; its community is looked up.
    pub topic: Option<TopicId>,
    /// The community that the command names.
    pub community: Option<CommunityId>,
    /// A message of the topic, and the reaction whose giving is to be looked up.
    pub message: Option<(MessageId, Option<String>)>,
    /// A message that must exist in the topic.
    pub reply_to: Option<MessageId>,
    /// Members: targets of the command, persons mentioned.
    pub members: Vec<AccountId>,
    /// How many messages of the topic are pinned.
    pub pins: bool,
    /// The actor's cursor of the topic, the topic's head, and his own messages after this place.
    pub cursor_at: Option<Seq>,
    /// The actor as somebody who reads the topic.
    pub reader: Option<Reader>,
    /// The actor's profile.
    pub profile: bool,
    /// Rows that the actor has of a kind, and whether that of this id is among them.
    pub own: Option<(&'static str, String)>,
    /// Which topics of the community hold messages: whoever owns it from now on has read what is there.
    pub heads: bool,
}

/// What the store knows of what a command needs.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The message asked for.
    pub message: Option<Stored>,
    /// Whether the message replied to exists.
    pub has_reply_to: bool,
    /// How many messages are pinned.
    pub pins: usize,
    /// The actor's cursor with its rev.
    pub cursor: Option<(Cursor, Rev)>,
    /// How far the actor has read the topic, where the cursor does not say it.
    pub read: Option<ReadBefore>,
    /// The topic's last `seq`.
    pub head_seq: Seq,
    /// With a cursor: the first message of the topic that the actor may read.
    pub floor: Seq,
    /// The actor's messages after the place asked for, or after what he may not read if that is later.
    pub own_after: u64,
    /// The actor's profile with its rev.
    pub profile: Option<(Profile, Rev)>,
    /// How many rows the actor has of the kind asked for, and whether the one asked for is there.
    pub own: (usize, bool),
    /// Topics of the community that hold messages.
    pub written_topics: Vec<TopicId>,
}

impl Known {
    /// How far the actor has read the topic.
    #[must_use]
    pub fn read_to(&self) -> Seq {
        let cursor = self.cursor.as_ref();
        let cursor = cursor.map_or(Seq::ZERO, |(cursor, _)| cursor.seq);
        self.read.map_or(cursor, |read| cursor.max(read.seq))
    }

    /// The last message of the topic that the actor may not read: a cursor before it would count as unread what nobody
    /// can show him.
    #[must_use]
    pub const fn unreadable(&self) -> Seq {
        Seq(self.floor.0.saturating_sub(1))
    }
}

/// What a decision is made from.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// The community's structure; none if it does not exist.
    pub structure: Option<&'a Structure>,
    /// The actor as a member of it.
    pub actor: Option<Member>,
    /// The rev of the actor's profile, as far as that was not asked for.
    pub profile_rev: Rev,
    /// Whoever owns the invite link that the actor comes by, if it may be used and he is a member.
    pub inviter: Option<Member>,
    /// The members asked for who are members.
    pub members: HashMap<AccountId, Member>,
    /// The id of the message asked for.
    pub asked_message: Option<MessageId>,
    /// What the store knows.
    pub known: Known,
}

impl Facts<'_> {
    /// Refuses one more row of the kind asked for, if the actor has as many as there may be. That is looked at, and not held
    /// when it is written: what his sessions ask for at the same moment may be beyond it by one for each session, of which
    /// there are [`SOCKETS`](tulou_protocol::limits::SOCKETS) at most.
    ///
    /// # Errors
    /// The limit.
    pub fn has_room(&self, limit: usize, of: Counted) -> Result<(), Rejection> {
        let (count, is_there) = self.known.own;
        if count >= limit && !is_there {
            return Err(Rejection::limit(Code::TooMany, limit).of(of));
        }
        Ok(())
    }

    /// The rev of the actor's profile.
    #[must_use]
    pub fn profile_rev(&self) -> Rev {
        let known = self.known.profile.as_ref();
        known.map_or(self.profile_rev, |(_, rev)| *rev)
    }
}

/// What a command needs to be known: its place, and what its decision asks of the facts besides.
#[must_use]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others are decided from their place alone"
)]
pub fn needs(command: &Command) -> Needs {
    let mut needs = Needs::default();
    match command.spec().community {
        Whose::Topic(topic) => needs.topic = Some(topic),
        Whose::Community(community) => needs.community = Some(community),
        Whose::Nobody => {}
    }
    match command {
        Command::MessageSend { reply_to, text, .. } => {
            needs.reply_to = *reply_to;
            needs.members = mentioned(text);
        }
        Command::MessageEdit { message, text, .. } => {
            needs.message = Some((*message, None));
            needs.members = mentioned(&text.to);
        }
        Command::MessageRecall { message, .. } => needs.message = Some((*message, None)),
        Command::MessageReact { message, key, .. } => {
            // One that is none is refused whatever the facts are.
            needs.message = Some((*message, text::reaction(key).ok().map(str::to_owned)));
        }
        Command::MessagePin { message, .. } => {
            needs.message = Some((*message, None));
            needs.pins = true;
        }
        Command::CursorAdvance { seq, .. } | Command::CursorSet { seq, .. } => {
            needs.cursor_at = Some(*seq);
        }
        Command::ProfileEdit { .. } => needs.profile = true,
        Command::CommunityCreate { community, .. } | Command::CommunityJoin { community, .. } => {
            needs.own = Some(("membership", community.to_string()));
        }
        Command::NotifySet { scope, .. } => needs.own = Some(("notify", scope.key())),
        Command::CommunityTransfer { owner, .. } => {
            needs.heads = true;
            needs.members = vec![owner.to];
        }
        Command::SeatSet { account, .. }
        | Command::MemberGroupAssign { account, .. }
        | Command::MemberKick { account, .. } => needs.members = vec![*account],
        _ => {}
    }
    needs
}

fn mentioned(written: &str) -> Vec<AccountId> {
    if !written.contains("<@") {
        return Vec::new();
    }
    let mut accounts = text::mentions(written).accounts;
    accounts.truncate(tulou_protocol::limits::MENTIONS);
    accounts
}

impl Needs {
    /// Whether the store has to be asked for more than members.
    #[must_use]
    pub const fn asks_the_store(&self) -> bool {
        self.message.is_some()
            || self.reply_to.is_some()
            || self.pins
            || self.cursor_at.is_some()
            || self.profile
            || self.own.is_some()
            || self.heads
    }
}
