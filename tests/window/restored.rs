//! Backups in the real window: made, restored, and what they do not have; and a server whose disk fills up.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    driver::{Window, stage, until},
    looks::{look, pictures},
    person::{ESCAPE, named},
    small_disk::SmallDisk,
};

async fn rows(window: &Window) -> Vec<String> {
    let texts = window
        .js(
            "return [...document.querySelectorAll('[data-testid=\"message\"] .text')].map(one => one.textContent.trim())",
            vec![],
        )
        .await;
    let texts = texts.as_array().cloned().unwrap_or_default();
    texts
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

async fn has_row(window: &Window, text: &str) {
    until(&format!("the row {text}"), async || {
        rows(window)
            .await
            .iter()
            .any(|row| row == text)
            .then_some(())
    })
    .await;
}

async fn open_backups(window: &Window) {
    window.click(&named("rail-settings")).await;
    window.click(&named("page-server")).await;
    window.find(&named("backup-now")).await;
}

async fn close_settings(window: &Window) {
    window.keys(&named("sheet-close"), ESCAPE).await;
    window.gone(&named("dialog-settings")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_restored_and_what_it_does_not_have_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let window = Window::founded(&home).await;
    window.find(&named("composer-input")).await;
    window.say("before the backup").await;
    has_row(&window, "before the backup").await;

    stage("back up");
    open_backups(&window).await;
    window.click(&named("backup-now")).await;
    window.find(&named("backup-restore")).await;
    pictures(&window, "backups").await;
    let view = window.ask("backups_view", json!({})).await;
    let file = PathBuf::from(view["backups"][0]["path"].as_str().unwrap());
    assert!(file.is_file(), "the list names a file: {view}");
    close_settings(&window).await;

    stage("written after it");
    for line in ["今晚九点,谁来?", "I can heal. **Ready** at nine."] {
        window.say(line).await;
    }
    has_row(&window, "今晚九点,谁来?").await;
    window.all_sent().await;

    stage("restore");
    open_backups(&window).await;
    window.click(&named("backup-restore")).await;
    window.find(&named("restore-replaces")).await;
    pictures(&window, "restore").await;
    window.click(&named("restore-submit")).await;
    window.gone(&named("dialog-restore")).await;
    close_settings(&window).await;
    window.find(&named("lost")).await;
    window.click(&named("lost-list")).await;
    until("both messages offered", async || {
        let count = window
            .js(
                "return document.querySelectorAll('[data-testid=\"lost-message\"]').length",
                vec![],
            )
            .await;
        (count == json!(2)).then_some(())
    })
    .await;
    has_row(&window, "before the backup").await;
    assert_eq!(
        rows(&window).await,
        ["before the backup"],
        "the server is as it was at the backup"
    );
    pictures(&window, "restored").await;
    window.click(&named("lost-send")).await;
    window.gone(&named("lost")).await;
    has_row(&window, "今晚九点,谁来?").await;
    window.close().await;

    stage("on another computer");
    let there = folder.path().join("another computer");
    let window = Window::start(&there).await;
    look(&window, "en", "light").await;
    window.click(&named("first-restore")).await;
    window
        .fill(&named("restore-path"), &file.to_string_lossy())
        .await;
    window.click(&named("restore-look")).await;
    window.find(&named("restore-peek")).await;
    pictures(&window, "first-restore").await;
    window.click(&named("restore-submit")).await;
    window.find(&named("join-link")).await;
    window.click(&named("join-look")).await;
    window.fill(&named("join-name"), "solstice").await;
    window
        .fill(&named("join-password"), "correct horse 电池")
        .await;
    window.click(&named("join-submit")).await;
    window.find(&named("tree")).await;
    has_row(&window, "before the backup").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_is_told_and_what_is_written_waits_for_room() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let Some(disk) = SmallDisk::mounted(&home.join("server"), 5_000) else {
        return;
    };
    let window = Window::founded(&home).await;
    window.say("there is room").await;
    has_row(&window, "there is room").await;

    stage("little room");
    disk.resize(800);
    window.find(&named("banner-disk-low")).await;
    pictures(&window, "disk-low").await;

    stage("no room");
    disk.resize(150);
    window.find(&named("banner-disk-full")).await;
    window.say("written without room").await;
    window.find("[data-delivery=\"waiting\"]").await;
    pictures(&window, "read-only").await;

    stage("room again");
    disk.resize(5_000);
    window.gone(&named("banner-disk-full")).await;
    window.all_sent().await;
    assert_eq!(
        rows(&window).await,
        ["there is room", "written without room"],
        "each line is there once"
    );
    window.close().await;
}
