//! A stretch of a topic's timeline: contiguous rows around a place, and what waits to be sent.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;
use tulou_protocol::question::PageAt;

use super::{Block, RejectionView};

/// Which rows to read. The answer holds contiguous `seq` only, as far as this computer has them; what is missing is
/// fetched meanwhile and announced by `Change::Timeline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "at", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Stretch {
    /// Around the first unread row; at the end when everything is read.
    Unread {
        /// How many rows at most.
        count: u32,
    },
    /// The newest rows.
    End {
        /// How many rows at most.
        count: u32,
    },
    /// Around a message that may not be on this computer yet.
    Message {
        /// The message.
        id: String,
        /// How many rows at most.
        count: u32,
    },
    /// From one place to another; `to: null` follows the end.
    Range {
        /// The first `seq`.
        #[specta(type = Number)]
        from: u64,
        /// The last `seq`.
        #[specta(type = Option<Number>)]
        to: Option<u64>,
    },
}

impl Stretch {
    /// The page around a message that is wanted.
    pub(crate) fn message(&self) -> Option<PageAt> {
        if let Self::Message { id, .. } = self {
            id.parse().ok().map(PageAt::Message)
        } else {
            None
        }
    }
}

/// A stretch of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TimelineView {
    /// The topic.
    pub topic: String,
    /// Its community; none for a direct conversation.
    pub community: Option<String>,
    /// Its name.
    pub name: String,
    /// Its introduction.
    pub introduction: String,
    /// Closed: seen by those with a seat.
    pub is_closed: bool,
    /// Why nothing can be written here, when that is so.
    pub cannot_speak: Option<CannotSpeak>,
    /// Permissions I hold here, by key.
    pub permissions: Vec<String>,
    /// Rows in the order of `seq`.
    pub rows: Vec<MessageView>,
    /// My messages that wait for the server, oldest first; shown after the last row.
    pub pending: Vec<MessageView>,
    /// Rows exist before the first.
    pub has_before: bool,
    /// Rows exist after the last.
    pub has_after: bool,
    /// Rows next to this stretch are being fetched.
    pub is_loading: bool,
    /// Rows could not be fetched because there is no link.
    pub is_cut_off: bool,
    /// Where the divider stands: the first row that was unread when the topic was entered.
    #[specta(type = Option<Number>)]
    pub first_unread: Option<u64>,
    /// Unread messages now.
    pub unread: u32,
    /// The newest `seq` on the server, as far as known.
    #[specta(type = Number)]
    pub head: u64,
    /// Pinned messages, newest first.
    pub pins: Vec<PinView>,
    /// The draft.
    pub draft: DraftView,
    /// Edits in progress, in the order in which they were begun.
    pub edits: Vec<EditView>,
    /// Changes of mine that were refused, to messages which are not among the rows.
    pub refused: Vec<RefusedView>,
    /// The names of those whom drafts, edits and messages mention, wherever in their texts.
    pub mentioned: Vec<MentionedView>,
    /// Messages that an edit made mention me, and that were not seen since, oldest first.
    pub new_mentions: Vec<String>,
    /// Everything up to here is read.
    #[specta(type = Number)]
    pub read_to: u64,
}

/// Whom a text mentions: a person, a member group, everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MentionedView {
    /// What stands between `<@` and `>`: an account, `&` and a member group, `everyone`.
    pub id: String,
    /// The name; none if it is not known here, and for everyone.
    pub name: Option<String>,
}

/// An edit in progress, and what it would change now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EditView {
    /// The message.
    pub message: String,
    /// What the message said when the edit began.
    pub base: String,
    /// What is being written.
    pub text: String,
    /// What the message says, with my changes that wait; none if it is not on this computer.
    pub now: Option<String>,
    /// It was recalled.
    pub is_recalled: bool,
    /// I may recall it.
    pub can_recall: bool,
}

/// An edit in progress, as the window hands it over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EditInput {
    /// What the message said when the edit began.
    pub base: String,
    /// What is being written.
    pub text: String,
}

/// A pinned message, briefly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PinView {
    /// The message.
    pub id: String,
    /// Its author.
    pub author: AuthorView,
    /// What its text shows, on one line, cut; `<@everyone>` stands for the window's word.
    pub excerpt: String,
}

