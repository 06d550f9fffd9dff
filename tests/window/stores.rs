//! Histories in trouble, in the real window: damaged, of a newer version, and on a full disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    driver::{Window, stage, until},
    looks::pictures,
    person::{ENTER, named},
    small_disk::SmallDisk,
};

/// The only history in a home.
fn store_in(home: &Path) -> PathBuf {
    let files = fs::read_dir(home.join("accounts")).unwrap();
    files
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "sqlite"))
        .unwrap()
}

/// Moves the log into the file; the schema that the file has.
fn settle(store: &Path) -> u32 {
    let db = Connection::open(store).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

fn set_version(store: &Path, version: u32) {
    let db = Connection::open(store).unwrap();
    db.pragma_update(None, "user_version", version).unwrap();
}

/// Spoils the middle of the file, which holds what came from the server.
fn damage(store: &Path) {
    let mut bytes = fs::read(store).unwrap();
    let root: u32 = Connection::open(store)
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'meta'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let from = (root as usize - 1) * 4_096;
    bytes[from..from + 4_096].fill(0xA5);
    fs::write(store, bytes).unwrap();
}

async fn account(window: &Window) -> Value {
    window.ask("app_view", json!({})).await["accounts"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_newer_history_says_where_it_is_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let window = Window::founded(&home).await;
    window.find(&named("composer-input")).await;
    window.say("今晚九点,谁来?").await;
    window.all_sent().await;
    window
        .keys(&named("composer-input"), "half a sentence")
        .await;
    let store = store_in(&home);
    until("the draft is kept", async || {
        let db = Connection::open(&store).ok()?;
        let count = db.query_row("SELECT count(*) FROM drafts", [], |row| row.get(0));
        (count == Ok(1)).then_some(())
    })
    .await;
    window.close().await;

    stage("a damaged history is set aside");
    settle(&store);
    damage(&store);
    let window = Window::start(&home).await;
    window.find(&named("banner-aside")).await;
    window
        .until(
            "the message is back from the server, and the draft from the damaged file",
            "return document.querySelector('[data-testid=\"message\"]')?.textContent.includes('今晚九点')
                && document.querySelector('[data-testid=\"composer-input\"]')?.value === 'half a sentence'",
        )
        .await;
    pictures(&window, "store-aside").await;
    let aside = account(&window).await["store"]["aside"].clone();
    let file = aside["file"].as_str().unwrap();
    assert!(
        home.join("accounts").join(file).is_file(),
        "the damaged file is where the window says: {aside}"
    );
    window.click(&named("aside-seen")).await;
    window.gone(&named("banner-aside")).await;
    window.close().await;

    stage("a newer history is left alone");
    let known = settle(&store);
    set_version(&store, 99);
    let window = Window::start(&home).await;
    window.find(&named("store-trouble")).await;
    pictures(&window, "store-newer").await;
    assert_eq!(settle(&store), 99, "the file is left as it is");
    set_version(&store, known);
    // The client tries again by itself, too, and may have been first.
    window
        .js(
            "document.querySelector('[data-testid=\"store-again\"]')?.click()",
            vec![],
        )
        .await;
    window.gone(&named("store-trouble")).await;
    window.find(&named("composer-input")).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_newer_list_of_accounts_says_where_it_is_and_keeps_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let window = Window::founded(&home).await;
    window.say("今晚九点,谁来?").await;
    window.all_sent().await;
    window.close().await;
    let file = home.join("accounts.json");
    let kept = fs::read(&file).unwrap();

    stage("a damaged list is set aside");
    fs::write(&file, r#"{"version": 1, "accounts": [{"ser"#).unwrap();
    let window = Window::start(&home).await;
    window.find(&named("banner-list-aside")).await;
    window.synced().await;
    window.find(&named("composer-input")).await;
    pictures(&window, "list-aside").await;
    let aside = window.ask("app_view", json!({})).await["list"]["aside"].clone();
    assert!(
        home.join(aside["file"].as_str().unwrap()).is_file(),
        "the damaged list is where the window says: {aside}"
    );
    window.click(&named("list-aside-seen")).await;
    window.gone(&named("banner-list-aside")).await;
    window.close().await;

    stage("a newer list is left alone");
    let newer = r#"{"version": 99, "accounts": {"somewhere": "else"}}"#;
    fs::write(&file, newer).unwrap();
    let window = Window::start(&home).await;
    window.find(&named("banner-list-trouble")).await;
    window.synced().await;
    window.find(&named("composer-input")).await;
    pictures(&window, "list-newer").await;
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        newer,
        "the file is left as it is"
    );
    fs::write(&file, kept).unwrap();
    window.click(&named("list-again")).await;
    window.gone(&named("banner-list-trouble")).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_the_text_stays_in_the_input_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let Some(disk) = SmallDisk::mounted(&home.join("accounts"), 4) else {
        return;
    };
    let window = Window::founded(&home).await;
    window.find(&named("composer-input")).await;
    window.say("while there is room").await;

    stage("the disk is full");
    let filler = disk.fill();
    let value = "return document.querySelector('[data-testid=\"composer-input\"]').value";
    let long = "x".repeat(2_000);
    // The store's log may have some room of its own from before.
    until("the program says that there is no room", async || {
        window
            .js(
                "const input = document.querySelector('[data-testid=\"composer-input\"]');
                 input.value = arguments[0]; input.dispatchEvent(new Event('input', { bubbles: true })); input.focus()",
                vec![json!(long)],
            )
            .await;
        window.keys(&named("composer-input"), ENTER).await;
        window.has(&named("banner-no-room")).await.then_some(())
    })
    .await;
    window
        .until("the text is still in the input", &format!("{value} !== ''"))
        .await;
    assert!(
        !window.has(&named("toast")).await,
        "it is said in one place"
    );
    pictures(&window, "no-room").await;

    stage("there is room again");
    fs::remove_file(filler).unwrap();
    window
        .click(&format!("{} button", named("banner-no-room")))
        .await;
    window.gone(&named("banner-no-room")).await;
    window.keys(&named("composer-input"), ENTER).await;
    window.until("it is sent", &format!("{value} === ''")).await;
    window.all_sent().await;
    window.close().await;
}
