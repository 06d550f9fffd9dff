//! What the engine says to what it hears, script by script.

#[path = "scripts/link.rs"]
mod link;
#[path = "scripts/logs.rs"]
mod logs;
#[path = "scripts/outbox.rs"]
mod outbox;
#[path = "scripts/stage.rs"]
mod stage;
#[path = "scripts/topics.rs"]
mod topics;
