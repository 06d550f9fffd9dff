//! One account that does what costs the server most, at full speed. How long others wait meanwhile is measured by
//! `cargo xtask bench hostile`; here it is held that everything is answered, that what costs is bounded, and that nothing
//! stays behind.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "hostile/flood.rs"]
mod flood;
#[path = "talk/link.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod link;

use std::time::{Duration, Instant};

use flood::{Deed, Heard, Mallory};
use link::{Guest, Place, alice_and_bob, host};
use serde_json::json;
use tulou_protocol::limits::TEXT_BYTES;

/// No answer is longer than that.
const ANSWER_BYTES: usize = 4 << 20;
/// What a second round of the same may leave behind: allocators keep some.
const MORE_BYTES: u64 = 64 << 20;
/// Long messages in the topic.
const MESSAGES: usize = 250;
const PER_S: u32 = 30;
const BURST: u32 = 60;

fn each() -> Duration {
    match std::env::var_os("TULOU_LONG") {
        Some(_) => Duration::from_secs(60),
        None => Duration::from_millis(400),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_account_at_full_speed_is_answered_held_to_its_rate_and_leaves_nothing_behind() {
    let place = host(|config| {
        config.limits.requests_per_s = PER_S;
        config.limits.requests_burst = BURST;
        config.limits.messages_per_10s = 1_000_000;
    })
    .await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    let long = "长".repeat(TEXT_BYTES / 3);
    for _ in 0..MESSAGES {
        said(&mut alice, &topic, &long).await;
    }
    let account = bob.account.clone();
    let mallory = Mallory {
        address: place.address().to_string(),
        token: bob.token.clone(),
        community: community.clone(),
        topic: topic.clone(),
    };
    drop(bob);
    let mut taken = Vec::new();
    for _ in 0..2 {
        for deed in Deed::ALL {
            let begin = Instant::now();
            let heard = mallory.does(deed, each()).await;
            is_clear(deed, &heard);
            is_held_to_its_rate(deed, &heard, begin.elapsed());
            said(&mut alice, &topic, "still here").await;
        }
        is_gone(&place, &mut alice, &community, &account).await;
        taken.push(memory());
    }
    if let [Some(first), Some(second)] = taken[..] {
        assert!(
            second <= first + MORE_BYTES,
            "{first} bytes after the first round, {second} after the second"
        );
    }
    place.stop().await;
}

/// A message of somebody who waits when told to.
async fn said(who: &mut Guest, topic: &str, text: &str) {
    let message = json!({"topic": topic, "message": link::id(), "text": text, "written_at": 1});
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match who.command("message.send", message.clone()).await {
            Ok(_) => return,
            Err(why) => assert!(
                why["retry_after_ms"].is_u64() && Instant::now() < deadline,
                "others are answered: {why}"
            ),
        }
        tokio::task::yield_now().await;
    }
}

fn is_clear(deed: Deed, heard: &Heard) {
    assert!(heard.asked > 0, "{} is done", deed.word());
    assert_eq!(heard.broken, 0, "{deed:?} breaks nothing: {heard:?}");
    let told = heard.answered + heard.busy + heard.cut_off;
    assert!(
        told > 0 || deed == Deed::OpensCutShort,
        "{deed:?} is answered: {heard:?}"
    );
    assert!(
        heard.longest <= ANSWER_BYTES,
        "{deed:?} gets no longer answer than others: {} bytes",
        heard.longest
    );
}

/// What is answered other than by "later" costs a request of those that one may have.
fn is_held_to_its_rate(deed: Deed, heard: &Heard, took: Duration) {
    if matches!(deed, Deed::Sockets | Deed::OpensCutShort) {
        return;
    }
    // Each link begins with its own burst.
    let links = u64::from(heard.cut_off > 0) * heard.cut_off + 1;
    let most = links * (u64::from(BURST) + 1) + (took.as_secs() + 2) * u64::from(PER_S);
    assert!(
        heard.answered <= most,
        "{deed:?} is held to its rate, {most} in {took:?}: {heard:?}"
    );
}

/// Nothing of the account stays attached once its sockets are closed.
async fn is_gone(place: &Place, alice: &mut Guest, community: &str, account: &str) {
    let asked = json!({"community": community, "accounts": [account], "limit": 1});
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok(listed) = alice.ask("member.list", asked.clone()).await
            && listed["sections"][0]["members"][0]["online"] == false
        {
            return;
        }
        assert!(Instant::now() < deadline, "he is gone");
        place.next_millisecond().await;
    }
}

/// What this program holds in memory; none where the system does not say.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1_024)
}
