//! A Tulou client on a machine: what a window, a bot, a test or a load generator uses. No Tauri.
//!
//! [`Client`] holds the accounts of one folder. Each account has a store (one SQLite file) and a driver: the task that
//! owns the engine and the socket, and is the only one that writes rows. Whoever shows something hears from
//! [`Client::changes`] which view is stale and reads it again; views are computed from one snapshot of the store, the
//! outbox laid over the rows.
//!
//! * [`client`]: the accounts of a folder, and everything that can be done and read with them
//! * [`action`]: what a person can do, in the window's terms
//! * [`view`]: what a window shows
//! * [`error`]: why something failed, with a stable code
//! * [`secrets`]: where tokens are kept
//! * `account`: one account at work: its store, what is kept of it, a snapshot of both
//! * `as_of`: who looks or acts, and when
//! * `blocking`: work that may block, off the async threads
//! * `changes`: notes that a view is stale, coalesced
//! * `compose`: actions become commands
//! * `driver`, `link`: the engine's outputs performed; the socket
//! * `http`: what is not a conversation: looking at a server, registering, signing in
//! * `files`: the settings and the list of accounts, as files
//! * `known`: what this computer knows of an account
//! * `lookalike`: names that look alike
//! * `markdown`: message text as a typed tree
//! * `nearby`: servers that announce themselves in the local network
//! * `position`: places among siblings
//! * `read`: views from a snapshot of the store
//! * `route`, `tls`: the way to a server, and by what it is trusted
//! * `shape`: a community's structure with the outbox laid over it
//! * `store`: the history on disk; the only module with SQL
//! * `unread`: levels and numbers

mod account;
pub mod action;
mod as_of;
mod blocking;
mod changes;
pub mod client;
mod compose;
mod device;
mod driver;
pub mod error;
mod files;
mod http;
mod known;
mod link;
mod lookalike;
pub mod markdown;
mod nearby;
pub mod position;
mod read;
mod route;
pub mod secrets;
mod shape;
pub mod store;
mod tls;
mod unread;
mod unusable;
pub mod view;

pub use changes::Changes;
pub use client::{Client, Viewer};
pub use error::Error;
pub use files::{settings_of, theme_of};
pub use secrets::{InMemory, Keyring, Secrets};
