//! What the engine says to what it hears, script by script.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails where it expects something else"
)]

#[path = "scripts/answered.rs"]
mod answered;
#[path = "scripts/awaiting.rs"]
mod awaiting;
#[path = "scripts/communities.rs"]
mod communities;
#[path = "scripts/cut.rs"]
mod cut;
#[path = "scripts/heads.rs"]
mod heads;
#[path = "scripts/heads_in_pages.rs"]
mod heads_in_pages;
#[path = "scripts/heads_rounds.rs"]
mod heads_rounds;
#[path = "scripts/held.rs"]
mod held;
#[path = "scripts/link.rs"]
mod link;
#[path = "scripts/logs.rs"]
mod logs;
#[path = "scripts/outbox.rs"]
mod outbox;
#[path = "scripts/profiles.rs"]
mod profiles;
#[path = "scripts/progress.rs"]
mod progress;
#[path = "scripts/read.rs"]
mod read;
#[path = "scripts/resets.rs"]
mod resets;
#[path = "scripts/rows.rs"]
mod rows;
#[path = "scripts/sight.rs"]
mod sight;
#[path = "scripts/stage.rs"]
mod stage;
#[path = "scripts/topics.rs"]
mod topics;
#[path = "scripts/waiting.rs"]
mod waiting;
#[path = "scripts/years.rs"]
mod years;
