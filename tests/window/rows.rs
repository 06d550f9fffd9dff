//! Rows in the real web view: a long message turned, the day over the rows, and a selection while rows arrive.

use std::sync::Arc;

use serde_json::{Value, json};
use tulou_client::{Client, InMemory, action::Action};

use crate::{
    driver::{Window, until},
    person::named,
};

/// Somebody who writes without a window.
struct Guest {
    client: Client,
    account: String,
}

impl Guest {
    async fn join(folder: &std::path::Path, link: &str, name: &str) -> Self {
        let client = Client::open(folder.join(name), Arc::new(InMemory::default()))
            .await
            .unwrap();
        let account = client
            .register(link, name, name, "battery staple 马")
            .await
            .unwrap();
        client.join_link(&account, link).await.unwrap();
        Self { client, account }
    }

    async fn say(&self, topic: &str, text: String) {
        let action = Action::SendMessage {
            topic: topic.to_owned(),
            text,
            reply_to: None,
        };
        until("a message written", async || {
            self.client.submit(&self.account, action.clone()).await.ok()
        })
        .await;
    }
}

fn lines(name: &str, count: usize) -> String {
    (1..=count).fold(String::new(), |text, n| format!("{text}{name} {n}\n"))
}

impl Window {
    /// Waits until a message with these words is the last row.
    async fn last_says(&self, words: &str) {
        let body = "const rows = [...document.querySelectorAll('[data-testid=\"message\"]')];
            return rows.at(-1)?.textContent.includes(arguments[0]) ?? false";
        until(&format!("{words:?} in the last row"), async || {
            (self.js(body, vec![json!(words)]).await == Value::Bool(true)).then_some(())
        })
        .await;
    }

    /// Scrolls as a person does, until this row's upper edge is so far below that of the list.
    async fn scroll_to(&self, words: &str, below: f64) {
        let body = "const list = document.querySelector('[data-testid=\"timeline\"]');
            const row = [...document.querySelectorAll('[data-testid=\"message\"]')]
                .find(one => one.textContent.includes(arguments[0]));
            if (!row) { list.scrollTop -= 200; return null }
            const off = row.getBoundingClientRect().top - list.getBoundingClientRect().top - arguments[1];
            list.scrollTop += Math.round(off); return Math.abs(off) < 2";
        until(&format!("{words:?} at {below}"), async || {
            let told = self.js(body, vec![json!(words), json!(below)]).await;
            (told == Value::Bool(true)).then_some(())
        })
        .await;
    }

    /// Watches, at every frame from here on, how far the row with these words moves.
    async fn watch_row(&self, words: &str) {
        let body = "const row = [...document.querySelectorAll('[data-testid=\"message\"]')]
                .find(one => one.textContent.includes(arguments[0]));
            const begun = row.getBoundingClientRect().top;
            const watched = window.watchedRow = { moved: 0, frames: 0 };
            const look = () => {
                if (window.watchedRow !== watched) return;
                const off = row.isConnected ? Math.abs(row.getBoundingClientRect().top - begun) : 10000;
                watched.moved = Math.max(watched.moved, off);
                watched.frames += 1;
                requestAnimationFrame(look);
            };
            look()";
        self.js(body, vec![json!(words)]).await;
    }

