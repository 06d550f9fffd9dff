//! Measures `rights`: what a change of rights and a join cost in a large community whose members are connected, and how
//! long a send in another community waits meanwhile. Each member has a socket, and watches a topic.

#[path = "bench/crowd.rs"]
mod crowd;
#[path = "bench/load.rs"]
mod load;
#[path = "bench/peer.rs"]
mod peer;
#[path = "bench/server.rs"]
mod server;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use crowd::{Crowd, Size};
use futures_util::{StreamExt, stream::FuturesUnordered};
use load::load;
use peer::Peer;
use serde::de::IgnoredAny;
use server::{Server, percentile, print};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tulou_protocol::{
    Command, CommunityId, GroupId, Log, Permissions, Question, Rev, ServerFrame, TopicId,
    command::Edit, permission::Place, push::Pushed, question::Invite,
};
use uuid::Uuid;

const FULL: Size = Size {
    members: 10_000,
    strangers: 40,
    topics: 2_000,
    closed: 500,
    tombstones: 20_000,
};
const TINY: Size = Size {
    members: 40,
    strangers: 3,
    topics: 60,
    closed: 20,
    tombstones: 100,
};
/// Sockets that are opened at the same time.
const OPENING: usize = 64;
/// Each member's socket takes little.
const READ_BYTES: usize = 4_096;
/// Between two sends in the other community.
const PAUSE: Duration = Duration::from_millis(1);
/// How long all members may take to hear of a change.
const PATIENCE: Duration = Duration::from_secs(600);

/// A member was told to ask for the community anew, up to a rev.
type Told = (usize, Rev);

#[tokio::main]
async fn main() -> Result<()> {
    // Another library may have chosen a provider already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let size = load(FULL, TINY);
    let folder = server::folder()?;
    let begin = Instant::now();
    let crowd = crowd::fill(&server::data(&folder), &size).await?;
    eprintln!(
        "{} members, {} topics ({} of them closed), {} tombstones of access rows; filled in {:.1} s",
        size.members,
        size.topics,
        size.closed,
        size.tombstones,
        begin.elapsed().as_secs_f64()
    );
    let server = Server::start(folder, None).await?;
    let mut owner = open(&server.address, &crowd.owner).await?;
    let begin = Instant::now();
    let (tell, mut told) = mpsc::unbounded_channel();
    let sessions = connect(&server.address, &crowd, &tell).await?;
    eprintln!(
        "{} sockets, each watching a topic, opened in {:.1} s; server and load on this computer, data in {}",
        sessions.len(),
        begin.elapsed().as_secs_f64(),
        server.folder.path().display()
    );

    let elsewhere = Elsewhere::begin(&server.address).await?;
    let mut flips = Vec::new();
    for (place, allow, deny) in flips_of(&crowd) {
        let begin = Instant::now();
        let set = Command::AccessSet {
            community: crowd.community,
            place,
            member_group: None,
            allow,
            deny,
        };
        let _: IgnoredAny = owner.command(set).await?;
        let answered = begin.elapsed();
        timeout(PATIENCE, all_told(&mut told, size.members))
            .await
            .context("not everybody was told in time")??;
        eprintln!(
            "{place}: answered after {:.0} ms, everybody told after {:.0} ms",
            answered.as_secs_f64() * 1_000.0,
            begin.elapsed().as_secs_f64() * 1_000.0
        );
        flips.push(begin.elapsed());
    }
    let mut joins = Vec::new();
    let invite = Question::InviteCreate {
        community: crowd.community,
        expires_at: None,
        max_uses: None,
    };
    let invite: Invite = owner.ask(invite).await?;
    for token in &crowd.strangers {
        let mut stranger = open(&server.address, token).await?;
        let join = Command::CommunityJoin {
            community: crowd.community,
            invite: Some(invite.code.clone()),
        };
        let begin = Instant::now();
        let _: IgnoredAny = stranger.command(join).await?;
        joins.push(begin.elapsed());
    }
    let mut waits = elsewhere.end().await?;
    print("rights.flip_everyone_ms", percentile(&mut flips, 100), "ms");
    print("rights.join_ms", percentile(&mut joins, 50), "ms");
    print("rights.stall_ms", percentile(&mut waits, 100), "ms");
    for session in sessions {
        session.abort();
    }
    Ok(())
}

