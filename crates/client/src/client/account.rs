//! One account at work: its store, what its views need to remember, and the way to its driver.

mod notes;
mod route;
mod snapshot;
mod tally;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection as Db;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot, watch};
use tulou_engine::{Input, Untold};
use tulou_protocol::{
    AccountId, Body, Code, Command, CommandId, CommunityId, Log, Question, Seq, ServerId, TopicId,
    frame::Refusal, id::Millis, push::Disk,
};

use self::tally::Tally;
pub use self::{snapshot::Snapshot, tally::Numbered};
use super::meeting::Met;
use crate::{
    as_of::AsOf,
    changes::Board,
    driver::{Told, Wish, now},
    error::Error,
    files::Known,
    nearby::Nearby,
    read::Entered,
    shape::Shape,
    store::{Store, StoreError, Touched, Troubled, outbox, rows},
    unusable::Unusable,
    view::{Change, Connection, DiskView},
};

/// The last time that a server is believed to have: the end of the year 9999.
const LATEST: i64 = 253_402_300_799_999;

/// One account at work.
pub struct Account {
    /// `<server id>.<account id>`.
    pub key: String,
    /// Its server.
    pub server: ServerId,
    /// Its id there.
    pub id: AccountId,
    /// The name signed in with.
    pub name: String,
    /// Its history.
    pub store: Arc<Store>,
    /// The way to its driver.
    pub wishes: mpsc::Sender<Wish>,
    /// The state of its link.
    pub connection: watch::Sender<Connection>,
    /// Where its server is looked for when it is not where it was.
    pub nearby: Arc<Nearby>,
    board: Board,
    state: Mutex<State>,
}

/// What had happened before a snapshot began.
#[derive(Debug, Clone, Copy)]
struct Began {
    /// How often shapes had been dropped.
    dropped: u64,
    /// How many numbers had moved.
    noted: u64,
}

struct State {
    known: Known,
    /// The address in use.
    address: String,
    /// Where somebody in the local network says that the server is, the newest first.
    sighted: Vec<String>,
    shapes: HashMap<CommunityId, Arc<Shape>>,
    /// Counts the times that shapes were dropped: one that was read before is not kept after.
    dropped: u64,
    /// The numbers of each community.
    tallies: HashMap<CommunityId, Tally>,
    /// Topics whose numbers moved since they were counted, each with the note that said so.
    moved: HashMap<CommunityId, HashMap<TopicId, u64>>,
    /// Counts those notes.
    noted: u64,
    entered: HashMap<TopicId, Entered>,
    /// The server's clock less this computer's.
    skew: i64,
    /// Commands that the server asked to send later, and when.
    busy: HashMap<CommandId, Millis>,
    /// Members whom this run has asked for.
    met: Met,
    /// Room on the server's disk.
    disk: DiskView,
    /// Why whoever answers where the server should be cannot be used as the server.
    unusable: Option<Unusable>,
    /// The token in use; the keyring keeps it from one start to the next.
    token: Option<String>,
}

impl State {
    /// What has happened until now.
    const fn began(&self) -> Began {
        Began {
            dropped: self.dropped,
            noted: self.noted,
        }
    }
}

impl Account {
    /// An account whose driver listens at the other end of `wishes`.
    pub fn new(
        known: Known,
        store: Arc<Store>,
        wishes: mpsc::Sender<Wish>,
        board: Board,
        nearby: Arc<Nearby>,
    ) -> Self {
        Self {
            key: known.key(),
            server: known.server,
            id: known.account,
            name: known.name.clone(),
            store,
            wishes,
            connection: watch::Sender::new(Connection::Connecting),
            nearby,
            board,
            state: Mutex::new(State {
                address: known.addresses.first().cloned().unwrap_or_default(),
                known,
                sighted: Vec::new(),
                shapes: HashMap::new(),
                dropped: 0,
                tallies: HashMap::new(),
                moved: HashMap::new(),
                noted: 0,
                entered: HashMap::new(),
                skew: 0,
                busy: HashMap::new(),
                met: Met::new(),
                disk: DiskView::Plenty,
                unusable: None,
                token: None,
            }),
        }
    }

    /// A panic while the state was held leaves it whole: each part is changed in one step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token in use; none while it is signed out.
    pub fn token(&self) -> Option<String> {
        self.state().token.clone()
    }

    /// What the list of accounts says of it.
    pub fn known(&self) -> Known {
        self.state().known.clone()
    }

