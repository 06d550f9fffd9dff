//! What guards an account, in the real window: codes that are shown once, devices, the administrator's list, and the way
//! back in after the session was ended elsewhere.

use std::{fs, path::Path, sync::Arc};

use serde_json::json;
use tulou_client::{Client, InMemory, view::Connection};

use crate::{
    driver::{Window, stage, until},
    keyring::collect,
    looks::{look, pictures, shown},
    person::{ESCAPE, named},
};

async fn texts(window: &Window, name: &str) -> Vec<String> {
    let body =
        "return [...document.querySelectorAll(arguments[0])].map(one => one.textContent.trim())";
    let found = window.js(body, vec![json!(named(name))]).await;
    let found = found.as_array().cloned().unwrap_or_default();
    found
        .iter()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

async fn guest(folder: &Path, name: &str) -> Client {
    Client::open(folder.join(name), Arc::new(InMemory::default()))
        .await
        .unwrap()
}

async fn is_signed_out(client: &Client) {
    until("the other client signed out", async || {
        let app = client.app_view().await;
        (app.accounts[0].connection == Connection::SignedOut).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_guarded_ended_elsewhere_and_recovered_in_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let downloads = folder.path().join("Downloads");
    let settings = folder.path().join("config");
    fs::create_dir_all(&settings).unwrap();
    fs::write(
        settings.join("user-dirs.dirs"),
        format!("XDG_DOWNLOAD_DIR=\"{}\"\n", downloads.display()),
    )
    .unwrap();
    let window = Window::start_with(
        &home,
        1280,
        800,
        &[("XDG_CONFIG_HOME", settings.to_str().unwrap())],
    )
    .await;

    stage("codes at the first start");
    window
        .begin_to_host("夏至", "solstice", "星海玩家社群")
        .await;
    window.find(&named("dialog-codes")).await;
    let codes = texts(&window, "recovery-code").await;
    assert_eq!(codes.len(), 10, "{codes:?}");
    pictures(&window, "recovery-codes").await;
    window.click(&named("codes-save")).await;
    window.find(&named("codes-saved")).await;
    let saved = fs::read_to_string(downloads.join("tulou-solstice.txt")).unwrap();
    for code in &codes {
        assert!(saved.contains(code), "{code} is in the file");
    }
    window.keep_codes().await;
    window.leave_invite().await;
    window.say("written before").await;
    let link = window.invite().await;
    let account = window.ask("app_view", json!({})).await["accounts"][0]["key"]
        .as_str()
        .unwrap()
        .to_owned();

    stage("devices");
    let laptop = guest(folder.path(), "laptop").await;
    laptop
        .sign_in(&link, "solstice", "correct horse 电池")
        .await
        .unwrap();
    let kestrel = guest(folder.path(), "kestrel").await;
    let bird = kestrel
        .register(&link, "kestrel", "Kestrel", "battery staple 马")
        .await
        .unwrap();
    kestrel.join_link(&bird, &link).await.unwrap();
    window.click(&named("rail-settings")).await;
    window.click(&named("page-account")).await;
    pictures(&window, "settings-account").await;
    window.click(&named("settings-security")).await;
    window.find(&named("session-end")).await;
    pictures(&window, "security").await;
    window.click(&named("session-end")).await;
    is_signed_out(&laptop).await;
    window.gone(&named("session-end")).await;

    stage("another password");
    let change = async |present: &str| {
        window.fill(&named("security-present"), present).await;
        window
            .fill(&named("security-new"), "a much longer password")
            .await;
        window.click(&named("security-change")).await;
    };
    change("wrong horse").await;
    window.find(&named("form-error")).await;
    shown(&window, "security-wrong", "en", "light").await;
    change("correct horse 电池").await;
    window
        .until(
            "the password changed",
            "return document.querySelector('[data-testid=\"security-new\"]').value === ''",
        )
        .await;
    let old = laptop
        .sign_in_again(&account, "correct horse 电池")
        .await
        .unwrap_err();
    assert_eq!(old.code(), "wrong_password");
    laptop
        .sign_in_again(&account, "a much longer password")
        .await
        .unwrap();

    stage("the administrator's list");
    window.click(&named("page-accounts")).await;
    window
        .find("[data-testid=\"server-account\"][data-name=\"kestrel\"]")
        .await;
    window.fill(&named("accounts-search"), "kes").await;
    window
        .gone("[data-testid=\"server-account\"][data-name=\"solstice\"]")
        .await;
    window.click(&named("account-reset")).await;
    window.click(&named("confirm-submit")).await;
    window.find(&named("reset-code")).await;
    pictures(&window, "server-accounts").await;
    let code = texts(&window, "reset-code").await.remove(0);
    is_signed_out(&kestrel).await;
    kestrel
        .recover(&bird, &code, "a password of my own")
        .await
        .unwrap();
    window.keys(&named("sheet-close"), ESCAPE).await;
    window.gone(&named("dialog-settings")).await;

    stage("ended elsewhere");
    until("the laptop is connected", async || {
        laptop.security_view(&account).await.ok()
    })
    .await;
    laptop.end_sessions(&account, None).await.unwrap();
    window.find(&named("banner-signed-out")).await;
    window.say("written while signed out").await;
    pictures(&window, "signed-out").await;
    window.click(&named("banner-sign-in")).await;
    window.click(&named("sign-in-forgot")).await;
    window.find(&named("sign-in-code")).await;
    pictures(&window, "sign-in-code").await;
    window
        .fill(&named("sign-in-code"), &codes[3].to_lowercase())
        .await;
    window
        .fill(&named("sign-in-password"), "yet another password")
        .await;
    window.click(&named("sign-in-submit")).await;
    window.gone(&named("dialog-sign-in")).await;
    until("connected, and nothing waits", async || {
        let app = window.ask("app_view", json!({})).await;
        let mine = &app["accounts"][0];
        (mine["connection"]["state"] == "synced" && mine["waiting"] == json!(0)).then_some(())
    })
    .await;
    is_signed_out(&laptop).await;
    let rows = texts(&window, "message").await;
    for line in ["written before", "written while signed out"] {
        assert_eq!(
            rows.iter().filter(|row| row.contains(line)).count(),
            1,
            "{line}: {rows:?}"
        );
    }

    stage("the way into an account from another computer");
    window.click(&named("rail-add")).await;
    window.click(&named("add-account")).await;
    window.fill(&named("join-link"), &link).await;
    window.click(&named("join-look")).await;
    window.find(&named("join-peek")).await;
    look(&window, "en", "light").await;
    window.click(&named("join-sign-in")).await;
    window.click(&named("join-forgot")).await;
    window.find(&named("join-code")).await;
    pictures(&window, "join-code").await;

    window.close().await;
    let mut files = Vec::new();
    collect(&home, &mut files);
    assert!(files.len() > 3, "{files:?}");
    let secrets = codes.iter().map(String::as_str).chain([
        "correct horse",
        "a much longer password",
        "yet another password",
    ]);
    for secret in secrets {
        for file in &files {
            let bytes = fs::read(file).unwrap_or_default();
            let stands_there = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!stands_there, "{secret} stands in {}", file.display());
        }
    }
    for client in [laptop, kestrel] {
        client.shutdown().await;
    }
}
