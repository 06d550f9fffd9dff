//! What the server is asked, and the driver told.

use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tulou_engine::{Input, Untold};
use tulou_protocol::{
    Code, Command, Question,
    frame::{INVALID_PARAMS, Refusal},
};

use super::{Account, Told, Wish};
use crate::{
    error::Error,
    view::{Connection, DiskView},
};

impl Account {
    /// Asks the server.
    pub async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, Error> {
        let (asker, answer) = oneshot::channel();
        let writes = matches!(question, Question::InviteCreate { .. });
        self.wish(Wish::Ask(question, asker)).await?;
        let answer = self.told(answer.await);
        let value = if writes { self.or_full(answer) } else { answer }?;
        T::deserialize(value)
            .map_err(|_| Error::from(Untold::Refused(Refusal::Misunderstood(INVALID_PARAMS))))
    }

    /// Has a command carried out at once.
    pub async fn live(&self, command: Command) -> Result<(), Error> {
        let (asker, answer) = oneshot::channel();
        self.wish(Wish::Live(command, asker)).await?;
        self.carried_out(answer).await
    }

    /// Waits until a live command was carried out.
    pub async fn carried_out(&self, answer: oneshot::Receiver<Told>) -> Result<(), Error> {
        self.or_full(self.told(answer.await)).map(|_| ())
    }

    /// A server without room asks everybody to wait who would write; whoever waits for the answer is told what for.
    fn or_full<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        match answer {
            Err(Error::Busy { .. }) if self.disk() == DiskView::Full => {
                Err(Code::ServerFull.into())
            }
            other => other,
        }
    }

    fn told(
        &self,
        answer: Result<Told, oneshot::error::RecvError>,
    ) -> Result<serde_json::Value, Error> {
        match answer {
            Ok(Err(Untold::Offline)) => Err(self.offline()),
            Ok(told) => Ok(told?),
            Err(_) => Err(Error::Stopped),
        }
    }

    /// Why there is no link: what the person can do about it depends on it.
    pub fn offline(&self) -> Error {
        match *self.connection.borrow() {
            Connection::OtherVersion {
                is_server_newer, ..
            } => Error::OtherVersion { is_server_newer },
            Connection::OtherKey { .. } => Error::OtherKey,
            Connection::SignedOut => Code::SignedOut.into(),
            Connection::Offline { .. }
            | Connection::Connecting
            | Connection::Syncing
            | Connection::Synced => Error::Offline,
        }
    }

    /// Tells the engine something.
    pub async fn tell(&self, input: Input) {
        // A driver that is gone has stopped with the client.
        let _ = self.wishes.send(Wish::Input(input)).await;
    }

    /// The person does not want to wait: the store is opened if it is shut, and the server connected to.
    pub async fn hurry(&self) {
        // A driver that is gone has stopped with the client.
        let _ = self.wishes.send(Wish::Hurry).await;
    }

    /// Asks the driver for something.
    pub async fn wish(&self, wish: Wish) -> Result<(), Error> {
        self.wishes.send(wish).await.map_err(|_| Error::Stopped)
    }
}
