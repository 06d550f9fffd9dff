//! How a Tulou client keeps up: a pure state machine. No socket, no SQL, no clock, no randomness of its own.
//!
//! The driver feeds [`Input`]s with the time and performs the [`Output`]s in order. Whatever happens (sleep, reconnect,
//! server restart, a lost push, a slow reader) is "cursor < head → sync". If an output cannot be performed the engine is
//! dropped and made anew from the store: crash and error are one path.

pub mod io;

pub use io::*;
