//! What Tulou's clients and servers say to each other. Plain data: no clock, no network, no storage.
//!
//! The conversation is JSON-RPC 2.0 over a WebSocket (subprotocol [`SUBPROTOCOL`]). A client sends requests, the
//! server answers each, and sends notifications on its own. `docs/protocol.md` tells it to those who
//! write another client; this documentation is the specification.
//!
//! * [`id`]: ids, `Seq`, `Rev`, and the names of logs
//! * [`row`]: the rows of the three kinds of log
//! * [`authors`]: what is said of those who wrote them
//! * [`command`]: what a client asks to be changed
//! * [`question`]: what a client asks to be told
//! * [`push`]: what the server sends on its own, and the answers that carry rows
//! * [`frame`]: JSON-RPC 2.0
//! * [`permission`]: rights, and the explanation of a right
//! * [`rejection`]: the server's typed no
//! * [`markup`]: the dialect that messages are written in, as a tree
//! * [`mention`]: mentions as they are written
//! * [`text`]: what a message text and a name may be
//! * [`fingerprint`]: what a server's own key is known by
//! * [`invite`]: the link that leads to a server and a community
//! * [`http`]: bodies of the requests that are not part of a conversation
//! * [`recovery`]: codes that set a new password
//! * [`limits`]: the constants
//! * [`openrpc`]: the machine-readable description of the conversation, generated
//! * [`openapi`]: that of the HTTP doors

pub mod authors;
pub mod command;
pub mod fingerprint;
pub mod frame;
pub mod http;
pub mod id;
pub mod invite;
pub mod limits;
pub mod markup;
pub mod mention;
pub mod nearby;
pub mod openapi;
pub mod openrpc;
pub mod permission;
pub mod push;
pub mod question;
pub mod recovery;
pub mod rejection;
pub mod row;
#[cfg(test)]
mod tables;
pub mod text;

pub use command::{Command, Commanded};
pub use fingerprint::Fingerprint;
pub use frame::{ClientFrame, ServerFrame};
pub use id::*;
pub use permission::{Access, Permissions, Standing};
pub use push::{Answer, Digest, Greeting, Heartbeat, Push, Stale};
pub use question::Question;
pub use rejection::{Code, Counted, Rejection};
pub use row::{Body, Row};

/// The version of the protocol that this crate speaks. A server refuses clients it does not speak to with `outdated`.
pub const VERSION: u32 = 2;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "tulou.v1";
