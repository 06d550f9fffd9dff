//! Views: what the window shows, shaped so that it can render without knowing a rule.
//!
//! A view is computed from the store with the outbox laid over it, so what a person did is visible before the
//! network has heard of it. The window is told *what is stale* ([`Change`]) and reads the view again.
//! Ids are strings here, times are milliseconds since 1970 (UTC), counts are numbers.

mod access;
mod account;
mod app;
mod backup;
mod change;
mod hosting;
mod level;
mod member;
mod person;
mod rejection;
mod server;
mod settings;
mod stranded;
mod text;
mod timeline;
mod tree;

pub use access::*;
pub use account::*;
pub use app::*;
pub use backup::*;
pub use change::*;
pub use hosting::*;
pub use level::*;
pub use member::*;
pub use person::*;
pub use rejection::*;
pub use server::*;
pub use settings::*;
pub use stranded::*;
pub use text::*;
pub use timeline::*;
pub use tree::*;