/// What is changed for everyone, one after the other: a right that moves the first message that each may read, and whether
/// a group of topics is seen. Each is changed back.
fn flips_of(crowd: &Crowd) -> Vec<(Place, Edit<Permissions>, Edit<Permissions>)> {
    let nothing = Permissions::empty();
    let all = Permissions::NEW_COMMUNITY;
    let fewer = all - Permissions::READ_HISTORY;
    let group = Place::Group(crowd.group());
    let edit = |from, to| Edit { from, to };
    let still = edit(nothing, nothing);
    vec![
        (Place::Community, edit(all, fewer), still.clone()),
        (Place::Community, edit(fewer, all), still.clone()),
        (group, still.clone(), edit(nothing, Permissions::VIEW)),
        (group, still, edit(Permissions::VIEW, nothing)),
    ]
}

async fn open(address: &str, token: &str) -> Result<Peer> {
    let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
    Peer::open(address, token.to_owned(), config).await
}

/// Connects all members. Each says when it is told to ask for the community anew.
async fn connect(
    address: &str,
    crowd: &Crowd,
    tell: &mpsc::UnboundedSender<Told>,
) -> Result<Vec<JoinHandle<Result<()>>>> {
    let mut sessions = Vec::with_capacity(crowd.members.len());
    let mut opening = FuturesUnordered::new();
    let mut members = crowd.members.iter().enumerate();
    loop {
        while opening.len() < OPENING {
            let Some((number, token)) = members.next() else {
                break;
            };
            opening.push(async move {
                let opened = async {
                    let mut peer = open(address, token).await?;
                    let watch = Question::SessionWatch {
                        topics: vec![crowd.seen_by(number)],
                    };
                    let _: IgnoredAny = peer.ask(watch).await?;
                    anyhow::Ok(peer)
                };
                (number, opened.await)
            });
        }
        let Some((number, peer)) = opening.next().await else {
            return Ok(sessions);
        };
        let peer = peer.with_context(|| {
            format!("open a socket beside {number} others; see `ulimit -n` if there are too few")
        })?;
        let (community, tell) = (crowd.community, tell.clone());
        sessions.push(tokio::spawn(listen(peer, number, community, tell)));
    }
}

async fn listen(
    mut peer: Peer,
    number: usize,
    community: CommunityId,
    tell: mpsc::UnboundedSender<Told>,
) -> Result<()> {
    loop {
        let text = peer.text().await?;
        if let ServerFrame::Pushed(Pushed::Stale(stale)) = ServerFrame::parse(&text)?
            && stale.log == Log::Community(community)
        {
            tell.send((number, stale.rev))?;
        }
    }
}

/// Until every member was told of something that was not known before.
async fn all_told(told: &mut mpsc::UnboundedReceiver<Told>, members: usize) -> Result<()> {
    let mut is_told = vec![false; members];
    let mut waiting = members;
    while waiting > 0 {
        let (number, _) = told.recv().await.context("everybody went")?;
        if !std::mem::replace(&mut is_told[number], true) {
            waiting -= 1;
        }
    }
    Ok(())
}

/// Somebody in another community, who sends one message after the other.
struct Elsewhere {
    is_over: Arc<AtomicBool>,
    sending: JoinHandle<Result<Vec<Duration>>>,
}

impl Elsewhere {
    async fn begin(address: &str) -> Result<Self> {
        let http = reqwest::Client::new();
        let mut peer = Peer::new(&http, address, "elsewhere").await?;
        let topic = TopicId(Uuid::now_v7());
        let create = Command::CommunityCreate {
            community: CommunityId(Uuid::now_v7()),
            name: "elsewhere".into(),
            group: GroupId(Uuid::now_v7()),
            group_name: "g".into(),
            topic,
            topic_name: "t".into(),
        };
        let _: IgnoredAny = peer.command(create).await?;
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let sending = tokio::spawn(async move {
            let text = "x".repeat(200);
            let mut waits = Vec::new();
            while !ends.load(Ordering::Relaxed) {
                let begin = Instant::now();
                peer.send(topic, &text).await?;
                peer.acknowledged().await?;
                waits.push(begin.elapsed());
                tokio::time::sleep(PAUSE).await;
            }
            Ok(waits)
        });
        Ok(Self { is_over, sending })
    }

    /// How long each send waited for its answer.
    async fn end(self) -> Result<Vec<Duration>> {
        self.is_over.store(true, Ordering::Relaxed);
        self.sending.await?
    }
}
