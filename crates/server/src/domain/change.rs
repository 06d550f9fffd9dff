//! What a decision comes to: changes in the words of the domain. A store writes them in one transaction and gives each
//! row its `rev` (and each message its `seq`); the structures in memory apply the same changes afterwards. Changes are
//! plain data: they go from one process to another as they are.

mod body;
mod marking;

use serde::{Deserialize, Serialize};
use tulou_protocol::{
    AccountId, CommunityId, GroupId, Log, MemberGroupId, MessageId, Rev, Seq, TopicId,
    id::Millis,
    row::{Body, Content},
};

pub use self::marking::Marking;
use super::membership::{Member, Reader};

/// One change. A commit's changes are written in order, all or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "most changes are rows")]
pub enum Change {
    /// A row of a community's or account's log is now this; [`Body::Deleted`] leaves a tombstone.
    Row {
        /// Of which log.
        log: Log,
        /// The row's id.
        id: String,
        /// Its state.
        #[serde(with = "body")]
        body: Body,
    },
    /// A message is appended; the store gives `seq` and `rev`, moves the author's cursor and writes the `Mention` rows.
    Send(Box<Sent>),
    /// A message's first part is now this.
    Content(Box<Contents>),
    /// Something is done to a message's second part. The store does it to the marks as they are then, so that many may at
    /// once; it refuses the whole commit if they would become too many, and writes nothing if it is done already.
    Marks {
        /// Of which topic.
        topic: TopicId,
        /// Which message.
        message: MessageId,
        /// Its place.
        seq: Seq,
        /// What is done.
        marking: Marking,
    },
    /// The community has given topics numbers up to this one.
    Numbered {
        /// Which community.
        community: CommunityId,
        /// The last number given.
        last: u32,
    },
    /// The account is a member, or its member groups changed. The store gives the member's row a new rev.
    Member {
        /// Of which community.
        community: CommunityId,
        /// The member; `rev` is the store's to give.
        member: Member,
    },
    /// The account is no member any more.
    MemberGone {
        /// Of which community.
        community: CommunityId,
        /// Who.
        account: AccountId,
    },
    /// A seat in a closed topic was given, or (none) taken.
    Seat {
        /// Of which community.
        community: CommunityId,
        /// Of which topic.
        topic: TopicId,
        /// Whose.
        account: AccountId,
        /// Since when.
        since: Option<Millis>,
    },
    /// What the topic holds so far counts as read: of whoever may see it from now on without a time that would say so.
    ReadSoFar {
        /// Whose cursor.
        account: AccountId,
        /// Of which topic.
        topic: TopicId,
    },
    /// A topic's log begins.
    TopicBegins {
        /// Of which community.
        community: CommunityId,
        /// Which.
        topic: TopicId,
    },
    /// A topic ends; what is in it is removed afterwards, in steps.
    TopicEnds {
        /// Of which community.
        community: CommunityId,
        /// Which.
        topic: TopicId,
    },
    /// A community ends: members, seats, invites. Its topics end by changes of their own. What was in it is removed
    /// afterwards, in steps.
    CommunityEnds {
        /// Which.
        community: CommunityId,
    },
    /// A member of a community that ended: his row goes, and the `Membership` row of his account.
    Bereft {
        /// Which community ended.
        community: CommunityId,
        /// Who was a member.
        account: AccountId,
    },
    /// A `Mention` or `Mark` row has become old (DESIGN §5): it goes, unless it has changed since.
    Fades {
        /// Whose.
        account: AccountId,
        /// The row's kind.
        kind: String,
        /// The row's id.
        id: String,
        /// The rev of the row that became old.
        rev: Rev,
    },
    /// The account has seen a message that an edit made mention it, or takes that back.
    MentionSeen {
        /// Whose.
        account: AccountId,
        /// Where.
        topic: TopicId,
        /// Which.
        message: MessageId,
        /// Whether it was seen.
        seen: bool,
    },
    /// Whoever commits came by an invite link and is a member. The store refuses the whole commit if it may not be used any
    /// more.
    InviteUsed {
        /// To which community.
        community: CommunityId,
        /// Its code.
        code: String,
    },
    /// The invite link that a member came by ends, and those that are his.
    InvitesEnd {
        /// Of which community.
        community: CommunityId,
        /// Whose.
        account: AccountId,
    },
    /// An account's display name, as member lists search it.
    Named {
        /// Whose.
        account: AccountId,
        /// The name to show.
        display_name: String,
    },
}

impl Change {
    /// Whether the server makes it for itself, and no command does.
    #[must_use]
    pub const fn is_upkeep(&self) -> bool {
        matches!(self, Self::Fades { .. } | Self::Bereft { .. })
    }

    /// The community whose structure or members it changes.
    #[must_use]
    pub const fn community(&self) -> Option<CommunityId> {
        match self {
            Self::Row {
                log: Log::Community(id),
                ..
            } => Some(*id),
            Self::Numbered { community, .. }
            | Self::Member { community, .. }
            | Self::MemberGone { community, .. }
            | Self::Seat { community, .. }
            | Self::TopicBegins { community, .. }
            | Self::TopicEnds { community, .. }
            | Self::CommunityEnds { community } => Some(*community),
            Self::Row { .. }
            | Self::Send(_)
            | Self::Content(_)
            | Self::Marks { .. }
            | Self::ReadSoFar { .. }
            | Self::InviteUsed { .. }
            | Self::InvitesEnd { .. }
            | Self::Bereft { .. }
            | Self::Fades { .. }
            | Self::MentionSeen { .. }
            | Self::Named { .. } => None,
        }
    }

