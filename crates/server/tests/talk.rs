//! The server from outside: real sockets, a real file.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "talk/bad_input.rs"]
mod bad_input;
#[path = "talk/cursors.rs"]
mod cursors;
#[path = "talk/doors.rs"]
mod doors;
#[path = "talk/link.rs"]
mod link;
#[path = "talk/messages.rs"]
mod messages;
#[path = "talk/rights.rs"]
mod rights;
