//! The native window. It can be destroyed, which gives the web view's memory back, and made again.

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tauri::{
    AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    webview::PageLoadEvent, window::Color,
};
use tulou_client::{theme_of, view::Theme};

use crate::{controller::Shell, folders::Folders, launcher, renderer};

/// The only window's label; the capability names it.
pub const LABEL: &str = "main";

/// Gives the window a size, for pictures and tests: `1280x800`.
pub const SIZE_VARIABLE: &str = "TULOU_WINDOW_SIZE";

/// Its size at the first start.
const SIZE: (f64, f64) = (1280.0, 800.0);

/// A window whose page has not come after so long is shown without it: whoever started Tulou sees that it is there, and can
/// close it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ground of the light and of the dark theme, as `--bg` in `ui/src/app.css`.
const LIGHT: Color = Color(0xfc, 0xfb, 0xf9, 0xff);
const DARK: Color = Color(0x20, 0x20, 0x1e, 0xff);

/// The window as the controller reaches it.
pub struct NativeWindow {
    app: AppHandle,
    folders: Folders,
}

impl NativeWindow {
    /// The window of this app, for the person whose folder it is.
    pub fn new(app: AppHandle, folders: Folders) -> Self {
        Self { app, folders }
    }

    /// Lets the web view show the program's own page and nothing else: whatever else would take its place could do what the
    /// page may do, or look like it. Links are opened outside, by a command.
    fn stays(&self) -> impl Fn(&Url) -> bool + Send + 'static {
        let dev = if tauri::is_dev() {
            self.app.config().build.dev_url.clone()
        } else {
            None
        };
        move |url| {
            let is_own = is_own(url, dev.as_ref());
            if !is_own {
                tracing::warn!("the window was kept from leaving its page");
            }
            is_own
        }
    }

    /// Gives the window the colour of what will be drawn in it, so that a dark one does not begin with a white flash.
    fn paint_ground(&self, window: &WebviewWindow) {
        let is_dark = match theme_of(&self.folders.client()) {
            Theme::Dark => true,
            Theme::Light => false,
            Theme::System => window
                .theme()
                .is_ok_and(|theme| theme == tauri::Theme::Dark),
        };
        let ground = if is_dark { DARK } else { LIGHT };
        if let Err(error) = window.set_background_color(Some(ground)) {
            tracing::warn!("the window's colour could not be set: {error}");
        }
    }
}

impl Shell for NativeWindow {
    fn set_title(&self, title: &str) {
        let Some(window) = self.app.get_webview_window(LABEL) else {
            return;
        };
        if let Err(error) = window.set_title(title) {
            tracing::warn!("the window's title could not be set: {error}");
        }
    }

    fn show(&self) {
        if let Some(window) = self.app.get_webview_window(LABEL) {
            let shown = window
                .unminimize()
                .and_then(|()| window.show())
                .and_then(|()| window.set_focus());
            if let Err(error) = shown {
                tracing::warn!("the window could not be brought to the front: {error}");
            }
            return;
        }
        let web_view = self.folders.web_view();
        // Also where the folder above is shared on purpose. Not every disk knows whose a folder is.
        let closed =
            std::fs::create_dir_all(&web_view).and_then(|()| tulou_private::folder(&web_view));
        if let Err(error) = closed {
            tracing::warn!(folder = %web_view.display(), "others may read it: {error}");
        }
        let wished = wished_size();
        let (width, height) = wished.unwrap_or(SIZE);
        let builder =
            WebviewWindowBuilder::new(&self.app, LABEL, WebviewUrl::App("index.html".into()))
                .title("Tulou")
                .data_directory(web_view)
                .inner_size(width, height)
                .min_inner_size(760.0, 520.0)
                .center()
                .visible(false)
                .on_navigation(self.stays())
                .on_page_load(|window, page| {
                    if page.event() == PageLoadEvent::Finished {
                        show_loaded(&window);
                    }
                });
        // A small screen has less room than the usual size: title bar and composer stay within it.
        let builder = if wished.is_none() {
            builder.prevent_overflow()
        } else {
            builder
        };
        let made = builder.build();
        match made {
            Ok(window) => {
                self.paint_ground(&window);
                offer_nothing_that_leads_away(&window);
                show_in_time(window);
            }
            Err(error) => tracing::error!("the window could not be made: {error}"),
        }
    }

    fn close(&self) {
        let Some(window) = self.app.get_webview_window(LABEL) else {
            return;
        };
        if let Err(error) = window.close() {
            tracing::warn!("the window could not be closed: {error}");
        }
    }

    fn open(&self, url: &str) -> Result<(), String> {
        launcher::open(url, &renderer::told()).map_err(|error| error.to_string())
    }

    fn open_folder(&self, folder: &Path) -> Result<(), String> {
        launcher::open(folder, &renderer::told()).map_err(|error| error.to_string())
    }
}

