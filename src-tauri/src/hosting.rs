//! The server that this computer hosts. Once begun it starts with the app, every time.
//!
//! Only this computer reaches it until the person lets others join; then it listens at all addresses, and links carry
//! them. If its port is taken it takes another one, says so, and comes back to the first when that is free again.
//! If a part of it breaks it ends; then it begins again, or the window says that it does not run.

mod backups;
mod wish;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, Notify};
use tulou_client::view::{ClockView, HostAddress, HostFailure, HostReach, HostingView};
use tulou_protocol::id::ServerId;
use tulou_server::{Config, Hosted, reach::Reach};

use self::wish::Wish;
use crate::error::WindowError;

/// The port that is tried first.
const PORT: u16 = 4780;

/// Files and connections that the app may have open while it hosts. Programs that it starts inherit it, and some look at
/// each that there may be.
const MOST_OPEN: u64 = 8_192;

/// A server that ran for as long before a part of it broke begins again by itself; one that broke sooner would do so again.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// Hears that the view of the hosted server is stale.
pub type Listener = Arc<dyn Fn() + Send + Sync>;

/// The server that this computer hosts.
pub struct Hosting {
    folder: PathBuf,
    state: Mutex<State>,
    /// What was last seen of it: while it starts or ends nobody waits for the rest.
    seen: std::sync::Mutex<Seen>,
    /// A server has ended, stopped or by itself.
    ended: Arc<Notify>,
    well_after: Duration,
    on_change: Listener,
}

#[derive(Default)]
struct Seen {
    server: Option<ServerId>,
    view: Option<HostingView>,
}

#[derive(Default)]
struct State {
    wish: Option<Wish>,
    running: Option<Hosted>,
    /// Since when.
    began: Option<Instant>,
    /// Why it does not run.
    failure: Option<HostFailure>,
}

impl Hosting {
    /// The server whose data is in `folder`. Nothing starts yet. `on_change` is called when its addresses change.
    pub fn in_folder(folder: PathBuf, on_change: Listener) -> Self {
        // Whose accounts are on it, and that there is one, is known before it has started.
        let state = State {
            wish: Wish::read(&folder).ok().flatten(),
            ..State::default()
        };
        let hosting = Self {
            folder,
            state: Mutex::default(),
            seen: std::sync::Mutex::default(),
            ended: Arc::default(),
            well_after: WELL_AFTER,
            on_change,
        };
        *hosting.seen() = Seen {
            server: state.wish.as_ref().and_then(|wish| wish.server),
            view: hosting.view_of(&state, None),
        };
        Self {
            state: Mutex::new(state),
            ..hosting
        }
    }

    /// Starts the server if it was begun on an earlier day.
    pub async fn resume(&self) -> Result<(), WindowError> {
        let mut state = self.state.lock().await;
        if state.running.is_none()
            && let Some(wish) = Wish::read(&self.folder).map_err(|error| unkept(&error))?
        {
            self.start(&mut state, wish).await?;
        }
        Ok(())
    }

    /// Starts the server now and at each start from here on; its address on this computer. One that was begun before stays
    /// as it was wished, whether it runs already or not.
    pub async fn begin(&self, name: &str, is_open: bool) -> Result<String, WindowError> {
        let mut state = self.state.lock().await;
        if state.running.is_none() {
            let begun = Wish::read(&self.folder).map_err(|error| unkept(&error))?;
            let wish = begun.unwrap_or_else(|| Wish {
                name: name.to_owned(),
                port: PORT,
                other_port: None,
                is_open,
                own_address: None,
                is_announced: true,
                server: None,
            });
            self.start(&mut state, wish).await?;
        }
        state.here().ok_or_else(not_hosting)
    }

