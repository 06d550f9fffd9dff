//! What a client is told of the server beside rows: where it is found, and how it is.

use tokio::sync::watch;
use tulou_protocol::push::{Addresses, Clock, Condition, Pushed};

use crate::{App, room::Room};

/// What there is to tell, and what was told.
pub struct News {
    addresses: watch::Receiver<Vec<String>>,
    has_moved: bool,
    room: watch::Receiver<Room>,
    clock: watch::Receiver<Clock>,
    /// The client takes all to be well unless it is told.
    told: Condition,
}

impl News {
    /// Of a client that is going to be greeted with what is so by then.
    pub fn of(app: &App) -> Self {
        Self {
            addresses: app.watch_addresses(),
            has_moved: false,
            room: app.watch_room(),
            clock: app.watch_clock(),
            told: Condition::default(),
        }
    }

    /// What was not told yet.
    pub fn take(&mut self) -> impl Iterator<Item = Pushed> + use<> {
        let addresses = std::mem::take(&mut self.has_moved).then(|| {
            let addresses = self.addresses.borrow_and_update().clone();
            Pushed::Addresses(Addresses { addresses })
        });
        let condition = Condition {
            disk: self.room.borrow_and_update().disk,
            clock: *self.clock.borrow_and_update(),
        };
        let is_other = std::mem::replace(&mut self.told, condition) != condition;
        let condition = is_other.then_some(Pushed::Condition(condition));
        addresses.into_iter().chain(condition)
    }

    /// Until there may be something to tell.
    pub async fn changed(&mut self) {
        tokio::select! {
            Ok(()) = self.addresses.changed() => self.has_moved = true,
            Ok(()) = self.room.changed() => {}
            Ok(()) = self.clock.changed() => {}
            // The server ends.
            else => std::future::pending().await,
        }
    }
}