/// Shows a new window with its page in it. While a page is being loaded nothing of it is drawn, but WebKitGTK waits for
/// up to 500 ms whenever the window is to be drawn; and meanwhile this thread cannot hand it the rest of the page.
fn show_loaded(window: &WebviewWindow) {
    // A page that is loaded again stays where it is.
    if window.is_visible().unwrap_or(false) {
        return;
    }
    if let Err(error) = window.show() {
        tracing::error!("the window could not be shown: {error}");
    }
}

/// Shows a new window although its page does not come.
fn show_in_time(window: WebviewWindow) {
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        // One that was closed meanwhile answers nothing.
        if window.is_visible().is_ok_and(|is_visible| !is_visible) {
            tracing::warn!("the page has not been loaded in {PATIENCE:?}");
            show_loaded(&window);
        }
    });
}

/// Whether an address is the program's own page: as it is built in, or as it is served while it is worked on.
fn is_own(url: &Url, dev: Option<&Url>) -> bool {
    let is_built_in = if cfg!(any(windows, target_os = "android")) {
        matches!(url.scheme(), "http" | "https")
            && url.host_str() == Some("tauri.localhost")
            && url.port().is_none()
    } else {
        url.scheme() == "tauri" && url.host_str() == Some("localhost")
    };
    is_built_in || dev.is_some_and(|dev| dev.origin() == url.origin())
}

/// Takes out of WebKitGTK's own menu what would open an address in the window, or fetch it: it is offered for links and for
/// selected text that looks like one. On other systems such an item does nothing, since the window stays where it is.
#[cfg(target_os = "linux")]
fn offer_nothing_that_leads_away(window: &WebviewWindow) {
    use webkit2gtk::{ContextMenuAction, ContextMenuExt, ContextMenuItemExt, WebViewExt};
    let done = window.with_webview(|view| {
        view.inner().connect_context_menu(|_, menu, _, _| {
            for item in menu.items() {
                let leads_away = matches!(
                    item.stock_action(),
                    ContextMenuAction::OpenLink
                        | ContextMenuAction::OpenLinkInNewWindow
                        | ContextMenuAction::DownloadLinkToDisk
                        | ContextMenuAction::OpenImageInNewWindow
                        | ContextMenuAction::DownloadImageToDisk
                        | ContextMenuAction::OpenFrameInNewWindow
                        | ContextMenuAction::GoBack
                        | ContextMenuAction::GoForward
                        | ContextMenuAction::Reload
                        | ContextMenuAction::Stop
                );
                if leads_away {
                    menu.remove(&item);
                }
            }
            menu.n_items() == 0
        });
    });
    if let Err(error) = done {
        tracing::warn!("the web view's menu could not be looked at: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn offer_nothing_that_leads_away(_: &WebviewWindow) {}

/// Makes a window with an empty page: what a window costs by itself, for measurements.
pub fn make_bare(app: &AppHandle) -> tauri::Result<()> {
    let (width, height) = wished_size().unwrap_or(SIZE);
    let blank = WebviewUrl::App("bare.html".into());
    WebviewWindowBuilder::new(app, "bare", blank)
        .title("Tulou")
        .inner_size(width, height)
        .on_page_load(|_, page| {
            if page.event() == PageLoadEvent::Finished {
                let at_ms = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |since| since.as_millis());
                tracing::debug!(target: "tulou::painted", at_ms = at_ms, "painted");
            }
        })
        .build()?;
    Ok(())
}

/// The size that the environment asks for.
pub fn wished_size() -> Option<(f64, f64)> {
    size_of(&std::env::var(SIZE_VARIABLE).ok()?)
}

fn size_of(text: &str) -> Option<(f64, f64)> {
    let (width, height) = text.split_once('x')?;
    let side = |side: &str| {
        side.parse::<u16>()
            .ok()
            .filter(|side| *side > 0)
            .map(f64::from)
    };
    Some((side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(any(windows, target_os = "android")))]
    fn the_window_shows_its_own_page_and_nothing_else() {
        let is = |url: &str, dev: Option<&str>| {
            let dev = dev.map(|dev| dev.parse().unwrap());
            is_own(&url.parse().unwrap(), dev.as_ref())
        };
        let dev = Some("http://localhost:1420");
        assert!(is("tauri://localhost", None));
        assert!(is("tauri://localhost/index.html#a", None));
        assert!(is("http://localhost:1420/src/main.ts", dev));
        for other in [
            "https://example.org/",
            "tauri://example.org/",
            "http://localhost:1420/",
            "http://tauri.localhost/",
            "file:///etc/passwd",
            "about:blank",
            "data:text/html,x",
            "javascript:alert(1)",
        ] {
            assert!(!is(other, None), "{other}");
        }
        assert!(!is("http://localhost:1421/", dev), "another port");
    }

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(size_of("940x600"), Some((940.0, 600.0)));
        for wrong in ["", "940", "940x", "0x0", "-1x5", "NaNxNaN"] {
            assert_eq!(size_of(wrong), None, "{wrong:?} is no size");
        }
    }
}
