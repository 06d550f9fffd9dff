//! The whole window: accounts, rail, connection, settings.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;
use tulou_protocol::text;

use super::{DiskView, LostView, MentionedView, StrandedView};

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
    /// Whether the system's keyring keeps the sign-in; without one the person signs in at each start.
    pub has_keyring: bool,
    /// Sum of unread and mention numbers shown on tiles; goes into the window's title.
    pub badge: Badge,
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
    /// State of its history on this computer.
    pub store: StoreView,
    /// Room on its server's disk, as far as the server says.
    pub disk: DiskView,
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

/// Why the server on this computer does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostFailure {
    /// A stable code that the window has a sentence for: `in_use`, `store_damaged` …
    pub code: String,
    /// What was attempted and why it failed, for whoever helps.
    pub details: String,
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

/// A typed no. The window has a sentence for each code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RejectionView {
    /// A stable code, for example `not_allowed`, `too_long`, `offline`.
    pub code: String,
    /// The right that was missing, for `not_allowed`.
    pub permission: Option<String>,
    /// The limit that was passed, for `too_long` and `too_many`.
    #[specta(type = Option<Number>)]
    pub limit: Option<u64>,
    /// What the limit counts: `characters`, `bytes`, `mentions`, `reactions`, `pins`.
    #[serde(default)]
    #[specta(optional)]
    pub of: Option<String>,
    /// How many there are, for a limit of a text.
    #[serde(default)]
    #[specta(optional, type = Option<Number>)]
    pub count: Option<u64>,
    /// Seconds to wait, for `busy`.
    pub retry_after_s: Option<u32>,
}

/// What the person set on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Language of the window.
    pub language: Language,
    /// Colours.
    pub theme: Theme,
    /// Size of text in percent: 80 to 160.
    pub text_size: u32,
    /// Whether the member panel is shown.
    pub shows_members: bool,
    /// Collapsed groups of the tree, by id.
    pub collapsed: Vec<String>,
    /// Whether the program goes on when its window is closed, until it is started again or the system ends it.
    pub stays: bool,
    /// Whether the program starts without a window; it stays then.
    pub starts_closed: bool,
    /// The emoji that were used last, the newest first.
    pub recent_emoji: Vec<String>,
    /// The tone in which hands and people are offered.
    pub skin_tone: SkinTone,
}

impl Settings {
    /// Reads settings that an older program may have written: what is missing has its default.
    ///
    /// # Errors
    /// If the text is no JSON, or a value has the wrong shape.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        let mut all = serde_json::to_value(Self::default())?;
        let kept: serde_json::Map<_, _> = serde_json::from_str(text)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(kept);
        }
        serde_json::from_value(all)
    }
}

/// What is to be changed of the settings; what is none stays. Two windows, each of which knows only what it changed,
/// do not undo each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct SettingsPatch {
    /// Language of the window.
    #[specta(optional)]
    pub language: Option<Language>,
    /// Colours.
    #[specta(optional)]
    pub theme: Option<Theme>,
    /// Size of text in percent: 80 to 160.
    #[specta(optional)]
    pub text_size: Option<u32>,
    /// Whether the member panel is shown.
    #[specta(optional)]
    pub shows_members: Option<bool>,
    /// Whether the program goes on when its window is closed.
    #[specta(optional)]
    pub stays: Option<bool>,
    /// Whether the program starts without its window.
    #[specta(optional)]
    pub starts_closed: Option<bool>,
    /// An emoji that was used. What is none is not kept.
    #[specta(optional)]
    pub used_emoji: Option<String>,
    /// The tone in which hands and people are offered.
    #[specta(optional)]
    pub skin_tone: Option<SkinTone>,
    /// Groups of the tree to be collapsed, by id.
    #[specta(optional)]
    pub collapse: Option<Vec<String>>,
    /// Groups of the tree to be expanded, by id.
    #[specta(optional)]
    pub expand: Option<Vec<String>>,
}

impl SettingsPatch {
    /// Changes settings.
    pub fn apply(self, settings: &mut Settings) {
        let Self {
            language,
            theme,
            text_size,
            shows_members,
            stays,
            starts_closed,
            used_emoji,
            skin_tone,
            collapse,
            expand,
        } = self;
        settings.language = language.unwrap_or(settings.language);
        settings.theme = theme.unwrap_or(settings.theme);
        settings.text_size = text_size.unwrap_or(settings.text_size);
        settings.shows_members = shows_members.unwrap_or(settings.shows_members);
        settings.stays = stays.unwrap_or(settings.stays);
        settings.starts_closed = starts_closed.unwrap_or(settings.starts_closed);
        settings.skin_tone = skin_tone.unwrap_or(settings.skin_tone);
        if let Some(used) = used_emoji.and_then(|used| text::reaction(&used).ok()) {
            settings.recent_emoji.retain(|other| other != used);
            settings.recent_emoji.insert(0, used.to_owned());
            settings.recent_emoji.truncate(RECENT_EMOJI);
        }
        let expand = expand.unwrap_or_default();
        settings.collapsed.retain(|id| !expand.contains(id));
        for id in collapse.unwrap_or_default() {
            if !settings.collapsed.contains(&id) {
                settings.collapsed.push(id);
            }
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::System,
            theme: Theme::System,
            text_size: 100,
            shows_members: true,
            collapsed: Vec::new(),
            stays: false,
            starts_closed: false,
            recent_emoji: Vec::new(),
            skin_tone: SkinTone::None,
        }
    }
}