    /// The server's times that it has written down, beside its commit's.
    pub fn times(&mut self) -> Vec<&mut Millis> {
        match self {
            Self::Row {
                body: Body::Membership(membership),
                ..
            } => vec![&mut membership.joined_at],
            Self::Row {
                body: Body::Community(community),
                ..
            } => vec![&mut community.created_at],
            Self::Row {
                body: Body::Mention(mention),
                ..
            } => vec![&mut mention.sent_at],
            Self::Content(contents) => {
                let Content {
                    sent_at, edited_at, ..
                } = &mut contents.content;
                std::iter::once(sent_at).chain(edited_at).collect()
            }
            Self::Marks {
                marking: Marking::Pin(Some(pinned_at)),
                ..
            } => vec![pinned_at],
            Self::Member { member, .. } => vec![&mut member.joined_at],
            Self::Seat { since, .. } => since.iter_mut().collect(),
            Self::Send(sent) => vec![&mut sent.reader.since],
            Self::Row { .. }
            | Self::Marks { .. }
            | Self::Numbered { .. }
            | Self::MemberGone { .. }
            | Self::ReadSoFar { .. }
            | Self::TopicBegins { .. }
            | Self::TopicEnds { .. }
            | Self::CommunityEnds { .. }
            | Self::Bereft { .. }
            | Self::Fades { .. }
            | Self::MentionSeen { .. }
            | Self::InviteUsed { .. }
            | Self::InvitesEnd { .. }
            | Self::Named { .. } => Vec::new(),
        }
    }

    /// The member group that it deletes.
    #[must_use]
    pub fn ended_group(&self) -> Option<MemberGroupId> {
        match self {
            Self::Row {
                id,
                body: Body::Deleted(kind),
                ..
            } if kind == "member_group" => id.parse().ok(),
            Self::Row { .. }
            | Self::Send(_)
            | Self::Content(_)
            | Self::Marks { .. }
            | Self::Numbered { .. }
            | Self::Member { .. }
            | Self::MemberGone { .. }
            | Self::Seat { .. }
            | Self::ReadSoFar { .. }
            | Self::TopicBegins { .. }
            | Self::TopicEnds { .. }
            | Self::CommunityEnds { .. }
            | Self::Bereft { .. }
            | Self::Fades { .. }
            | Self::MentionSeen { .. }
            | Self::InviteUsed { .. }
            | Self::InvitesEnd { .. }
            | Self::Named { .. } => None,
        }
    }
}

/// A message to be appended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Where.
    pub topic: TopicId,
    /// Its id.
    pub message: MessageId,
    /// Who wrote it.
    pub author: AccountId,
    /// The rev of the author's profile.
    pub author_rev: Rev,
    /// The text.
    pub text: String,
    /// The message replied to.
    pub reply_to: Option<MessageId>,
    /// The sender's time, if it is far off the server's.
    pub written_at: Option<Millis>,
    /// Persons that get a `Mention` row.
    pub mentions: Vec<AccountId>,
    /// Member groups mentioned; none in the list stands for everyone.
    pub wide: Vec<Option<MemberGroupId>>,
    /// The author as somebody who reads the topic: from where on something is unread for him.
    pub reader: Reader,
}

/// A message's first part, changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// Of which topic.
    pub topic: TopicId,
    /// Which message.
    pub message: MessageId,
    /// Its place.
    pub seq: Seq,
    /// Its content.
    pub content: Content,
    /// Persons that get a `Mention` row.
    pub mentioned: Vec<AccountId>,
    /// Persons whose `Mention` row goes.
    pub unmentioned: Vec<AccountId>,
    /// Member groups mentioned; none in the list stands for everyone.
    pub wide: Vec<Option<MemberGroupId>>,
}

/// Something a decision rests on; a commit whose expectation fails is decided again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// The log is at this rev.
    Head(Log, Rev),
    /// Nothing that decides on rights in a topic has changed since a rev of its community's log: neither the community and
    /// the topic themselves, nor access rows of both and of the group that the topic is in.
    Rights(CommunityId, TopicId, GroupId, Rev),
    /// The log does not exist, whatever its kind. Failing, the command is refused with `id_taken`.
    New(Log),
    /// The member's row is at this rev; 0: there is none.
    Member(CommunityId, AccountId, Rev),
    /// What was written in the message was last changed at this rev.
    Content(TopicId, MessageId, Rev),
    /// The account's cursor of the topic is at this rev; 0: there is none.
    Cursor(AccountId, TopicId, Rev),
    /// The account's profile is at this rev.
    Profile(AccountId, Rev),
    /// The account is not deleted, nor about to be. Failing, the command is refused with `not_found`.
    Lives(AccountId),
}
