//! Actions: what a person can do in the window, in the window's terms.
//!
//! The client turns an action into a command, puts it into the outbox and returns; live actions (marked) need the
//! link, wait for the server's answer and are refused at once while offline.

use serde::Deserialize;
use specta::Type;
use specta_typescript::Number;

use crate::view::AccessPlace;

/// Something that a person does with one account.
#[derive(Debug, Clone, PartialEq, Deserialize, Type)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// Write a message. The draft of the topic is cleared with it. Mentions stand in the text as `<@id>`.
    SendMessage { topic: String, text: String, reply_to: Option<String> },
    /// Change a message of mine; of a pending one, the pending text.
    EditMessage { topic: String, message: String, text: String },
    /// Recall a message; a pending one is discarded.
    RecallMessage { topic: String, message: String },
    /// Add or take back my reaction.
    React { topic: String, message: String, key: String, on: bool },
    /// Pin or unpin.
    Pin { topic: String, message: String, on: bool },
    /// I have read up to here.
    Advance {
        topic: String,
        #[specta(type = Number)]
        seq: u64,
    },
    /// Mark unread from here: everything from `seq` on is unread again.
    MarkUnread {
        topic: String,
        #[specta(type = Number)]
        seq: u64,
    },
    /// Make a community; it starts with one group and one topic.
    CreateCommunity { name: String, group: String, topic: String },
    /// Change a community; what is none stays.
    EditCommunity { community: String, name: Option<String>, introduction: Option<String> },
    /// Make a group, at the end.
    CreateGroup { community: String, name: String },
    /// Rename a group.
    EditGroup { community: String, group: String, name: String },
    /// Move a group behind another (`after: null`: to the front).
    MoveGroup { community: String, group: String, after: Option<String> },
    /// Delete an empty group (live).
    DeleteGroup { community: String, group: String },
    /// Make a topic at the end of a group.
    CreateTopic { community: String, group: String, name: String, introduction: String, is_closed: bool },
    /// Change a topic; what is none stays.
    EditTopic { community: String, topic: String, name: Option<String>, introduction: Option<String> },
    /// Move a topic into a group, behind another topic (`after: null`: to the front).
    MoveTopic { community: String, topic: String, group: String, after: Option<String> },
    /// Delete a topic with everything in it (live).
    DeleteTopic { community: String, topic: String },
    /// Give a member a seat in a closed topic, or take it (live).
    SetSeat { community: String, topic: String, member: String, on: bool },
    /// Make a member group at the lowest rank above `everyone`.
    CreateMemberGroup { community: String, name: String, is_shown: bool },
    /// Change a member group; what is none stays.
    EditMemberGroup { community: String, member_group: String, name: Option<String>, is_shown: Option<bool> },
    /// Move a member group directly below another (`below: null`: to the top I may use).
    MoveMemberGroup { community: String, member_group: String, below: Option<String> },
    /// Delete a member group (live).
    DeleteMemberGroup { community: String, member_group: String },
    /// Put a member in a member group or take him out (live).
    AssignMemberGroup { community: String, member: String, member_group: String, on: bool },
    /// Allow (`true`), deny (`false`) or inherit (`null`) one permission for a member group at a place.
    SetAccess { community: String, place: AccessPlace, member_group: String, permission: String, value: Option<bool> },
    /// Leave a community (live).
    LeaveCommunity { community: String },
    /// Remove a member (live).
    Kick { community: String, member: String },
    /// Dissolve a community (live).
    DissolveCommunity { community: String },
    /// Change the name others see.
    EditProfile { display_name: String },
}
