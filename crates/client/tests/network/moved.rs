//! A host whose only address changes while nobody is connected to hear of it: clients find it in the local network, by
//! its id, and trust it by its key.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use mdns_sd::{ServiceDaemon, ServiceInfo};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout_at,
};
use tulou_client::{InMemory, view::Connection};
use tulou_protocol::nearby;
use tulou_server::{Config, Hosted};

use crate::{
    lan::{Computer, Lan},
    stage::Person,
};

/// One test at a time: each looks at the threads of the program.
static ALONE: Mutex<()> = Mutex::new(());
/// The port at which multicast DNS is spoken.
const MDNS: u16 = 5353;
/// How long the threads of a search may take to end.
const ENDED: Duration = Duration::from_secs(10);
/// How long a search may take in which another listener has to begin.
const FOUND: Duration = Duration::from_secs(90);

fn config(folder: &Path, port: u16, announce: bool) -> Config {
    Config {
        data: folder.to_owned(),
        listen: format!("[::]:{port}").parse().unwrap(),
        digest_ms: 100,
        announce,
        ..Config::default()
    }
}

/// Threads that speak multicast DNS.
fn speakers() -> usize {
    let names = fs::read_dir("/proc/self/task").unwrap();
    names
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("mDNS"))
        .count()
}

/// Hundredths of a second that they have worked so far.
fn work_of_speakers() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok());
    stats
        .filter(|stat| stat.contains("(mDNS"))
        .map(|stat| {
            // After the name: the state, ten numbers, the time in the program and that in the system.
            let (_, rest) = stat.rsplit_once(") ").unwrap();
            let numbers = rest.split(' ').skip(11).take(2);
            numbers.map(|no| no.parse::<u64>().unwrap()).sum::<u64>()
        })
        .sum()
}

fn until_no_thread_is_left() {
    let deadline = Instant::now() + ENDED;
    while speakers() > 0 {
        assert!(Instant::now() < deadline, "{} threads stay", speakers());
        std::thread::yield_now();
    }
}

/// Alice hosts at a computer, and Bob has joined from the other one by her link.
struct House {
    lan: Lan,
    folder: TempDir,
    server: Option<Hosted>,
    port: u16,
    alice: Person,
    bob: Person,
    topic: String,
}

impl House {
    fn build(announce: bool) -> Option<Self> {
        Some(Self::build_in(Lan::build()?, announce))
    }

