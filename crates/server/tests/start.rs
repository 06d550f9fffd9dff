//! How the program starts on a store that it cannot use: what it says, and what it ends with.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use rusqlite::Connection;

fn server(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tulou-server"));
    command
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts the program and waits until it listens.
fn listening(data: &Path) -> Child {
    let mut child = server(data).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("listening") {
        line.clear();
        let count = out.read_line(&mut line).unwrap();
        assert!(count > 0, "it ended before it listened: {:?}", child.wait());
    }
    // It goes on to say things, and would end if nobody could hear them.
    child.stdout = Some(out.into_inner());
    child
}

/// Ends it without warning.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_newer_store_ends_the_program_with_a_code_of_its_own_and_both_versions() {
    let data = tempfile::tempdir().unwrap();
    kill(listening(data.path()));
    let file = data.path().join("tulou.sqlite");
    let db = Connection::open(&file).unwrap();
    let known: i64 = db
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let output = server(data.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("version 99") && said.contains(&format!("knows {known}")),
        "{said}"
    );
}

#[test]
fn a_damaged_store_ends_the_program_with_a_code_of_its_own_and_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    kill(listening(data.path()));
    let file = data.path().join("tulou.sqlite");
    // What the program has written lies in its log, which is left behind: it is checked with the file.
    let db = Connection::open(&file).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(db);
    let check = || server(data.path()).arg("check").output().unwrap();
    let output = check();
    assert!(output.status.success(), "{}", said(&output));
    let mut bytes = fs::read(&file).unwrap();
    let from = bytes.len() - 4_096 * 3;
    bytes[from..].fill(0xA5);
    // The first page, which everything is found by, is whole: only a check can tell.
    fs::write(&file, &bytes).unwrap();
    let output = check();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));

    bytes[..4_096].fill(0xA5);
    fs::write(&file, &bytes).unwrap();
    let output = server(data.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("tulou.sqlite") && said.contains("tulou-server restore"),
        "it says which file, and what to do: {said}"
    );
    assert_eq!(fs::read(&file).unwrap(), bytes, "the file stays as it is");
}

#[test]
fn a_folder_in_use_ends_the_program_with_a_code_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let first = listening(data.path());
    let output = server(data.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    kill(first);
    kill(listening(data.path()));
}

#[test]
fn a_server_is_announced_unless_flag_environment_or_file_say_otherwise() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("tulou.toml");
    fs::write(&file, "announce = false\n").unwrap();
    let is_announced = |change: &dyn Fn(&mut Command)| {
        let mut command = server(data.path());
        command.arg("--print-config");
        change(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8_lossy(&output.stdout).contains(r#""announce":true"#)
    };
    assert!(is_announced(&|_| {}), "clients find it at a new address");
    assert!(!is_announced(&|command| {
        command.arg("--no-announce");
    }));
    assert!(!is_announced(&|command| {
        command.env("TULOU_ANNOUNCE", "false");
    }));
    assert!(!is_announced(&|command| {
        command.arg("--config").arg(&file);
    }));
}
