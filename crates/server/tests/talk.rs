//! The server from outside: real sockets, a real file.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "talk/bad_input.rs"]
mod bad_input;
#[path = "talk/cursors.rs"]
mod cursors;
#[path = "talk/doors.rs"]
mod doors;
#[path = "talk/foreign.rs"]
mod foreign;
#[path = "talk/link.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod link;
#[path = "talk/listing.rs"]
mod listing;
#[path = "talk/logs.rs"]
mod logs;
#[path = "talk/messages.rs"]
mod messages;
#[path = "talk/rights.rs"]
mod rights;
#[path = "talk/slow.rs"]
mod slow;
#[path = "talk/transfer.rs"]
mod transfer;
