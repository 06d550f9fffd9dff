//! What the program is told when it is started, and what it says where there is no window.

use std::{ffi::OsString, io::Write, process::ExitCode};

use clap::{Parser, error::ErrorKind};

/// Tulou: a desktop client for communities of any size, with the server inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Parser)]
#[command(
    name = "tulou",
    bin_name = "tulou",
    version,
    after_help = "Environment:\n  TULOU_HOME  the folder of accounts, history, settings and a hosted server\n  \
                  TULOU_LOG   what is written to standard error, for example debug\n\n\
                  Both options are settings, too: Settings, General. A server without a window is tulou-server."
)]
pub struct Words {
    /// Goes on when the window is closed; starting Tulou again brings the window back.
    #[arg(long)]
    pub stay: bool,
    /// Starts without a window, or closes the one there is; includes --stay.
    #[arg(long)]
    pub closed: bool,
    /// Shows an empty window and opens nothing: what the window costs by itself, for measurements.
    #[arg(long, hide = true)]
    pub bare: bool,
    /// What a system hands over of its own accord, and nobody asked for.
    #[arg(hide = true)]
    others: Vec<OsString>,
}

impl Words {
    /// Reads what the program was told. What can be answered without a window is answered: the program ends with the
    /// code then.
    ///
    /// # Errors
    /// The code.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        // Finder names the process.
        let words = words
            .into_iter()
            .filter(|word| !word.to_string_lossy().starts_with("-psn_"));
        Self::try_parse_from(words).map_err(|answer| {
            if matches!(
                answer.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) {
                say(&answer.to_string());
                return ExitCode::SUCCESS;
            }
            complain(answer.to_string().trim_end());
            ExitCode::from(2)
        })
    }

    /// What another start of the program, which found this one, was told.
    pub fn of_another(words: &[String]) -> Self {
        Self::try_parse_from(words).unwrap_or_default()
    }
}

/// Says something on the standard output.
fn say(text: &str) {
    if !has_console() {
        return show(text);
    }
    // Nobody reads along.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Says what is wrong, in a line for whoever started the program.
pub fn complain(text: &str) {
    if !has_console() {
        return show(text);
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whether anybody could read a line. A program with windows has no console on Windows, unless it was given one.
#[cfg(windows)]
fn has_console() -> bool {
    use std::os::windows::io::AsRawHandle;
    !std::io::stdout().as_raw_handle().is_null()
}

#[cfg(not(windows))]
const fn has_console() -> bool {
    true
}

#[cfg(windows)]
fn show(text: &str) {
    rfd::MessageDialog::new()
        .set_title("Tulou")
        .set_description(text)
        .show();
}

#[cfg(not(windows))]
const fn show(_text: &str) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Option<Words> {
        let words = std::iter::once("tulou").chain(words.iter().copied());
        Words::read(words.map(OsString::from)).ok()
    }

    #[test]
    fn what_systems_hand_over_of_their_own_accord_keeps_nobody_from_starting() {
        let told = read(&["--stay", "-psn_0_12345", "tulou://join/x", "file.txt"]).unwrap();
        assert!(told.stay && !told.closed && !told.bare);
        assert_eq!(read(&["--no-such-word"]), None);
        let another = ["tulou", "--closed"].map(str::to_owned);
        assert!(Words::of_another(&another).closed);
        assert_eq!(Words::of_another(&[]), Words::default());
    }
}
