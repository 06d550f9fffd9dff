//! What a server says of itself in the local network, so that whoever knows it finds it at an address that nobody could
//! tell him of (DESIGN §7: a server is its id, and may move).
//!
//! It is announced by multicast DNS (DNS-SD, RFC 6763) as an instance of [`SERVICE`] that is named by the server's UUID, with
//! the port it listens at and two properties. Nothing else is said: no name of the server, of a community or of the
//! computer. What is announced is hearsay: whoever goes there still looks for the key that he knows.

use crate::Fingerprint;

/// The kind of service that servers announce themselves as.
pub const SERVICE: &str = "_tulou._tcp.local.";
/// The property that holds the server's id.
pub const ID: &str = "id";
/// The property that holds the beginning of its key's fingerprint, see [`short`].
pub const KEY: &str = "key";

/// Characters of a fingerprint that are announced: enough to leave out those who are not meant, too few to be trusted.
const SHORT: usize = 8;

/// The beginning of a fingerprint, as it is announced.
#[must_use]
pub fn short(key: Fingerprint) -> String {
    key.to_string().chars().take(SHORT).collect()
}
