//! What the window looks like: in both languages, light and dark, with a picture of each to be looked at.

use serde_json::json;

use crate::{driver::Window, person::named};

/// Languages and themes.
pub const LOOKS: [(&str, &str); 4] = [
    ("zh-CN", "light"),
    ("en", "dark"),
    ("zh-CN", "dark"),
    ("en", "light"),
];

/// A picture in every look; it ends in English, light. Notices go away first: they speak the language of their moment.
pub async fn pictures(window: &Window, screen: &str) {
    window
        .js(
            "document.querySelectorAll('[data-testid=\"toast\"] button').forEach(close => close.click())",
            vec![],
        )
        .await;
    window.gone(&named("toast")).await;
    for (language, theme) in LOOKS {
        look(window, language, theme).await;
        shown(window, screen, language, theme).await;
    }
}

/// Chooses a language and a theme, and waits until the window has them.
pub async fn look(window: &Window, language: &str, theme: &str) {
    let patch = json!({"language": language, "theme": theme});
    window.ask("set_settings", json!({"patch": patch})).await;
    window
        .until(
            "the look",
            &format!("const root = document.documentElement; return root.dataset.theme === {} && root.lang === {}", json!(theme), json!(language)),
        )
        .await;
}

/// Nothing sticks out of the window, nothing is named by its code; the picture is kept.
pub async fn shown(window: &Window, screen: &str, language: &str, theme: &str) {
    window
        .picture(&format!("{screen}-{language}-{theme}"))
        .await;
    let sticking_out = window
        .js(
            "return [...document.querySelectorAll('button, input, select, textarea, h1, h2, [role]')]
                .filter(one => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
                .filter(one => !one.closest('.sr, [inert], [data-testid=\"timeline\"], [data-testid=\"access-table\"]'))
                .map(one => [one, one.getBoundingClientRect()])
                .filter(([, box]) => box.width > 1 && (box.right > innerWidth + 1 || box.left < -1))
                .map(([one]) => one.outerHTML.slice(0, 120))",
            vec![],
        )
        .await;
    assert_eq!(
        sticking_out,
        json!([]),
        "{screen} in {language}, {theme}: nothing sticks out of the window"
    );
    let unnamed = window
        .js(
            "return [...document.querySelectorAll('button, input, select, textarea')]
                .filter(one => !one.closest('[inert]') && !(one.textContent.trim() || one.ariaLabel || one.title || one.labels?.length
                    || one.getAttribute('aria-labelledby') || one.placeholder))
                .map(one => one.outerHTML.slice(0, 120))",
            vec![],
        )
        .await;
    assert_eq!(unnamed, json!([]), "{screen}: every control has a name");
}
