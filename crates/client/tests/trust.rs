//! Whom a client trusts: the key that the invite link names, or else whom the system trusts. Nobody else is told anything.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use stage::Person;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::AbortHandle,
    time::Instant,
};
use tulou_client::{
    InMemory,
    view::{Connection, Relocation},
};
use tulou_protocol::{Fingerprint, ServerId, http::SERVER_HEADER, invite::InviteLink};
use tulou_server::{Config, Hosted, certificate::Certificate};
use uuid::Uuid;

/// How long a port may be in the kernel's hands.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(folder: &Path, listen: SocketAddr) -> Config {
    Config {
        data: folder.to_owned(),
        listen,
        digest_ms: 100,
        ..Config::default()
    }
}

fn anywhere() -> SocketAddr {
    "0.0.0.0:0".parse().unwrap()
}

/// A link to a server by its key, over TLS, on this computer.
fn link(server: &Hosted) -> InviteLink {
    InviteLink {
        code: None,
        server: Some(server.server()),
        addresses: vec![format!("wss://127.0.0.1:{}", server.address().port())],
        key: server.app().key(),
    }
}

async fn person(folder: &TempDir, name: &str) -> Person {
    Person::open(folder.path().join(name), Arc::new(InMemory::default())).await
}

async fn state(person: &Person, what: &str, wanted: impl Fn(&Connection) -> bool) {
    person
        .until(what, async || {
            let app = person.client.app_view().await;
            wanted(&app.accounts[0].connection).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_trusted_by_its_key_whatever_its_certificate_says() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("server");
    let server = Hosted::start(config(&home, anywhere())).await.unwrap();
    let link = link(&server);
    let alice = person(&folder, "alice").await;
    let alice = alice.register(&link.to_text(), "alice").await;
    let (_, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let message = alice.say(&topic, "over TLS").await;
    alice.settled().await;
    let app = alice.client.app_view().await;
    assert_eq!(app.accounts[0].address, link.addresses[0]);

    // The certificate is made anew, of the same key: nobody has to do anything.
    let listen = server.address();
    server.stop().await;
    std::fs::remove_file(home.join(tulou_server::certificate::CERTIFICATE_FILE)).unwrap();
    let server = at_once(&config(&home, listen)).await;
    alice.client.hurry().await;
    let alice = alice.crash().await;
    alice.settled().await;
    assert!(alice.has(&topic, &message).await, "the history goes on");

    // Without the key, a certificate of its own making says nothing.
    let stranger = person(&folder, "stranger").await;
    let bare = link.addresses[0].clone();
    let error = stranger.client.peek(&bare).await.unwrap_err();
    assert_eq!(error.code(), "certificate", "an invite link would name it");
    alice.client.shutdown().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_another_key_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("server");
    let server = Hosted::start(config(&home, anywhere())).await.unwrap();
    let link = link(&server);
    let alice = person(&folder, "alice").await;
    let alice = alice.register(&link.to_text(), "alice").await;
    let (_, topic) = alice.found("星海").await;
    let listen = server.address();
    server.stop().await;

    let thief = Thief::at(listen, &folder.path().join("thief")).await;
    alice.client.hurry().await;
    state(&alice, "it is told that the key is another", |state| {
        matches!(state, Connection::OtherKey { .. })
    })
    .await;
    let waiting = alice.say(&topic, "kept for the right one").await;
    let text = link.to_text();
    for refused in [
        alice
            .client
            .sign_in_again(&alice.account, "correct horse")
            .await,
        alice
            .client
            .sign_in(&text, "alice", "correct horse")
            .await
            .map(drop),
        alice.client.peek(&text).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), "certificate_changed");
    }
    assert!(thief.met() >= 4, "they went there: {}", thief.met());
    assert_eq!(thief.stop(), "", "and did not say a word");

    // The right one is back: everything goes on by itself.
    let server = at_once(&config(&home, listen)).await;
    alice.client.hurry().await;
    alice.settled().await;
    assert!(alice.has(&topic, &waiting).await);
    alice.client.shutdown().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_server_gets_another_key_by_the_persons_decision_only() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("server");
    let server = Hosted::start(config(&home, anywhere())).await.unwrap();
    let link = link(&server);
    let alice = person(&folder, "alice").await;
    let alice = alice.register(&link.to_text(), "alice").await;
    let listen = server.address();
    server.stop().await;

    // The key is lost; the operator decides for a new one.
    for file in ["server-key.pem", "server-certificate.pem"] {
        std::fs::remove_file(home.join(file)).unwrap();
    }
    let server = at_once(&config(&home, listen)).await;
    let renewed = self::link(&server);
    assert_eq!(renewed.server, link.server, "it is the same server");
    let text = renewed.to_text();
    let error = alice.client.peek(&text).await.unwrap_err();
    assert_eq!(
        error.code(),
        "certificate_changed",
        "a link alone, whoever sent it, changes nothing"
    );
    let (old, new) = (link.key.unwrap(), renewed.key.unwrap());
    let asked = alice.client.relocate(&alice.account, &text, None).await;
    assert_eq!(
        asked.unwrap(),
        Relocation::OtherKey {
            old: old.to_string(),
            new: new.to_string()
        }
    );
    let wrong = old.to_string();
    let asked = alice
        .client
        .relocate(&alice.account, &text, Some(&wrong))
        .await
        .unwrap();
    assert!(matches!(asked, Relocation::OtherKey { .. }));
    let moved = alice
        .client
        .relocate(&alice.account, &text, Some(&new.to_string()))
        .await
        .unwrap();
    assert!(matches!(moved, Relocation::Found { .. }));
    alice.settled().await;
    let alice = alice.crash().await;
    let known = alice.client.app_view().await.accounts[0].address.clone();
    assert_eq!(known, renewed.addresses[0], "the decision is kept");

    let other = InviteLink {
        server: Some(ServerId(Uuid::from_u128(7))),
        ..renewed
    };
    let error = alice
        .client
        .relocate(&alice.account, &other.to_text(), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "other_server", "its accounts are elsewhere");
    alice.client.shutdown().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_invite_link_leads_to_a_server_that_has_moved() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("server");
    let server = Hosted::start(config(&home, anywhere())).await.unwrap();
    let alice = person(&folder, "alice").await;
    let alice = alice.register(&link(&server).to_text(), "alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let invite = alice
        .client
        .create_invite(&alice.account, &community, None, None)
        .await
        .unwrap();
    server.stop().await;
    state(&alice, "the link is given up", |state| {
        matches!(state, Connection::Offline { .. })
    })
    .await;
    let waiting = alice.say(&topic, "written meanwhile").await;

    // At another port: what she knows leads nowhere.
    let server = Hosted::start(config(&home, anywhere())).await.unwrap();
    let renewed = InviteLink {
        addresses: link(&server).addresses,
        ..InviteLink::parse(&invite.link).unwrap()
    };
    let place = alice
        .client
        .join_link(&alice.account, &renewed.to_text())
        .await
        .unwrap();
    assert_eq!(place.community, Some(community), "the same one");
    alice.settled().await;
    assert!(alice.has(&topic, &waiting).await, "with the same account");
    alice.client.shutdown().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_on_this_computer_is_not_told_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("server");
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Hosted::start(config(&home, listen)).await.unwrap();
    let listen = server.address();
    let alice = person(&folder, "alice").await;
    let alice = alice.register(&format!("ws://{listen}"), "alice").await;
    alice.settled().await;
    server.stop().await;

    let heard = Arc::new(Mutex::new(String::new()));
    let other = other_server(listen, Arc::clone(&heard)).await;
    alice.client.hurry().await;
    alice
        .until("it went to the other server", async || {
            alice.client.hurry().await;
            let is_there = heard.lock().unwrap().contains("GET /ws ");
            is_there.then_some(())
        })
        .await;
    state(&alice, "it is offline", |state| {
        matches!(state, Connection::Offline { .. })
    })
    .await;
    let error = alice.client.sign_in_again(&alice.account, "correct horse");
    assert_eq!(error.await.unwrap_err().code(), "other_server");
    alice.client.sign_out(&alice.account).await.unwrap();
    let heard = heard.lock().unwrap().clone();
    assert!(
        !heard.to_lowercase().contains("bearer")
            && !heard.contains("session.open")
            && !heard.contains("horse"),
        "neither token nor password: {heard}"
    );
    other.abort();
    alice.client.shutdown().await;
}

/// Run again by itself in a process whose system trusts the authority, and in one whose system does not.
#[test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "elsewhere the system's roots cannot be given to one program"
)]
fn an_authoritys_certificate_is_verified_by_the_systems_roots() {
    let name = "an_authoritys_certificate_is_verified_by_the_systems_roots";
    let variable = "TULOU_TEST_AUTHORITY";
    if let Some(folder) = std::env::var_os(variable) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(with_an_authority(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    authority_and_certificate(folder.path());
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (trusted, is_trusted) in [(&authority, "1"), (&empty, "")] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(variable, folder.path())
            .env("TULOU_TEST_TRUSTED", is_trusted)
            .env("SSL_CERT_FILE", trusted)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

async fn with_an_authority(folder: &Path) {
    let is_trusted = std::env::var("TULOU_TEST_TRUSTED").unwrap() == "1";
    let data = tempfile::tempdir().unwrap();
    let mut config = config(&data.path().join("server"), anywhere());
    config.certificate = Some(folder.join("certificate.pem"));
    config.key = Some(folder.join("key.pem"));
    let server = Hosted::start(config).await.unwrap();
    assert_eq!(server.app().key(), None, "links need no key");
    let port = server.address().port();
    let name = format!("wss://localhost:{port}");
    let alice = person(&data, "alice").await;
    if !is_trusted {
        let error = alice.client.peek(&name).await.unwrap_err();
        assert_eq!(error.code(), "certificate_incomplete", "{error}");
        return server.stop().await;
    }
    let number = format!("wss://127.0.0.1:{port}");
    let error = alice.client.peek(&number).await.unwrap_err();
    assert_eq!(
        error.code(),
        "certificate_name",
        "it is good for its name only"
    );
    let alice = alice.register(&name, "alice").await;
    alice.settled().await;
    alice.client.shutdown().await;
    server.stop().await;
}

fn authority_and_certificate(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "An authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    for (file, text) in [
        ("authority.pem", authority.pem()),
        ("certificate.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
}

/// A server that comes back where it was.
async fn at_once(config: &Config) -> Hosted {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Hosted::start(config.clone()).await {
            Ok(server) => return server,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

async fn listen(at: SocketAddr) -> TcpListener {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpListener::bind(at).await {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

/// Somebody with a key of his own, who writes down what he is told.
struct Thief {
    heard: Arc<Mutex<(usize, String)>>,
    task: AbortHandle,
}

impl Thief {
    async fn at(address: SocketAddr, folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let certificate = Certificate::open(&config(folder, address)).unwrap();
        assert_ne!(certificate.key(), None::<Fingerprint>);
        let acceptor = tokio_rustls::TlsAcceptor::from(certificate.tls());
        let listener = listen(address).await;
        let heard = Arc::new(Mutex::new((0, String::new())));
        let writing = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                writing.lock().unwrap().0 += 1;
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let mut told = Vec::new();
                    let _ = stream.read_to_end(&mut told).await;
                    let told = String::from_utf8_lossy(&told).into_owned();
                    writing.lock().unwrap().1.push_str(&told);
                }
            }
        });
        Self {
            heard,
            task: task.abort_handle(),
        }
    }

    fn met(&self) -> usize {
        self.heard.lock().unwrap().0
    }

    fn stop(self) -> String {
        self.task.abort();
        self.heard.lock().unwrap().1.clone()
    }
}

/// Another server, that opens a WebSocket for everybody and says who it is.
async fn other_server(at: SocketAddr, heard: Arc<Mutex<String>>) -> AbortHandle {
    let listener = listen(at).await;
    let id = ServerId(Uuid::from_u128(99));
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut bytes = [0; 4_096];
                while let Ok(read) = stream.read(&mut bytes).await
                    && read > 0
                {
                    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    heard.lock().unwrap().push_str(&text);
                    let answer = match text
                        .split_once("sec-websocket-key: ")
                        .or_else(|| text.split_once("Sec-WebSocket-Key: "))
                    {
                        Some((_, rest)) => {
                            let key = rest.split("\r\n").next().unwrap();
                            let accept =
                                tokio_tungstenite::tungstenite::handshake::derive_accept_key(
                                    key.as_bytes(),
                                );
                            format!(
                                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                                 Sec-WebSocket-Protocol: tulou.v1\r\nSec-WebSocket-Accept: {accept}\r\n{SERVER_HEADER}: {id}\r\n\r\n"
                            )
                        }
                        None => {
                            let body = format!(
                                r#"{{"server":"{id}","name":"Another","version":2,"registration":"open"}}"#
                            );
                            format!(
                                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{SERVER_HEADER}: {id}\r\nContent-Length: {}\r\n\r\n{body}",
                                body.len()
                            )
                        }
                    };
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    task.abort_handle()
}
