//! How a Tulou client keeps up: a pure state machine. No socket, no SQL, no clock, no randomness of its own.
//!
//! The driver feeds [`Input`]s with the time and performs the [`Output`]s in order. Whatever happens (sleep, reconnect,
//! server restart, a lost push, a slow reader) is "cursor < head → sync". If an output cannot be performed the engine is
//! dropped and made anew from the store: crash and error are one path.
//!
//! * [`io`]: what goes in and what comes out
//! * `engine`: the state, and the way of an input through it
//! * `link`: the socket: opening, greeting, back-off, silence
//! * `sync`: account and community logs: cursors, pages, resets
//! * `push`: what the server says on its own
//! * `topics`: watching, pages, idle revalidation; `island`: the algebra of what is held
//! * `outbox`: commands on their way; `depends`: which needs what another makes
//! * `profiles`: profiles of authors

mod ahead;
mod depends;
mod engine;
pub mod io;
mod island;
mod link;
mod outbox;
mod profiles;
mod push;
mod rewind;
mod sync;
mod topics;

pub use engine::Engine;
pub use io::*;