/// What is being written in a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DraftView {
    /// The text.
    pub text: String,
    /// The message replied to.
    pub reply_to: Option<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// The message.
    pub id: String,
    /// Its place; none while pending.
    #[specta(type = Option<Number>)]
    pub seq: Option<u64>,
    /// Who wrote it.
    pub author: AuthorView,
    /// The server's time; for a pending one the time of writing, by the server's clock.
    #[specta(type = Number)]
    pub sent_at: i64,
    /// The sender's time when it is more than 5 minutes off.
    #[specta(type = Option<Number>)]
    pub written_at: Option<i64>,
    /// The text as a tree; of a long one the beginning.
    pub blocks: Vec<Block>,
    /// There is more than `blocks` shows.
    pub is_folded: bool,
    /// The text as it is sent: what the editor and copying start from.
    pub text: String,
    /// The message replied to.
    pub reply: Option<ReplyView>,
    /// Reactions in the order of first use.
    pub reactions: Vec<ReactionView>,
    /// Pinned.
    pub is_pinned: bool,
    /// Edited after sending.
    pub is_edited: bool,
    /// Recalled: nothing but this line is shown.
    pub recalled: Option<RecalledView>,
    /// It mentions me.
    pub mentions_me: bool,
    /// I wrote it.
    pub is_mine: bool,
    /// Where it stands on its way.
    pub delivery: Delivery,
    /// An edit, recall, reaction or pin of mine waits for the server.
    pub has_pending_change: bool,
    /// A change of mine to this message was refused.
    pub refused: Option<RefusedView>,
    /// What I may do with it.
    pub actions: Vec<MessageAction>,
}

/// What somebody may do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum MessageAction {
    /// Change its text.
    Edit,
    /// Take it back.
    Recall,
    /// Put a reaction to it, or take it away.
    React,
    /// Pin it, or let it go.
    Pin,
    /// Answer it.
    Reply,
}

/// Why somebody cannot write in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum CannotSpeak {
    /// The right to speak is denied.
    NotAllowed,
    /// The topic is gone, locked, or not known any more.
    Unavailable,
}

/// A refused change to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RefusedView {
    /// The command's id.
    pub command: String,
    /// Its method.
    pub method: String,
    /// The message.
    pub message: String,
    /// What I wrote, where it was an edit.
    pub text: Option<String>,
    /// Why.
    pub rejection: RejectionView,
}

/// An author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuthorView {
    /// The account.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// The name signed in with, where the name looks like another's or like a member group's: it stands beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub account_name: Option<String>,
    /// What marks the person, beside the name and never part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub mark: Option<Mark>,
    /// The highest member group with a tag, for the tag beside the name.
    pub tag: Option<String>,
}

/// What marks a person among others: no name can imitate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// Owns the community.
    Owner,
    /// May remove members.
    Staff,
}

/// A quoted message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReplyView {
    /// The message.
    pub id: String,
    /// Its author; none when it is not on this computer or may not be read.
    pub author: Option<AuthorView>,
    /// What its text shows, on one line, cut; `<@everyone>` stands for the window's word. Empty when recalled or unknown.
    pub excerpt: String,
    /// It was recalled.
    pub is_recalled: bool,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReactionView {
    /// The emoji.
    pub key: String,
    /// How many.
    pub count: u32,
    /// I am one of them.
    pub is_mine: bool,
}

/// A recalled message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RecalledView {
    /// The name of who recalled it.
    pub by: String,
    /// The name that he signs in with, where the name looks like another's or like a member group's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub by_account_name: Option<String>,
    /// The author did.
    pub is_by_author: bool,
}

/// Where a message stands on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Delivery {
    /// The server has it.
    Sent,
    /// It waits: for the link, or for the answer.
    Sending,
    /// It waits because the server asked to slow down.
    Waiting {
        /// When it is tried again.
        #[specta(type = Number)]
        until: i64,
    },
    /// It was refused: retry, edit or discard.
    Failed {
        /// Why.
        rejection: RejectionView,
    },
}
