//! A community handed over in the real window, and a server that speaks another version of the protocol.

use std::{path::Path, sync::Arc};

use serde_json::json;
use tokio::net::TcpListener;
use tulou_client::{Client, InMemory, action::Action};
use tulou_protocol::{ServerId, VERSION};

use crate::{
    driver::{Window, free_port, stage, until},
    looks::{look, pictures},
    other_version::OtherVersion,
    person::{ENTER, ESCAPE, named},
    standalone::Server,
};

const COMMUNITY: &str = "星海玩家社群";
/// The key that goes to the next control.
const TAB: &str = "\u{E004}";

async fn guest(folder: &Path, name: &str) -> Client {
    Client::open(folder.join(name), Arc::new(InMemory::default()))
        .await
        .expect("an empty folder is a new client's")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_community_is_handed_over_in_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let window = Window::start(&folder.path().join("alice")).await;
    window.host("夏至", "solstice", COMMUNITY).await;
    look(&window, "en", "light").await;
    let link = window.invite().await;
    let mut people = Vec::new();
    for (name, shown_as) in [("fawn", "林间鹿"), ("kestrel", "Kestrel")] {
        let client = guest(folder.path(), name).await;
        let account = client
            .register(&link, name, shown_as, "battery staple 马")
            .await
            .unwrap();
        let place = client.join_link(&account, &link).await.unwrap();
        people.push((client, account, place.community.unwrap()));
    }
    let (kestrel, bird, community) = &people[1];

    stage("choose a member");
    window.click(&named("community-menu")).await;
    window.choose("Community settings").await;
    window.find(&named("admin-transfer")).await;
    pictures(&window, "ownership").await;
    window.click(&named("admin-transfer")).await;
    window
        .find("[data-testid=\"transfer-member\"][data-name=\"林间鹿\"]")
        .await;
    pictures(&window, "transfer-members").await;
    window.fill(&named("transfer-search"), "Kes").await;
    window
        .gone("[data-testid=\"transfer-member\"][data-name=\"林间鹿\"]")
        .await;
    window
        .keys(&named("transfer-search"), &format!("{TAB}{ENTER}"))
        .await;
    window.find(&named("transfer-heir")).await;
    let is_enabled = async || {
        let body = "return !document.querySelector('[data-testid=\"transfer-submit\"]').disabled";
        window.js(body, vec![]).await == json!(true)
    };
    assert!(!is_enabled().await, "the community's name comes first");
    window.fill(&named("transfer-typed"), COMMUNITY).await;
    assert!(is_enabled().await, "now it can be done");
    pictures(&window, "transfer-sure").await;

    stage("the chosen one has left meanwhile");
    let leave = Action::LeaveCommunity {
        community: community.clone(),
    };
    kestrel.submit(bird, leave).await.unwrap();
    window.click(&named("transfer-submit")).await;
    window.find(&named("form-error")).await;
    pictures(&window, "transfer-refused").await;
    kestrel.join_link(bird, &link).await.unwrap();

    stage("hand it over");
    window.click(&named("transfer-another")).await;
    window
        .click("[data-testid=\"transfer-member\"][data-name=\"Kestrel\"]")
        .await;
    window.fill(&named("transfer-typed"), COMMUNITY).await;
    window.keys(&named("transfer-typed"), ENTER).await;
    window.gone(&named("dialog-transfer")).await;
    window.gone(&named("admin-transfer")).await;
    until("Kestrel owns it", async || {
        let tree = kestrel.tree_view(bird, community).await.ok()?;
        tree.is_owner.then_some(())
    })
    .await;
    window.keys(&named("sheet-close"), ESCAPE).await;
    window.gone(&named("dialog-admin")).await;
    until("who was the owner may leave", async || {
        let view = window
            .ask(
                "tree_view",
                json!({"account": account_of(&window).await, "community": community}),
            )
            .await;
        (view["isOwner"] == json!(false)).then_some(())
    })
    .await;
    window.click(&named("community-menu")).await;
    window.choose("Leave community").await;
    window.click(&named("confirm-submit")).await;
    window.find(&named("no-community")).await;
    window.close().await;
    for (client, ..) in people {
        client.shutdown().await;
    }
}

async fn account_of(window: &Window) -> serde_json::Value {
    window.ask("app_view", json!({})).await["accounts"][0]["key"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_version_is_told_apart_from_one_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("server");
    let address = format!("127.0.0.1:{}", free_port());
    let mut server = Server::start(&home, &address).await;
    let window = Window::start(&folder.path().join("alice")).await;
    window.join(&address, "夏至", "solstice").await;
    look(&window, "en", "light").await;
    window.create_community(COMMUNITY).await;
    window.say("before the update").await;
    let app = window.ask("app_view", json!({})).await;
    let id = app["accounts"][0]["key"]
        .as_str()
        .and_then(|key| key.split('.').next()?.parse().ok())
        .map(|id| ServerId(id).to_string())
        .unwrap();

    server.kill().await;
    for (version, screen) in [(VERSION + 1, "server-newer"), (VERSION - 1, "server-older")] {
        let listener = until("the port is free", async || {
            TcpListener::bind(&address).await.ok()
        })
        .await;
        let other = OtherVersion::serve(listener, id.clone(), version);
        until("the versions differ", async || {
            window.ask("hurry", json!({})).await;
            let app = window.ask("app_view", json!({})).await;
            let connection = &app["accounts"][0]["connection"];
            (connection["state"] == "otherVersion"
                && connection["isServerNewer"] == json!(version > VERSION))
            .then_some(())
        })
        .await;
        window.find(&named("banner-other-version")).await;
        if version > VERSION {
            window.say("written meanwhile").await;
        }
        pictures(&window, screen).await;
        let expected = if version > VERSION {
            "runs a newer version"
        } else {
            "runs an older version"
        };
        window.click(&named("community-menu")).await;
        window.choose("Invite people").await;
        window.click(&named("invite-create")).await;
        let told = window
            .find(&named("form-error"))
            .await
            .text()
            .await
            .unwrap();
        assert!(
            told.contains(expected),
            "an invite needs the server: {told}"
        );
        pictures(&window, &format!("{screen}-invite")).await;
        window.keys(&named("invite-expires"), ESCAPE).await;
        window.gone(&named("dialog-invite")).await;
        drop(other);
    }
    server = Server::start(&home, &address).await;
    window.click(&named("banner-hurry")).await;
    window.gone(&named("banner-other-version")).await;
    window.all_sent().await;
    window.close().await;
    server.kill().await;
}
