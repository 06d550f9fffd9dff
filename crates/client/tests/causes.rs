//! What a person is told when a server answers and cannot be used: the cause, so that whoever runs it can mend it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

#[path = "causes/certificates.rs"]
mod certificates;
#[path = "causes/proxy.rs"]
mod proxy;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use proxy::{Pass, Proxy};
use stage::{Person, Stage};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};
use tulou_client::{
    InMemory,
    view::{Cause, Connection},
};
use tulou_server::{Config, Hosted};

/// How long it may take to learn how often to ping.
const PATIENCE: Duration = Duration::from_secs(60);

async fn person(folder: &TempDir, name: &str) -> Person {
    Person::open(folder.path().join(name), Arc::new(InMemory::default())).await
}

/// Something that gives everybody the same answer.
async fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4_096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
                let _ = stream.read(&mut head).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn what_answers_in_the_place_of_a_server_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let alice = person(&folder, "alice").await;
    for (answer, code, about) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Welcome to nginx!</h1>",
            "not_tulou",
            None,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"server\": 7}",
            "not_tulou",
            None,
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<h1>404</h1>",
            "not_tulou",
            None,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://sso.example/login?rd=x\r\nContent-Length: 0\r\n\r\n",
            "redirects",
            Some("https://sso.example/login?rd=x"),
        ),
        (
            "HTTP/1.1 301 Moved Permanently\r\nLocation: /chat/\r\nContent-Length: 0\r\n\r\n",
            "redirects",
            Some("/chat/"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<form>Name <input type=\"password\"></form>",
            "sign_in_wall",
            None,
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            "sign_in_wall",
            None,
        ),
        (
            "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n",
            "proxy_refused",
            Some("413"),
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "proxy_behind",
            Some("502"),
        ),
    ] {
        let address = format!("ws://{}", answering(answer).await);
        let error = alice.client.peek(&address).await.unwrap_err();
        assert_eq!(error.code(), code, "{answer}");
        assert_eq!(error.about().as_deref(), about, "{answer}");
    }
    let plain = format!(
        "wss://{}",
        answering("HTTP/1.1 400 Bad Request\r\n\r\n").await
    );
    let error = alice.client.peek(&plain).await.unwrap_err();
    assert_eq!(error.code(), "not_encrypted", "{error}");
    alice.client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_passes_no_websocket_is_named_before_an_account_is_made() {
    let stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let alice = person(&folder, "alice").await;
    for (pass, code) in [
        (Pass::NoUpgrade, "no_websocket"),
        (Pass::Http10, "http_1_0"),
        (Pass::LoginPageForSockets, "sign_in_wall"),
        (Pass::NotFoundForSockets, "no_websocket"),
    ] {
        let proxy = Proxy::before(stage.server().address(), pass).await;
        let error = alice.client.peek(&proxy.link()).await.unwrap_err();
        assert_eq!(error.code(), code, "{pass:?}");
        let made = alice
            .client
            .register(&proxy.link(), "alice", "Alice", "correct horse")
            .await;
        assert_eq!(made.unwrap_err().code(), code, "{pass:?}");
    }
    let accounts = alice.client.app_view().await.accounts;
    assert!(
        accounts.is_empty(),
        "nobody has an account that is of no use"
    );
    let proxy = Proxy::before(stage.server().address(), Pass::All).await;
    let alice = alice.register(&proxy.link(), "alice").await;
    alice.settled().await;
    alice.client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_made_a_link_is_not_shown_who_looks_at_it() {
    let stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let alice = person(&folder, "alice").await;
    let address = format!("ws://{}", stage.server().address());
    let alice = alice.register(&address, "alice").await;
    alice.settled().await;
    let server = alice.client.peek(&address).await.unwrap().server;

    // Somebody says of himself that he is her server; here he only passes on what he hears.
    let mallory = Proxy::before(stage.server().address(), Pass::All).await;
    let link = format!(
        "tulou://join/ABCDEFGHIJKL?at={}&server={server}",
        mallory.link()
    );
    let peek = alice.client.peek(&link).await.unwrap();
    assert!(peek.is_invite_over, "there is no such invite");
    assert!(mallory.has_heard("/v1/invites/abcdefghijkl"));
    assert!(!mallory.has_heard("authorization"), "her token is hers");
    alice.client.shutdown().await;
}

/// A server that is reached through its proxy only.
async fn behind(proxy: &Proxy, folder: &TempDir) -> Hosted {
    let config = Config {
        data: folder.path().join("server"),
        listen: "127.0.0.1:0".parse().unwrap(),
        addresses: vec![proxy.link()],
        digest_ms: 100,
        ..Config::default()
    };
    let server = Hosted::start(config).await.unwrap();
    proxy.leads_to(server.address());
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_could_be_used_until_its_proxy_was_changed_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::open(Pass::All).await;
    let server = behind(&proxy, &folder).await;
    let alice = person(&folder, "alice").await;
    let alice = alice.register(&proxy.link(), "alice").await;
    alice.settled().await;

    proxy.now_pass(Pass::NoUpgrade);
    let cause = |code: &str| Cause {
        code: code.to_owned(),
        about: None,
    };
    let told = async |wanted: Cause| {
        alice
            .until("the cause is told", async || {
                alice.client.hurry().await;
                let app = alice.client.app_view().await;
                let is_told = matches!(&app.accounts[0].connection, Connection::Offline { cause: Some(cause), .. } if *cause == wanted);
                is_told.then_some(())
            })
            .await;
    };
    told(cause("no_websocket")).await;
    proxy.now_pass(Pass::LoginPageForSockets);
    told(cause("sign_in_wall")).await;
    proxy.now_pass(Pass::All);
    alice.client.hurry().await;
    alice.settled().await;
    alice.client.shutdown().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_cuts_quiet_sockets_is_outlived_once_it_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = Duration::from_secs(2);
    let proxy = Proxy::open(Pass::Within(quiet)).await;
    let server = behind(&proxy, &folder).await;
    let alice = person(&folder, "alice").await;
    let alice = alice.register(&proxy.link(), "alice").await;
    let deadline = Instant::now() + PATIENCE;
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while proxy.oldest_socket() < quiet * 3 {
        assert!(
            Instant::now() < deadline,
            "no socket outlives the proxy's patience; {} were cut",
            proxy.cut()
        );
        alice.client.hurry().await;
        look.tick().await;
    }
    assert!(
        proxy.cut() >= 2,
        "it was cut before, or this test shows nothing"
    );
    alice.client.shutdown().await;
    server.stop().await;
}
