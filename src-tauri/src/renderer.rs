//! The way the web view draws on Linux.
//!
//! WebKit hands frames over as DMA buffers. Without a graphics card that path only costs memory (the web process is
//! half as large without it), and with NVIDIA's own driver windows stay empty. Everywhere else it is the faster one.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitStatus},
};

/// WebKit's switch. A person who sets it, to whatever value, is obeyed.
const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Turns the DMA buffers off where they harm. Returns only when there is nothing to turn off.
///
/// The variable has to stand in the environment before any thread starts, so the program replaces itself.
pub fn choose() {
    if !cfg!(target_os = "linux")
        || env::var_os(SWITCH).is_some()
        || !harms(
            has_graphics_card(Path::new("/dev/dri")),
            Path::new("/proc/driver/nvidia").exists(),
        )
    {
        return;
    }
    let Ok(program) = env::current_exe() else {
        return;
    };
    let mut again = Command::new(program);
    again.args(env::args_os().skip(1)).env(SWITCH, "1");
    if let Err(error) = replace(again) {
        tracing::warn!("the way of drawing could not be chosen: {error}");
    }
}

fn harms(has_graphics_card: bool, has_nvidia_driver: bool) -> bool {
    !has_graphics_card || has_nvidia_driver
}

fn has_graphics_card(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
        })
    })
}

#[cfg(unix)]
fn replace(mut command: Command) -> std::io::Result<ExitStatus> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> std::io::Result<ExitStatus> {
    command.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dma_buffers_stay_on_with_a_card_and_an_open_driver() {
        assert!(!harms(true, false));
        assert!(harms(true, true), "windows stay empty with that driver");
        assert!(harms(false, false), "software rendering gains nothing");
    }

    #[test]
    fn a_folder_that_is_missing_holds_no_card() {
        assert!(!has_graphics_card(Path::new("/nonexistent")));
    }
}
