//! How a Tulou client keeps up: a pure state machine. No socket, no SQL, no clock, no randomness of its own.
//!
//! The driver feeds [`Input`]s with the time and performs the [`Output`]s in order. Whatever happens (sleep, reconnect,
//! server restart, a lost push, a slow reader) is "cursor < head → sync". If an output cannot be performed the engine is
//! dropped and made anew from the store: crash and error are one path.
//!
//! * [`io`]: what goes in and what comes out
//! * `engine`: who has to do with an input, and in which order
//! * `turn`: what an input comes to
//! * `link`: the socket: opening, greeting, back-off, silence
//! * `questions`, `live`: what is asked and not answered
//! * `logs`: the account and its communities: cursors, resets, heads
//! * `topics`: what is watched, pushed, synced and held of topics
//! * `ahead`: what came beyond a gap, of either
//! * `outbox`: commands on their way; which needs what another makes stands in [`tulou_protocol::command`]
//! * `profiles`: profiles of authors; `notices`: what the person may want to hear of; `idle`: when nothing is on its way
//!
//! Each part owns its state. They know each other in this direction only: `engine` → `outbox`, `logs` → `topics` →
//! `questions`, `turn` → `io`.

mod ahead;
mod engine;
mod idle;
pub mod io;
mod link;
mod live;
mod logs;
mod notices;
mod outbox;
mod profiles;
mod questions;
mod topics;
mod turn;

pub use engine::Engine;
pub use io::*;