    /// Signs in with a token, or out; the token that was used before.
    pub async fn use_token(&self, token: Option<String>) -> Result<Option<String>, Error> {
        let before = std::mem::replace(&mut self.state().token, token.clone());
        self.wish(Wish::Token(token)).await?;
        Ok(before)
    }

    /// Signs in with the token that the keyring kept. If the person signed in meanwhile, that token stays: the keyring
    /// may answer late.
    pub async fn use_kept_token(&self, token: Option<String>) -> Result<(), Error> {
        {
            let mut state = self.state();
            if state.token.is_some() {
                return Ok(());
            }
            state.token.clone_from(&token);
        }
        self.wish(Wish::Token(token)).await
    }

    /// The server named its time. What is no time of this age is not believed as it stands, so that times can be added.
    pub fn set_server_time(&self, server: tulou_protocol::id::Millis) {
        self.state().skew = server.clamp(0, LATEST) - now();
    }

    /// The server's name as last heard.
    pub fn set_server_name(&self, name: &str) {
        name.clone_into(&mut self.state().known.server_name);
    }

    /// An attempt showed whether whoever answers can be used as the server.
    pub fn set_unusable(&self, why: Option<Unusable>) {
        self.state().unusable = why;
    }

    /// Why whoever answered the last attempt cannot be used as the server.
    pub fn unusable(&self) -> Option<Unusable> {
        self.state().unusable.clone()
    }

    /// The state of the link changed.
    pub fn set_connection(&self, connection: Connection) {
        if self.connection.send_if_modified(|held| {
            let is_other = *held != connection;
            *held = connection;
            is_other
        }) {
            let mut notes = vec![Change::App];
            // Whether missing rows are on their way or cut off is a matter of the link.
            notes.extend(self.shown().into_iter().map(|topic| self.timeline(topic)));
            self.board.put_up(notes);
        }
    }

    /// Who looks or acts, and that it is now.
    pub fn as_of(&self) -> AsOf {
        AsOf {
            me: self.id,
            now: now(),
            skew: self.state().skew,
            is_linked: matches!(
                *self.connection.borrow(),
                Connection::Connecting | Connection::Syncing | Connection::Synced
            ),
        }
    }

    /// Those of some accounts whom this run has not asked for; from here on it has.
    pub fn strangers(
        &self,
        community: CommunityId,
        accounts: HashSet<AccountId>,
    ) -> Vec<AccountId> {
        let mut state = self.state();
        accounts
            .into_iter()
            .filter(|account| state.met.insert((community, *account)))
            .collect()
    }

    /// They could not be asked for.
    pub fn forget_met(&self, community: CommunityId, accounts: &[AccountId]) {
        let mut state = self.state();
        for account in accounts {
            state.met.remove(&(community, *account));
        }
    }

    /// The server asked to send a command later.
    pub fn set_busy(&self, command: CommandId, until: Millis) {
        {
            let mut state = self.state();
            let now = now();
            state.busy.retain(|_, until| *until > now);
            state.busy.insert(command, until);
        }
        self.note_shown();
    }

    /// Commands that the server asked to send later, and when.
    pub fn busy(&self) -> HashMap<CommandId, Millis> {
        let now = now();
        let mut busy = self.state().busy.clone();
        busy.retain(|_, until| *until > now);
        busy
    }

    /// The server says how much room there is.
    pub fn set_disk(&self, disk: Disk) {
        let disk = DiskView::from(disk);
        let was = std::mem::replace(&mut self.state().disk, disk);
        if was != disk {
            self.board.put_up([Change::App]);
        }
    }

    /// Room on the server's disk, as far as it says.
    pub fn disk(&self) -> DiskView {
        self.state().disk
    }

    /// Says that a view is stale.
    pub fn put_up(&self, change: Change) {
        self.board.put_up([change]);
    }

    /// The topics that are shown.
    pub fn shown(&self) -> Vec<TopicId> {
        self.state().entered.keys().copied().collect()
    }

    /// What is remembered of a topic while it is shown.
    pub fn entered(&self, topic: TopicId) -> Option<Entered> {
        self.state().entered.get(&topic).copied()
    }

