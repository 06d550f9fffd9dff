//! The engine's outputs, performed one after the other.

use std::{collections::VecDeque, sync::Arc};

use tulou_engine::{Input, LinkState, Output, Write};
use tulou_protocol::{frame::Request, push::Condition};

use super::{Driver, FIRST, clock::Clock};
use crate::{
    as_of::now, blocking::blocking, error::Error, link::Link, store::outbox, unusable::Unusable,
    view::Connection,
};

impl Driver {
    /// Performs one output; what follows from it comes after the inputs that wait.
    pub(super) async fn perform(
        &mut self,
        output: Output,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), Error> {
        match output {
            Output::Connect => {
                self.age(inputs).await?;
                self.was_up = false;
                self.link = Some(Link::open(self.account.route().await, self.pulse));
            }
            Output::Disconnect => {
                self.link = None;
                // An attempt that nobody answered.
                if !self.was_up {
                    self.seek().await;
                }
                inputs.push_back(Input::LinkDown);
            }
            Output::Send(frame) => {
                self.sent
                    .extend(frame.0.iter().filter_map(|request| match request {
                        Request::Command(commanded) => Some(commanded.id),
                        Request::Question(..) => None,
                    }));
                if self.link.as_ref().is_some_and(|link| !link.send(&frame)) {
                    self.link = None;
                    inputs.push_back(Input::LinkDown);
                }
            }
            Output::Apply(batch) => self.apply(batch, inputs).await?,
            Output::Told(ticket, told) => {
                if let Some(asker) = self.askers.remove(&ticket) {
                    // Who asked may have gone meanwhile.
                    let _ = asker.send(told);
                }
            }
            Output::Link(state) => self.tell_link(state),
            Output::Notify { topic, seq, .. } => {
                tracing::debug!(topic.id = %topic, %seq, "a message may be worth a notification");
            }
        }
        Ok(())
    }

    /// What became too old to be sent unasked waits for the person. The clock of this computer, which dated it, decides that.
    async fn age(&self, inputs: &mut VecDeque<Input>) -> Result<(), Error> {
        let account = Arc::clone(&self.account);
        let confirmed = self.confirmed.clone();
        let aged = blocking(move || {
            let has_old = account.store.read(|db| outbox::has_old(db, now()))?;
            if !has_old {
                return Ok(Vec::new());
            }
            let aged = account
                .store
                .write(|db| outbox::mark_stale(db, now(), &confirmed))?;
            if !aged.is_empty() {
                account.note_all();
            }
            Ok::<_, Error>(aged)
        })
        .await?;
        inputs.extend(aged.into_iter().map(Input::Aged));
        Ok(())
    }

    /// Applies a batch in one transaction, and says what it made stale.
    async fn apply(
        &mut self,
        batch: Vec<Write>,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), Error> {
        for change in &batch {
            if let Write::Done(id) | Write::Rejected(id, _) = change {
                self.sent.remove(id);
                self.confirmed.remove(id);
            }
        }
        let account = Arc::clone(&self.account);
        let mut named = None;
        for change in &batch {
            if let Write::Greeted(greeting) = change {
                account.set_server_time(greeting.now);
                named = Some(greeting.addresses.clone());
            }
        }
        let touched = blocking(move || {
            let touched = account.store.apply(&batch, now())?;
            account.note(&touched)?;
            Ok::<_, Error>(touched)
        })
        .await?;
        self.patience = FIRST;
        if let Some(named) = named {
            self.hear_addresses(named).await;
        }
        inputs.extend(touched.dropped.into_iter().map(Input::Discard));
        inputs.extend(touched.follow_ups.into_iter().map(Input::Submit));
        Ok(())
    }

    /// That somebody else answers, or that the server cannot be used, is told until another attempt has ended.
    pub(super) fn tell_link(&self, state: LinkState) {
        let connection = match (self.met_other_key, connection(state, &self.clock)) {
            (true, Connection::Offline { retry_at, .. }) => Connection::OtherKey { retry_at },
            (true, Connection::Connecting) => return,
            (false, Connection::Connecting) if self.unusable.is_some() => return,
            (false, Connection::Offline { retry_at, .. }) => Connection::Offline {
                retry_at,
                cause: self.unusable.as_ref().map(Unusable::cause),
            },
            (_, connection) => connection,
        };
        let is_synced = connection == Connection::Synced;
        self.account.set_connection(connection);
        if is_synced {
            // A server says how it is before it answers anything, and nothing if all is well. Until then what it said last
            // stands: a link that was cut is no news of the disk.
            if !self.was_told {
                self.account.set_condition(Condition::default());
            }
            self.look_for_lost();
        }
    }
}

/// What people are told of the link, by the time that their clock shows.
fn connection(state: LinkState, clock: &Clock) -> Connection {
    match state {
        LinkState::Offline { retry_at } => Connection::Offline {
            retry_at: clock.by_wall(retry_at),
            cause: None,
        },
        LinkState::Connecting => Connection::Connecting,
        LinkState::Syncing => Connection::Syncing,
        LinkState::Synced => Connection::Synced,
        LinkState::OtherVersion {
            is_server_newer,
            retry_at,
        } => Connection::OtherVersion {
            is_server_newer,
            retry_at: clock.by_wall(retry_at),
        },
        LinkState::SignedOut(_) => Connection::SignedOut,
    }
}