/// So many emoji are remembered: two lines of the picker.
const RECENT_EMOJI: usize = 18;

/// Language of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub enum Language {
    /// As the system says.
    #[serde(rename = "system")]
    System,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// Colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system says.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The tone of skin of emoji that show hands and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SkinTone {
    /// As the pictures are without one.
    None,
    /// Light.
    Light,
    /// Medium light.
    MediumLight,
    /// Medium.
    Medium,
    /// Medium dark.
    MediumDark,
    /// Dark.
    Dark,
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

/// The server hosted on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostingView {
    /// The account that administrates it.
    pub account: Option<String>,
    /// Addresses that invite links carry, the best first; none while it does not run.
    pub addresses: Vec<HostAddress>,
    /// The folder with all its data.
    pub folder: String,
    /// Whether other computers may reach it.
    pub is_open: bool,
    /// An address of the person's own that leads here.
    pub own_address: Option<String>,
    /// Whether it is announced in the local network while other computers may reach it.
    pub is_announced: bool,
    /// The fingerprint of its key; none while it does not run.
    pub key: Option<String>,
    /// The port it listens at.
    pub port: u16,
    /// The port that it should have, when another program has that.
    pub taken_port: Option<u16>,
    /// Why it does not run.
    pub failure: Option<HostFailure>,
    /// Room on the disk of this computer.
    pub disk: DiskView,
    /// Bytes that are free there; none while it is not known.
    #[specta(type = Option<Number>)]
    pub free_bytes: Option<u64>,
    /// Why the last backup was not made, by code; none if it was.
    pub backup_failure: Option<String>,
}

/// An address of the server hosted on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostAddress {
    /// `wss://…`, or `ws://…` on this computer.
    pub address: String,
    /// From where it is reached.
    pub reach: HostReach,
}

/// From where an address is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum HostReach {
    /// From the internet, if no firewall and no router is in the way.
    Internet,
    /// From the same network.
    LocalNetwork,
    /// From this computer only.
    ThisComputer,
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
    /// The community the link invites to, when it does and is still valid.
    pub community: Option<String>,
    /// Its members.
    #[specta(type = Option<Number>)]
    pub members: Option<u64>,
    /// The link invites, but to nothing any more: withdrawn, used up, expired, or mistyped.
    pub is_invite_over: bool,
    /// Accounts on this server that this computer already has, by key.
    pub accounts: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_windows_that_change_different_settings_do_not_undo_each_other() {
        let mut settings = Settings::default();
        let one: SettingsPatch =
            serde_json::from_str(r#"{"theme": "dark", "collapse": ["a"]}"#).unwrap();
        let other: SettingsPatch =
            serde_json::from_str(r#"{"textSize": 120, "collapse": ["b"]}"#).unwrap();
        one.clone().apply(&mut settings);
        other.apply(&mut settings);
        one.apply(&mut settings);
        assert_eq!(settings.theme, Theme::Dark);
        assert_eq!(settings.text_size, 120);
        assert_eq!(settings.collapsed, ["a", "b"], "each once");
        let expand = SettingsPatch {
            expand: Some(vec!["a".into()]),
            ..SettingsPatch::default()
        };
        expand.apply(&mut settings);
        assert_eq!(settings.collapsed, ["b"]);
        assert!(settings.shows_members, "what nobody changed stays");
    }

    #[test]
    fn the_emoji_used_last_stand_first_and_no_more_than_two_lines_of_them() {
        let mut settings = Settings::default();
        let mut used = |emoji: &str| {
            let patch = serde_json::json!({"usedEmoji": emoji});
            serde_json::from_value::<SettingsPatch>(patch)
                .unwrap()
                .apply(&mut settings);
            settings.recent_emoji.clone()
        };
        used("👍");
        assert_eq!(
            used("\u{2764}"),
            ["\u{2764}\u{FE0F}", "👍"],
            "as it is a key"
        );
        assert_eq!(used("👍"), ["👍", "\u{2764}\u{FE0F}"], "each once");
        assert_eq!(used("no emoji").len(), 2);
        for place in 0..20 {
            used(&char::from_u32(0x1F600 + place).unwrap().to_string());
        }
        assert_eq!(settings.recent_emoji.len(), RECENT_EMOJI);
        let kept = serde_json::to_string(&settings).unwrap();
        assert_eq!(Settings::read(&kept).unwrap(), settings, "over a restart");
        assert_eq!(Settings::read("{}").unwrap().skin_tone, SkinTone::None);
    }
}
