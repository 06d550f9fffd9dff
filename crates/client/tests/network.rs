//! Two computers, each in a network namespace of its own: joining by the invite link alone, and a host that moves.
//!
//! Namespaces need root and `ip`. Where they cannot be made, the tests say so in a line and are skipped.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "network/lan.rs"]
mod lan;
#[path = "network/moved.rs"]
mod moved;
#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::sync::Arc;

use lan::{Computer, Lan};
use stage::Person;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tulou_client::{InMemory, view::Connection, view::Relocation};
use tulou_protocol::invite::InviteLink;
use tulou_server::{Config, Hosted};

#[test]
fn somebody_elsewhere_joins_by_the_link_alone_and_both_go_on_when_the_host_moves() {
    let Some(lan) = Lan::build() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (server_folder, alice_folder, bob_folder) = (
        folder.path().join("server"),
        folder.path().join("alice"),
        folder.path().join("bob"),
    );

    // Alice hosts, and lets others join.
    let (server, alice, community, topic, link) = lan.host.run(async || {
        let config = Config {
            data: server_folder,
            listen: "[::]:0".parse().unwrap(),
            digest_ms: 100,
            // Nobody can find it but by what he is told.
            announce: false,
            ..Config::default()
        };
        let server = Hosted::start(config).await.unwrap();
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
        (server, alice, community, topic, invite.link)
    });
    let port = server.address().port();
    let read = InviteLink::parse(&link).unwrap();
    assert_eq!(
        read.addresses,
        [format!("wss://10.77.0.1:{port}")],
        "the link carries what others can reach"
    );
    assert!(read.key.is_some(), "and the key that they trust");

    // Bob has nothing but the link.
    let bob = lan.guest.run(async || {
        let bob = Person::open(bob_folder, Arc::new(InMemory::default())).await;
        let bob = bob.register(&link, "bob").await;
        let place = bob.client.join_link(&bob.account, &link).await.unwrap();
        assert_eq!(place.community.as_ref(), Some(&community));
        bob.enter(&topic).await;
        bob
    });
    let talk = |text: &'static str| {
        for (from, at, to, there) in [
            (&alice, &lan.host, &bob, &lan.guest),
            (&bob, &lan.guest, &alice, &lan.host),
        ] {
            let sent = at.run(async || {
                let id = from.say(&topic, text).await;
                from.settled().await;
                id
            });
            there.run(async || {
                to.until(text, async || to.has(&topic, &sent).await.then_some(()))
                    .await;
            });
        }
    };
    talk("in the first network");

    // Whoever comes from elsewhere without TLS is told so or turned away, and disturbs nobody.
    let door = format!("10.77.0.1:{port}");
    let stuck = lan.guest.run(async || {
        let mut plain = TcpStream::connect(&door).await.unwrap();
        plain
            .write_all(b"GET /v1/server HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        let mut told = String::new();
        plain.read_to_string(&mut told).await.unwrap();
        assert!(
            told.starts_with("HTTP/1.1 400 ") && !told.contains("limits"),
            "plain text is for this computer only: {told}"
        );
        let mut garbage = TcpStream::connect(&door).await.unwrap();
        garbage.write_all(&[0xff; 300]).await.unwrap();
        let _ = garbage.read(&mut [0; 64]).await;
        let mut stuck = Vec::new();
        for _ in 0..100 {
            let mut silent = TcpStream::connect(&door).await.unwrap();
            let _ = silent.write_all(b"\x16\x03\x01").await;
            stuck.push(silent);
        }
        stuck
    });
    talk("beside a hundred half-open handshakes");
    drop(stuck);

    // The host gets another address, and loses the first one afterwards: Bob has heard of it.
    lan.host_gets("10.77.0.9/25");
    let second = format!("wss://10.77.0.9:{port}");
    lan.guest.run(async || bob.until_known(&second).await);
    lan.host_loses("10.77.0.1/24");
    // What Bob writes is not answered; his client looks where the server has gone.
    lan.guest.run(async || {
        bob.say(&topic, "are you there?").await;
        bob.settled().await;
        let app = bob.client.app_view().await;
        assert_eq!(app.accounts[0].address, second, "found by himself");
    });
    talk("at the second address");

    // Now it is gone before the new one is there: nobody can have heard of it, so Alice tells Bob.
    lan.host_loses("10.77.0.9/25");
    lan.host_gets("10.77.0.33/26");
    let told = format!("10.77.0.33:{port}");
    lan.guest.run(async || {
        let waiting = bob.say(&topic, "and now?").await;
        bob.until("the link is given up", async || {
            let app = bob.client.app_view().await;
            let state = &app.accounts[0].connection;
            matches!(state, Connection::Offline { .. }).then_some(())
        })
        .await;
        let moved = bob.client.relocate(&bob.account, &told, None).await;
        let address = format!("wss://{told}");
        assert_eq!(moved.unwrap(), Relocation::Found { address });
        bob.settled().await;
        assert!(
            bob.has(&topic, &waiting).await,
            "what he wrote meanwhile was sent"
        );
    });
    talk("at the third address");

    // The same account and the same history on both sides, each message once.
    let texts = |computer: &Computer, person: &Person| {
        computer.run(async || {
            person.settled().await;
            let rows = person.timeline(&topic).await.rows;
            rows.into_iter().map(|row| row.text).collect::<Vec<_>>()
        })
    };
    let hers = texts(&lan.host, &alice);
    assert_eq!(hers.len(), 10, "{hers:?}");
    assert_eq!(hers, texts(&lan.guest, &bob));
    lan.guest.run(async || bob.client.shutdown().await);
    lan.host.run(async || {
        alice.client.shutdown().await;
        server.stop().await;
    });
}