    /// Lets other computers reach the server, or keeps them out, takes an address of the person's own into the links, and
    /// has the server announced in the local network, or not.
    /// Those who are connected are back in a moment.
    pub async fn let_others(
        &self,
        is_open: bool,
        own_address: Option<&str>,
        is_announced: bool,
    ) -> Result<(), WindowError> {
        let mut state = self.state.lock().await;
        let before = state.wish.clone().ok_or_else(not_hosting)?;
        let own_address = match own_address.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(
                before
                    .read_address(text)
                    .map_err(tulou_client::Error::Link)?,
            ),
            None => None,
        };
        let wish = Wish {
            is_open,
            own_address,
            is_announced,
            ..before.clone()
        };
        if wish == before && state.running.is_some() {
            return Ok(());
        }
        if let Some(hosted) = state.running.take() {
            self.say_starting(&mut state, &wish);
            hosted.stop().await;
        }
        let started = self.start(&mut state, wish).await;
        if started.is_err() {
            // As it was is better than not at all; why it did not go otherwise is told.
            let _ = self.start(&mut state, before).await;
        }
        started
    }

    /// Waits until the server ends by itself, because a part of it broke, and starts it again if it ran well before.
    /// Otherwise its view says that it does not run.
    pub async fn look_after(&self) {
        loop {
            self.ended.notified().await;
            let mut state = self.state.lock().await;
            // One that was stopped is not the one that runs.
            if !state.running.as_ref().is_some_and(Hosted::has_ended) {
                continue;
            }
            let Some(mut hosted) = state.running.take() else {
                continue;
            };
            let Err(error) = hosted.ended().await else {
                continue;
            };
            drop(hosted);
            tracing::error!(%error, "the server on this computer ended by itself");
            state.failure = Some(failure_of(&error));
            let was_well = state
                .began
                .is_some_and(|began| began.elapsed() >= self.well_after);
            if let Some(wish) = state.wish.clone().filter(|_| was_well)
                && let Err(error) = self.start(&mut state, wish).await
            {
                tracing::error!("the server on this computer did not start again: {error}");
            }
            return;
        }
    }

    /// The server's id.
    pub async fn server(&self) -> Option<ServerId> {
        self.state.lock().await.wish.as_ref()?.server
    }

    /// Where clients on this computer find it.
    pub async fn address(&self) -> Option<String> {
        self.state.lock().await.here()
    }

    /// The server's id, as last seen.
    pub fn known_server(&self) -> Option<ServerId> {
        if let Ok(state) = self.state.try_lock()
            && let Some(wish) = state.wish.as_ref()
        {
            self.seen().server = wish.server;
        }
        self.seen().server
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The view of it is stale.
    pub fn tell(&self) {
        (self.on_change)();
    }

    /// What the settings say about it; while it starts or ends, what they said last.
    pub fn view(&self, administrator: Option<String>) -> Option<HostingView> {
        let Ok(state) = self.state.try_lock() else {
            let last = self.seen().view.clone();
            return last.map(|view| HostingView {
                account: administrator,
                ..view
            });
        };
        let view = self.view_of(&state, administrator);
        self.seen().view.clone_from(&view);
        view
    }

    /// It may be long until it runs: after a loss of power it looks through its store first.
    fn say_starting(&self, state: &mut State, wish: &Wish) {
        state.failure = None;
        state.wish = Some(wish.clone());
        self.seen().view = self.view_of(state, None);
        self.tell();
    }

    fn view_of(&self, state: &State, administrator: Option<String>) -> Option<HostingView> {
        let wish = state.wish.as_ref()?;
        let running = state.running.as_ref();
        let port = running.map(|hosted| hosted.address().port());
        let (disk, free_bytes) = state.room();
        Some(HostingView {
            account: administrator,
            addresses: running.map_or_else(Vec::new, |hosted| {
                let addresses = hosted.app().addresses();
                addresses.into_iter().map(shown).collect()
            }),
            folder: self.folder.to_string_lossy().into_owned(),
            is_open: wish.is_open,
            own_address: wish.own_address.clone(),
            is_announced: wish.is_announced,
            key: running
                .and_then(|hosted| hosted.app().certificate().key())
                .map(|key| key.to_string()),
            port: port.unwrap_or(wish.port),
            taken_port: port.filter(|port| *port != wish.port).map(|_| wish.port),
            is_starting: running.is_none() && state.failure.is_none(),
            failure: state.failure.clone(),
            disk,
            free_bytes,
            clock: running.map_or_else(ClockView::default, |hosted| {
                (*hosted.app().watch_clock().borrow()).into()
            }),
            backup_failure: running
                .and_then(|hosted| hosted.app().backup_failure())
                .map(str::to_owned),
        })
    }

    /// Stops the server until the next start.
    pub async fn end(&self) {
        let mut state = self.state.lock().await;
        if let Some(hosted) = state.running.take() {
            hosted.stop().await;
        }
        *state = State::default();
    }

    /// Starts the server as wished, at the first port that is free.
    async fn start(&self, state: &mut State, mut wish: Wish) -> Result<(), WindowError> {
        // A server that never ran is not hosted here.
        let is_hosted = wish.server.is_some() || state.wish.is_some();
        if is_hosted {
            self.say_starting(state, &wish);
        }
        let started = self.start_at_a_port(&wish).await;
        let hosted = match started {
            Ok(hosted) => hosted,
            Err(error) => {
                let failed = WindowError {
                    code: "host_failed".to_owned(),
                    message: format!("start the server on this computer: {error}"),
                    rejection: None,
                    about: Some(error.code().to_owned()),
                };
                if is_hosted {
                    state.failure = Some(failure_of(&error));
                    state.wish = Some(wish);
                }
                return Err(failed);
            }
        };
        let port = hosted.address().port();
        if wish.server.is_none() {
            wish.port = port;
        } else if port != wish.port {
            tracing::warn!(
                port,
                taken = wish.port,
                "the hosted server's port was taken"
            );
            wish.other_port = Some(port);
        }
        wish.server = Some(hosted.server());
        let kept = wish.write(&self.folder).map_err(|error| unkept(&error));
        self.follow(&hosted);
        state.wish = Some(wish);
        state.failure = None;
        state.running = Some(hosted);
        state.began = Some(Instant::now());
        kept
    }

    async fn start_at_a_port(&self, wish: &Wish) -> Result<Hosted, tulou_server::Error> {
        let mut last = None;
        for port in wish.ports() {
            for &ip in places(wish.is_open) {
                match Hosted::start(self.config(wish, SocketAddr::new(ip, port))).await {
                    Err(error @ tulou_server::Error::Listen { .. }) => last = Some(error),
                    other => return other,
                }
            }
        }
        Err(last.expect("there are ports to try"))
    }

    fn config(&self, wish: &Wish, listen: SocketAddr) -> Config {
        Config {
            data: self.folder.clone(),
            name: wish.name.clone(),
            listen,
            // While only this computer reaches it, no other address leads here.
            addresses: wish
                .own_address
                .iter()
                .filter(|_| wish.is_open)
                .cloned()
                .collect(),
            announce: wish.is_announced,
            backups: Some(self.backups_folder()),
            most_open: MOST_OPEN,
            ..Config::default()
        }
    }

    /// The computer may go from one network to another, and the server may end.
    fn follow(&self, hosted: &Hosted) {
        let (over, ended) = (hosted.watch_end(), Arc::clone(&self.ended));
        tokio::spawn(async move {
            over.cancelled().await;
            ended.notify_one();
        });
        let mut addresses = hosted.app().watch_addresses();
        let mut room = hosted.app().watch_room();
        let mut clock = hosted.app().watch_clock();
        let on_change = Arc::clone(&self.on_change);
        // It ends with the server.
        tokio::spawn(async move {
            loop {
                let changed = tokio::select! {
                    changed = addresses.changed() => changed,
                    changed = room.changed() => changed,
                    changed = clock.changed() => changed,
                };
                match changed {
                    Ok(()) => on_change(),
                    Err(_) => return,
                }
            }
        });
        (self.on_change)();
    }
}

