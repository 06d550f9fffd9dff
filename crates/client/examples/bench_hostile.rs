//! Measures `hostile`: how long the sends of a member wait while another account does, one after the other, what costs the
//! server most, at full speed; and what the server holds in memory afterwards.

#[path = "../../server/tests/hostile/flood.rs"]
mod flood;
#[path = "bench/load.rs"]
mod load;
#[path = "bench/peer.rs"]
mod peer;
#[path = "bench/server.rs"]
mod server;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flood::{Deed, Mallory};
use load::load;
use peer::Peer;
use serde::de::IgnoredAny;
use server::{Server, percentile, print};
use tulou_protocol::{
    Command, CommunityId, GroupId, Question, Seq, TopicId,
    http::{Register, SignedIn},
    limits::{self, Limits, PAGE, SYNC_LOGS, TEXT_BYTES},
    question::{Invite, Page, PageAt},
};
use uuid::Uuid;

/// How long each thing is done.
const EACH: Duration = Duration::from_secs(10);
/// The same with `TULOU_LONG`.
const EACH_LONG: Duration = Duration::from_secs(60);
const EACH_SHORT: Duration = Duration::from_millis(300);
/// Messages of full length in the topic that he aims at.
const MESSAGES: usize = 2_000;
/// His own messages in it.
const OWN: usize = 100;
/// Between two sends: fewer than everybody may ask for in a second.
const PAUSE: Duration = Duration::from_millis(40);

#[tokio::main]
async fn main() -> Result<()> {
    // Another library may have chosen a provider already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let full = std::env::var_os("TULOU_LONG").map_or(EACH, |_| EACH_LONG);
    let (each, messages) = load((full, MESSAGES), (EACH_SHORT, 20));
    let requests_per_s = Limits::default().requests_per_s;
    let server = Server::start(server::folder()?, Some(requests_per_s)).await?;
    let http = reqwest::Client::new();
    let mut member = Peer::new(&http, &server.address, "member").await?;
    let (community, topic, own) = build(&mut member).await?;
    let long = "x".repeat(TEXT_BYTES);
    for _ in 0..messages {
        member.send(topic, &long).await?;
        member.acknowledged().await?;
        tokio::time::sleep(PAUSE).await;
    }
    // Only what has changed is looked for in what somebody holds.
    let first = Question::TopicPage {
        topic,
        at: PageAt::After(Seq::ZERO),
        limit: PAGE.min(messages),
    };
    let first: Page = member.ask(first).await?;
    for row in first.rows {
        tokio::time::sleep(PAUSE).await;
        let react = Command::MessageReact {
            topic,
            message: row.id.parse()?,
            key: "👍".to_owned(),
            on: true,
        };
        let _: IgnoredAny = member.command(react).await?;
    }
    let mallory = mallory(&http, &server, &mut member, (community, topic), messages).await?;
    eprintln!(
        "a member who sends 200 bytes every {} ms, one account that does each thing for {} s at full speed, {messages} \
         messages of {TEXT_BYTES} bytes; server and load on this computer, data in {}",
        PAUSE.as_millis(),
        each.as_secs_f64(),
        server.folder.path().display()
    );

    let alone = sends(&mut member, own, each).await?;
    print("hostile.alone_p99_ms", alone, "ms");
    let before = memory_mib();
    let mut worst: f64 = 0.0;
    for deed in Deed::ALL {
        mallory.rests().await;
        let (heard, waited) = tokio::join!(mallory.does(deed, each), sends(&mut member, own, each));
        let waited = waited?;
        worst = worst.max(waited);
        let mut told = String::new();
        for sample in &heard.samples {
            let _ = write!(told, "\n  {sample}");
        }
        eprintln!(
            "{deed:?}: {} asked, {} answered, {} busy, {} broken, {} cut off; longest answer {} bytes; memory {:?} MiB{told}",
            heard.asked,
            heard.answered,
            heard.busy,
            heard.broken,
            heard.cut_off,
            heard.longest,
            memory_mib()
        );
        print(&format!("hostile.{}_p99_ms", deed.word()), waited, "ms");
    }
    print("hostile.worst_ratio", worst / alone, "");
    if let (Some(before), Some(after)) = (before, memory_mib()) {
        print("hostile.memory_grown_mib", after - before, "MiB");
    }
    Ok(())
}

