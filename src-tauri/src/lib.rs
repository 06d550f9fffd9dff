//! The desktop app: a window around the client, and a server inside for those who host.
//!
//! No rule lives here. [`window`] is the native window, `home` the folder that everything of the person lives in.

mod home;
mod window;

use std::process::ExitCode;

use tauri::RunEvent;
use tauri_plugin_window_state::StateFlags;

use crate::home::Home;

/// Runs the app until its window is closed.
pub fn run() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("TULOU_LOG")
                .unwrap_or_else(|_| "warn,tulou=info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let home = Home::of_this_person();
    let single = tauri_plugin_single_instance::Builder::new()
        .dbus_id(home.instance_id())
        .callback(|app, _args, _cwd| window::show(app))
        .build();
    let state = tauri_plugin_window_state::Builder::new()
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .with_filename(home.window_state().to_string_lossy())
        .build();
    let app = tauri::Builder::default()
        .plugin(single)
        .plugin(state)
        .setup(move |app| {
            window::show(app.handle());
            Ok(())
        })
        .build(tauri::generate_context!());
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            tracing::error!("the window system could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    app.run(|_app, event| {
        if let RunEvent::Exit = event {
            tracing::info!("exit");
        }
    });
    ExitCode::SUCCESS
}