    fn build_in(lan: Lan, announce: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("server");
        let (alice_folder, bob_folder) = (folder.path().join("alice"), folder.path().join("bob"));
        let (server, alice, topic, link) = lan.host.run(async || {
            let server = Hosted::start(config(&data, 0, announce)).await.unwrap();
            let here = format!("ws://127.0.0.1:{}", server.address().port());
            let alice = Person::open(alice_folder, Arc::new(InMemory::default())).await;
            let alice = alice.register(&here, "alice").await;
            let (community, topic) = alice.found("星海").await;
            let invite = alice
                .client
                .create_invite(&alice.account, &community, None, None)
                .await
                .unwrap();
            alice.enter(&topic).await;
            (server, alice, topic, invite.link)
        });
        let bob = lan.guest.run(async || {
            let bob = Person::open(bob_folder, Arc::new(InMemory::default())).await;
            let bob = bob.register(&link, "bob").await;
            bob.client.join_link(&bob.account, &link).await.unwrap();
            bob.enter(&topic).await;
            bob.settled().await;
            bob
        });
        Self {
            port: server.address().port(),
            lan,
            folder,
            server: Some(server),
            alice,
            bob,
            topic,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    fn stop_server(&mut self) {
        let server = self.server.take().unwrap();
        self.lan.host.run(async || server.stop().await);
    }

    fn start_server(&mut self) {
        let config = config(&self.data(), self.port, true);
        let started = self.lan.host.run(async || Hosted::start(config).await);
        self.server = Some(started.unwrap());
    }

    /// Both hear each other.
    fn talk(&self, text: &'static str) {
        let (host, guest) = (&self.lan.host, &self.lan.guest);
        let ways: [(&Person, &Computer, &Person, &Computer); 2] = [
            (&self.bob, guest, &self.alice, host),
            (&self.alice, host, &self.bob, guest),
        ];
        for (from, at, to, there) in ways {
            let sent = at.run(async || {
                let id = from.say(&self.topic, text).await;
                from.settled().await;
                id
            });
            there.run(async || {
                to.until(text, async || {
                    to.has(&self.topic, &sent).await.then_some(())
                })
                .await;
            });
        }
    }

    /// Bob writes, whether the server is there or not; the message.
    fn bob_says(&self, text: &str) -> String {
        let Self { bob, topic, .. } = self;
        self.lan.guest.run(async || bob.say(topic, text).await)
    }

    /// What Bob wrote is on the server, and so is everything else.
    fn until_sent(&self, message: &str) {
        let Self { bob, topic, .. } = self;
        self.lan.guest.run(async || {
            bob.settled().await;
            assert!(bob.has(topic, message).await);
        });
    }

    /// Bob's client has tried in vain to reach the server, so often since now.
    fn until_tried_in_vain(&self, times: usize) {
        let bob = &self.bob;
        self.lan.guest.run(async || {
            let tried = RefCell::new(BTreeSet::new());
            bob.until("an attempt that fails", async || {
                let app = bob.client.app_view().await;
                if let Connection::Offline { retry_at, .. } = app.accounts[0].connection {
                    tried.borrow_mut().insert(retry_at);
                }
                (tried.borrow().len() >= times).then_some(())
            })
            .await;
        });
    }

    /// Bob's client finds the server at an address by itself.
    fn until_found_at(&self, address: &str) {
        let bob = &self.bob;
        self.lan.guest.run(async || {
            let deadline = tokio::time::Instant::now() + FOUND;
            let mut changes = bob.client.changes();
            loop {
                let app = bob.client.app_view().await;
                if app.accounts[0].connection == Connection::Synced {
                    break;
                }
                let told = timeout_at(deadline, changes.next()).await;
                assert!(told.is_ok(), "not found: {app:?}");
            }
        });
        assert_eq!(self.address_of_bob(), address);
    }

    fn address_of_bob(&self) -> String {
        let bob = &self.bob;
        let app = self.lan.guest.run(async || bob.client.app_view().await);
        app.accounts[0].address.clone()
    }

    fn end(self) {
        let Self {
            lan,
            server,
            alice,
            bob,
            ..
        } = self;
        lan.guest.run(async || bob.client.shutdown().await);
        drop(bob);
        lan.host.run(async || {
            alice.client.shutdown().await;
            if let Some(server) = server {
                server.stop().await;
            }
        });
        drop(alice);
        until_no_thread_is_left();
    }
}

#[test]
fn a_host_whose_only_address_changed_while_nobody_heard_is_found_in_the_local_network() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut house) = House::build(true) else {
        return;
    };
    house.talk("at the first address");
    assert_eq!(speakers(), 1, "the server speaks; nobody has to listen");

    // Bob is away while his host gets another address.
    let House { lan, bob, .. } = &mut house;
    lan.guest.run(async || bob.client.shutdown().await);
    lan.host_loses("10.77.0.1/24");
    lan.host_gets("10.77.0.33/26");
    house.bob = house.lan.guest.run(async || house.bob.crash().await);
    let (bob, topic) = (&house.bob, &house.topic);
    house.lan.guest.run(async || {
        bob.enter(topic).await;
        bob.settled().await;
    });
    let second = format!("wss://10.77.0.33:{}", house.port);
    assert_eq!(house.address_of_bob(), second);
    house.talk("at the second address");

    // Bob waits while the server is away and comes back at a third address.
    house.stop_server();
    house.until_tried_in_vain(1);
    house.lan.host_loses("10.77.0.33/26");
    house.lan.host_gets("10.77.0.77/25");
    house.start_server();
    house.talk("at the third address");
    let third = format!("wss://10.77.0.77:{}", house.port);
    assert_eq!(house.address_of_bob(), third);

    // What worked is kept: the next start needs nobody to tell it.
    house.stop_server();
    house
        .lan
        .guest
        .run(async || bob_is_told(&house.bob, &third).await);
    house.end();
}

/// Bob knows by himself where the server is.
async fn bob_is_told(bob: &Person, address: &str) {
    let known = bob.client.addresses(&bob.account).await.unwrap();
    assert!(known.iter().any(|it| it == address), "{known:?}");
}

