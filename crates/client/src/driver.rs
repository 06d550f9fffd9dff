//! The driver of one account: the task that owns the engine and the socket, and the only one that writes to the store
//! (remembered members aside). It performs the engine's outputs in order. If one cannot be performed, the
//! engine is dropped and made anew from the store: crash and error are one path.

mod clock;
mod lost;
mod marking;
mod mending;
mod outbox;
mod seeking;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tulou_engine::{Change, Engine, Input, LinkState, Output, Ticket, Untold};
use tulou_protocol::{
    Command, CommandId, ServerFrame, TopicId,
    frame::{BUSY, Request},
    id::Millis,
    push::{Disk, Pushed},
};
use uuid::Uuid;

use self::{clock::Clock, seeking::Seeking};
use crate::{
    account::{Account, Told, Wish},
    as_of::now,
    blocking::blocking,
    error::{Error, chain},
    link::{Event, Link, Pulse},
    store::{StoreError, Trouble, restore},
    unusable::Unusable,
    view::Connection,
};

/// The first wait after the store could not be written; doubled up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait before the store is tried again.
const LONGEST: Duration = Duration::from_secs(30);

pub struct Driver {
    account: Arc<Account>,
    wishes: mpsc::Receiver<Wish>,
    token: Option<String>,
    engine: Option<Engine>,
    clock: Clock,
    link: Option<Link>,
    /// Whether the link was open: one that never was has not found the server.
    was_up: bool,
    /// The search for a server that is not where it was.
    seeking: Option<Seeking>,
    askers: BTreeMap<Ticket, oneshot::Sender<Told>>,
    next_ticket: u64,
    /// When the engine is made anew, after the store failed.
    remake_at: Option<Instant>,
    patience: Duration,
    /// The last attempt met somebody who has not the server's key.
    met_other_key: bool,
    /// Why whoever answered the last attempt cannot be used.
    unusable: Option<Unusable>,
    /// How long a socket to this server may be quiet.
    pulse: Pulse,
    /// Commands that went out, or may have before this start, and have no answer yet.
    sent: HashSet<CommandId>,
    /// What is wrong with the store.
    trouble: watch::Receiver<Option<Trouble>>,
    /// The topics that are shown.
    on_screen: watch::Receiver<BTreeSet<TopicId>>,
    /// Those that the engine watches.
    watched: BTreeSet<TopicId>,
    /// When outbox and drafts are copied, after they changed.
    copy_at: Option<Instant>,
    copy_pause: Duration,
}

impl Driver {
    /// A driver without a token: it takes wishes, and connects once it has one.
    pub fn new(account: Arc<Account>, wishes: mpsc::Receiver<Wish>) -> Self {
        let mut trouble = account.store.trouble();
        if trouble.borrow().is_some() {
            trouble.mark_changed();
        }
        Self {
            sent: HashSet::new(),
            trouble,
            on_screen: account.watch_screens(),
            watched: BTreeSet::new(),
            copy_at: None,
            copy_pause: Duration::ZERO,
            account,
            wishes,
            token: None,
            engine: None,
            clock: Clock::new(now()),
            link: None,
            was_up: false,
            seeking: None,
            askers: BTreeMap::new(),
            next_ticket: 0,
            remake_at: None,
            patience: FIRST,
            met_other_key: false,
            unusable: None,
            pulse: Pulse::default(),
        }
    }

    /// Runs until it is told to stop, or nobody can wish anything any more.
    pub async fn run(mut self) {
        loop {
            let deadline = self.engine.as_ref().and_then(Engine::deadline);
            let try_at = seeking::due(self.seeking.as_ref());
            self.plan_copy();
            tokio::select! {
                wish = self.wishes.recv() => match wish {
                    Some(Wish::Stop(done)) => {
                        self.stop();
                        let _ = done.send(());
                        return;
                    }
                    Some(wish) => {
                        // What is shown when something is wished is watched before.
                        self.watch_shown().await;
                        self.grant(wish).await;
                    }
                    None => return self.stop(),
                },
                event = next_event(self.link.as_mut()) => self.hear(event).await,
                () = self.clock.until(deadline, now) => self.feed(Input::Tick).await,
                () = until_instant(self.remake_at) => self.make().await,
                () = until_instant(self.copy_at) => self.copy().await,
                () = seeking::heard(self.seeking.as_mut()) => self.note_sighted(),
                () = until_instant(try_at) => self.follow_sighted().await,
                Ok(()) = self.trouble.changed() => self.look_at_store().await,
                Ok(()) = self.on_screen.changed() => self.watch_shown().await,
            }
        }
    }

