//! How a Tulou client keeps up: a pure state machine. No socket, no SQL, no clock, no randomness of its own.
//!
//! The driver feeds [`Input`]s with the time and performs the [`Output`]s in order. Whatever happens (sleep, reconnect,
//! server restart, a lost push, a slow reader) is "cursor < head → sync". If an output cannot be performed the engine is
//! dropped and made anew from the store: crash and error are one path.
//!
//! * [`io`]: what goes in and what comes out
//! * `engine`: the state, and the way of an input through it
//! * `link`: the socket: opening, greeting, back-off, silence
//! * `rewind`: what happens after the greeting, and when the server was restored
//! * `sync`: account and community logs: cursors, pages, resets; `ahead`: what came beyond a gap
//! * `community`: communities, their topics and heads
//! * `push`: what the server says on its own, and answers
//! * `topics`: watching; `history`: changes, tails, pages; `idle`: looking through what is held; `island`: its algebra
//! * `outbox`: commands on their way; which needs what another makes stands in [`tulou_protocol::command`]
//! * `profiles`: profiles of authors

mod ahead;
mod clock;
mod community;
mod engine;
mod history;
mod idle;
pub mod io;
mod island;
mod link;
mod live;
mod outbox;
mod profiles;
mod push;
mod questions;
mod rewind;
mod sync;
mod topics;
mod turn;

pub use engine::Engine;
pub use io::*;
