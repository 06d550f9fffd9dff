//! The server on this computer when it cannot run as it should: at another port, or not at all.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
};

use serde_json::{Value, json};
use tulou_server::certificate;

use crate::{
    driver::{Window, stage, until},
    looks::pictures,
    person::named,
};

async fn hosting(window: &Window) -> Value {
    window.ask("app_view", json!({})).await["hosting"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hosts_is_told_of_a_taken_port_and_of_a_server_that_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let window = Window::founded(&home).await;
    window.say("at the first port").await;
    let wished = hosting(&window).await["port"].as_u64().unwrap();
    window.close().await;

    stage("another program has the port");
    let port = u16::try_from(wished).unwrap();
    let other = until("the port", async || {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
    })
    .await;
    let window = Window::start(&home).await;
    window.find(&named("banner-port")).await;
    assert_eq!(hosting(&window).await["takenPort"], json!(wished));
    window.synced().await;
    pictures(&window, "port-taken").await;
    window.click(&named("banner-port-seen")).await;
    window.gone(&named("banner-port")).await;
    window.say("at the second port").await;
    window.close().await;
    drop(other);

    stage("it does not start");
    let key = home.join("server").join(certificate::KEY_FILE);
    let kept = fs::read(&key).unwrap();
    fs::write(&key, "damaged").unwrap();
    let window = Window::start(&home).await;
    window.find(&named("banner-not-hosting")).await;
    window.say("while it does not run").await;
    pictures(&window, "not-hosting").await;
    window
        .click(&format!("{} button", named("banner-not-hosting")))
        .await;
    window.find(&named("hosting-failed")).await;
    pictures(&window, "not-hosting-settings").await;
    fs::write(&key, kept).unwrap();
    window.click(&named("hosting-start")).await;
    window.gone(&named("hosting-failed")).await;
    window.strike('\u{E00C}').await;
    window.gone(&named("dialog-settings")).await;
    window.gone(&named("banner-not-hosting")).await;
    window.synced().await;
    assert_eq!(
        hosting(&window).await["port"],
        json!(wished),
        "the port that it should have is free again"
    );
    window.all_sent().await;
    window.close().await;
}
