//! Without a keyring: the person is told so, and signs in at each start; nothing is kept in a file.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    driver::Window,
    looks::pictures,
    person::{ESCAPE, named},
};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_the_person_signs_in_at_each_start_and_no_file_holds_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let window = Window::start_without_keyring(&home).await;
    window.find(&named("first-keyring-missing")).await;
    pictures(&window, "no-keyring-first").await;
    window.host("夏至", "alice", "Keyless").await;
    let app = window.ask("app_view", json!({})).await;
    assert_eq!(
        app["keyring"],
        json!("missing"),
        "the window says that there is none"
    );
    window.click(&named("rail-settings")).await;
    window.click(&named("page-account")).await;
    pictures(&window, "no-keyring-settings").await;
    window.keys(&named("sheet-close"), ESCAPE).await;
    window.gone(&named("dialog-settings")).await;
    let link = window.invite().await;
    assert!(
        link.starts_with("tulou://join/"),
        "everything works meanwhile"
    );
    let topic = app["accounts"][0]["communities"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    window
        .find(&format!("[data-testid=\"tile-{topic}\"]"))
        .await;
    window.say("written before the end").await;
    window.close().await;

    let window = Window::start_without_keyring(&home).await;
    window.find(&named("dialog-sign-in")).await;
    pictures(&window, "no-keyring").await;
    window
        .fill(&named("sign-in-password"), "correct horse 电池")
        .await;
    window.click(&named("sign-in-submit")).await;
    window.gone(&named("dialog-sign-in")).await;
    window.synced().await;
    window.invite().await;
    window.close().await;

    let mut files = Vec::new();
    collect(&home, &mut files);
    let names: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assert!(
        names.iter().any(|name| name.ends_with("accounts.json")),
        "the account is known: {names:?}"
    );
    // A token is 32 random bytes in base64: no word of the client's own files is that long.
    for path in files.iter().filter(|path| {
        !path.starts_with(home.join("server")) && path.extension().is_some_and(|end| end == "json")
    }) {
        let text = fs::read_to_string(path).unwrap();
        let longest = text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map(str::len)
            .max()
            .unwrap_or(0);
        assert!(
            longest < 40,
            "{} holds nothing that could be a token",
            path.display()
        );
    }
}

/// Every file in a folder and below.
pub fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
