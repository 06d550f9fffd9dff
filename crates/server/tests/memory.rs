//! What a server needed for a moment is given back to the system. A program of its own, so that nothing else counts.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "talk/link.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod link;

use link::host;
use serde_json::json;

/// People who try to sign in at the same time.
const PEOPLE: usize = 200;
/// What they leave behind: threads, pages of the store. One hash needs 19 MiB, and two are made at a time.
const MORE_MIB: u64 = 16;

/// What this program holds in memory, in MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() / 1_024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_sign_ins_needed_is_given_back() {
    let place = host(|config| config.proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    let before = memory();
    // Each is somebody else, from elsewhere: nobody has to wait for having tried too often.
    let all = (0..PEOPLE).map(async |no| {
        let body = json!({"account_name": format!("person{no}"), "password": "correct horse"});
        let from = format!("X-Forwarded-For: 198.51.100.{no}\r\n");
        let (status, _) = place
            .http("POST", "/v1/sessions", &from, &body.to_string())
            .await;
        assert_eq!(status, 401, "a password was hashed");
        memory()
    });
    let during = futures_util::future::join_all(all).await.into_iter().max();
    let after = memory();
    println!("{before} MiB before, up to {during:?} during, {after} after {PEOPLE} sign-ins");
    assert!(
        after < before + MORE_MIB,
        "{before} MiB before, {during:?} during, {after} after"
    );
    place.stop().await;
}
