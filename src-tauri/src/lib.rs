//! The desktop app: a window around the client, and a server inside for those who host.
//!
//! No rule lives here.
//!
//! - [`run`]: the program
//! - `commands`, `bindings`, `error`: what the window may ask, and its types in TypeScript
//! - `app`, `hosting`: the client, and the server on this computer
//! - `controller`, `window`, `renderer`: the native window
//! - `launcher`: the person's own programs, for links and folders
//! - `home`: the folder that everything of the person lives in

mod app;
mod bindings;
mod commands;
mod controller;
mod error;
mod home;
mod hosting;
mod launcher;
mod renderer;
mod window;

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use tauri::{AppHandle, Manager, RunEvent};
use tauri_plugin_window_state::StateFlags;
use tracing_subscriber::EnvFilter;

use crate::{app::App, controller::Controller, home::Home, window::NativeWindow};

/// Says what is written to standard error, in the way of `tracing`: `TULOU_LOG=debug`.
const LOG_VARIABLE: &str = "TULOU_LOG";

/// With this word Tulou goes on when its window is closed; starting it again brings the window back.
const STAY: &str = "--stay";

/// With this word Tulou starts without a window, or closes the one it has, which gives its memory back.
const CLOSED: &str = "--closed";

/// With this word Tulou shows an empty window and opens nothing: what the window costs by itself, for measurements.
const BARE: &str = "--bare";

/// How long the end may take before what is left is cut off. Everything that was acknowledged is on disk by then.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Runs the app until its window is closed.
pub fn run() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| "warn,tulou=info".into()),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    renderer::choose();
    let is_closed = std::env::args().any(|word| word == CLOSED);
    let stays = is_closed || std::env::args().any(|word| word == STAY);
    match build(is_closed) {
        Ok(app) => {
            app.run(move |app, event| follow(app, &event, stays));
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("the window system could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(is_closed: bool) -> tauri::Result<tauri::App> {
    let home = Home::of_this_person();
    let single = tauri_plugin_single_instance::Builder::new()
        .dbus_id(home.instance_id())
        .callback(|app, words, _folder| {
            let Some(state) = app.try_state::<App>() else {
                return;
            };
            let controller = &state.controller;
            if words.iter().any(|word| word == CLOSED) {
                controller.close();
            } else {
                controller.show();
            }
        })
        .build();
    let mut state = tauri_plugin_window_state::Builder::new()
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .with_filename(home.window_state().to_string_lossy());
    if window::wished_size().is_some() {
        state = state.skip_initial_state(window::LABEL);
    }
    tauri::Builder::default()
        .plugin(single)
        .plugin(tauri_plugin_dialog::init())
        .plugin(state.build())
        .invoke_handler(bindings::builder().invoke_handler())
        .setup(move |app| {
            if std::env::args().any(|word| word == BARE) {
                return Ok(window::make_bare(app.handle())?);
            }
            let handle = app.handle().clone();
            let controller = Controller::new(NativeWindow::new(handle.clone(), home.clone()));
            app.manage(App::new(home, controller.clone()));
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

fn follow(app: &AppHandle, event: &RunEvent, stays: bool) {
    if let RunEvent::ExitRequested {
        code: None, api, ..
    } = event
        && stays
    {
        api.prevent_exit();
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
