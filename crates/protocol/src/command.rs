//! Commands: what a client asks to be changed. Each commits to one log, its *home*; what it causes elsewhere follows as
//! consequences. A command's id is the id of its JSON-RPC request: a repeat gets the answer that was stored. What is true of
//! each stands in one table, [`Command::spec`].

mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::table::{Home, METHODS, Spec, Things, Way, Whose};
use crate::{
    id::{
        AccountId, CommandId, CommunityId, GroupId, MemberGroupId, MessageId, Millis, Seq, TopicId,
    },
    permission::{Permissions, Place},
    row::{Level, NotifyScope},
};

/// A field's old and new value. If the field is neither any more, the command is refused with `changed_meanwhile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edit<T> {
    /// What it was when the command was written.
    pub from: T,
    /// What it is to be.
    pub to: T,
}

/// A command with its id and the sender's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commanded {
    /// The id: a repeat of it gets the stored answer.
    pub id: CommandId,
    /// What is to be done.
    pub command: Command,
}

/// What is to be done. The method is the JSON-RPC method, the fields are its params.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", content = "params")]
pub enum Command {
    /// Write a message. Home: the topic. Needs `Speak`; a mention of everyone or a member group needs `MentionAll`.
    #[serde(rename = "message.send")]
    MessageSend {
        /// Where.
        topic: TopicId,
        /// Its id, made by the sender. A repeat by the same author changes nothing.
        message: MessageId,
        /// The text, see [`crate::text::check_message`].
        text: String,
        /// The message replied to, in the same topic.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
        /// The sender's time.
        written_at: Millis,
    },
    /// Change the text of my own message. Home: the topic. Needs `Speak`.
    #[serde(rename = "message.edit")]
    MessageEdit {
        /// Where.
        topic: TopicId,
        /// Which.
        message: MessageId,
        /// The text before and after.
        text: Edit<String>,
    },
    /// Recall a message: my own within the community's window, others' with `RecallOthers`. Home: the topic.
    #[serde(rename = "message.recall")]
    MessageRecall {
        /// Where.
        topic: TopicId,
        /// Which.
        message: MessageId,
    },
    /// Add or take back my reaction. Home: the topic. Adding needs `React`.
    #[serde(rename = "message.react")]
    MessageReact {
        /// Where.
        topic: TopicId,
        /// Which.
        message: MessageId,
        /// An emoji.
        key: String,
        /// Add or take back.
        on: bool,
    },
    /// Pin or unpin a message. Home: the topic. Needs `Pin`.
    #[serde(rename = "message.pin")]
    MessagePin {
        /// Where.
        topic: TopicId,
        /// Which.
        message: MessageId,
        /// Pin or unpin.
        on: bool,
    },
    /// I have read up to here: takes the maximum; ignored if `set_no` is less than the row's: it has not seen the last
    /// set-back. Home: my account.
    #[serde(rename = "cursor.advance")]
    CursorAdvance {
        /// Where.
        topic: TopicId,
        /// Up to here.
        seq: Seq,
        /// The `set_no` of the cursor that this has seen.
        set_no: u32,
    },
    /// Set the cursor (mark unread, undo). Home: my account.
    #[serde(rename = "cursor.set")]
    CursorSet {
        /// Where.
        topic: TopicId,
        /// Read up to here.
        seq: Seq,
    },
    /// I have seen a message that an edit made mention me, or take that back. Home: my account.
    #[serde(rename = "mention.seen")]
    MentionSeen {
        /// Where.
        topic: TopicId,
        /// Which.
        message: MessageId,
        /// False: it counts again, wherever the cursor is.
        seen: bool,
    },
    /// Set a notification level. Home: my account.
    #[serde(rename = "notify.set")]
    NotifySet {
        /// Where.
        scope: NotifyScope,
        /// The level.
        level: Level,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Millis>,
    },
    /// Change my profile. Home: my account.
    #[serde(rename = "profile.edit")]
    ProfileEdit {
        /// The name to show.
        display_name: Edit<String>,
    },
    /// Make a community with one group and one topic; everyone gets [`Permissions::NEW_COMMUNITY`]. Home: the community.
    #[serde(rename = "community.create")]
    CommunityCreate {
        /// Its id.
        community: CommunityId,
        /// Its name.
        name: String,
        /// The group's id.
        group: GroupId,
        /// The group's name.
        group_name: String,
        /// The topic's id.
        topic: TopicId,
        /// The topic's name.
        topic_name: String,
    },
    /// Change a community. Home: the community. Needs `ManageCommunity`.
    #[serde(rename = "community.edit")]
    CommunityEdit {
        /// Which.
        community: CommunityId,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Edit<String>>,
        /// The introduction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        introduction: Option<Edit<String>>,
    },
    /// Hand a community over to another member (live). Home: the community. The owner only; he stays a member, with the
    /// member groups and seats that he has. `owner.from` is who owns it as far as the sender knows: if somebody else does,
    /// it is `changed_meanwhile`. An account that is no member, or that has been deleted, is `not_found`.
    #[serde(rename = "community.transfer")]
    CommunityTransfer {
        /// Which.
        community: CommunityId,
        /// The owner before and after.
        owner: Edit<AccountId>,
    },
    /// Dissolve a community (live). Home: the community. The owner only.
    #[serde(rename = "community.dissolve")]
    CommunityDissolve {
        /// Which.
        community: CommunityId,
    },
    /// Join a community, with an invite's code where it asks for one (live). Home: the community.
    #[serde(rename = "community.join")]
    CommunityJoin {
        /// Which.
        community: CommunityId,
        /// The invite's code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<String>,
    },
    /// Leave a community (live). Home: the community.
    #[serde(rename = "community.leave")]
    CommunityLeave {
        /// Which.
        community: CommunityId,
    },
    /// Make a group. Home: the community. Needs `ManageTopics` at the community.
    #[serde(rename = "group.create")]
    GroupCreate {
        /// Where.
        community: CommunityId,
        /// Its id.
        group: GroupId,
        /// Its name.
        name: String,
        /// Its place.
        position: String,
    },
    /// Rename or move a group. Home: the community. Needs `ManageTopics` in the group.
    #[serde(rename = "group.edit")]
    GroupEdit {
        /// Where.
        community: CommunityId,
        /// Which.
        group: GroupId,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Edit<String>>,
        /// The place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<Edit<String>>,
    },
    /// Delete an empty group (live). Home: the community. Needs `ManageTopics` at the community.
    #[serde(rename = "group.delete")]
    GroupDelete {
        /// Where.
        community: CommunityId,
        /// Which.
        group: GroupId,
    },
    /// Make a topic. Home: the community. Needs `ManageTopics` in the group. Who makes a closed one gets its first seat.
    #[serde(rename = "topic.create")]
    TopicCreate {
        /// Where.
        community: CommunityId,
        /// In which group.
        group: GroupId,
        /// Its id.
        topic: TopicId,
        /// Its name.
        name: String,
        /// What it is about.
        #[serde(default)]
        introduction: String,
        /// Closed.
        #[serde(default)]
        closed: bool,
        /// Its place.
        position: String,
    },
    /// Change or move a topic. Home: the community. Needs `ManageTopics` in the topic, and in the group it moves to.
    #[serde(rename = "topic.edit")]
    TopicEdit {
        /// Where.
        community: CommunityId,
        /// Which.
        topic: TopicId,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Edit<String>>,
        /// The introduction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        introduction: Option<Edit<String>>,
        /// The group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<Edit<GroupId>>,
        /// The place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<Edit<String>>,
    },
    /// Delete a topic with everything in it (live). Home: the community. Needs `ManageTopics` in the topic.
    #[serde(rename = "topic.delete")]
    TopicDelete {
        /// Where.
        community: CommunityId,
        /// Which.
        topic: TopicId,
    },
    /// Give a member a seat in a closed topic, or take it (live). Home: the community. Needs `ManageTopics` in the topic.
    #[serde(rename = "seat.set")]
    SeatSet {
        /// Where.
        community: CommunityId,
        /// Which topic.
        topic: TopicId,
        /// Whose seat.
        account: AccountId,
        /// Give or take.
        on: bool,
    },
    /// Make a member group below the actor's rank. Home: the community. Needs `ManageMemberGroups`.
    #[serde(rename = "member_group.create")]
    MemberGroupCreate {
        /// Where.
        community: CommunityId,
        /// Its id.
        member_group: MemberGroupId,
        /// Its name.
        name: String,
        /// Its rank.
        rank: String,
        /// A section of the member panel.
        #[serde(default)]
        shown: bool,
        /// Its name stands beside the names of those in it.
        #[serde(default)]
        tagged: bool,
    },
    /// Change a member group below the actor's rank. Home: the community. Needs `ManageMemberGroups`.
    #[serde(rename = "member_group.edit")]
    MemberGroupEdit {
        /// Where.
        community: CommunityId,
        /// Which.
        member_group: MemberGroupId,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Edit<String>>,
        /// The rank.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rank: Option<Edit<String>>,
        /// A section of the member panel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<Edit<bool>>,
        /// Its name stands beside the names of those in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tagged: Option<Edit<bool>>,
    },
    /// Delete a member group below the actor's rank, with its access rows (live). Home: the community. Needs `ManageMemberGroups`.
    #[serde(rename = "member_group.delete")]
    MemberGroupDelete {
        /// Where.
        community: CommunityId,
        /// Which.
        member_group: MemberGroupId,
    },
    /// Put a member into a member group, or take him out (live). Home: the community. Needs `AssignMemberGroups`; the
    /// member group must be below the actor's rank, and so must the member unless it is the actor himself.
    #[serde(rename = "member_group.assign")]
    MemberGroupAssign {
        /// Where.
        community: CommunityId,
        /// Which.
        member_group: MemberGroupId,
        /// Whom.
        account: AccountId,
        /// In or out.
        on: bool,
    },
    /// Set the access of a member group, or everyone, at a place. Home: the community. Needs `ManageMemberGroups` at the
    /// community, `ManageTopics` at a group or topic; only bits that the actor has there, only below his rank.
    #[serde(rename = "access.set")]
    AccessSet {
        /// Of which community.
        community: CommunityId,
        /// Where.
        place: Place,
        /// For whom; absent: everyone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member_group: Option<MemberGroupId>,
        /// What is allowed.
        allow: Edit<Permissions>,
        /// What is denied.
        deny: Edit<Permissions>,
    },
    /// Remove a member (live). Home: the community. Needs `Kick`; the member must be below the actor's rank.
    #[serde(rename = "member.kick")]
    MemberKick {
        /// Where.
        community: CommunityId,
        /// Whom.
        account: AccountId,
        /// The invite link that the member came by ends, and those that are his. Needs `Invite`, too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        end_invites: bool,
    },
}
