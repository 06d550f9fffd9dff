//! Limits, checked on both sides. Those that an operator may change are named in the greeting ([`Limits`]); a refusal
//! says which limit was passed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Topics of a community.
pub const TOPICS: usize = 5_000;
/// Communities of an account.
pub const COMMUNITIES: usize = 500;
/// Levels of notifications that an account has set.
pub const LEVELS: usize = 10_000;
/// Groups of a community.
pub const GROUPS: usize = 500;
/// Member groups of a community.
pub const MEMBER_GROUPS: usize = 250;
/// Access rows of a community.
pub const ACCESS_ROWS: usize = 20_000;
/// Bytes of a message text (UTF-8, NFC).
pub const TEXT_BYTES: usize = 16_384;
/// Persons and member groups mentioned in a message; everyone counts as one.
pub const MENTIONS: usize = 50;
/// Kinds of reactions to a message.
pub const REACTION_KINDS: usize = 20;
/// Pins of a topic.
pub const PINS: usize = 250;
/// Characters of the name of anything, as a person counts them (grapheme clusters).
pub const NAME_CHARACTERS: usize = 60;
/// Bytes of the name of anything.
pub const NAME_BYTES: usize = 240;
/// Characters of an introduction, as a person counts them (grapheme clusters).
pub const INTRODUCTION_CHARACTERS: usize = 1_000;
/// Bytes of an introduction.
pub const INTRODUCTION_BYTES: usize = 4_000;
/// Bytes of a password: at least and at most.
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=1_000;
/// Recovery codes that an account gets at once.
pub const RECOVERY_CODES: usize = 10;
/// Days in which a code that the administrator made sets a new password.
pub const RESET_DAYS: i64 = 7;
/// Days after which a session that was not connected ends by itself.
pub const SESSION_DAYS: i64 = 180;
/// Bytes of the name that an account signs in with: at least and at most.
pub const ACCOUNT_NAME_BYTES: std::ops::RangeInclusive<usize> = 2..=32;
/// Bytes of a position among siblings (a fractional key).
pub const POSITION_BYTES: usize = 200;
/// Milliseconds after `sent_at` in which a message may be recalled by its author, unless the community says otherwise.
pub const RECALL_WINDOW_MS: i64 = 2 * 60 * 1_000;
/// Days that a stored answer is kept: a repeat of the command within them gets it again, that of a message as the message is by then.
pub const ANSWER_DAYS: i64 = 30;
/// Days after which a `Mention` or `Mark` row becomes a tombstone.
pub const FADE_DAYS: i64 = 90;
/// `Mention` rows of an account, and as many `Mark` rows: the oldest beyond become tombstones.
pub const FADE_ROWS: usize = 1_000;
/// Days that tombstones of an account's log are kept. Who asks from before them is told everything.
pub const TOMBSTONE_DAYS: i64 = 30;
/// Commands in a frame that drains an outbox.
pub const COMMANDS_PER_FRAME: usize = 32;
/// Requests in a frame.
pub const REQUESTS_PER_FRAME: usize = 64;
/// Requests of a session that are worked on at the same time; the others wait.
pub const REQUESTS_IN_FLIGHT: usize = 8;
/// Seconds after which a link on which no session was opened is closed.
pub const OPEN_S: u64 = 15;
/// Sockets of an account that are open at the same time.
pub const SOCKETS: usize = 100;
/// All sessions of an account together may ask for as much as so many of them.
pub const BUSY_SESSIONS: usize = 8;
/// Sessions of an account: signing in beyond them ends the one that was connected longest ago.
pub const SESSIONS: usize = 200;
/// Topics that a session may watch.
pub const WATCHES: usize = 32;
/// Messages in a page of history.
pub const PAGE: usize = 200;
/// Logs in a question what changed.
pub const SYNC_LOGS: usize = 64;
/// Ranges of a topic in such a question.
pub const SYNC_RANGES: usize = 64;
/// Rows in a page of a sync answer, at most.
pub const SYNC_ROWS: usize = 1_000;
/// Bytes of rows in an answer, about: what is beyond is asked for with the next question. At least one row is in it.
pub const ANSWER_BYTES: usize = 256 * 1_024;
/// Messages in a question whether the server has them.
pub const HELD_MESSAGES: usize = 500;
/// Accounts in a question for profiles.
pub const PROFILES: usize = 200;
/// Members in an answer.
pub const MEMBERS_PAGE: usize = 200;
/// Members up to which a community's default level is `all`.
pub const SMALL_COMMUNITY: u64 = 200;
/// Seconds between heartbeats.
pub const HEARTBEAT_S: u64 = 30;
/// Heartbeats after which a client that was not heard of is taken to be gone.
pub const SILENT_BEATS: u32 = 3;
/// Milliseconds in which a gap between pushes may close by itself before the client syncs.
pub const GAP_MS: i64 = 500;
/// Milliseconds that a sender's claim of when a message was written has to be off the server's time to be kept.
pub const CLOCK_MS: i64 = 5 * 60 * 1_000;
/// Milliseconds between two sends of a cursor of one topic.
pub const CURSOR_MS: i64 = 5_000;
/// Cursors in a request.
pub const CURSORS_PER_FRAME: usize = 64;
/// Live invite links of a community.
pub const INVITES: usize = 1_000;
/// Members who came by an invite link that its list names.
pub const INVITE_CAME: usize = 10;

/// Limits that an operator may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Bytes of a frame from a client.
    pub frame_bytes: usize,
    /// Requests a second and session.
    pub requests_per_s: u32,
    /// Requests at once, on top of the rate.
    pub requests_burst: u32,
    /// Messages in 10 s by a sender in a topic.
    pub messages_per_10s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 64 * 1_024,
            requests_per_s: 30,
            requests_burst: 60,
            messages_per_10s: 10,
        }
    }
}
