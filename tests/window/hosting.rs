//! A server that others reach, and one that is not where it was: what the window says, and that it goes on.

use std::{fs, path::Path, sync::Arc};

use serde_json::{Value, json};
use tulou_client::{Client, InMemory};
use tulou_server::{Config, certificate};

use crate::{
    driver::{Window, free_port, until},
    looks::{pictures, shown},
    person::{ESCAPE, named},
    standalone::Server,
};

#[tokio::test(flavor = "multi_thread")]
async fn others_are_let_in_by_a_choice_and_the_window_says_who_reaches_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let window = Window::start(&folder.path().join("me")).await;
    window.host("夏至", "solstice", "星海玩家社群").await;
    window.click(&named("community-menu")).await;
    window.choose("Invite people").await;
    window.find(&named("invite-only-here")).await;
    pictures(&window, "invite-only-here").await;
    window.click(&named("invite-let-others")).await;
    window.gone(&named("invite-only-here")).await;
    window.keys(&named("invite-expires"), ESCAPE).await;
    window.gone(&named("dialog-invite")).await;

    server_page(&window).await;
    window.find(&named("reach-key")).await;
    pictures(&window, "hosting-open").await;
    announcing(&window).await;
    window.fill(&named("reach-own"), "house.example.org").await;
    window.click(&named("reach-own-save")).await;
    window
        .until(
            "one's own address first",
            "return document.querySelector('[data-testid=\"reach-addresses\"]')?.textContent.trim().startsWith('wss://house.example.org:')",
        )
        .await;
    window.keys(&named("reach-own"), ESCAPE).await;
    window.gone(&named("dialog-settings")).await;

    // Whoever has the link gets in, over TLS, by the key that it names.
    let link = window.invite().await;
    let read = tulou_protocol::invite::InviteLink::parse(&link).unwrap();
    assert!(read.key.is_some(), "the link carries the key");
    assert!(
        read.addresses.iter().all(|one| one.starts_with("wss://")),
        "and nothing that leads to the guest's own computer: {link}"
    );
    let port = read.addresses[0].rsplit(':').next().unwrap().to_owned();
    let here = tulou_protocol::invite::InviteLink {
        addresses: vec![format!("wss://127.0.0.1:{port}")],
        ..read
    };
    let guest = Client::open(folder.path().join("guest"), Arc::new(InMemory::default()))
        .await
        .unwrap();
    let account = guest
        .register(&here.to_text(), "kestrel", "Kestrel", "battery staple 马")
        .await
        .unwrap();
    guest.join_link(&account, &here.to_text()).await.unwrap();
    guest.shutdown().await;

    server_page(&window).await;
    window.click(&named("reach-open")).await;
    window.gone(&named("reach-own")).await;
    pictures(&window, "hosting-closed").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_or_changed_is_told_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (home, other) = (folder.path().join("server"), folder.path().join("other"));
    let port = free_port();
    let at = format!("0.0.0.0:{port}");
    let mut server = Server::start(&home, &at).await;
    let window = Window::start(&folder.path().join("me")).await;
    window.join(&link(&home, port), "夏至", "solstice").await;
    state(&window, "synced").await;

    server.kill().await;
    window.find(&named("banner-offline")).await;
    pictures(&window, "server-unreachable").await;

    // Somebody else is at its address.
    let mut stranger = Server::start(&other, &at).await;
    hurry_until(&window, "otherKey").await;
    window.find(&named("banner-other-key")).await;
    pictures(&window, "certificate-changed").await;
    stranger.kill().await;

    // The server itself comes back with another key: the person decides.
    for file in [certificate::KEY_FILE, certificate::CERTIFICATE_FILE] {
        fs::remove_file(home.join(file)).unwrap();
    }
    let mut server = Server::start(&home, &at).await;
    hurry_until(&window, "otherKey").await;
    window.click(&named("banner-relocate")).await;
    window.find(&named("relocate-link")).await;
    shown(&window, "relocate", "en", "light").await;
    window
        .fill(&named("relocate-link"), &link(&home, port))
        .await;
    window.click(&named("relocate-submit")).await;
    window.find(&named("relocate-trust")).await;
    pictures(&window, "relocate-other-key").await;
    window.click(&named("relocate-trust")).await;
    window.gone(&named("dialog-relocate")).await;
    state(&window, "synced").await;
    server.kill().await;

    // It moves to another port: its address is enough.
    let port = free_port();
    let mut server = Server::start(&home, &format!("0.0.0.0:{port}")).await;
    window.click(&named("banner-relocate")).await;
    window
        .fill(&named("relocate-link"), &format!("wss://127.0.0.1:{port}"))
        .await;
    window.click(&named("relocate-submit")).await;
    window.gone(&named("dialog-relocate")).await;
    state(&window, "synced").await;
    window.close().await;
    server.kill().await;
}

/// The switch is looked at on, off, and on again; what is chosen is kept.
async fn announcing(window: &Window) {
    for wanted in [false, true] {
        window
            .js(
                "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })",
                vec![json!(named("reach-announced"))],
            )
            .await;
        pictures(window, &format!("announcing-{}", !wanted)).await;
        window.click(&named("reach-announced")).await;
        until("what was chosen is kept", async || {
            let hosting = window.ask("app_view", json!({})).await["hosting"].clone();
            (hosting["isAnnounced"] == json!(wanted)).then_some(())
        })
        .await;
        window
            .until(
                "the switch says what is kept",
                &format!("const box = document.querySelector('[data-testid=\"reach-announced\"]'); return !box.disabled && box.checked === {wanted}"),
            )
            .await;
    }
}

/// The settings of the hosted server.
async fn server_page(window: &Window) {
    window.click(&named("rail-settings")).await;
    window.find(&named("dialog-settings")).await;
    window.click(&named("page-server")).await;
    window.find(&named("reach")).await;
}

/// A link to the server of a folder on this computer, over TLS.
fn link(home: &Path, port: u16) -> String {
    let config = Config {
        data: home.to_owned(),
        ..Config::default()
    };
    let key = certificate::Certificate::open(&config).unwrap().key();
    tulou_protocol::invite::InviteLink {
        code: None,
        server: None,
        addresses: vec![format!("wss://127.0.0.1:{port}")],
        key,
    }
    .to_text()
}

async fn connection(window: &Window) -> Value {
    window.ask("app_view", json!({})).await["accounts"][0]["connection"]["state"].clone()
}

async fn state(window: &Window, wanted: &str) {
    until(&format!("the state {wanted}"), async || {
        (connection(window).await == json!(wanted)).then_some(())
    })
    .await;
}

/// Does not wait for the next attempt.
async fn hurry_until(window: &Window, wanted: &str) {
    until(&format!("the state {wanted}"), async || {
        window.ask("hurry", json!({})).await;
        (connection(window).await == json!(wanted)).then_some(())
    })
    .await;
}
