//! What the programs' system calls say: no answer leaves the server, and no command a client, before what it says is
//! synced; and what is taken out of a damaged store is synced before the store is moved.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "shared/programs.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod programs;

use std::{collections::HashMap, process::Stdio};

use programs::{Person, Server};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tulou_client::store::Store;
use tulou_protocol::AccountId;
use uuid::Uuid;

/// Messages that are sent, and looked for.
const MESSAGES: usize = 40;
/// Bytes of a call that are written down: more than the answers to all messages, which may leave in one frame.
const BYTES: &str = "100000";

/// Looks at the calls of a program from here on; none where that is not allowed.
async fn attach(process: u32, to: &std::path::Path) -> Option<Child> {
    let traced = Command::new("strace")
        .args(["-f", "-y", "-s", BYTES, "-p", &process.to_string()])
        .args([
            "-e",
            "trace=fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg,?rename,?renameat,?renameat2",
        ])
        .arg("-o")
        .arg(to)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut tracer = match traced {
        Ok(tracer) => tracer,
        Err(error) => {
            println!("skipped: strace: {error}");
            return None;
        }
    };
    let mut lines = BufReader::new(tracer.stderr.take().unwrap()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.contains(" attached") {
            // What else it says has to go somewhere.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(tracer);
        }
        println!("skipped: {line}");
    }
    None
}

/// Ends the looking; the program goes on.
async fn detach(mut tracer: Child) {
    let id = tracer.id().unwrap().to_string();
    let told = Command::new("kill").args(["-INT", &id]).status().await;
    assert!(told.unwrap().success());
    tracer.wait().await.unwrap();
}

/// What happened to a message, by the number of the line at which it was over.
#[derive(Debug, Default)]
struct Fate {
    logged: Option<usize>,
    synced: Option<usize>,
    left: Option<usize>,
}

/// A call, and the numbers of the lines at which it began and was over.
struct Call<'a> {
    text: &'a str,
    began: usize,
    over: usize,
}

/// The calls in the order in which they were over. One thread's may be interrupted by another's.
fn calls(trace: &str) -> Vec<Call<'_>> {
    let mut begun: HashMap<&str, (&str, usize)> = HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else {
            continue;
        };
        let text = text.trim_start();
        if let Some(text) = text.strip_suffix("<unfinished ...>") {
            begun.insert(thread, (text, at));
        } else if !text.starts_with("<... ") {
            calls.push((text, at, at));
        } else if let Some((text, began)) = begun.remove(thread) {
            calls.push((text, began, at));
        }
    }
    // What had not come back when the looking ended.
    calls.extend(begun.into_values().map(|(text, at)| (text, at, usize::MAX)));
    let calls = calls.into_iter();
    let calls = calls.map(|(text, began, over)| Call { text, began, over });
    calls.collect()
}

impl Call<'_> {
    fn is_sync(&self) -> bool {
        self.text.starts_with("fdatasync(") || self.text.starts_with("fsync(")
    }

    fn is_of_log(&self) -> bool {
        self.text.contains(".sqlite-wal>")
    }

    fn is_of_socket(&self) -> bool {
        self.text.contains("<TCP") || self.text.contains("<socket:")
    }

    /// Bytes that a call hands to a socket, which stand after what they are.
    fn bytes(&self) -> usize {
        let (_, rest) = self.text.rsplit_once("\", ").unwrap_or_default();
        let number = rest.split([',', ')']).next().unwrap_or_default();
        number.parse().unwrap_or(0)
    }
}