#[test]
fn an_impostor_with_the_servers_id_fails_the_key_and_alarms_nobody() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut house) = House::build(false) else {
        return;
    };
    house.talk("before");
    let server = house.server.as_ref().unwrap();
    let (id, key) = (server.server().to_string(), server.app().key().unwrap());
    house.stop_server();

    // Somebody in the network says that he is the server, and is another one, at another port.
    let elsewhere = house.folder.path().join("impostor");
    let visits = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&visits);
    let (impostor, says) = house.lan.host.run(async || {
        let impostor = Hosted::start(config(&elsewhere, 0, false)).await.unwrap();
        let behind = SocketAddr::from((Ipv4Addr::new(10, 77, 0, 1), impostor.address().port()));
        let door = TcpListener::bind("[::]:0").await.unwrap();
        let port = door.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut visitor, _)) = door.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    if let Ok(mut inside) = TcpStream::connect(behind).await {
                        let _ = tokio::io::copy_bidirectional(&mut visitor, &mut inside).await;
                    }
                });
            }
        });
        let says = ServiceDaemon::new().unwrap();
        let told = [(nearby::ID, id.clone()), (nearby::KEY, nearby::short(key))];
        let service = ServiceInfo::new(
            nearby::SERVICE,
            &id,
            "impostor.local.",
            "10.77.0.1",
            port,
            &told[..],
        );
        says.register(service.unwrap()).unwrap();
        (impostor, says)
    });
    let waiting = house.bob_says("for the server's eyes only");
    let bob = &house.bob;
    house.lan.guest.run(async || {
        let unalarmed = async || {
            let app = bob.client.app_view().await;
            let state = app.accounts[0].connection.clone();
            assert!(
                !matches!(state, Connection::OtherKey { .. }),
                "anybody could have frightened him with a word in the network"
            );
            state
        };
        bob.until("he has been at the impostor's door", async || {
            unalarmed().await;
            (visits.load(Ordering::Relaxed) >= 1).then_some(())
        })
        .await;
        bob.until("he has given it up", async || {
            matches!(unalarmed().await, Connection::Offline { .. }).then_some(())
        })
        .await;
    });

    // The server comes back, with the impostor still there: what waited goes to it.
    house.start_server();
    house.until_sent(&waiting);
    house.talk("after");
    let first = format!("wss://10.77.0.1:{}", house.port);
    assert_eq!(house.address_of_bob(), first);
    says.shutdown().unwrap();
    house.lan.host.run(async || impostor.stop().await);
    house.end();
}

#[test]
fn a_network_without_multicast_holds_nobody_up() {
    /// A thread that goes round without rest takes as much in some seconds.
    const MOST_WORK: u64 = 100;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(lan) = Lan::build() else {
        return;
    };
    lan.loses_multicast();
    let mut house = House::build_in(lan, true);
    house.talk("without multicast");

    // What he is told while he is connected he follows, as everywhere.
    let second = format!("wss://10.77.0.9:{}", house.port);
    house.lan.host_gets("10.77.0.9/25");
    let bob = &house.bob;
    house.lan.guest.run(async || bob.until_known(&second).await);
    house.lan.host_loses("10.77.0.1/24");
    house.talk("at an address that he was told");
    assert_eq!(house.address_of_bob(), second);

    // Nobody can be heard of: he looks, in vain and at rest, until the server is back where it was.
    house.stop_server();
    let waiting = house.bob_says("are you there?");
    house.until_tried_in_vain(1);
    house.start_server();
    house.until_sent(&waiting);
    house.talk("again");
    let worked = work_of_speakers();
    assert!(worked < MOST_WORK, "{worked} hundredths of a second");
    house.end();
}

#[test]
fn what_could_not_be_listened_to_at_first_is_heard_when_the_network_comes_to_its_senses() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut house) = House::build(true) else {
        return;
    };
    house.talk("at the first address");

    // Another program on Bob's computer has the port to itself while the server goes elsewhere.
    let taken = house
        .lan
        .guest
        .run(async || UdpSocket::bind(("::", MDNS)).unwrap());
    house.stop_server();
    house.until_tried_in_vain(1);
    house.lan.host_loses("10.77.0.1/24");
    house.lan.host_gets("10.77.0.33/26");
    house.start_server();
    house.until_tried_in_vain(2);
    drop(taken);
    house.until_found_at(&format!("wss://10.77.0.33:{}", house.port));
    house.talk("at the second address");

    // Then the network carries nothing that is meant for several, and does again later.
    house.lan.loses_multicast();
    house.stop_server();
    house.until_tried_in_vain(1);
    house.lan.host_loses("10.77.0.33/26");
    house.lan.host_gets("10.77.0.77/25");
    house.start_server();
    house.until_tried_in_vain(2);
    house.lan.gets_multicast();
    house.until_found_at(&format!("wss://10.77.0.77:{}", house.port));
    house.talk("at the third address");
    house.end();
}
