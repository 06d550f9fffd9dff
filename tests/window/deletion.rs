//! An account deleted in the real window: refused while others depend on it, then done, with the messages kept or removed.

use serde_json::{Value, json};

use crate::{
    driver::{Window, free_port, stage, until},
    host::Host,
    looks::{look, pictures, shown},
    person::named,
    standalone::Server,
};

const ONE_NOTICE: &str =
    "const notices = [...document.querySelectorAll('[data-testid=\"toast\"]')];
    return notices.length === 1 && notices[0].textContent.includes('Account deleted')";
const PASSWORD: &str = "correct horse 电池";

/// An account on the server, made from within the window's program.
async fn join(window: &Window, link: &str, name: &str, shown_as: &str) -> String {
    let input = json!({"link": link, "name": name, "displayName": shown_as, "password": PASSWORD, "register": true, "code": null});
    let joined = window.ask("join", json!({"input": input})).await;
    assert!(joined["error"].is_null(), "{name} joins: {joined}");
    until("the account's key", async || {
        let app = window.ask("app_view", json!({})).await;
        let accounts = app["accounts"].as_array()?;
        let mine = accounts.iter().find(|one| one["name"] == json!(name))?;
        (mine["connection"]["state"] == "synced")
            .then(|| mine["key"].as_str().map(str::to_owned))?
    })
    .await
}

async fn submit(window: &Window, account: &str, action: Value) -> String {
    let told = window
        .ask("submit", json!({"account": account, "action": action}))
        .await;
    assert!(told["error"].is_null(), "{action} is taken: {told}");
    told["created"].as_str().unwrap_or_default().to_owned()
}

/// Opens what guards the first account of the list, at its end.
async fn open_security(window: &Window) {
    window.click(&named("rail-settings")).await;
    window.click(&named("page-account")).await;
    window.click(&named("settings-security")).await;
    window.find(&named("security-codes-left")).await;
    to_end(window).await;
}

/// The end of the page comes into view.
async fn to_end(window: &Window) {
    let body =
        "document.querySelector('[data-testid=\"security\"]').parentElement.scrollTo(0, 1e6)";
    window.js(body, vec![]).await;
}

async fn close_all(window: &Window) {
    window.strike('\u{E00C}').await;
    window.gone(&named("dialog-settings")).await;
}

async fn count(window: &Window) -> usize {
    let app = window.ask("app_view", json!({})).await;
    app["accounts"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_deleted_when_nobody_depends_on_it_and_its_messages_as_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut server = Server::start(&folder.path().join("data"), &address).await;
    let host = Host::new(folder.path(), &address).await;
    let window = Window::start(&folder.path().join("me")).await;
    window.find(&named("first-start")).await;
    let first = join(&window, &host.link, "solstice", "夏至").await;
    let second = join(&window, &host.link, "fawn", "林间鹿").await;
    for (account, text) in [(&first, "of the first"), (&second, "of the second")] {
        let send =
            json!({"type": "sendMessage", "topic": host.topic, "text": text, "replyTo": null});
        submit(&window, account, send).await;
        host.sees(text, false).await;
    }

    stage("refused to an owner");
    let create =
        json!({"type": "createCommunity", "name": "Abyss", "group": "Lobby", "topic": "general"});
    let own = submit(&window, &first, create).await;
    until("the community on the server", async || {
        let app = window.ask("app_view", json!({})).await;
        (app["accounts"][0]["waiting"] == json!(0)).then_some(())
    })
    .await;
    look(&window, "en", "light").await;
    open_security(&window).await;
    window.find(&named("security-obstacle")).await;
    pictures(&window, "delete-refused").await;
    assert!(
        !window.has(&named("security-delete")).await,
        "what would be refused is not offered"
    );
    close_all(&window).await;
    let dissolve = json!({"type": "dissolveCommunity", "community": own});
    submit(&window, &first, dissolve).await;

    stage("asked for the password");
    open_security(&window).await;
    window.click(&named("security-delete")).await;
    to_end(&window).await;
    pictures(&window, "delete-account").await;
    window
        .fill(&named("security-delete-password"), "wrong horse")
        .await;
    window.click(&named("security-delete-submit")).await;
    window.find(&named("form-error")).await;
    to_end(&window).await;
    shown(&window, "delete-wrong", "en", "light").await;
    assert_eq!(count(&window).await, 2, "nothing is deleted so");

    stage("done, the messages removed");
    look(&window, "zh-CN", "light").await;
    let remove = format!("{} input[value=\"remove\"]", named("security-messages"));
    let body = "const choice = document.querySelector(arguments[0]); choice.click(); return choice.checked";
    assert_eq!(
        window.js(body, vec![json!(remove)]).await,
        json!(true),
        "the messages go as well"
    );
    window
        .fill(&named("security-delete-password"), PASSWORD)
        .await;
    window.click(&named("security-delete-submit")).await;
    window.gone(&named("security-delete-password")).await;
    window.find(&named("toast")).await;
    shown(&window, "account-deleted", "zh-CN", "light").await;
    host.sees("of the first", true).await;
    assert_eq!(count(&window).await, 1, "the other account stays");
    window.strike('\u{E00C}').await;
    window.gone(&named("dialog-settings")).await;

    stage("done, the messages kept");
    look(&window, "en", "dark").await;
    open_security(&window).await;
    window.click(&named("security-delete")).await;
    window
        .fill(&named("security-delete-password"), PASSWORD)
        .await;
    window.click(&named("security-delete-submit")).await;
    window.find(&named("first-start")).await;
    window.gone("dialog").await;
    window.until("one notice, the new one", ONE_NOTICE).await;
    shown(&window, "account-deleted", "en", "dark").await;
    host.sees("of the second", false).await;
    let again = json!({"link": host.link, "name": "fawn", "displayName": "", "password": PASSWORD, "register": false, "code": null});
    let told = window.ask("join", json!({"input": again})).await;
    assert_eq!(
        told["error"]["code"],
        json!("wrong_password"),
        "nobody is known by that name any more: {told}"
    );
    window.close().await;
    host.client.shutdown().await;
    server.kill().await;
}
