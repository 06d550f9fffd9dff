//! Backups from outside: by the program's commands, and by themselves.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::Arc,
};

use tulou_server::{
    Config, Hosted,
    backup::{Daily, Kind, Shelf},
};

const DAY: i64 = 24 * 60 * 60 * 1_000;
const QUIET: i64 = 60 * 1_000;

fn program(data: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tulou-server"));
    command.args(words).arg("--data").arg(data);
    command.env_remove("TULOU_CONFIG").env("TULOU_LOG", "warn");
    command
}

fn run(data: &Path, words: &[&str]) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = program(data, words).output().unwrap();
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.success(), said)
}

/// A server in a process of its own, which ends with the test.
struct Running {
    child: Child,
    /// What it says has to go somewhere as long as it runs.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(data: &Path) -> Self {
        let mut child = program(data, &["--listen", "127.0.0.1:0", "--name", "土楼"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listens = lines.any(|line| line.is_ok_and(|line| line.starts_with("listening")));
        assert!(listens, "it came up");
        Self {
            child,
            _says: lines,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_program_backs_up_a_server_that_runs_and_restores_it_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let (here, there) = (home.path().join("here"), home.path().join("there"));
    let file = home.path().join("one.tulou-backup");
    let one = file.to_str().unwrap();
    let running = Running::start(&here);
    let (is_done, said) = run(&here, &["backup", one]);
    assert!(is_done, "while it runs: {said}");
    assert!(said.contains("server "), "it says of whom: {said}");

    let (is_done, said) = run(&here, &["restore", one]);
    assert!(
        !is_done,
        "not into the folder of a server that runs: {said}"
    );
    assert!(said.contains("another program works in"), "{said}");
    let code = program(&here, &["restore", one]).output().unwrap();
    assert_eq!(code.status.code(), Some(5), "as the guide says");
    drop(running);
    let (is_done, said) = run(&here, &["backup"]);
    assert!(is_done, "and while it does not: {said}");
    let kept = names(&here.join("backups"));
    assert_eq!(kept.len(), 1);
    assert!(kept[0].starts_with("manual-"), "{kept:?}");

    let (is_done, said) = run(&there, &["restore", one, "--check"]);
    assert!(is_done && said.contains("the backup is whole"), "{said}");
    assert!(!there.exists(), "looking at it changes nothing");
    let (is_done, said) = run(&there, &["restore", one]);
    assert!(is_done, "{said}");
    let key = |folder: &Path| std::fs::read(folder.join("server-key.pem")).unwrap();
    assert_eq!(
        key(&there),
        key(&here),
        "clients know the server by its key"
    );
    let running = Running::start(&there);
    drop(running);
    let (is_done, said) = run(&there, &["restore", one]);
    assert!(is_done, "{said}");
    assert!(
        said.contains("what was there before is in"),
        "it says where the old one is: {said}"
    );
}

#[test]
fn the_program_refuses_what_is_no_backup_with_a_sentence_and_a_code() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("here");
    let text = home.path().join("text");
    std::fs::write(&text, "no backup").unwrap();
    let (is_done, said) = run(&folder, &["restore", text.to_str().unwrap()]);
    assert!(!is_done && said.contains("is not a backup"), "{said}");
    assert!(!folder.exists(), "nothing was made");
    let other = home.path().join("other");
    drop(Running::start(&other));
    let (whole, cut) = (home.path().join("whole"), home.path().join("cut"));
    let (is_done, said) = run(&other, &["backup", whole.to_str().unwrap()]);
    assert!(is_done, "{said}");
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() - 100]).unwrap();
    let (is_done, said) = run(&folder, &["restore", cut.to_str().unwrap()]);
    assert!(!is_done && said.contains("is damaged"), "{said}");
    assert!(!folder.exists(), "nothing is left of it");
    let (is_done, said) = run(&folder, &["backup"]);
    assert!(!is_done && said.contains("there is no server in"), "{said}");
}

async fn hosted(home: &Path, backups: PathBuf) -> Hosted {
    let mut config = Config {
        data: home.join("server"),
        backups: Some(backups),
        backups_kept: 2,
        ..Config::default()
    };
    config.listen.set_port(0);
    Hosted::start(config).await.unwrap()
}

#[tokio::test]
async fn a_backup_is_made_each_day_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let hosted = hosted(home.path(), home.path().join("backups")).await;
    let shelf = Shelf::in_folder(home.path().join("backups"));
    let daily = Daily::new(hosted.app().clone(), shelf.clone());
    let count = || shelf.list().unwrap().len();
    let now = hosted.app().now();

    daily.look(now, 0).await;
    assert_eq!(count(), 0, "somebody is writing");
    daily.look(now, QUIET).await;
    assert_eq!(count(), 1, "it is quiet");
    daily.look(now + DAY / 2, QUIET).await;
    assert_eq!(count(), 1, "once a day");
    daily.look(now + 5 * DAY, QUIET).await;
    assert_eq!(count(), 2, "the computer was off for some days");
    daily.look(now + 6 * DAY, QUIET).await;
    assert_eq!(count(), 2, "the oldest goes");
    let newest = &shelf.list().unwrap()[0];
    assert_eq!((newest.made_at, newest.kind), (now + 6 * DAY, Kind::Daily));
    assert_eq!(hosted.app().backup_failure(), None);

    hosted.app().measure_with(Arc::new(|_| Ok(1))).await;
    daily.look(now + 7 * DAY, QUIET).await;
    assert_eq!(
        shelf.list().unwrap()[0].made_at,
        now + 6 * DAY,
        "there is no room for one"
    );
    hosted.stop().await;
}

#[tokio::test]
async fn a_daily_backup_that_fails_is_told_and_tried_again() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("backups");
    let hosted = hosted(home.path(), place.clone()).await;
    std::fs::write(&place, "a file where the folder should be").unwrap();
    let daily = Daily::new(hosted.app().clone(), Shelf::in_folder(place.clone()));
    let now = hosted.app().now();
    daily.look(now, QUIET).await;
    assert_eq!(hosted.app().backup_failure(), Some("storage"));
    std::fs::remove_file(&place).unwrap();
    daily.look(now, QUIET).await;
    assert_eq!(hosted.app().backup_failure(), None, "the next look made it");
    assert_eq!(names(&place).len(), 1);
    hosted.stop().await;
}
