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
use serde_json::{Value, json};
use tulou_protocol::limits::{BUSY_SESSIONS, SYNC_LOGS, TEXT_BYTES};

/// No answer is longer than that.
const ANSWER_BYTES: usize = 4 << 20;
/// What a second round of the same may leave behind: allocators keep some.
const MORE_BYTES: u64 = 64 << 20;
/// Long messages in the topic.
const MESSAGES: usize = 250;
/// Of these so many have changed: together they are longer than an answer.
const CHANGED: usize = 2 * ANSWER_ROWS;
const ANSWER_ROWS: usize = tulou_protocol::limits::ANSWER_BYTES / TEXT_BYTES;
/// His own messages in it.
const OWN: usize = 100;
const PER_S: u32 = 30;
const BURST: u32 = 60;
/// Whose account owes no more than this may still open sessions.
const DEEP_S: u64 = 5;

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
        config.sign_ups_per_address = 1_000;
    })
    .await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let long = "长".repeat(TEXT_BYTES / 3);
    for _ in 0..MESSAGES {
        said(&mut alice, &topic, &long).await;
    }
    let first = json!({"topic": topic, "at": {"after": 0}, "limit": CHANGED});
    let first = asked(&mut alice, "topic.page", first).await;
    for row in first["rows"].as_array().unwrap() {
        let react = json!({"topic": topic, "message": row["id"], "key": "👍", "on": true});
        done(&mut alice, "message.react", react).await;
    }
    for _ in 0..OWN {
        said(&mut bob, &topic, "mine").await;
    }
    let mut own = Vec::new();
    for _ in 0..SYNC_LOGS {
        own.push(founded(&mut bob).await);
    }
    let account = bob.account.clone();
    let mallory = Mallory {
        address: place.address().to_string(),
        token: bob.token.clone(),
        name: "bob".to_owned(),
        community: community.clone(),
        topic: topic.clone(),
        head_seq: (MESSAGES + OWN) as u64,
        own,
        foreign: founded(&mut alice).await,
    };
    drop(bob);
    let mut taken = Vec::new();
    let code = invited(&mut alice, &community).await;
    for round in 0..2 {
        let mut accounts = vec![account.clone()];
        for deed in Deed::ALL {
            // What these leave to be paid would take longer than all of this.
            let mallory = if is_of_many_links(deed) {
                let name = format!("{}_{round}", deed.word());
                let mut other = Guest::register(&place, &name, Some(&code)).await;
                other.join(&community, &code).await;
                accounts.push(other.account.clone());
                Mallory {
                    token: other.token.clone(),
                    ..mallory.clone()
                }
            } else {
                mallory.clone()
            };
            mallory.rests().await;
            let begin = Instant::now();
            let heard = mallory.does(deed, each()).await;
            is_clear(deed, &heard);
            is_what_was_meant(deed, &heard);
            is_held_to_its_rate(deed, &heard, begin.elapsed());
            said(&mut alice, &topic, "still here").await;
        }
        for account in &accounts {
            is_gone(&place, &mut alice, &community, account).await;
        }
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

/// Whether he does it over ever new links, or many: opening them alone costs more than his account is given.
const fn is_of_many_links(deed: Deed) -> bool {
    matches!(
        deed,
        Deed::Sockets | Deed::OpensCutShort | Deed::HangsUp | Deed::Joins | Deed::TakesNothing
    )
}

/// A message of somebody who waits when told to.
async fn said(who: &mut Guest, topic: &str, text: &str) {
    let message = json!({"topic": topic, "message": link::id(), "text": text, "written_at": 1});
    done(who, "message.send", message).await;
}

/// A community of somebody's who waits when told to.
async fn founded(who: &mut Guest) -> String {
    let community = link::id();
    let made = json!({
        "community": community, "name": "x", "group": link::id(), "group_name": "x", "topic": link::id(), "topic_name": "x",
    });
    done(who, "community.create", made).await;
    community
}

/// An invite of somebody's who waits when told to.
async fn invited(who: &mut Guest, community: &str) -> String {
    let invite = asked(who, "invite.create", json!({"community": community})).await;
    invite["code"].as_str().unwrap().to_owned()
}

async fn done(who: &mut Guest, method: &str, params: Value) {
    let patience = Patience::default();
    while let Err(why) = who.command(method, params.clone()).await {
        patience.waits(&why).await;
    }
}

async fn asked(who: &mut Guest, method: &str, params: Value) -> Value {
    let patience = Patience::default();
    loop {
        match who.ask(method, params.clone()).await {
            Ok(answer) => return answer,
            Err(why) => patience.waits(&why).await,
        }
    }
}

/// Whoever is told to wait comes again, but not for ever.
struct Patience(Instant);

impl Default for Patience {
    fn default() -> Self {
        Self(Instant::now() + Duration::from_secs(60))
    }
}

impl Patience {
    async fn waits(&self, why: &Value) {
        assert!(
            why["retry_after_ms"].is_u64() && Instant::now() < self.0,
            "others are answered: {why}"
        );
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

/// What costs is done, and not refused for what it is.
fn is_what_was_meant(deed: Deed, heard: &Heard) {
    let least = match deed {
        Deed::ReadFarBack | Deed::HeadsOfAll | Deed::ManySmall => 0,
        // A present state.
        Deed::MadeUp => 500,
        // A present state of each.
        Deed::SyncMany => SYNC_LOGS * 500,
        // As much as an answer may have.
        Deed::SyncTheLargest => tulou_protocol::limits::ANSWER_BYTES / 2,
        Deed::Joins => {
            assert!(heard.refused > 0, "he is no member: {heard:?}");
            return;
        }
        Deed::Renames => {
            assert!(
                heard.answered > heard.opened + heard.refused,
                "he has other names: {heard:?}"
            );
            assert!(heard.busy > 0, "not as often as he likes: {heard:?}");
            return;
        }
        Deed::HangsUp | Deed::TakesNothing => {
            assert!(heard.asked > heard.opened, "he asks: {heard:?}");
            return;
        }
        Deed::Nonsense | Deed::NonsenseUnopened | Deed::Sockets | Deed::OpensCutShort => return,
    };
    assert!(
        heard.answered > heard.opened && heard.refused == 0,
        "{deed:?} is answered with what it asks for: {heard:?}"
    );
    assert!(heard.longest >= least, "{deed:?} costs: {heard:?}");
}

/// What is answered other than by "later" costs a request of those that an account may have, over however many links.
fn is_held_to_its_rate(deed: Deed, heard: &Heard, took: Duration) {
    let most = if deed == Deed::NonsenseUnopened {
        // Nobody knows whose they are.
        (heard.cut_off + 1) * (u64::from(BURST) + 1)
    } else {
        let seconds = took.as_secs() + 2 + DEEP_S;
        BUSY_SESSIONS as u64 * (u64::from(BURST) + seconds * u64::from(PER_S))
    };
    assert!(
        heard.answered <= most,
        "{deed:?} is held to its account's rate, {most} in {took:?}: {heard:?}"
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
