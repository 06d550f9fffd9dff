//! What a server cannot do: it has no room, or lost something.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;
use tulou_protocol::push::{Clock, Disk};

/// Room on a server's disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DiskView {
    /// All is well.
    #[default]
    Plenty,
    /// It runs short: the administrator should make room.
    Low,
    /// Nothing is written there until there is room: what I do waits in the outbox.
    Full,
}

impl From<Disk> for DiskView {
    fn from(disk: Disk) -> Self {
        match disk {
            Disk::Plenty | Disk::Unknown => Self::Plenty,
            Disk::Low => Self::Low,
            Disk::Full => Self::Full,
        }
    }
}

/// What a server knows of its computer's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ClockView {
    /// Nothing speaks against it.
    #[default]
    Right,
    /// It may be ahead: it was not believed before, or nothing was written for long.
    Doubted,
    /// It was set while the server ran, or is wrong.
    Leapt,
    /// It is behind what is stored, so one of the two is wrong.
    Behind,
}

impl From<Clock> for ClockView {
    fn from(clock: Clock) -> Self {
        match clock {
            Clock::Right | Clock::Unknown => Self::Right,
            Clock::Doubted => Self::Doubted,
            Clock::Leapt => Self::Leapt,
            Clock::Behind => Self::Behind,
        }
    }
}

/// Messages of mine in a topic that the server does not have any more, since it was restored from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LostView {
    /// The topic.
    pub topic: String,
    /// Its community; none if the topic is not there any more either, or not for me.
    pub community: Option<String>,
    /// The topic's name.
    pub name: String,
    /// How many messages.
    pub count: u32,
}

/// A message of mine that the server does not have any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LostMessage {
    /// The message.
    pub id: String,
    /// What was written.
    pub text: String,
    /// When.
    #[specta(type = Number)]
    pub written_at: i64,
}
