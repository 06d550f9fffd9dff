//! How the program starts on a store that it cannot use: what it says, and what it ends with.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
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
    until_it_listens(server(data).spawn().unwrap())
}

fn until_it_listens(mut child: Child) -> Child {
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
    db.pragma_update(None, "user_version", 9_999).unwrap();
    drop(db);
    let output = server(data.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("version 9999") && said.contains(&format!("knows {known}")),
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
fn a_store_that_is_gone_is_no_new_server_where_its_key_is() {
    let data = tempfile::tempdir().unwrap();
    kill(listening(data.path()));
    let at = |name: &str| data.path().join(name);
    let backup = at("kept.tulou-backup");
    let run = |words: &[&str]| server(data.path()).args(words).output().unwrap();
    let made = run(&["backup", backup.to_str().unwrap()]);
    assert!(made.status.success(), "{}", said(&made));
    let key = fs::read(at("server-key.pem")).unwrap();
    for left in [None, Some(&b""[..]), Some(&[0x53; 511][..])] {
        for name in ["tulou.sqlite", "tulou.sqlite-wal", "tulou.sqlite-shm"] {
            let _ = fs::remove_file(at(name));
        }
        if let Some(left) = left {
            fs::write(at("tulou.sqlite"), left).unwrap();
        }
        let output = run(&[]);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        let said = said(&output);
        assert!(
            said.contains("tulou.sqlite") && said.contains("tulou-server restore"),
            "it says which file, and what to do: {said}"
        );
        assert_eq!(
            fs::read(at("tulou.sqlite")).ok().as_deref(),
            left,
            "whoever finds the store can put it back"
        );
        if left.is_some() {
            assert_eq!(run(&["check"]).status.code(), Some(4), "nor is it whole");
        }
    }
    let restored = run(&["restore", backup.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", said(&restored));
    assert_eq!(fs::read(at("server-key.pem")).unwrap(), key);
    kill(listening(data.path()));
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

/// Starts the program by a shell, which does something before, and waits until it listens.
#[cfg(unix)]
fn listening_after(before: &str, data: &Path) -> Child {
    let program = env!("CARGO_BIN_EXE_tulou-server");
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{before}; exec \"$0\" \"$@\""), program])
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    until_it_listens(command.spawn().unwrap())
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_a_servers_files_whatever_the_folder_and_the_habits_of_the_system() {
    use std::os::unix::fs::PermissionsExt;
    let open = fs::Permissions::from_mode(0o755);
    let made = tempfile::tempdir().unwrap();
    fs::set_permissions(made.path(), open.clone()).unwrap();
    let shared = tempfile::tempdir().unwrap();
    fs::set_permissions(shared.path(), open.clone()).unwrap();
    let letter = shared.path().join("a-letter");
    fs::write(&letter, "to everybody").unwrap();
    fs::set_permissions(&letter, open).unwrap();
    // A store of before, which others could read.
    kill(listening(shared.path()));
    for entry in fs::read_dir(shared.path()).unwrap() {
        let readable = fs::Permissions::from_mode(0o644);
        fs::set_permissions(entry.unwrap().path(), readable).unwrap();
    }
    for (folder, mode) in [(made.path(), 0o700), (shared.path(), 0o755)] {
        let child = listening_after("umask 022", folder);
        let found = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            found(folder),
            mode,
            "a folder that was empty is the server's own"
        );
        for name in [
            "tulou.lock",
            "tulou.sqlite",
            "tulou.sqlite-wal",
            "tulou.sqlite-shm",
        ] {
            assert_eq!(
                found(&folder.join(name)),
                0o600,
                "{name} holds what was written"
            );
        }
        assert_eq!(
            found(&letter),
            0o644,
            "what is not the server's stays as it is"
        );
        kill(child);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_has_as_many_files_open_as_the_system_lets_it() {
    let data = tempfile::tempdir().unwrap();
    let child = listening_after("ulimit -S -n 200", data.path());
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    let (soft, hard) = (words[3], words[4]);
    assert_eq!(soft, hard, "200 would be used up by as many people");
    kill(child);
}

/// What the program says of a mistake, and its code. It says nothing else, and ends at once.
fn mistake(change: impl FnOnce(&mut Command)) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tulou-server"));
    command.env("TULOU_LOG", "off").env_remove("TULOU_CONFIG");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    change(&mut command);
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::yield_now();
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), said(&output))
}

#[test]
fn a_mistake_of_the_operators_is_answered_in_one_line_with_a_code() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let file = path("a-file");
    fs::write(&file, "no folder, no backup, no PEM").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let (none, data) = (path("none"), path("data"));
    // Each system has its own words.
    let missing = fs::File::open(&none).unwrap_err().to_string();
    let in_use = TcpListener::bind(&*taken).unwrap_err().to_string();
    let serve = ["--listen", "127.0.0.1:0", "--data", &data];
    let long = "x".repeat(101);
    let at = |rest: &[&'static str]| [&serve[..], rest].concat();
    let cases: [(Vec<&str>, &str); 14] = [
        (vec!["check", "--data", &none], "there is no server in"),
        (vec!["backup", "--data", &none], "there is no server in"),
        (
            vec!["reset", "alice", "--data", &none],
            "there is no server in",
        ),
        (vec!["restore", &none, "--data", &none], &missing),
        (vec!["restore", &file, "--data", &none], "is not a backup"),
        (vec!["--data", &file, "--listen", "127.0.0.1:0"], "a-file: "),
        (vec!["--data", &data, "--listen", &taken], &in_use),
        (vec!["--config", &none], &missing),
        (vec!["--data", &data, "--name", &long], "name: "),
        (at(&["--name", "a\nb"]), "name: "),
        (at(&["--address", "http://a b"]), "addresses: "),
        (at(&["--address", "ws://chat.example.org"]), "addresses: "),
        (at(&["--certificate", "/none", "--key", "/none"]), "/none: "),
        (at(&["--log", "(("]), "--log"),
    ];
    for (words, why) in cases {
        let (code, said) = mistake(|command| {
            command.args(&words);
        });
        assert_eq!(code, Some(1), "{words:?}: {said}");
        assert!(said.starts_with("tulou-server: "), "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{words:?}: {said}");
        assert!(said.contains(why), "{words:?}: {said}");
        let causes: Vec<&str> = said.trim_end().split(": ").collect();
        for cause in &causes {
            let again = causes.iter().filter(|other| other == &cause).count();
            assert_eq!(again, 1, "{cause} is said once: {said}");
        }
    }
    assert!(
        !Path::new(&none).exists(),
        "nothing was made where nothing was"
    );

    let settings = path("tulou.toml");
    for (text, why) in [
        ("name = ", "line 1, column 8"),
        ("nmae = 'x'", "nmae"),
        ("listen = 4780", "listen"),
        ("announce = 'yes'", "announce"),
        ("registration = 'sometimes'", "sometimes"),
        ("proxies = ['x']", "proxies"),
        ("limits.frame_bytes = 0", "limits.frame_bytes: "),
        (
            "listen = '127.0.0.1:0'\ncertificate = '/none'",
            "are set together",
        ),
    ] {
        fs::write(&settings, text).unwrap();
        let (code, said) = mistake(|command| {
            command.args(["--data", &data, "--config", &settings]);
        });
        assert_eq!(code, Some(1), "{text}: {said}");
        assert_eq!(said.lines().count(), 1, "{text}: {said}");
        assert!(said.contains(why), "{text}: {said}");
    }
    // What is wrong with the words themselves is clap's to say, with the usage.
    for words in [
        &["--bogus"][..],
        &["--listen", "[::]"],
        &["--registration", "x"],
    ] {
        let (code, said) = mistake(|command| {
            command.args(words);
        });
        assert_eq!(code, Some(2), "{words:?}: {said}");
        assert!(said.starts_with("error: "), "{words:?}: {said}");
    }
}

#[test]
fn a_start_that_a_certificate_prevents_leaves_the_store_in_order() {
    let data = tempfile::tempdir().unwrap();
    kill(listening(data.path()));
    let output = server(data.path())
        .args(["--certificate", "/none", "--key", "/none"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let first = said(&output);
    assert!(first.contains("the last end was not in order"), "{first}");
    assert!(!first.contains('\u{1b}'), "no colours in a file: {first:?}");
    let output = server(data.path())
        .args(["--certificate", "/none", "--key", "/none"])
        .output()
        .unwrap();
    let second = said(&output);
    assert!(
        !second.contains("the last end was not in order"),
        "{second}"
    );
}

#[test]
fn the_address_that_it_really_listens_at_is_printed() {
    for (listen, begin, end) in [
        ("127.0.0.1:0", "listening ws://127.0.0.1:", ""),
        (
            "0.0.0.0:0",
            "listening wss://0.0.0.0:",
            " (every IPv4 address of this computer)",
        ),
        ("[::]:0", "listening wss://", " address of this computer"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tulou-server"))
            .args(["--listen", listen, "--data"])
            .arg(data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.starts_with("listening "))
            .unwrap();
        assert!(line.starts_with(begin) && line.contains(end), "{line}");
        let address = line.split("://").nth(1).unwrap().split(' ').next().unwrap();
        let port = address.rsplit(':').next().unwrap();
        assert_ne!(port, "0", "{line}");
        std::net::TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens there");
        kill(child);
    }
}

#[test]
fn what_clients_would_refuse_of_a_certificate_is_logged_in_a_line_each() {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let name = &mut authority.distinguished_name;
    name.push(rcgen::DnType::CommonName, "An authority");
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["other.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 2, 3);
    let leaf = params.signed_by(&key, &issuer).unwrap();
    fs::write(at("cert.pem"), format!("\u{feff}{}", leaf.pem())).unwrap();
    fs::write(at("key.pem"), key.serialize_pem()).unwrap();
    let log = at("log");
    let mut child = server(&at("data"))
        .args(["--address", "wss://chat.example.org", "--certificate"])
        .arg(at("cert.pem"))
        .arg("--key")
        .arg(at("key.pem"))
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("listening") {
        line.clear();
        assert!(
            out.read_line(&mut line).unwrap() > 0,
            "it serves all the same"
        );
    }
    kill(child);
    let logged = fs::read_to_string(&log).unwrap();
    for part in [
        "expired on 2020-02-03",
        "not for chat.example.org",
        "intermediate certificate",
        "byte order mark",
    ] {
        let lines = logged.lines().filter(|line| line.contains(part)).count();
        assert_eq!(lines, 1, "{part}: {logged}");
    }
}