    /// How far the watched row moved at most, once some more frames were drawn.
    async fn moved(&self) -> f64 {
        let body = "const watched = window.watchedRow; watched.until ??= watched.frames + 12;
            return watched.frames < watched.until ? null : watched.moved";
        until("frames drawn", async || {
            self.js(body, vec![]).await.as_f64()
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_stay_under_the_eye_while_one_is_turned_and_others_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let window = Window::founded(&folder.path().join("home")).await;
    let link = window.invite().await;
    let bob = Guest::join(folder.path(), &link, "bob").await;
    let carol = Guest::join(folder.path(), &link, "carol").await;
    let topic = window.topic_id("general").await;
    window.open_topic(&topic).await;
    for n in 1..=4 {
        bob.say(&topic, lines(&format!("early {n} line"), 10)).await;
    }
    bob.say(&topic, lines("long", 60)).await;
    for n in 1..=4 {
        bob.say(&topic, lines(&format!("late {n} line"), 10)).await;
    }
    window.last_says("late 4 line 10").await;

    // Turned in the middle of the list: what stands above it stays, at every frame.
    window.scroll_to("long 1", 300.0).await;
    let fold = "document.querySelector('[data-testid=\"fold\"]')";
    let turn = format!("{fold}.click()");
    for is_whole in [true, false] {
        window.watch_row("early 4 line 1").await;
        window.js(&turn, vec![]).await;
        window
            .until(
                "the message is turned",
                &format!("return {fold}.getAttribute('aria-expanded') === '{is_whole}'"),
            )
            .await;
        let moved = window.moved().await;
        assert!(
            moved < 0.5,
            "{}: what is above moved by {moved} px",
            if is_whole { "shown whole" } else { "folded" }
        );
    }

    // Folded from its end, as a hand does it: it is in view afterwards, and so is the button.
    window.js(&turn, vec![]).await;
    window
        .until(
            "all of it",
            "return document.body.textContent.includes('long 60')",
        )
        .await;
    window.click(&named("fold")).await;
    window
        .until(
            "the folded message in view",
            "const list = document.querySelector('[data-testid=\"timeline\"]').getBoundingClientRect();
            const fold = document.querySelector('[data-testid=\"fold\"]');
            const box = fold.closest('article').getBoundingClientRect();
            return fold.getAttribute('aria-expanded') === 'false' && box.bottom > list.top + 24 && box.top < list.bottom - 24",
        )
        .await;

    // The day is said while the rows move, and goes.
    window.gone(&named("day-over")).await;
    window
        .js(
            "document.querySelector('[data-testid=\"timeline\"]').scrollTop -= 60",
            vec![],
        )
        .await;
    let day = window.find(&named("day-over")).await;
    assert_eq!(day.text().await.unwrap(), "Today");
    window.picture("day-over-the-rows").await;
    window.gone(&named("day-over")).await;

    // What is selected with the pointer stays selected while rows arrive and the list follows them.
    window.to_newest().await;
    let ends = window
        .js(
            "const at = (words) => {
                const walk = document.createTreeWalker(document.querySelector('[data-testid=\"timeline\"]'), NodeFilter.SHOW_TEXT);
                while (walk.nextNode()) if (walk.currentNode.textContent.includes(words)) {
                    const range = document.createRange();
                    const from = walk.currentNode.textContent.indexOf(words);
                    range.setStart(walk.currentNode, from); range.setEnd(walk.currentNode, from + words.length);
                    const box = range.getBoundingClientRect();
                    return [box.left, box.right, box.top + box.height / 2];
                }
            };
            const [left, , top] = at('late 3 line 9'), [, right, bottom] = at('late 4 line 2');
            return [left + 1, top, right - 1, bottom]",
            vec![],
        )
        .await;
    let [x, y, to_x, to_y] = [0, 1, 2, 3].map(|n| ends[n].as_f64().unwrap_or_default());
    window.point(x, y).await;
    window.press().await;
    window.point(to_x, to_y).await;
    window.release().await;
    let said = async || {
        let said = window.js("return getSelection().toString()", vec![]).await;
        said.as_str().unwrap_or_default().to_owned()
    };
    let selected = said().await;
    assert!(
        selected.contains("line 10") && selected.contains("late 4 line 1"),
        "a selection over two rows: {selected:?}"
    );
    for n in 1..=8 {
        carol
            .say(&topic, lines(&format!("arriving {n} line"), 12))
            .await;
    }
    window.last_says("arriving 8 line 12").await;
    assert_eq!(
        said().await,
        selected,
        "rows that arrive leave the selection as it is"
    );
    window.close().await;
}
