//! What a person does in the window, in a person's words.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    driver::{Window, until},
    looks::look,
};

/// Keys as WebDriver writes them.
pub const ENTER: &str = "\u{E007}";
/// Control, held.
pub const CONTROL: &str = "\u{E009}";
/// Lets held keys go.
pub const RELEASE: &str = "\u{E000}";
/// Escape.
pub const ESCAPE: &str = "\u{E00C}";
/// Delete.
pub const DELETE: &str = "\u{E017}";

/// A control by the name that tests know it by.
pub fn named(name: &str) -> String {
    format!("[data-testid=\"{name}\"]")
}

impl Window {
    /// The window of somebody who hosts here, in English and light, with one community.
    pub async fn founded(home: &Path) -> Self {
        let window = Self::start(home).await;
        window.host("夏至", "solstice", "星海玩家社群").await;
        look(&window, "en", "light").await;
        window
    }

    /// Makes an account on the server of a link or address, from the first start's screen.
    pub async fn join(&self, link: &str, display_name: &str, name: &str) {
        self.click(&named("first-join")).await;
        self.fill(&named("join-link"), link).await;
        self.click(&named("join-look")).await;
        self.find(&named("join-peek")).await;
        self.fill(&named("join-display-name"), display_name).await;
        self.fill(&named("join-name"), name).await;
        self.fill(&named("join-password"), "correct horse 电池")
            .await;
        self.click(&named("join-submit")).await;
        self.keep_codes().await;
    }

    /// Waits until the first account is connected and complete.
    pub async fn synced(&self) {
        until("connected and complete", async || {
            let app = self.ask("app_view", json!({})).await;
            (app["accounts"][0]["connection"]["state"] == "synced").then_some(())
        })
        .await;
    }

    /// Waits until the server has everything that the first account did.
    pub async fn all_sent(&self) {
        until("all of it on the server", async || {
            let app = self.ask("app_view", json!({})).await;
            (app["accounts"][0]["waiting"] == json!(0)).then_some(())
        })
        .await;
    }

    /// Hosts on this computer, from the first start's screen to the main window.
    pub async fn host(&self, display_name: &str, name: &str, community: &str) {
        self.begin_to_host(display_name, name, community).await;
        self.keep_codes().await;
        self.leave_invite().await;
    }

    /// Goes from the invite of a new community into it.
    pub async fn leave_invite(&self) {
        self.find(&named("invite-link")).await;
        self.click(&named("invite-done")).await;
        self.gone(&named("dialog-invite")).await;
        self.find(&named("tree")).await;
    }

    /// Hosts on this computer, up to the codes of the new account.
    pub async fn begin_to_host(&self, display_name: &str, name: &str, community: &str) {
        self.click(&named("first-host")).await;
        self.fill(&named("host-community"), community).await;
        self.fill(&named("host-display-name"), display_name).await;
        self.fill(&named("host-name"), name).await;
        self.fill(&named("host-password"), "correct horse 电池")
            .await;
        self.click(&named("host-submit")).await;
    }

    /// Says that the recovery codes of a new account are kept.
    pub async fn keep_codes(&self) {
        self.click(&named("codes-kept")).await;
        self.click(&named("codes-done")).await;
        self.gone(&named("dialog-codes")).await;
    }

    /// Makes a community from the empty window.
    pub async fn create_community(&self, name: &str) {
        self.click(&named("empty-create-community")).await;
        self.fill(&named("community-name"), name).await;
        self.click(&named("community-submit")).await;
        self.gone(&named("dialog-create-community")).await;
        self.leave_invite().await;
    }

    /// Chooses a line of the open menu by its words.
    pub async fn choose(&self, label: &str) {
        let body = "const items = [...document.querySelectorAll('[data-testid=\"menu\"] button')];
            const item = items.find(one => one.querySelector('.label').textContent === arguments[0]);
            if (!item) return false; item.click(); return true";
        until(&format!("the menu line {label}"), async || {
            (self.js(body, vec![json!(label)]).await == Value::Bool(true)).then_some(())
        })
        .await;
    }

    /// Makes a group at the end.
    pub async fn create_group(&self, name: &str) {
        self.click(&named("community-menu")).await;
        self.choose("New group").await;
        self.fill(&named("name-input"), name).await;
        self.click(&named("name-submit")).await;
        self.gone(&named("dialog-create-group")).await;
        self.until(
            "the group in the tree",
            &format!("return [...document.querySelectorAll('[data-group-id]')].some(g => g.textContent.includes({}))", json!(name)),
        )
        .await;
    }