impl State {
    fn here(&self) -> Option<String> {
        let port = self.running.as_ref()?.address().port();
        Some(format!(
            "ws://{}",
            SocketAddr::from((Ipv4Addr::LOCALHOST, port))
        ))
    }
}

/// Where to listen: everywhere, with IPv6 or, on a system without it, without.
fn places(is_open: bool) -> &'static [IpAddr] {
    const OPEN: [IpAddr; 2] = [
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    ];
    const CLOSED: [IpAddr; 1] = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
    if is_open { &OPEN } else { &CLOSED }
}

fn shown(address: String) -> HostAddress {
    HostAddress {
        reach: match Reach::of_address(&address) {
            Reach::Internet => HostReach::Internet,
            Reach::LocalNetwork => HostReach::LocalNetwork,
            Reach::ThisComputer => HostReach::ThisComputer,
        },
        address,
    }
}

fn failure_of(error: &tulou_server::Error) -> HostFailure {
    HostFailure {
        code: error.code().to_owned(),
        details: error.told(),
    }
}

fn not_hosting() -> WindowError {
    WindowError {
        code: "not_found".to_owned(),
        message: "this computer hosts no server".to_owned(),
        rejection: None,
        about: None,
    }
}

fn unkept(error: &io::Error) -> WindowError {
    WindowError {
        code: "storage".to_owned(),
        message: format!("keep that this computer hosts a server: {error}"),
        rejection: None,
        about: None,
    }
}

