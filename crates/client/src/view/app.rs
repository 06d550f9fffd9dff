//! The whole window: accounts, rail, connection.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;

use super::{
    ClockView, DiskView, HostingView, LostView, MentionedView, RejectionView, Settings,
    StrandedView,
};

/// Everything that the frame of the window shows.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppView {
    /// Accounts in the order they were added. None: the first start.
    pub accounts: Vec<AccountView>,
    /// State of the list of accounts on this computer.
    pub list: ListView,
    /// The person's settings on this computer.
    pub settings: Settings,
    /// Where the window was when it was last closed.
    pub last_place: Option<Place>,
    /// The server hosted on this computer, when there is one.
    pub hosting: Option<HostingView>,
    /// What the system's keyring does, which keeps the sign-ins.
    pub keyring: KeyringView,
    /// Sum of unread and mention numbers shown on tiles; goes into the window's title.
    pub badge: Badge,
}

/// What the system's keyring does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KeyringView {
    /// What it was asked for last it did, or it was not asked yet.
    #[default]
    Works,
    /// It was asked and has not answered yet: it may be asking the person to unlock it.
    Waits,
    /// It is there, and was not opened or failed. It can be asked again.
    Refused,
    /// There is none that keeps anything: the person signs in at each start.
    Missing,
}

/// What is to be said of how the keyring keeps the sign-in of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KeptView {
    /// Nothing: all is as it should be.
    #[default]
    Settled,
    /// It was asked for the sign-in, and has not answered yet.
    Reading,
    /// It was asked to keep the sign-in, and has not answered yet.
    Keeping,
    /// It was asked to forget the sign-in, and has not answered yet.
    Forgetting,
    /// It did not say whether it has one: the person is signed out, the session may be good.
    Unread,
    /// It did not keep it: the next start asks for the password.
    Unkept,
    /// It did not forget it. It signs nobody in here.
    Unforgotten,
}

/// Numbers of a thing in the tree. A group's, a community's and the app's are sums of what is shown under them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Badge {
    /// Unread messages where the level is `all`.
    pub unread: u32,
    /// Messages that mention me.
    pub mentions: u32,
    /// Something is unread where the level shows no number.
    pub has_dot: bool,
}

/// One account on one server.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    /// The account's key: `<server id>.<account id>`.
    pub key: String,
    /// The account's id on its server.
    pub account_id: String,
    /// The name signed in with.
    pub name: String,
    /// The name others see.
    pub display_name: String,
    /// The server's name.
    pub server_name: String,
    /// The address in use, for example `ws://127.0.0.1:4780`.
    pub address: String,
    /// Whether this account's server runs inside this program.
    pub is_hosted_here: bool,
    /// Whether this account administrates its server.
    pub is_server_admin: bool,
    /// State of the link.
    pub connection: Connection,
    /// How the keyring keeps its sign-in.
    pub kept: KeptView,
    /// State of its history on this computer.
    pub store: StoreView,
    /// Room on its server's disk, as far as the server says.
    pub disk: DiskView,
    /// What is wrong with its server's clock, as far as the server says.
    pub clock: ClockView,
    /// By how many milliseconds this computer's clock is ahead of the server's; none while that is little.
    #[specta(type = Option<Number>)]
    pub ahead: Option<i64>,
    /// Messages of mine that the server lost, by topic, the oldest first.
    pub lost: Vec<LostView>,
    /// Commands that wait in the outbox.
    pub waiting: u32,
    /// Commands that were refused and wait for the person, other than messages (those are shown in their timeline).
    pub rejected: Vec<RejectedView>,
    /// Drafts whose topic is not available.
    pub stranded: Vec<StrandedView>,
    /// The names of those whom refused texts and these drafts mention.
    pub mentioned: Vec<MentionedView>,
    /// How many more communities it is in: nothing but that has come yet.
    pub coming: u32,
    /// Communities, in the order of joining.
    pub communities: Vec<CommunityTile>,
}

/// State of an account's link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Connection {
    /// No link; the next attempt is at `retry_at`.
    Offline {
        /// When the next attempt starts.
        #[specta(type = Number)]
        retry_at: i64,
        /// Why whoever answers cannot be used as the server; none if nobody answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[specta(optional)]
        cause: Option<Cause>,
    },
    /// Where the server should be somebody else answers, who has not its key. Nothing was sent there; the next attempt is
    /// at `retry_at`.
    OtherKey {
        /// When the next attempt starts.
        #[specta(type = Number)]
        retry_at: i64,
    },
    /// An attempt is under way.
    Connecting,
    /// Connected; rows that were missed are being fetched.
    Syncing,
    /// Connected and complete.
    Synced,
    /// The server speaks another version of the protocol: one of the two has to be updated. Nothing is lost meanwhile; the
    /// next attempt is at `retry_at`.
    OtherVersion {
        /// Whether it is this program that has to be updated; otherwise it is the server.
        is_server_newer: bool,
        /// When the next attempt starts.
        #[specta(type = Number)]
        retry_at: i64,
    },
    /// The session was ended or no token is kept: the person has to sign in.
    SignedOut,
}

