//! What the program says where there is no display.
#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

use std::process::{Command, Output};

fn tulou(words: &[&str], display: Option<&str>) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tulou"));
    command
        .args(words)
        .env("TULOU_HOME", folder.path())
        .env("RUST_BACKTRACE", "1")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("XDG_RUNTIME_DIR")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    if let Some(display) = display {
        command.env("DISPLAY", display);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_and_version_need_no_display() {
    let help = tulou(&["--help"], None);
    assert!(help.status.success(), "{help:?}");
    let said = text(&help.stdout);
    for word in ["--stay", "--closed", "--version", "TULOU_HOME", "TULOU_LOG"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(text(&help.stderr), "");
    let version = tulou(&["--version"], None);
    assert!(version.status.success(), "{version:?}");
    assert_eq!(
        text(&version.stdout),
        format!("tulou {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_word_that_is_not_known_is_said_to_be_so() {
    let output = tulou(&["--stya"], None);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("--stya"), "{output:?}");
}

#[test]
fn that_there_is_no_display_is_said_in_a_line() {
    for (display, part) in [
        (None, "there is no display"),
        (Some(":98765"), "the display :98765 does not answer"),
    ] {
        for words in [&[][..], &["--stay"], &["--closed"]] {
            let output = tulou(words, display);
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let said = text(&output.stderr);
            let ours: Vec<&str> = said
                .lines()
                .filter(|line| line.starts_with("tulou: "))
                .collect();
            assert_eq!(ours.len(), 1, "{said}");
            assert!(ours[0].contains(part), "{said}");
            assert!(
                !said.contains("panicked") && !said.contains("backtrace"),
                "{said}"
            );
        }
    }
}
