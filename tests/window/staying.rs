//! The window stays on its own page, and takes no style from what is put into it.

use serde_json::json;

use crate::driver::Window;

/// Sets out for another address in every way that a page has; whether no second window came of it.
const LEAVE: &str = "
    window.mark = 'here';
    const link = document.createElement('a');
    link.href = 'http://127.0.0.1:9/';
    document.body.append(link);
    link.click();
    location.assign('data:text/html,gone');
    location.href = 'http://127.0.0.1:9/';
    return window.open('http://127.0.0.1:9/') === null;";

/// The colours of two elements: one that asks for red in an attribute, one that is given it by the page's script.
const COLOURS: &str = "
    const [one, other] = ['div', 'div'].map((name) => document.body.appendChild(document.createElement(name)));
    one.setAttribute('style', 'color: rgb(1, 2, 3)');
    other.style.color = 'rgb(1, 2, 3)';
    const sheet = document.createElement('style');
    sheet.textContent = '#app { color: rgb(1, 2, 3) }';
    document.head.append(sheet);
    const colours = [one, other, document.querySelector('#app')].map((it) => getComputedStyle(it).color === 'rgb(1, 2, 3)');
    one.remove(); other.remove(); sheet.remove();
    return colours;";

#[tokio::test(flavor = "multi_thread")]
async fn the_window_stays_on_its_page_and_takes_no_style_from_what_is_put_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let window = Window::start(folder.path()).await;
    window.find("#app > *").await;
    assert_eq!(
        window.js(COLOURS, vec![]).await,
        json!([false, true, false]),
        "attributes and sheets that were put in have no effect; what the program sets has"
    );
    assert_eq!(window.js(LEAVE, vec![]).await, json!(true));
    // Whoever decides about addresses has answered this after those.
    for _ in 0..3 {
        let told = window.ask("app_view", json!({})).await;
        assert!(told["accounts"].is_array(), "the page is there: {told}");
    }
    assert_eq!(
        window
            .js("return [window.mark, location.protocol]", vec![])
            .await,
        json!(["here", "tauri:"])
    );
    window.find("#app > *").await;
    window.close().await;
}
