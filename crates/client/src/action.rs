//! Actions: what a person can do in the window, in the window's terms.
//!
//! The client turns an action into a command, puts it into the outbox and returns; live actions (marked) need the
//! link, wait for the server's answer and are refused at once while offline.

use serde::Deserialize;
use specta::Type;
use specta_typescript::Number;

use crate::view::{AccessPlace, LevelName, LevelPlace};

/// Something that a person does with one account.
#[derive(Debug, Clone, PartialEq, Deserialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Action {
    /// Write a message. The draft of the topic is cleared with it. Mentions stand in the text as `<@id>`.
    SendMessage {
        /// The topic.
        topic: String,
        /// The text.
        text: String,
        /// The message replied to.
        reply_to: Option<String>,
    },
    /// Change a message of mine; of a pending one, the pending text. The edit in progress is over with it. If the message
    /// does not say `from` any more, nothing is done: `changed_meanwhile`.
    EditMessage {
        /// The topic.
        topic: String,
        /// The message.
        message: String,
        /// What the person saw of it.
        from: String,
        /// The text.
        text: String,
    },
    /// Recall a message; a pending one is discarded.
    RecallMessage {
        /// The topic.
        topic: String,
        /// The message.
        message: String,
    },
    /// Add or take back my reaction.
    React {
        /// The topic.
        topic: String,
        /// The message.
        message: String,
        /// An emoji.
        key: String,
        /// On or off.
        on: bool,
    },
    /// Pin or unpin.
    Pin {
        /// The topic.
        topic: String,
        /// The message.
        message: String,
        /// On or off.
        on: bool,
    },
    /// I have read up to here.
    Advance {
        /// The topic.
        topic: String,
        /// The place.
        #[specta(type = Number)]
        seq: u64,
    },
    /// I have seen a message that an edit made mention me.
    SeeMention {
        /// The topic.
        topic: String,
        /// The message.
        message: String,
    },
    /// Mark unread from here: everything from `seq` on is unread again.
    MarkUnread {
        /// The topic.
        topic: String,
        /// The place; none: the last message of somebody else.
        #[specta(type = Option<Number>)]
        seq: Option<u64>,
    },
    /// Set which messages count and notify at a place.
    SetLevel {
        /// Where.
        place: LevelPlace,
        /// The level.
        level: LevelName,
        /// Until when, in milliseconds since 1970; none: for good.
        #[specta(type = Option<Number>)]
        until: Option<i64>,
    },
    /// Make a community; it starts with one group and one topic.
    CreateCommunity {
        /// The name.
        name: String,
        /// The group.
        group: String,
        /// The topic.
        topic: String,
    },
    /// Change a community; what is none stays.
    EditCommunity {
        /// The community.
        community: String,
        /// The name.
        name: Option<String>,
        /// What it is about.
        introduction: Option<String>,
    },
    /// Make a group, at the end.
    CreateGroup {
        /// The community.
        community: String,
        /// The name.
        name: String,
    },
    /// Rename a group.
    EditGroup {
        /// The community.
        community: String,
        /// The group.
        group: String,
        /// The name.
        name: String,
    },
    /// Move a group behind another (`after: null`: to the front).
    MoveGroup {
        /// The community.
        community: String,
        /// The group.
        group: String,
        /// Behind which one.
        after: Option<String>,
    },
    /// Delete an empty group (live).
    DeleteGroup {
        /// The community.
        community: String,
        /// The group.
        group: String,
    },
    /// Make a topic at the end of a group.
    CreateTopic {
        /// The community.
        community: String,
        /// The group.
        group: String,
        /// The name.
        name: String,
        /// What it is about.
        introduction: String,
        /// Closed: seen by those with a seat.
        is_closed: bool,
    },
    /// Change a topic; what is none stays.
    EditTopic {
        /// The community.
        community: String,
        /// The topic.
        topic: String,
        /// The name.
        name: Option<String>,
        /// What it is about.
        introduction: Option<String>,
    },
    /// Move a topic into a group, behind another topic (`after: null`: to the front).
    MoveTopic {
        /// The community.
        community: String,
        /// The topic.
        topic: String,
        /// The group.
        group: String,
        /// Behind which one.
        after: Option<String>,
    },
    /// Delete a topic with everything in it (live).
    DeleteTopic {
        /// The community.
        community: String,
        /// The topic.
        topic: String,
    },
    /// Give a member a seat in a closed topic, or take it (live).
    SetSeat {
        /// The community.
        community: String,
        /// The topic.
        topic: String,
        /// The member's account.
        member: String,
        /// On or off.
        on: bool,
    },
    /// Make a member group at the lowest rank above `everyone`.
    CreateMemberGroup {
        /// The community.
        community: String,
        /// The name.
        name: String,
        /// A section of the member panel.
        is_shown: bool,
        /// Its name stands beside names.
        has_tag: bool,
    },
    /// Change a member group; what is none stays.
    EditMemberGroup {
        /// The community.
        community: String,
        /// The member group; `everyone` for everyone.
        member_group: String,
        /// The name.
        name: Option<String>,
        /// A section of the member panel.
        is_shown: Option<bool>,
        /// Its name stands beside names.
        has_tag: Option<bool>,
    },
    /// Move a member group directly below another (`below: null`: to the top I may use).
    MoveMemberGroup {
        /// The community.
        community: String,
        /// The member group; `everyone` for everyone.
        member_group: String,
        /// Below which one.
        below: Option<String>,
    },
    /// Delete a member group (live).
    DeleteMemberGroup {
        /// The community.
        community: String,
        /// The member group; `everyone` for everyone.
        member_group: String,
    },
    /// Put a member in a member group or take him out (live).
    AssignMemberGroup {
        /// The community.
        community: String,
        /// The member's account.
        member: String,
        /// The member group; `everyone` for everyone.
        member_group: String,
        /// On or off.
        on: bool,
    },
    /// Allow (`true`), deny (`false`) or inherit (`null`) one permission for a member group at a place.
    SetAccess {
        /// The community.
        community: String,
        /// Where.
        place: AccessPlace,
        /// The member group; `everyone` for everyone.
        member_group: String,
        /// The permission, by key.
        permission: String,
        /// Allow, deny or inherit.
        value: Option<bool>,
    },
    /// Leave a community (live).
    LeaveCommunity {
        /// The community.
        community: String,
    },
    /// Remove a member (live).
    Kick {
        /// The community.
        community: String,
        /// The member's account.
        member: String,
        /// The invite link that the member came by ends as well, and those that are his or hers.
        ends_invites: bool,
    },
    /// Hand a community over to another member (live).
    TransferCommunity {
        /// The community.
        community: String,
        /// The account that owns it from then on.
        member: String,
    },
    /// Dissolve a community (live).
    DissolveCommunity {
        /// The community.
        community: String,
    },
    /// Change the name others see.
    EditProfile {
        /// The name.
        display_name: String,
    },
}
