//! What the server's system calls say: no answer leaves before what it answers is synced.
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
            "trace=fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg",
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

/// Follows each message through the calls.
fn follow(trace: &str, marks: &[String]) -> Vec<Fate> {
    let mut fates: Vec<Fate> = marks.iter().map(|_| Fate::default()).collect();
    // A call of one thread may be interrupted by another's: it began with this.
    let mut begun: HashMap<&str, (&str, usize)> = HashMap::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        let (call, began_at, is_over) = if let Some(rest) = call.strip_suffix("<unfinished ...>") {
            begun.insert(thread, (rest, at));
            (rest, at, false)
        } else if call.starts_with("<... ") {
            match begun.remove(thread) {
                Some((begin, began_at)) => (begin, began_at, true),
                None => continue,
            }
        } else {
            (call, at, true)
        };
        let is_sync = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        let is_log = call.contains("tulou.sqlite-wal>");
        let is_socket = call.contains("<TCP") || call.contains("<socket:");
        for (mark, fate) in marks.iter().zip(&mut fates) {
            if is_sync && is_log && is_over {
                // A sync that began before something was in the log may not have seen it.
                let has_seen = fate.logged.is_some_and(|logged| logged < began_at);
                if has_seen && fate.synced.is_none() {
                    fate.synced = Some(at);
                }
            } else if is_log && is_over && call.contains(mark) {
                fate.logged.get_or_insert(at);
            } else if is_socket && began_at == at && call.contains(mark) {
                fate.left.get_or_insert(at);
            }
        }
    }
    fates
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