    /// A topic is shown; false if it was already.
    pub fn enter(&self, topic: TopicId, entered: Entered) -> bool {
        match self.state().entered.entry(topic) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(entered);
                true
            }
        }
    }

    /// A topic is shown no longer.
    pub fn leave(&self, topic: TopicId) -> bool {
        self.state().entered.remove(&topic).is_some()
    }

    /// The divider of a topic that is shown goes elsewhere; false if it stands there.
    pub fn move_divider(&self, topic: TopicId, first_unread: Option<Seq>) -> bool {
        self.state().entered.get_mut(&topic).is_some_and(|entered| {
            let before = std::mem::replace(&mut entered.first_unread, first_unread);
            before != first_unread
        })
    }

    /// A topic that is shown was marked unread.
    pub fn set_back(&self, topic: TopicId) {
        if let Some(entered) = self.state().entered.get_mut(&topic) {
            entered.is_set_back = true;
        }
    }

    /// A topic that is shown was marked read by hand: what is seen of it counts again.
    pub fn set_forth(&self, topic: TopicId) {
        if let Some(entered) = self.state().entered.get_mut(&topic) {
            entered.is_set_back = false;
        }
    }

    /// Reads a snapshot off the async threads.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Snapshot<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let account = Arc::clone(self);
        blocking(move || account.look(read)).await
    }

    /// Reads a snapshot.
    fn look<T, E: Troubled>(
        &self,
        read: impl FnOnce(&Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let began = Some(self.state().began());
        let as_of = self.as_of();
        self.store.read(|db| {
            read(&Snapshot {
                db,
                account: self,
                as_of,
                began,
            })
        })
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

    /// Everything shown of it is stale: its store was begun anew, or works again.
    pub fn note_all(&self) {
        let communities: Vec<CommunityId> = {
            let mut state = self.state();
            state.dropped += 1;
            state.drop_tallies();
            state
                .shapes
                .drain()
                .map(|(community, _)| community)
                .collect()
        };
        let mut touched = Touched {
            has_account: true,
            ..Touched::default()
        };
        touched.timelines.extend(self.shown());
        touched.structures.extend(communities);
        self.board.put_up([Change::App]);
        if let Err(error) = self.note(&touched) {
            tracing::debug!(account = %self.key, "its views cannot be named: {error}");
        }
    }

    /// Asks the server.
    pub async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, Error> {
        let (asker, answer) = oneshot::channel();
        let writes = matches!(question, Question::InviteCreate { .. });
        self.wish(Wish::Ask(question, asker)).await?;
        let answer = self.told(answer.await);
        let value = if writes { self.or_full(answer) } else { answer }?;
        T::deserialize(value).map_err(|_| {
            Error::from(Untold::Refused(Refusal::Misunderstood(
                tulou_protocol::frame::INVALID_PARAMS,
            )))
        })
    }

    /// Has a command carried out at once.
    pub async fn live(&self, command: Command) -> Result<(), Error> {
        let (asker, answer) = oneshot::channel();
        self.wish(Wish::Live(command, asker)).await?;
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

    /// Asks the driver for something.
    pub async fn wish(&self, wish: Wish) -> Result<(), Error> {
        self.wishes.send(wish).await.map_err(|_| Error::Stopped)
    }
}

/// The communities that I am a member of, in the order of joining, then those made here.
pub fn memberships(db: &Db, me: AccountId) -> Result<Vec<CommunityId>, StoreError> {
    let mut joined: Vec<(i64, CommunityId)> = rows::of_kind(db, Log::Account(me), "membership")?
        .into_iter()
        .filter_map(|row| {
            if let Body::Membership(membership) = row.body {
                Some((membership.joined_at, membership.community))
            } else {
                None
            }
        })
        .collect();
    joined.sort_unstable();
    let mut communities: Vec<CommunityId> = joined.into_iter().map(|(_, id)| id).collect();
    for entry in outbox::of_structure(db)? {
        if let Command::CommunityCreate { community, .. } = entry.command
            && !matches!(entry.state, tulou_engine::OutboxState::Rejected(_))
            && !communities.contains(&community)
        {
            communities.push(community);
        }
    }
    Ok(communities)
}

/// The community that a topic stands in, one that waits in the outbox included.
pub fn community_of(db: &Db, topic: TopicId) -> Result<Option<CommunityId>, StoreError> {
    if let Some(community) = rows::community_of(db, topic)? {
        return Ok(Some(community));
    }
    Ok(outbox::made(db, topic)?.map(|(community, _)| community))
}

/// Does something that may block, off the async threads.
pub async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Error>
where
    T: Send + 'static,
    E: Send + 'static,
    Error: From<E>,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Error::from),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::Stopped),
    }
}

#[cfg(test)]
pub mod tests;
