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
//! * [`accounts`]: registering, signing in and out
//! * [`hub`]: which sessions watch what; fans out what was committed
//! * [`gateway`]: HTTP and the WebSocket's door
//! * [`config`]: what an operator may set
//! * [`hosted`]: a server that runs inside a program

pub mod accounts;
pub mod app;
pub mod config;
pub mod domain;
mod error;
pub mod gateway;
pub mod hosted;
pub mod hub;
mod rate;
mod session;
pub mod store;
mod wire;

pub use app::App;
pub use config::Config;
pub use error::Error;
pub use gateway::serve;
pub use hosted::Hosted;
