//! The desktop app: a window around the client, and a server inside for those who host.
//!
//! No rule lives here.
//!
//! - [`run`]: the program
//! - `commands`, `bindings`, `error`: what the window may ask, and its types in TypeScript
//! - `app`, `hosting`: the client, and the server on this computer
//! - `controller`, `window`, `renderer`: the native window
//! - `viewers`: who looks in which window
//! - `words`: what the program is told when it is started
//! - `launcher`: the person's own programs, for links and folders
//! - `folders`: the folder that everything of the person lives in

mod app;
mod bindings;
mod commands;
mod controller;
mod error;
mod folders;
mod hosting;
mod input;
mod launcher;
mod renderer;
mod viewers;
mod window;
mod words;

use std::{io::IsTerminal, panic, process::ExitCode, sync::Arc, time::Duration};

use tauri::{AppHandle, Manager, RunEvent, WindowEvent};
use tauri_plugin_window_state::StateFlags;
use tracing_subscriber::EnvFilter;
use tulou_client::{Keyring, settings_of};

use crate::{
    app::App, controller::Controller, folders::Folders, window::NativeWindow, words::Words,
};

/// Says what is written to standard error, in the way of `tracing`: `TULOU_LOG=debug`.
const LOG_VARIABLE: &str = "TULOU_LOG";

/// How long the end may take before what is left is cut off. Everything that was acknowledged is on disk by then.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Runs the app until its window is closed.
pub fn run() -> ExitCode {
    let words = match Words::read(std::env::args_os()) {
        Ok(words) => words,
        Err(code) => return code,
    };
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| "warn,tulou=info".into()),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    renderer::choose();
    let folders = Folders::of_this_person();
    let stays = words.stay || words.closed;
    match built(&folders, words) {
        Ok(app) => {
            app.run(move |app, event| {
                follow(app, &event, || {
                    stays || {
                        let set = settings_of(&folders.client());
                        set.stays || set.starts_closed
                    }
                })
            });
            ExitCode::SUCCESS
        }
        Err(why) => {
            words::complain(&format!("tulou: {why}"));
            ExitCode::FAILURE
        }
    }
}

/// The app, or in a line why there is none. What draws windows breaks, where there is no display, instead of saying so.
fn built(folders: &Folders, words: Words) -> Result<tauri::App, String> {
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let built = panic::catch_unwind(panic::AssertUnwindSafe(|| build(folders.clone(), &words)));
    panic::set_hook(told);
    match built {
        Ok(Ok(app)) => Ok(app),
        Ok(Err(error)) => Err(format!("the window system could not be started: {error}")),
        Err(broken) => {
            let broken = broken
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| broken.downcast_ref::<&str>().copied())
                .unwrap_or("it broke");
            Err(match no_display() {
                Some(why) => format!(
                    "{why}, so there is nowhere to show a window; a server without one is tulou-server"
                ),
                None => {
                    let line = broken.lines().next().unwrap_or_default();
                    format!("the window system could not be started: {line}")
                }
            })
        }
    }
}

/// Why there is no display, where a program has to be told which.
fn no_display() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match named("WAYLAND_DISPLAY").or_else(|| named("DISPLAY")) {
        Some(display) => Some(format!("the display {display} does not answer")),
        None => Some("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)".to_owned()),
    }
}

fn build(folders: Folders, words: &Words) -> tauri::Result<tauri::App> {
    let (is_bare, is_closed) = (
        words.bare,
        words.closed || settings_of(&folders.client()).starts_closed,
    );
    let single = tauri_plugin_single_instance::Builder::new()
        .dbus_id(folders.instance_id())
        .callback(|app, words, _folder| {
            let Some(state) = app.try_state::<App>() else {
                return;
            };
            let controller = &state.controller;
            if Words::of_another(&words).closed {
                controller.close();
            } else {
                controller.show();
            }
        })
        .build();
    let mut state = tauri_plugin_window_state::Builder::new()
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .with_filename(folders.window_state().to_string_lossy());
    if window::wished_size().is_some() {
        state = state.skip_initial_state(window::LABEL);
    }
    tauri::Builder::default()
        .plugin(single)
        .plugin(tauri_plugin_dialog::init())
        .plugin(state.build())
        .invoke_handler(bindings::builder().invoke_handler())
        .setup(move |app| {
            if is_bare {
                return Ok(window::make_bare(app.handle())?);
            }
            let handle = app.handle().clone();
            let controller = Controller::new(NativeWindow::new(handle.clone(), folders.clone()));
            app.manage(App::new(folders, controller.clone(), Arc::new(Keyring)));
            end_on_signals(handle.clone());
            tauri::async_runtime::spawn(async move {
                // A failure is told to the window, which asks as well.
                if let Err(error) = handle.state::<App>().client().await {
                    tracing::error!("the client could not be opened: {error}");
                }
            });
            if !is_closed {
                controller.show();
            }
            Ok(())
        })
        .build(tauri::generate_context!())
}

fn follow(app: &AppHandle, event: &RunEvent, stays: impl Fn() -> bool) {
    if let RunEvent::ExitRequested {
        code: None, api, ..
    } = event
        && stays()
    {
        api.prevent_exit();
    }
    if let RunEvent::WindowEvent {
        label,
        event: WindowEvent::Destroyed,
        ..
    } = event
        && let Some(state) = app.try_state::<App>()
    {
        state.viewers.end(label);
    }
    if let RunEvent::Exit = event {
        let Some(state) = app.try_state::<App>() else {
            return;
        };
        let end = state.shut_down();
        let ended =
            tauri::async_runtime::block_on(async { tokio::time::timeout(END_WITHIN, end).await });
        if ended.is_err() {
            tracing::warn!("the end took too long and was cut off");
        }
    }
}

/// Ends in order when the system, or a person at a terminal, asks for it.
fn end_on_signals(app: AppHandle) {
    #[cfg(unix)]
    tauri::async_runtime::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        app.exit(0);
    });
    #[cfg(not(unix))]
    drop(app);
}
