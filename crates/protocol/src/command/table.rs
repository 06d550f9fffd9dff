//! The table of commands: what is true of each, whoever carries it. Adding a command is one entry here.

use uuid::Uuid;

use super::Command;
use crate::{
    id::{AccountId, CommunityId, Log, TopicId},
    permission::Place,
    row::NotifyScope,
};

/// What is true of a command. The engine, the client and the server ask this, and have no lists of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The log that it commits to.
    pub home: Home,
    /// How it gets to the server.
    pub way: Way,
    /// How the community is found whose rights decide.
    pub community: Whose,
    /// The topic that it names.
    pub topic: Option<TopicId>,
    /// Which of its fields leads to what it is about: what is named when that does not exist.
    pub field: &'static str,
    /// Whoever gives it may afterwards see less than it writes, or see that otherwise.
    pub narrows: bool,
    /// What it makes.
    pub makes: Things,
    /// What has to be there before it can succeed.
    pub needs: Things,
}

/// Up to three things, by id.
pub type Things = [Option<Uuid>; 3];

/// Nothing.
const NONE: Things = [None; 3];

/// The log that a command commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// A topic's.
    Topic(TopicId),
    /// A community's.
    Community(CommunityId),
    /// That of whoever gives it.
    Account,
}

/// How a command gets to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the outbox. If it is refused, it waits there for the person.
    Queued,
    /// By the outbox, and nobody waits for it: it is counted nowhere, and gone if it is refused.
    Quiet,
    /// At once, or not at all while offline. No client stores it: what carries a secret has to go this way.
    Live,
}

/// How the community is found whose rights decide on a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// It is named.
    Community(CommunityId),
    /// It is that of a topic.
    Topic(TopicId),
    /// No rights in a community decide.
    Nobody,
}

impl Spec {
    /// Of what a topic holds.
    const fn in_topic(topic: TopicId) -> Self {
        Self {
            home: Home::Topic(topic),
            way: Way::Queued,
            community: Whose::Topic(topic),
            topic: Some(topic),
            field: "topic",
            narrows: false,
            makes: NONE,
            needs: [Some(topic.0), None, None],
        }
    }

    /// Of a community's structure or members.
    const fn in_community(community: CommunityId, way: Way) -> Self {
        Self {
            home: Home::Community(community),
            way,
            community: Whose::Community(community),
            topic: None,
            field: "community",
            narrows: false,
            makes: NONE,
            needs: [Some(community.0), None, None],
        }
    }

    /// Of what belongs to an account.
    const fn of_account(way: Way) -> Self {
        Self {
            home: Home::Account,
            way,
            community: Whose::Nobody,
            topic: None,
            field: "account",
            narrows: false,
            makes: NONE,
            needs: NONE,
        }
    }
}

/// `"method", variant => its spec;` for each. The variant's method is the one that serde writes: a test compares them.
macro_rules! table {
    ($($method:literal, $variant:pat => $spec:expr;)*) => {
        /// The methods that are commands.
        pub const METHODS: &[&str] = &[$($method),*];

        impl Command {
            /// The method as it is written, for example `message.send`.
            #[must_use]
            #[expect(unused_variables, reason = "each arm takes what the other needs")]
            pub fn method(&self) -> &'static str {
                match self { $($variant => $method,)* }
            }

            /// What is true of the command, whoever carries it.
            #[must_use]
            pub fn spec(&self) -> Spec {
                match self { $($variant => $spec,)* }
            }
        }
    };
}

