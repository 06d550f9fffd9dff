//! Opens links and folders in the person's own programs.

use std::{
    ffi::{OsStr, OsString},
    io,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// A launcher that has not ended after this long runs as long as what it opened.
const FAILS_WITHIN: Duration = Duration::from_millis(500);

/// Opens a link or a folder with whatever the system has for it. The program that opens does not get the variables
/// `hidden`: they were meant for this one.
pub fn open(target: impl AsRef<OsStr>, hidden: &[OsString]) -> io::Result<()> {
    if cfg!(target_os = "linux") {
        first_that_works(open::commands(target), hidden)
    } else {
        open::that_detached(target)
    }
}

/// Runs launchers until one of them succeeds.
fn first_that_works(launchers: Vec<Command>, hidden: &[OsString]) -> io::Result<()> {
    let hidden = hidden.to_vec();
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for launcher in launchers {
            match run(launcher, &hidden) {
                Ok(()) => {
                    let _ = say.send(Ok(()));
                    return;
                }
                // The one that is there and failed says more than those that are not there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => failed = error,
            }
        }
        tracing::warn!("nothing could open what was asked for: {failed}");
        let _ = say.send(Err(failed));
    });
    said.recv_timeout(FAILS_WITHIN).unwrap_or(Ok(()))
}

fn run(mut launcher: Command, hidden: &[OsString]) -> io::Result<()> {
    launcher
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for name in hidden {
        launcher.env_remove(name);
    }
    set_apart(&mut launcher);
    let status = launcher.status()?;
    if status.success() {
        return Ok(());
    }
    let program = launcher.get_program().display();
    Err(io::Error::other(format!("{program} ended with {status}")))
}

/// What is opened goes on when this program is stopped from its terminal.
#[cfg(unix)]
fn set_apart(launcher: &mut Command) {
    use std::os::unix::process::CommandExt;
    launcher.process_group(0);
}

#[cfg(not(unix))]
fn set_apart(_launcher: &mut Command) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A launcher that ends well only where the variable is not there.
    fn launcher(variable: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("test -z \"${variable}\"")])
            .env(variable, "1");
        command
    }

    #[test]
    fn what_was_set_for_this_program_is_not_handed_on() {
        let hidden = ["TULOU_TEST_A".into()];
        first_that_works(vec![launcher("TULOU_TEST_A")], &hidden).unwrap();
        let kept = first_that_works(vec![launcher("TULOU_TEST_B")], &hidden).unwrap_err();
        assert!(kept.to_string().contains("sh ended with"), "{kept}");
    }

    #[test]
    fn the_next_launcher_is_tried_where_one_is_missing_or_fails() {
        let missing = || Command::new("tulou-no-such-launcher");
        let launchers = vec![missing(), Command::new("false"), Command::new("true")];
        first_that_works(launchers, &[]).unwrap();
        let none = first_that_works(vec![missing()], &[]).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_launcher_that_goes_on_is_not_waited_for() {
        let mut long = Command::new("sh");
        long.args(["-c", "sleep 5; exit 1"]);
        first_that_works(vec![long], &[]).expect("its end was waited for");
    }
}