    /// Makes a topic at the end of a group.
    pub async fn create_topic(&self, group: &str, name: &str) {
        let body = "const group = [...document.querySelectorAll('[data-group-id]')].find(g => g.textContent.includes(arguments[0]));
            const add = group && group.querySelector('[data-testid=\"add-topic\"]');
            if (!add) return false; add.click(); return true";
        until("the group's button", async || {
            (self.js(body, vec![json!(group)]).await == Value::Bool(true)).then_some(())
        })
        .await;
        self.fill(&named("topic-name"), name).await;
        self.click(&named("topic-submit")).await;
        self.gone(&named("topic-name")).await;
        self.topic_id(name).await;
    }

    /// The id of the topic with this name, as soon as the tree shows it.
    pub async fn topic_id(&self, name: &str) -> String {
        let body = "const topic = [...document.querySelectorAll('[data-topic-id]')].find(t => t.querySelector('.name').textContent === arguments[0]);
            return topic ? topic.dataset.topicId : null";
        until(&format!("the topic {name} in the tree"), async || {
            self.js(body, vec![json!(name)])
                .await
                .as_str()
                .map(str::to_owned)
        })
        .await
    }

    /// Opens a topic and waits until it can be written in.
    pub async fn open_topic(&self, id: &str) {
        self.click(&format!("[data-topic-id=\"{id}\"]")).await;
        self.find(&format!("[data-topic-id=\"{id}\"][aria-selected=\"true\"]"))
            .await;
        self.find(&named("composer-input")).await;
    }

    /// Opens a topic that may not be written in.
    pub async fn open_shown_topic(&self, id: &str) {
        self.click(&format!("[data-topic-id=\"{id}\"]")).await;
        self.find(&format!("[data-topic-id=\"{id}\"][aria-selected=\"true\"]"))
            .await;
    }

    /// Makes an invite link and reads it.
    pub async fn invite(&self) -> String {
        self.click(&named("community-menu")).await;
        self.choose("Invite people").await;
        self.click(&named("invite-create")).await;
        let field = self.find(&named("invite-link")).await;
        let link = field.prop("value").await.ok().flatten().unwrap_or_default();
        assert!(link.starts_with("tulou://join/"), "an invite link: {link}");
        self.keys(&named("invite-link"), ESCAPE).await;
        self.gone(&named("dialog-invite")).await;
        link
    }

    /// Writes a line and sends it with Enter.
    pub async fn say(&self, line: &str) {
        self.keys(&named("composer-input"), &format!("{line}{ENTER}"))
            .await;
        self.until(
            "an empty composer",
            "return document.querySelector('[data-testid=\"composer-input\"]').value === ''",
        )
        .await;
    }

    /// Goes to the newest rows, as the button in the timeline does.
    pub async fn to_newest(&self) {
        let body = "const rows = [...document.querySelectorAll('[data-testid=\"message\"]')];
            const button = document.querySelector('[data-testid=\"jump-newest\"]');
            if (button) button.click(); return rows.length > 0 && !button";
        until("the newest rows", async || {
            (self.js(body, vec![]).await == Value::Bool(true)).then_some(())
        })
        .await;
    }

    /// Presses keys on the row of one of the newest messages.
    pub async fn on_message(&self, id: &str, keys: &str) {
        let row = format!("[data-message-id=\"{id}\"]");
        self.to_newest().await;
        let body = "const row = document.querySelector(arguments[0]);
            if (row) { row.scrollIntoView({ block: 'nearest' }); return true }
            const rows = document.querySelector('[data-testid=\"message\"]');
            let scroller = rows;
            while (scroller && scroller.scrollHeight <= scroller.clientHeight + 1) scroller = scroller.parentElement;
            scroller?.scrollBy(0, -200); return false";
        until("the message's row", async || {
            (self.js(body, vec![json!(row)]).await == Value::Bool(true)).then_some(())
        })
        .await;
        self.find(&row).await;
        self.js(
            "document.querySelector(arguments[0]).focus()",
            vec![json!(row)],
        )
        .await;
        self.keys(&row, keys).await;
    }

    /// Calls a command of the window as its page does.
    pub async fn ask(&self, command: &str, arguments: Value) -> Value {
        let body = "const done = arguments[arguments.length - 1];
            window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1]).then(done, error => done({ error }))";
        self.js_async(body, vec![json!(command), arguments]).await
    }
}
