//! Measures `send`: durable, acknowledged sends of 200 bytes.

#[path = "bench/load.rs"]
mod load;
#[path = "bench/peer.rs"]
mod peer;
#[path = "bench/server.rs"]
mod server;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use load::load;
use peer::Peer;
use serde::de::IgnoredAny;
use server::{Server, percentile, print};
use tulou_protocol::{Command, CommunityId, GroupId, Question, TopicId, question::Invite};
use uuid::Uuid;

const CONNECTIONS: usize = 100;
const IN_FLIGHT: usize = 4;
const TOPICS: usize = 10;
const BYTES: usize = 200;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
/// So many that the slowest hundredth is two hundred sends: of two thousand it would be twenty, as many as wait for a core.
const ALONE: usize = 20_000;
const SHORT: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() -> Result<()> {
    // Another library may have chosen a provider already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (connections, alone_count) = load((CONNECTIONS, ALONE), (4, 20));
    let (warm_up, measured) = load((WARM_UP, MEASURED), (SHORT, SHORT));
    let server = Server::start(server::folder()?, None).await?;
    let http = reqwest::Client::new();
    let mut owner = Peer::new(&http, &server.address, "owner").await?;
    let (community, topics) = build(&mut owner).await?;
    let question = Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    let invite: Invite = owner.ask(question).await?;
    eprintln!(
        "{connections} connections of as many accounts, at most {IN_FLIGHT} in flight each, {TOPICS} topics, {BYTES} bytes, {} s after {} s of warming up; server and load on this computer, data in {}",
        measured.as_secs(),
        warm_up.as_secs(),
        server.folder.path().display(),
    );

    let text = "x".repeat(BYTES);
    let mut alone = Vec::with_capacity(alone_count);
    for _ in 0..alone_count {
        let begin = Instant::now();
        owner.send(topics[0], &text).await?;
        owner.acknowledged().await?;
        alone.push(begin.elapsed());
    }
    print("send.p50_ms", percentile(&mut alone, 50), "ms");
    print("send.p99_ms", percentile(&mut alone, 99), "ms");

    let mut peers = Vec::with_capacity(connections);
    for number in 0..connections {
        let mut peer = Peer::new(&http, &server.address, &format!("peer{number}")).await?;
        let join = Command::CommunityJoin {
            community,
            invite: Some(invite.code.clone()),
        };
        let _: IgnoredAny = peer.command(join).await?;
        peers.push(peer);
    }
    let done = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::with_capacity(connections);
    for (number, mut peer) in peers.into_iter().enumerate() {
        let topic = topics[number % topics.len()];
        let (done, is_over) = (Arc::clone(&done), Arc::clone(&is_over));
        let text = text.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..IN_FLIGHT {
                peer.send(topic, &text).await?;
            }
            while !is_over.load(Ordering::Relaxed) {
                let count = peer.acknowledged().await?;
                done.fetch_add(count as u64, Ordering::Relaxed);
                for _ in 0..count {
                    peer.send(topic, &text).await?;
                }
            }
            anyhow::Ok(())
        }));
    }
    tokio::time::sleep(warm_up).await;
    let (before, begin) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(measured).await;
    let sent = done.load(Ordering::Relaxed) - before;
    let took = begin.elapsed();
    is_over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    print("send.per_second", sent as f64 / took.as_secs_f64(), "1/s");
    Ok(())
}

/// A community with some topics.
async fn build(owner: &mut Peer) -> Result<(CommunityId, Vec<TopicId>)> {
    let community = CommunityId(Uuid::now_v7());
    let group = GroupId(Uuid::now_v7());
    let mut topics = vec![TopicId(Uuid::now_v7())];
    let create = Command::CommunityCreate {
        community,
        name: "bench".into(),
        group,
        group_name: "g".into(),
        topic: topics[0],
        topic_name: "t".into(),
    };
    let _: IgnoredAny = owner.command(create).await?;
    for number in 1..TOPICS {
        let topic = TopicId(Uuid::now_v7());
        let create = Command::TopicCreate {
            community,
            group,
            topic,
            name: format!("t{number}"),
            introduction: String::new(),
            closed: false,
            position: format!("z{number}"),
        };
        let _: IgnoredAny = owner.command(create).await?;
        topics.push(topic);
    }
    Ok((community, topics))
}
