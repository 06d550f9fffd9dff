//! The native window. It can be destroyed, which gives the web view's memory back, and made again.

use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};

/// The only window's label; the capability names it.
pub const LABEL: &str = "main";

/// Shows the window and gives it the focus; makes it when there is none.
pub fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        let shown = window
            .unminimize()
            .and_then(|()| window.show())
            .and_then(|()| window.set_focus());
        if let Err(error) = shown {
            tracing::warn!("the window could not be brought to the front: {error}");
        }
        return;
    }
    let made = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("Tulou")
        .inner_size(1280.0, 800.0)
        .min_inner_size(760.0, 520.0)
        .center()
        .build();
    if let Err(error) = made {
        tracing::error!("the window could not be made: {error}");
    }
}
