//! The driver of one account: the task that owns the engine and the socket, and the only one that writes to the store
//! (remembered members aside). It performs the engine's outputs in order. If one cannot be performed, the
//! engine is dropped and made anew from the store: crash and error are one path.

mod breaking;
mod clock;
mod hearing;
mod keeping;
mod lost;
mod marking;
mod mending;
mod outbox;
mod performing;
mod seeking;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    ops::ControlFlow,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tulou_engine::{Engine, Input, Ticket, Untold};
use tulou_protocol::{Command, CommandId, TopicId, id::Millis};
use uuid::Uuid;

use self::{breaking::Breaks, clock::Clock, keeping::Keeping, outbox::Done, seeking::Seeking};
use crate::{
    account::{Account, Submitted, Told, Wish},
    as_of::now,
    blocking::blocking,
    error::{Error, chain},
    link::{Event, INCOMING, Link, Pulse},
    store::{Trouble, outbox::end_awaiting, restore},
    unusable::Unusable,
    view::{Cause, Connection},
};

/// The first wait after the store could not be written; doubled up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait before the store is tried again.
const LONGEST: Duration = Duration::from_secs(30);

/// What was made durable, and what the engine is told of it.
type Durable<T> = Result<(T, Vec<Input>), Error>;

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
    /// Whether the server of this link said how it is.
    was_told: bool,
    /// Why whoever answered the last attempt cannot be used.
    unusable: Option<Unusable>,
    /// How long a socket to this server may be quiet.
    pulse: Pulse,
    /// Commands that went out, or may have before this start, and have no answer yet.
    sent: HashSet<CommandId>,
    /// Commands that the person wants to be sent although they are old.
    confirmed: HashSet<CommandId>,
    /// What is wrong with the store.
    trouble: watch::Receiver<Option<Trouble>>,
    /// The topics that are shown.
    on_screen: watch::Receiver<BTreeSet<TopicId>>,
    /// Those that the engine watches.
    watched: BTreeSet<TopicId>,
    /// When outbox and drafts are copied, after they changed.
    copy_at: Option<Instant>,
    copy_pause: Duration,
    keeping: Keeping,
    breaks: Breaks,
    /// The next input breaks it, as a mistake would.
    #[cfg(test)]
    is_to_break: bool,
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
            confirmed: HashSet::new(),
            trouble,
            on_screen: account.watch_screens(),
            watched: BTreeSet::new(),
            copy_at: None,
            copy_pause: Duration::ZERO,
            keeping: Keeping::default(),
            breaks: Breaks::default(),
            #[cfg(test)]
            is_to_break: false,
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
            was_told: false,
            unusable: None,
            pulse: Pulse::default(),
        }
    }

    /// Runs until it is told to stop, or nobody can wish anything any more. If something in it breaks, that is said, and it
    /// begins again from the store, as after any error.
    pub async fn run(mut self) {
        loop {
            match AssertUnwindSafe(self.step()).catch_unwind().await {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return,
                Err(_) => self.begin_again(),
            }
        }
    }

    async fn step(&mut self) -> ControlFlow<()> {
        let deadline = self.engine.as_ref().and_then(Engine::deadline);
        let try_at = seeking::due(self.seeking.as_ref());
        self.plan_copy();
        tokio::select! {
            wish = self.wishes.recv() => match wish {
                Some(Wish::Stop(done)) => {
                    self.stop();
                    let _ = done.send(());
                    return ControlFlow::Break(());
                }
                Some(wish) => {
                    // What is shown when something is wished is watched before.
                    self.watch_shown().await;
                    self.grant(wish).await;
                }
                None => {
                    self.stop();
                    return ControlFlow::Break(());
                }
            },
            event = next_event(self.link.as_mut()) => self.hear(event).await,
            () = self.clock.until(deadline, now) => self.tick().await,
            () = until_instant(self.remake_at) => self.make().await,
            () = until_instant(self.copy_at) => self.copy().await,
            () = until_instant(self.keeping.at()) => self.keep().await,
            () = seeking::heard(self.seeking.as_mut()) => self.note_sighted(),
            () = until_instant(try_at) => self.follow_sighted().await,
            Ok(()) = self.trouble.changed() => self.look_at_store().await,
            Ok(()) = self.on_screen.changed() => self.watch_shown().await,
        }
        ControlFlow::Continue(())
    }

    /// Time passed. What came in the meantime is heard first: whoever stood still, be it for a disk that did, must not take
    /// a server for silent that has spoken.
    async fn tick(&mut self) {
        for _ in 0..INCOMING {
            let Some(event) = self.link.as_mut().and_then(Link::waiting) else {
                break;
            };
            self.hear(event).await;
        }
        self.feed(Input::Tick).await;
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
        let others = watched.symmetric_difference(&shown).copied();
        self.note_viewed(others.collect()).await;
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
            #[cfg(test)]
            Wish::Break => panic!("as it was wished"),
            Wish::Token => {
                // As it is now: of two that were wished at once the later one may have been the earlier one's.
                self.token = self.account.token();
                self.make().await;
            }
            Wish::Reconnect => self.make().await,
            Wish::Hurry => self.hurry().await,
            Wish::Input(input) => self.take(input).await,
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
                match self.submit(action).await {
                    Ok((Done::Live(command), _)) => {
                        let (asker, told) = oneshot::channel();
                        // Who asked may have gone meanwhile.
                        let _ = answer.send(Ok(Submitted::Live(told)));
                        self.live(command, asker).await;
                    }
                    Ok((Done::Queued(made), inputs)) => {
                        let queued = Ok((Submitted::Queued(made), inputs));
                        self.answer(queued, answer).await;
                    }
                    Err(error) => self.answer(Err(error), answer).await,
                }
            }
            Wish::Retry(id, answer) => {
                let retried = self.retry(id).await;
                self.answer(retried, answer).await;
            }
            Wish::SendLost(topic, message, answer) => {
                let sent = self.send_lost(topic, message).await;
                self.answer(sent, answer).await;
            }
            Wish::MarkRead(place, answer) => {
                let marked = self.mark_read(place).await;
                self.answer(marked, answer).await;
            }
            Wish::SetRead(marks, answer) => {
                let set = self.set_read(marks).await;
                self.answer(set, answer).await;
            }
            Wish::Discard(id, answer) => {
                let discarded = self.discard(id).await;
                self.answer(discarded, answer).await;
            }
        }
    }

    /// Who wished something is told as soon as it is durable: what breaks after that does not make it undone, and whoever
    /// was told that it failed would do it again.
    async fn answer<T>(&mut self, done: Durable<T>, asker: oneshot::Sender<Result<T, Error>>) {
        let (told, inputs) = match done {
            Ok((what, inputs)) => (Ok(what), inputs),
            Err(error) => (Err(error), Vec::new()),
        };
        // Who asked may have gone meanwhile.
        let _ = asker.send(told);
        for input in inputs {
            self.feed(input).await;
        }
    }

    /// Something that is done is awaited by nothing any more, after a restart too.
    async fn take(&mut self, input: Input) {
        if let Input::Made(thing) = input {
            let account = Arc::clone(&self.account);
            let kept = blocking(move || account.store.write(|db| end_awaiting(db, thing)));
            if let Err(error) = kept.await {
                return self.fail(&error);
            }
        }
        self.feed(input).await;
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
        let confirmed = self.confirmed.clone();
        let restored = blocking(move || {
            store.write(|db| restore::tidy(db, now(), &confirmed))?;
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
            Err(error) => self.fail(&error),
        }
    }

    /// The store does not work: the engine is made anew after a while.
    fn fail(&mut self, error: &Error) {
        tracing::error!(account = %self.account.key, "the store failed, trying again in {} s: {}",
            self.patience.as_secs(), chain(error));
        let wait = self.patience;
        self.patience = (wait * 2).min(LONGEST);
        self.wait_for_store(wait, None);
    }

    /// The engine is made anew after a while.
    fn wait_for_store(&mut self, wait: Duration, cause: Option<Cause>) {
        self.engine = None;
        self.link = None;
        self.leave_askers();
        self.remake_at = Some(Instant::now() + wait);
        let retry_at = now() + Millis::try_from(wait.as_millis()).unwrap_or(0);
        self.account
            .set_connection(Connection::Offline { retry_at, cause });
    }

    /// Feeds the engine, and whatever follows from it.
    async fn feed(&mut self, input: Input) {
        #[cfg(test)]
        assert!(!self.is_to_break, "as it was wished");
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

#[cfg(test)]
mod tests;