/// Why something cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// A stable code, for example `certificate_expired`.
    pub code: String,
    /// What a sentence about it names; a time is in the form `2026-11-30T08:00:00Z`.
    pub about: Option<String>,
}

/// State of an account's history on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct StoreView {
    /// The file.
    pub file: String,
    /// What is wrong with it. Unless it is `noRoom`, nothing of the account can be shown.
    pub trouble: Option<StoreTrouble>,
    /// A damaged file that was set aside, until the person has taken note.
    pub aside: Option<AsideView>,
}

/// What is wrong with an account's history. It is looked at again by itself, every half minute at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum StoreTrouble {
    /// A newer version of the program wrote it; it is left as it is.
    TooNew,
    /// It is damaged, and could not be set aside.
    Damaged,
    /// Another program uses it.
    Locked,
    /// The file or its folder may not be written.
    NoRights,
    /// The disk is full: what is there can be read, nothing can be written.
    NoRoom,
    /// The disk fails.
    Unreadable,
}

/// A damaged file that was set aside. History comes again from the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AsideView {
    /// Its name.
    pub file: String,
    /// Its folder.
    pub folder: String,
    /// When, in milliseconds since 1970.
    #[specta(type = Number)]
    pub at: i64,
    /// Commands of the outbox that were taken along.
    pub commands: u32,
    /// Drafts that were taken along.
    pub drafts: u32,
    /// Whether outbox and drafts could be read to the end; if not, some may be missing.
    pub is_whole: bool,
}

/// State of the list of accounts on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ListView {
    /// The file.
    pub file: String,
    /// Why it is left as it is and changes are not kept. The accounts whose histories are there are shown all the same.
    pub trouble: Option<StoreTrouble>,
    /// A damaged list that was set aside, until the person has taken note.
    pub aside: Option<ListAsideView>,
}

/// A damaged list of accounts that was set aside. The accounts were found again by their histories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ListAsideView {
    /// Its name.
    pub file: String,
    /// Its folder.
    pub folder: String,
    /// When, in milliseconds since 1970.
    #[specta(type = Number)]
    pub at: i64,
    /// Accounts that were found again.
    pub accounts: u32,
}

/// A community's tile in the rail.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CommunityTile {
    /// The community.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub badge: Badge,
    /// Made here, not yet acknowledged by the server.
    pub is_pending: bool,
}

/// A refused command that waits for the person.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RejectedView {
    /// The command's id: for `outbox_retry` and `outbox_discard`.
    pub command: String,
    /// The command's method, for example `topic.create`; the window has a sentence for each.
    pub method: String,
    /// The name of what it was about, when there is one.
    pub subject: String,
    /// Where it happened.
    pub community: Option<String>,
    /// Where it happened.
    pub topic: Option<String>,
    /// The whole text of a message, as it is stored: nothing else shows it, for the topic is not available.
    pub text: Option<String>,
    /// Why it was refused.
    pub rejection: RejectionView,
}

/// A place in the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The account's key.
    pub account: String,
    /// The community, if one is open.
    pub community: Option<String>,
    /// The topic, if one is open.
    pub topic: Option<String>,
}

/// What became of a new address for a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(
    tag = "result",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Relocation {
    /// The server is there; its accounts go on at this address.
    Found {
        /// The address that answered.
        address: String,
    },
    /// The link names another key than the one known: nothing was changed, the person decides.
    OtherKey {
        /// The fingerprint that the server is known by.
        old: String,
        /// The one that the link names.
        new: String,
    },
}

/// What a link or an address leads to, before joining.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ServerPeek {
    /// The server's id.
    pub server: String,
    /// The server's name.
    pub name: String,
    /// Who may register: `open`, `invite`, `closed`.
    pub registration: String,
    /// The address that answered.
    pub address: String,
    /// The community the link invites to, when it does and is still valid, if only for the one account that was made with it.
    pub community: Option<String>,
    /// Its members.
    #[specta(type = Option<Number>)]
    pub members: Option<u64>,
    /// The link invites nobody else any more: withdrawn, used up, expired, or mistyped.
    pub is_invite_over: bool,
    /// Accounts on this server that this computer already has, by key; if only one has a place by the link, that one.
    pub accounts: Vec<String>,
}
