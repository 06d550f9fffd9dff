//! Tulou's server, as a library that the app embeds and as the `tulou-server` program.
//!
//! ```text
//! gateway  →  session  →  App::execute  →  domain::decide (pure)
//!                              →  Store::commit  →  publisher  →  hub  →  sessions
//! ```
//!
//! * [`domain`]: what may happen; pure
//! * [`store`]: the only module with SQL
//! * [`app`]: gathers what a decision needs, commits it, answers questions
//! * [`actor`]: who acts, apart from how he is connected
//! * [`communities`]: communities in memory
//! * [`clock`]: the server's time
//! * `start`: all of it put together
//! * `presence`: who is connected
//! * `seeing`: who was connected, until it is written down
//! * `revocation`: the end of sessions that were revoked
//! * `rate`: how fast what may be done
//! * [`accounts`]: registering, signing in and out
//! * [`hub`]: which sessions watch what; fans out what was committed
//! * [`doors`]: where connections come in, with TLS from other computers
//! * [`gateway`]: HTTP and the WebSocket's door
//! * [`certificate`]: the key and certificate that the doors show
//! * [`reach`]: the addresses that lead here
//! * `announce`: the server made known in the local network
//! * [`config`]: what an operator may set
//! * [`hosted`]: a server that runs inside a program
//! * `place`: the folder of a server, opened
//! * [`backup`]: everything that makes a server in one file, and back
//! * [`room`]: what happens when the disk fills up

pub mod accounts;
pub mod actor;
mod announce;
pub mod app;
pub mod backup;
pub mod certificate;
pub mod clock;
pub mod communities;
pub mod config;
mod crowd;
pub mod domain;
pub mod doors;
mod error;
pub mod gateway;
pub mod hosted;
pub mod hub;
mod place;
mod presence;
mod rate;
pub mod reach;
mod revocation;
pub mod room;
mod seeing;
mod session;
mod sockets;
mod start;
pub mod store;
mod task;

pub use app::App;
pub use config::Config;
pub use error::Error;
pub use gateway::serve;
pub use hosted::Hosted;