    /// What is shown is watched, and nothing else.
    async fn watch_shown(&mut self) {
        let shown = self.on_screen.borrow_and_update().clone();
        if self.engine.is_none() || shown == self.watched {
            return;
        }
        let watched = std::mem::replace(&mut self.watched, shown.clone());
        for topic in watched.difference(&shown) {
            self.feed(Input::Unwatch(*topic)).await;
        }
        for topic in shown.difference(&watched) {
            self.feed(Input::Watch(*topic)).await;
        }
    }

    fn stop(&mut self) {
        self.engine = None;
        self.seeking = None;
        self.link = None;
        self.leave_askers();
    }

    async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Stop(_) => {}
            Wish::Token(token) => {
                self.token = token;
                self.make().await;
            }
            Wish::Reconnect => self.make().await,
            Wish::Hurry => self.hurry().await,
            Wish::Input(input) => self.feed(input).await,
            Wish::Ask(question, asker) => {
                let ticket = self.ticket(asker);
                self.feed(Input::Ask(ticket, question)).await;
            }
            Wish::Live(command, asker) => self.live(command, asker).await,
            Wish::Draft(draft, answer) => {
                let kept = self.keep_draft(draft).await;
                let _ = answer.send(kept);
            }
            Wish::Submit(action, answer) => {
                let submitted = self.submit(action).await;
                let _ = answer.send(submitted);
            }
            Wish::Retry(id, answer) => {
                let retried = self.retry(id).await;
                let _ = answer.send(retried);
            }
            Wish::SendLost(topic, message, answer) => {
                let sent = self.send_lost(topic, message).await;
                let _ = answer.send(sent);
            }
            Wish::MarkRead(place, answer) => {
                let marked = self.mark_read(place).await;
                let _ = answer.send(marked);
            }
            Wish::SetRead(marks, answer) => {
                let set = self.set_read(marks).await;
                let _ = answer.send(set);
            }
            Wish::Discard(id, answer) => {
                let discarded = self.discard(id).await;
                let _ = answer.send(discarded);
            }
        }
    }

    async fn live(&mut self, command: Command, asker: oneshot::Sender<Told>) {
        let ticket = self.ticket(asker);
        let id = CommandId(Uuid::now_v7());
        self.feed(Input::Live(ticket, id, command)).await;
    }

    fn ticket(&mut self, asker: oneshot::Sender<Told>) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.askers.insert(ticket, asker);
        if self.engine.is_none() {
            self.leave_askers();
        }
        ticket
    }

    fn leave_askers(&mut self) {
        for (_, asker) in std::mem::take(&mut self.askers) {
            let _ = asker.send(Err(Untold::Offline));
        }
    }

    async fn hear(&mut self, event: Event) {
        match event {
            Event::Up { address, key } => {
                self.met_other_key = false;
                self.be_unusable(None);
                self.was_up = true;
                self.end_seeking(&address);
                self.account.found_at(address, key);
                // All is well with the server unless it says otherwise.
                self.account.set_disk(Disk::Plenty);
                self.feed(Input::LinkUp).await;
            }
            Event::Frame(frame) => {
                self.note_busy(&frame);
                if let ServerFrame::Pushed(Pushed::Condition(condition)) = &frame {
                    self.account.set_disk(condition.disk);
                }
                if let ServerFrame::Pushed(Pushed::Addresses(news)) = &frame {
                    self.hear_addresses(news.addresses.clone()).await;
                }
                self.feed(Input::Frame(frame)).await;
            }
            Event::OtherKey => {
                tracing::warn!(account = %self.account.key, "somebody else answers where the server should be");
                self.met_other_key = true;
                self.be_unusable(None);
                self.link = None;
                self.feed(Input::LinkDown).await;
                self.seek().await;
            }
            Event::Down {
                why,
                unusable,
                pulse,
            } => {
                match &unusable {
                    Some(_) if unusable != self.unusable => {
                        tracing::warn!(account = %self.account.key, "the server cannot be used: {why}");
                    }
                    _ => tracing::debug!(account = %self.account.key, "the link is down: {why}"),
                }
                self.met_other_key = false;
                self.be_unusable(unusable);
                self.pulse = pulse;
                self.link = None;
                let was_up = self.was_up;
                self.feed(Input::LinkDown).await;
                if !was_up {
                    self.seek().await;
                }
            }
        }
    }

    fn be_unusable(&mut self, why: Option<Unusable>) {
        self.account.set_unusable(why.clone());
        self.unusable = why;
    }

    /// The server says where it is found.
    async fn hear_addresses(&self, named: Vec<String>) {
        let account = Arc::clone(&self.account);
        let kept = blocking(move || account.hear_addresses(&named)).await;
        if let Err(error) = kept {
            // The next greeting names them again.
            tracing::warn!(account = %self.account.key, "the server's addresses were not kept: {error}");
        }
    }

    /// The engine waits as long as the server asks; the window shows that, and until when.
    fn note_busy(&self, frame: &ServerFrame) {
        let ServerFrame::Responses(responses) = frame else {
            return;
        };
        for response in responses {
            let error = response.error.as_ref().filter(|error| error.code == BUSY);
            let wait = error
                .and_then(|error| error.data.as_ref()?.get("retry_after_ms")?.as_i64())
                .filter(|wait| *wait > 0);
            let command = response.id.as_str().and_then(|id| id.parse().ok());
            if let (Some(wait), Some(command)) = (wait, command) {
                self.account.set_busy(command, now().saturating_add(wait));
            }
        }
    }

    /// Makes the engine anew from the store; without a token there is none.
    async fn make(&mut self) {
        self.engine = None;
        self.seeking = None;
        self.met_other_key = false;
        self.be_unusable(None);
        self.link = None;
        self.remake_at = None;
        self.leave_askers();
        if let Err(error) = self.open_store(false).await {
            return self.fail(&error);
        }
        let Some(token) = self.token.clone() else {
            self.account.set_connection(Connection::SignedOut);
            return;
        };
        let store = Arc::clone(&self.account.store);
        let me = self.account.id;
        let restored = blocking(move || {
            store.write(|db| restore::tidy(db, now()))?;
            store.read(|db| restore::restored(db, me))
        })
        .await;
        match restored {
            Ok(restored) => {
                self.sent = restored.outbox.iter().map(|entry| entry.id).collect();
                let time = self.clock.read(now());
                self.engine = Some(Engine::new(restored, token, rand::random(), time));
                self.account.set_connection(Connection::Connecting);
                self.watched.clear();
                self.watch_shown().await;
                self.feed(Input::Hurry).await;
            }
            // A value that makes no sense keeps the engine from going on for good, so it is as bad as a broken page.
            Err(Error::Storage(StoreError::Json(_))) => Box::pin(self.mend()).await,
            Err(error) => self.fail(&error),
        }
    }

    /// The store does not work: the engine is made anew after a while.
    fn fail(&mut self, error: &Error) {
        tracing::error!(account = %self.account.key, "the store failed, trying again in {} s: {}",
            self.patience.as_secs(), chain(error));
        self.engine = None;
        self.link = None;
        self.leave_askers();
        let wait = self.patience;
        self.remake_at = Some(Instant::now() + wait);
        self.patience = (wait * 2).min(LONGEST);
        let retry_at = now() + Millis::try_from(wait.as_millis()).unwrap_or(0);
        self.account.set_connection(Connection::Offline {
            retry_at,
            cause: None,
        });
    }

    /// Feeds the engine, and whatever follows from it.
    async fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let Some(engine) = &mut self.engine else {
                return;
            };
            let time = self.clock.read(now());
            for output in engine.handle(input, time) {
                if let Err(error) = self.perform(output, &mut inputs).await {
                    return self.fail(&error);
                }
            }
        }
    }

    async fn perform(&mut self, output: Output, inputs: &mut VecDeque<Input>) -> Result<(), Error> {
        match output {
            Output::Connect => {
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
            Output::Apply(batch) => {
                for change in &batch {
                    if let Change::Done(id) | Change::Rejected(id, _) = change {
                        self.sent.remove(id);
                    }
                }
                let account = Arc::clone(&self.account);
                let mut named = None;
                for change in &batch {
                    if let Change::Greeted(greeting) = change {
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
            }
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

    /// That somebody else answers, or that the server cannot be used, is told until another attempt has ended.
    fn tell_link(&self, state: LinkState) {
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

async fn next_event(link: Option<&mut Link>) -> Event {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

async fn until_instant(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
