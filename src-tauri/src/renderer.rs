//! What WebKit on Linux is told by its environment, before it starts.
//!
//! It hands frames over as DMA buffers. Without a graphics card that path only costs memory (the web process is half
//! as large without it), and with NVIDIA's own driver windows stay empty. Everywhere else it is the faster one.
//!
//! It compiles scripts while they run. The window's scripts only put into the page what the engine has prepared, so
//! compiling gains them little: it costs 15 to 20 MiB, and memory that is written and then run, in the very process
//! that shows what strangers wrote.

use std::{
    env,
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, ExitStatus},
};

/// Turns off the DMA buffers.
const NO_DMA_BUFFERS: (&str, &str) = ("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
/// Turns off the compiler of scripts.
const NO_COMPILER: (&str, &str) = ("JSC_useJIT", "0");

/// Names what this program has set for itself, with spaces between.
const TOLD: &str = "TULOU_TOLD_WEBKIT";

/// Tells WebKit what it does not know by itself. Returns only when there is nothing to tell. A person who has set one
/// of the variables, to whatever value, is obeyed.
///
/// A variable has to stand in the environment before any thread starts, so the program replaces itself.
pub fn choose() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let mut wanted = vec![NO_COMPILER];
    if harms(
        has_graphics_card(Path::new("/dev/dri")),
        Path::new("/proc/driver/nvidia").exists(),
    ) {
        wanted.push(NO_DMA_BUFFERS);
    }
    wanted.retain(|(name, _)| env::var_os(name).is_none());
    if wanted.is_empty() {
        return;
    }
    let Ok(program) = env::current_exe() else {
        return;
    };
    let names: Vec<_> = wanted.iter().map(|(name, _)| *name).collect();
    let mut again = Command::new(program);
    again
        .args(env::args_os().skip(1))
        .env(TOLD, names.join(" "))
        .envs(wanted);
    if let Err(error) = replace(again) {
        tracing::warn!("WebKit could not be told how to work here: {error}");
    }
}

/// The variables that this program has set for itself: other programs that it starts should not have them.
pub fn told() -> Vec<OsString> {
    let Ok(names) = env::var(TOLD) else {
        return Vec::new();
    };
    names.split(' ').chain([TOLD]).map(OsString::from).collect()
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