/// Follows each message through the calls.
fn follow(trace: &str, marks: &[String]) -> Vec<Fate> {
    let calls = calls(trace);
    let fate = |mark: &String| {
        let mut fate = Fate::default();
        for call in calls.iter().filter(|call| call.text.contains(mark)) {
            if call.is_of_socket() {
                fate.left.get_or_insert(call.began);
            } else if call.is_of_log() {
                fate.logged.get_or_insert(call.over);
            }
        }
        let logged = fate.logged.unwrap_or(usize::MAX);
        // A sync that began before something was in the log may not have seen it.
        let mut syncs = calls.iter().filter(|call| call.is_sync());
        let sync = syncs.find(|call| call.is_of_log() && call.began > logged);
        fate.synced = sync.map(|call| call.over);
        fate
    };
    marks.iter().map(fate).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_leaves_before_its_sync() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("server");
    let server = Server::start(&data, "127.0.0.1:0".parse().unwrap()).await;
    let mut alice = Person::start(folder.path().join("alice")).await;
    let link = format!("ws://{}", server.address);
    alice.ask(json!(["register", link, "alice"])).await.unwrap();
    let action = json!({"type": "createCommunity", "name": "c", "group": "g", "topic": "t"});
    let community = alice.ask(json!(["do", action])).await.unwrap();
    let topic = alice.ask(json!(["topic", community])).await.unwrap();
    alice.ask(json!(["enter", topic])).await.unwrap();
    alice.settled().await;

    let trace = folder.path().join("trace");
    let Some(tracer) = attach(server.id(), &trace).await else {
        return;
    };
    let marks: Vec<String> = (0..MESSAGES)
        .map(|number| format!("mark-{number:03}-of-a-message"))
        .collect();
    for mark in &marks {
        let action = json!({"type": "sendMessage", "topic": topic, "text": mark, "replyTo": null});
        alice.ask(json!(["do", action])).await.unwrap();
    }
    alice.settled().await;
    detach(tracer).await;

    let trace = std::fs::read_to_string(&trace).unwrap();
    for (mark, fate) in marks.iter().zip(follow(&trace, &marks)) {
        let (Some(logged), Some(synced), Some(left)) = (fate.logged, fate.synced, fate.left) else {
            panic!("{mark} was written, synced and answered, but: {fate:?}");
        };
        assert!(
            logged < synced && synced < left,
            "{mark} is written, then synced, then answered, but: {fate:?}"
        );
    }
    println!("{MESSAGES} answers, each after its sync");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_leaves_a_client_before_its_sync() {
    /// More than anything else that a client says. What it says is masked, and known by its length alone.
    const LONG: usize = 3_000;
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("server");
    let server = Server::start(&data, "127.0.0.1:0".parse().unwrap()).await;
    let mut alice = Person::start(folder.path().join("alice")).await;
    let link = format!("ws://{}", server.address);
    alice.ask(json!(["register", link, "alice"])).await.unwrap();
    let action = json!({"type": "createCommunity", "name": "c", "group": "g", "topic": "t"});
    let community = alice.ask(json!(["do", action])).await.unwrap();
    let topic = alice.ask(json!(["topic", community])).await.unwrap();
    alice.settled().await;

    let trace = folder.path().join("trace");
    let Some(tracer) = attach(alice.id(), &trace).await else {
        return;
    };
    let marks: Vec<String> = (0..MESSAGES)
        .map(|number| format!("mark-{number:03}-of-a-message"))
        .collect();
    for mark in &marks {
        let text = format!("{mark} {}", "x".repeat(LONG));
        let action = json!({"type": "sendMessage", "topic": topic, "text": text, "replyTo": null});
        alice.ask(json!(["do", action])).await.unwrap();
        // One after the other: the next frame is the next message.
        alice.settled().await;
    }
    detach(tracer).await;

    let trace = std::fs::read_to_string(&trace).unwrap();
    let calls = calls(&trace);
    let frames = calls.iter().filter(|call| call.is_of_socket());
    let frames = frames.filter(|call| call.bytes() >= LONG);
    let mut left: Vec<usize> = frames.map(|call| call.began).collect();
    left.sort_unstable();
    assert_eq!(left.len(), MESSAGES, "a frame for each message");
    for ((mark, fate), left) in marks.iter().zip(follow(&trace, &marks)).zip(left) {
        let (Some(logged), Some(synced)) = (fate.logged, fate.synced) else {
            panic!("{mark} was written and synced, but: {fate:?}");
        };
        assert!(
            logged < synced && synced < left,
            "{mark} is written, then synced, then sent, but: {fate:?}, sent {left}"
        );
    }
    println!("{MESSAGES} commands, each after its sync");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_damaged_store_gave_is_synced_before_the_store_is_moved() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.sqlite");
    std::fs::write(&path, vec![7; 10_000]).unwrap();
    let log = folder.path().join("a.sqlite-wal");
    std::fs::write(&log, vec![7; 10_000]).unwrap();
    let trace = folder.path().join("trace");
    let Some(tracer) = attach(std::process::id(), &trace).await else {
        return;
    };
    let moved = path.clone();
    let mended = tokio::task::spawn_blocking(move || {
        Store::shut(&moved, AccountId(Uuid::from_u128(1))).reopen(1, false)
    });
    mended.await.unwrap().unwrap();
    detach(tracer).await;

    let trace = std::fs::read_to_string(&trace).unwrap();
    let calls = calls(&trace);
    let file = path.display().to_string();
    let place = folder.path().display().to_string();
    let find = |what: &str, from: usize, is_it: &dyn Fn(&Call) -> bool| {
        let found = calls.iter().find(|call| call.began >= from && is_it(call));
        found
            .unwrap_or_else(|| panic!("{what}, after line {from} of\n{trace}"))
            .over
    };
    let renames = |call: &Call, from: &str, to: &str| {
        let is_rename = call.text.starts_with("rename");
        is_rename && call.text.contains(&format!("\"{from}\"")) && call.text.contains(to)
    };
    let syncs =
        |call: &Call, what: &str| call.is_sync() && call.text.contains(&format!("<{what}>"));
    let (made, spare) = (format!("{file}.spare.new"), format!("{file}.spare\""));
    let synced = find("the copy is synced", 0, &|call| syncs(call, &made));
    let kept = find("and kept", synced, &|call| renames(call, &made, &spare));
    let named = find("its name is synced", kept, &|call| syncs(call, &place));
    let aside = format!("{file}.damaged-");
    let log = log.display().to_string();
    let moved = find("then the log is moved", named, &|call| {
        renames(call, &log, &aside)
    });
    let parted = find("which is synced", moved, &|call| syncs(call, &place));
    let moved = find("then the store", parted, &|call| {
        renames(call, &file, &aside)
    });
    find("which is synced", moved, &|call| syncs(call, &place));
}

#[test]
fn an_answer_that_leaves_too_early_is_found() {
    let marks = ["m".to_owned()];
    let order = |lines: &[&str]| {
        let fate = follow(&lines.join("\n"), &marks).remove(0);
        fate.synced
            .zip(fate.left)
            .is_some_and(|(synced, left)| synced < left)
    };
    let log = "7 pwrite64(9</a/tulou.sqlite-wal>, \"m\", 1, 0) = 1";
    let sync = "7 fdatasync(9</a/tulou.sqlite-wal>) = 0";
    let socket = "8 sendto(4<TCP:[1]>, \"m\", 1, 0, NULL, 0) = 1";
    assert!(order(&[log, sync, socket]));
    assert!(!order(&[log, socket, sync]), "the answer comes first");
    assert!(!order(&[sync, log, socket]), "the sync was an earlier one");
    let begins = "7 fdatasync(9</a/tulou.sqlite-wal> <unfinished ...>";
    let ends = "7 <... fdatasync resumed>) = 0";
    assert!(!order(&[log, begins, socket, ends]), "it is not over yet");
    assert!(order(&[log, begins, ends, socket]));
    let log = log.replace('7', "6");
    assert!(!order(&[begins, &log, ends, socket]), "it began before");
}