#[cfg(test)]
impl Hosting {
    /// The server is looked through for as long as the value lives.
    pub async fn look_through(&self) -> impl Drop + '_ {
        self.state.lock().await
    }
}

#[cfg(test)]
mod starting;

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn in_folder(folder: &tempfile::TempDir) -> Hosting {
        Hosting::in_folder(folder.path().join("server"), Arc::new(|| {}))
    }

    /// A server at a port that no other test takes: the usual one is everybody's.
    pub(super) async fn begun(folder: &tempfile::TempDir) -> Hosting {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let wish = Wish {
            name: "A house".into(),
            port: free.local_addr().unwrap().port(),
            other_port: None,
            is_open: false,
            own_address: None,
            is_announced: false,
            server: None,
        };
        drop(free);
        wish.write(&folder.path().join("server")).unwrap();
        let hosting = in_folder(folder);
        hosting.resume().await.unwrap();
        hosting
    }

    #[tokio::test]
    async fn a_server_that_was_begun_starts_again_with_its_id_and_address() {
        let folder = tempfile::tempdir().unwrap();
        let first = begun(&folder).await;
        let address = first.begin("A house", false).await.unwrap();
        let again = first.begin("Another name", false).await.unwrap();
        assert_eq!(address, again, "one computer hosts one server");
        let server = first.server().await;
        assert!(server.is_some());
        first.end().await;
        assert_eq!(first.view(None), None, "it was stopped");

        let second = in_folder(&folder);
        let view = second.view(None).unwrap();
        assert!(view.is_starting, "nothing runs before resume");
        second.resume().await.unwrap();
        assert_eq!(
            second.server().await,
            server,
            "accounts are named by the server's id"
        );
        assert_eq!(second.address().await, Some(address.clone()));
        let view = second.view(None).unwrap();
        assert_eq!(view.addresses[0].address, address);
        assert_eq!(view.addresses[0].reach, HostReach::ThisComputer);
        assert!(!view.is_starting);
        assert!(!view.is_open, "others are let in by the person only");
        second.end().await;
    }

    #[tokio::test]
    async fn while_a_server_is_looked_through_it_is_said_to_start_and_none_is_begun_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let first = begun(&folder).await;
        let before = first.view(None).unwrap();
        let server = first.server().await;
        first.end().await;

        let second = in_folder(&folder);
        {
            let _looks_through = second.state.lock().await;
            let view = second.view(Some("alice".into())).unwrap();
            assert!(view.is_starting && view.failure.is_none());
            assert_eq!(
                (view.port, view.account.as_deref()),
                (before.port, Some("alice"))
            );
            assert_eq!(
                second.known_server(),
                server,
                "it is known whose accounts are on it"
            );
        }
        // It cannot be used for now, and the person begins to host.
        let data = folder.path().join("server");
        let elsewhere = in_folder(&folder);
        elsewhere.resume().await.unwrap();
        assert!(second.resume().await.is_err(), "another one works in there");
        assert!(!second.view(None).unwrap().is_starting);
        elsewhere.end().await;
        let wished = Wish::read(&data).unwrap();
        second.begin("Another house", true).await.unwrap();
        assert_eq!(second.server().await, server);
        assert_eq!(Wish::read(&data).unwrap(), wished, "what was wished stays");
        assert!(
            !second.view(None).unwrap().is_open,
            "nobody is let in who was not"
        );
        second.end().await;
    }

    #[tokio::test]
    async fn a_taken_port_is_left_to_the_other_and_taken_back_when_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let hosting = begun(&folder).await;
        let view = hosting.view(None).unwrap();
        assert_eq!(view.taken_port, None);
        let wished = view.port;
        hosting.end().await;

        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, wished)).unwrap();
        hosting.resume().await.unwrap();
        let moved = hosting.view(None).unwrap();
        assert_eq!(moved.taken_port, Some(wished), "the window tells it");
        assert_ne!(moved.port, wished);
        assert!(
            moved.addresses[0]
                .address
                .ends_with(&format!(":{}", moved.port)),
            "links carry the port that is in use"
        );
        hosting.end().await;
        hosting.resume().await.unwrap();
        let again = hosting.view(None).unwrap();
        assert_eq!(
            again.port, moved.port,
            "whoever met it there finds it there"
        );
        hosting.end().await;

        drop(other);
        hosting.resume().await.unwrap();
        let back = hosting.view(None).unwrap();
        assert_eq!((back.port, back.taken_port), (wished, None));
        hosting.end().await;
    }

    #[tokio::test]
    async fn letting_others_join_is_a_choice_that_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let hosting = begun(&folder).await;
        let here = hosting.address().await;
        hosting
            .let_others(true, Some("house.example.org"), false)
            .await
            .unwrap();
        let view = hosting.view(None).unwrap();
        assert!(view.is_open);
        assert_eq!(
            view.addresses[0],
            HostAddress {
                address: format!("wss://house.example.org:{}", view.port),
                reach: HostReach::Internet
            },
            "one's own address comes first"
        );
        assert!(view.key.is_some(), "others know the server by its key");
        assert_eq!(
            hosting.address().await,
            here,
            "this computer finds it where it was"
        );
        let error = hosting.let_others(true, Some("no address"), false).await;
        assert_eq!(error.unwrap_err().code, "address_host");
        hosting.end().await;
        hosting.resume().await.unwrap();
        assert!(hosting.view(None).unwrap().is_open, "the choice is kept");
        hosting.let_others(false, None, false).await.unwrap();
        let view = hosting.view(None).unwrap();
        assert!(
            view.addresses
                .iter()
                .all(|address| address.reach == HostReach::ThisComputer)
        );
        hosting.end().await;
    }

    #[tokio::test]
    async fn a_server_that_does_not_start_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let hosting = begun(&folder).await;
        hosting.end().await;
        let key = folder.path().join("server").join("server-key.pem");
        let kept = std::fs::read(&key).unwrap();
        std::fs::write(&key, "damaged").unwrap();
        let error = hosting.resume().await.unwrap_err();
        assert_eq!(error.code, "host_failed");
        assert_eq!(error.about.as_deref(), Some("key_unreadable"));
        let failure = hosting.view(None).unwrap().failure.unwrap();
        assert!(
            failure.details.contains("server-key.pem"),
            "what is wrong is named"
        );
        assert_eq!(
            failure.code, "key_unreadable",
            "the window has words for it"
        );
        std::fs::write(&key, kept).unwrap();
        hosting.resume().await.unwrap();
        assert_eq!(hosting.view(None).unwrap().failure, None);
        hosting.end().await;
    }

    pub(super) async fn break_a_part_of(hosting: &Hosting) {
        let state = hosting.state.lock().await;
        let app = state.running.as_ref().unwrap().app().clone();
        drop(state);
        app.break_off("what a test broke");
        let looked = tokio::time::timeout(Duration::from_secs(30), hosting.look_after()).await;
        looked.expect("it is heard of");
    }

    #[tokio::test]
    async fn a_server_of_which_a_part_breaks_is_not_said_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let hosting = begun(&folder).await;
        break_a_part_of(&hosting).await;
        let view = hosting.view(None).unwrap();
        assert_eq!(view.addresses, [], "nothing is reached there");
        let failure = view.failure.unwrap();
        assert_eq!(failure.code, "broken", "the window has words for it");
        assert!(failure.details.contains("what a test broke"));
        assert_eq!(hosting.address().await, None);
        hosting.resume().await.unwrap();
        assert_eq!(
            hosting.view(None).unwrap().failure,
            None,
            "the person starts it again"
        );
        hosting.end().await;
    }

    #[tokio::test]
    async fn a_server_that_ran_well_begins_again_when_a_part_of_it_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let mut hosting = begun(&folder).await;
        hosting.well_after = Duration::ZERO;
        let before = (hosting.server().await, hosting.address().await);
        break_a_part_of(&hosting).await;
        assert_eq!(hosting.view(None).unwrap().failure, None);
        let after = (hosting.server().await, hosting.address().await);
        assert_eq!(after, before, "at its place");
        hosting.end().await;
    }
}