table! {
    "message.send", Self::MessageSend { topic, message, reply_to, .. } => Spec {
        makes: [Some(message.0), None, None],
        needs: [Some(topic.0), reply_to.map(|message| message.0), None],
        ..Spec::in_topic(*topic)
    };
    "message.edit", Self::MessageEdit { topic, message, .. } => Spec {
        needs: [Some(topic.0), Some(message.0), None],
        ..Spec::in_topic(*topic)
    };
    "message.recall", Self::MessageRecall { topic, message } => Spec {
        needs: [Some(topic.0), Some(message.0), None],
        ..Spec::in_topic(*topic)
    };
    "message.react", Self::MessageReact { topic, message, .. } => Spec {
        needs: [Some(topic.0), Some(message.0), None],
        ..Spec::in_topic(*topic)
    };
    "message.pin", Self::MessagePin { topic, message, .. } => Spec {
        needs: [Some(topic.0), Some(message.0), None],
        ..Spec::in_topic(*topic)
    };
    "cursor.advance", Self::CursorAdvance { topic, .. } => Spec {
        home: Home::Account,
        way: Way::Quiet,
        ..Spec::in_topic(*topic)
    };
    "cursor.set", Self::CursorSet { topic, .. } => Spec {
        home: Home::Account,
        way: Way::Quiet,
        ..Spec::in_topic(*topic)
    };
    "mention.seen", Self::MentionSeen { topic, message, .. } => Spec {
        topic: Some(*topic),
        field: "topic",
        needs: [Some(topic.0), Some(message.0), None],
        ..Spec::of_account(Way::Quiet)
    };
    "notify.set", Self::NotifySet { scope, .. } => Spec {
        field: "scope",
        needs: [scope_id(*scope), None, None],
        ..Spec::of_account(Way::Queued)
    };
    "profile.edit", Self::ProfileEdit { .. } => Spec::of_account(Way::Queued);
    "community.create", Self::CommunityCreate { community, group, topic, .. } => Spec {
        makes: [Some(community.0), Some(group.0), Some(topic.0)],
        needs: NONE,
        ..Spec::in_community(*community, Way::Queued)
    };
    "community.edit", Self::CommunityEdit { community, .. } => Spec::in_community(*community, Way::Queued);
    "community.transfer", Self::CommunityTransfer { community, .. } => Spec::in_community(*community, Way::Live);
    "community.dissolve", Self::CommunityDissolve { community } => Spec::in_community(*community, Way::Live);
    "community.join", Self::CommunityJoin { community, .. } => Spec::in_community(*community, Way::Live);
    "community.leave", Self::CommunityLeave { community } => Spec {
        narrows: true,
        ..Spec::in_community(*community, Way::Live)
    };
    "group.create", Self::GroupCreate { community, group, .. } => Spec {
        makes: [Some(group.0), None, None],
        ..Spec::in_community(*community, Way::Queued)
    };
    "group.edit", Self::GroupEdit { community, group, .. } => Spec {
        field: "group",
        needs: [Some(community.0), Some(group.0), None],
        ..Spec::in_community(*community, Way::Queued)
    };
    "group.delete", Self::GroupDelete { community, group } => Spec {
        needs: [Some(community.0), Some(group.0), None],
        ..Spec::in_community(*community, Way::Live)
    };
    "topic.create", Self::TopicCreate { community, group, topic, .. } => Spec {
        topic: Some(*topic),
        field: "group",
        makes: [Some(topic.0), None, None],
        needs: [Some(community.0), Some(group.0), None],
        ..Spec::in_community(*community, Way::Queued)
    };
    "topic.edit", Self::TopicEdit { community, topic, group, .. } => Spec {
        topic: Some(*topic),
        field: "topic",
        narrows: group.is_some(),
        needs: [Some(community.0), Some(topic.0), group.as_ref().map(|group| group.to.0)],
        ..Spec::in_community(*community, Way::Queued)
    };
    "topic.delete", Self::TopicDelete { community, topic } => Spec {
        topic: Some(*topic),
        field: "topic",
        needs: [Some(community.0), Some(topic.0), None],
        ..Spec::in_community(*community, Way::Live)
    };
    "seat.set", Self::SeatSet { community, topic, .. } => Spec {
        topic: Some(*topic),
        field: "topic",
        narrows: true,
        needs: [Some(community.0), Some(topic.0), None],
        ..Spec::in_community(*community, Way::Live)
    };
    "member_group.create", Self::MemberGroupCreate { community, member_group, .. } => Spec {
        makes: [Some(member_group.0), None, None],
        ..Spec::in_community(*community, Way::Queued)
    };
    "member_group.edit", Self::MemberGroupEdit { community, member_group, .. } => Spec {
        field: "member_group",
        needs: [Some(community.0), Some(member_group.0), None],
        ..Spec::in_community(*community, Way::Queued)
    };
    "member_group.delete", Self::MemberGroupDelete { community, member_group } => Spec {
        needs: [Some(community.0), Some(member_group.0), None],
        ..Spec::in_community(*community, Way::Live)
    };
    "member_group.assign", Self::MemberGroupAssign { community, member_group, .. } => Spec {
        needs: [Some(community.0), Some(member_group.0), None],
        ..Spec::in_community(*community, Way::Live)
    };
    "access.set", Self::AccessSet { community, place, member_group, .. } => Spec {
        field: "place",
        narrows: true,
        needs: [Some(community.0), place_id(*place), member_group.map(|group| group.0)],
        ..Spec::in_community(*community, Way::Queued)
    };
    "member.kick", Self::MemberKick { community, .. } => Spec {
        narrows: true,
        ..Spec::in_community(*community, Way::Live)
    };
}

const fn scope_id(scope: NotifyScope) -> Option<Uuid> {
    match scope {
        NotifyScope::Global => None,
        NotifyScope::Community(community) => Some(community.0),
        NotifyScope::Group(group) => Some(group.0),
        NotifyScope::Topic(topic) => Some(topic.0),
    }
}

const fn place_id(place: Place) -> Option<Uuid> {
    match place {
        Place::Community => None,
        Place::Group(group) => Some(group.0),
        Place::Topic(topic) => Some(topic.0),
    }
}

impl Command {
    /// The log that the command commits to.
    #[must_use]
    pub fn home(&self, actor: AccountId) -> Log {
        match self.spec().home {
            Home::Topic(topic) => Log::Topic(topic),
            Home::Community(community) => Log::Community(community),
            Home::Account => Log::Account(actor),
        }
    }

    /// Whether the command is never queued: it is refused at once while offline.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.spec().way == Way::Live
    }

    /// Whether nobody waits for the command: it is counted nowhere, and gone if it is refused.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.spec().way == Way::Quiet
    }

    /// The ids of what the command makes.
    pub fn makes(&self) -> impl Iterator<Item = Uuid> + use<> {
        self.spec().makes.into_iter().flatten()
    }

    /// The ids of what has to be there before the command can succeed.
    pub fn needs(&self) -> impl Iterator<Item = Uuid> + use<> {
        self.spec().needs.into_iter().flatten()
    }

    /// The topic whose messages or numbers the command changes.
    #[must_use]
    pub fn in_topic(&self) -> Option<TopicId> {
        let spec = self.spec();
        match spec.home {
            Home::Topic(_) | Home::Account => spec.topic,
            Home::Community(_) => None,
        }
    }
}