/// How long 99 of 100 sends wait for their answer, in milliseconds.
async fn sends(member: &mut Peer, topic: TopicId, during: Duration) -> Result<f64> {
    let text = "x".repeat(200);
    let until = Instant::now() + during;
    let mut waits = Vec::new();
    while Instant::now() < until {
        let begin = Instant::now();
        member.send(topic, &text).await?;
        member.acknowledged().await?;
        waits.push(begin.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(percentile(&mut waits, 99))
}

/// A community with a topic of long messages and one to send in.
async fn build(member: &mut Peer) -> Result<(CommunityId, TopicId, TopicId)> {
    let community = CommunityId(Uuid::now_v7());
    let group = GroupId(Uuid::now_v7());
    let topics = [TopicId(Uuid::now_v7()), TopicId(Uuid::now_v7())];
    let create = Command::CommunityCreate {
        community,
        name: "bench".into(),
        group,
        group_name: "g".into(),
        topic: topics[0],
        topic_name: "long".into(),
    };
    let _: IgnoredAny = member.command(create).await?;
    let create = Command::TopicCreate {
        community,
        group,
        topic: topics[1],
        name: "own".into(),
        introduction: String::new(),
        closed: false,
        position: "z1".into(),
    };
    let _: IgnoredAny = member.command(create).await?;
    Ok((community, topics[0], topics[1]))
}

async fn mallory(
    http: &reqwest::Client,
    server: &Server,
    member: &mut Peer,
    (community, topic): (CommunityId, TopicId),
    messages: usize,
) -> Result<Mallory> {
    let invite = Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    let invite: Invite = member.ask(invite).await?;
    let body = Register {
        account_name: "mallory".into(),
        display_name: "mallory".into(),
        password: "correct horse".into(),
        invite: None,
        device: String::new(),
    };
    let signed_in: SignedIn = http
        .post(format!(
            "{}/v1/accounts",
            server.address.replacen("ws", "http", 1)
        ))
        .json(&body)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let (foreign, ..) = build(member).await?;
    let mut peer = Peer::open(&server.address, signed_in.token.clone(), Default::default()).await?;
    let join = Command::CommunityJoin {
        community,
        invite: Some(invite.code),
    };
    let _: IgnoredAny = peer.command(join).await?;
    for _ in 0..OWN {
        tokio::time::sleep(PAUSE).await;
        peer.send(topic, "mine").await?;
        peer.acknowledged().await?;
    }
    let mut own = Vec::new();
    // As many as he may have, besides the one that he joined.
    let (many, _) = load((limits::COMMUNITIES - 1, ()), (SYNC_LOGS, ()));
    for _ in 0..many {
        // Two commands.
        tokio::time::sleep(2 * PAUSE).await;
        own.push(build(&mut peer).await?.0.to_string());
    }
    own.truncate(SYNC_LOGS);
    Ok(Mallory {
        address: server
            .address
            .strip_prefix("ws://")
            .context("it is spoken to plainly")?
            .to_owned(),
        token: signed_in.token,
        name: "mallory".to_owned(),
        community: community.to_string(),
        topic: topic.to_string(),
        head_seq: (messages + OWN) as u64,
        own,
        foreign: foreign.to_string(),
    })
}

/// What the programs hold in memory that this one started: the server. None where the system does not say.
fn memory_mib() -> Option<f64> {
    let me = std::process::id().to_string();
    let mut kib = None;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in brackets may hold anything.
        let parent = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(1));
        if parent == Some(&me) {
            let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let line = status.lines().find(|line| line.starts_with("VmRSS:"));
            let held = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
            kib = held.or(kib);
        }
    }
    kib.map(|kib| kib / 1_024.0)
}
