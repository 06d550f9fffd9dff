//! Measures what a client has become after two years of five busy communities: the size of its file, how long a topic takes
//! to open, and how long a message that comes takes to be written. The days pass at once: a real engine and a real store,
//! a server that is made up, and a budget of an eighth of the usual one for an eighth of what is read.

#[path = "../../../examples/bench/fill.rs"]
mod fill;
#[path = "bench/load.rs"]
mod load;
#[path = "bench/server.rs"]
#[expect(dead_code, reason = "this measurement needs no server")]
mod server;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use load::load;
use server::{percentile, print};
use tulou_client::{
    Client, InMemory,
    store::{Store, Tidied, messages, restore},
    view::Stretch,
};
use tulou_engine::{Engine, Input, Output};
use tulou_protocol::{
    AccountId, Epoch, Greeting, Log, MessageId, Push, Question, Rev, Row, Seq, ServerFrame,
    ServerId, SessionId, TopicId,
    frame::{Request, Response},
    limits::Limits,
    push::{Digest, Pushed, SyncOutcome, SyncedLog},
    question::{Page, PageAt, Profiles, Synced, Told, Watched, WatchedTopic},
    row::{Content, Message, More},
};
use uuid::Uuid;

const DAYS: u64 = 730;
/// Of five communities, of which each has forty.
const TOPICS: usize = 200;
/// Messages of a topic in a day: 25,000 in all.
const PER_DAY: u64 = 125;
/// Topics that the person opens in a day.
const OPENED: usize = 12;
/// Messages that come while one is open.
const LIVE: u64 = 5;
const TAIL: u64 = 200;
const PAGE: u64 = 100;
const BUDGET_MIB: u64 = 256;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const SAMPLES: usize = 1_000;
/// Commits are measured over so many days, at the beginning and at the end.
const MEASURED_DAYS: u64 = 60;

/// A client, and a server that says what it is asked.
struct Years {
    store: Store,
    engine: Engine,
    now: i64,
    heads: Vec<u64>,
    /// What the engine sent.
    asked: VecDeque<Request>,
    random: u64,
    commits: Vec<Duration>,
}

fn topic(number: usize) -> TopicId {
    TopicId(Uuid::from_u128(1_000_000 + number as u128))
}

fn number(topic: TopicId) -> usize {
    usize::try_from(topic.0.as_u128() - 1_000_000).unwrap_or_default()
}

impl Years {
    fn new(folder: &Path, account: &str) -> Result<Self> {
        let (_, id) = account.split_once('.').context("the account's key")?;
        let me = AccountId(id.parse()?);
        let store = Store::open(
            &folder.join("accounts").join(format!("{account}.sqlite")),
            me,
        )?;
        let now = 1_790_000_000_000;
        let restored = store.read(|db| restore::restored(db, me))?;
        let engine = Engine::new(restored, String::new(), 1, now);
        let mut years = Self {
            store,
            engine,
            now,
            heads: vec![1; TOPICS],
            asked: VecDeque::new(),
            random: 1,
            commits: Vec::new(),
        };
        years.look_at_time()?;
        Ok(years)
    }

    /// A number less than a limit.
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }

    /// Hours may have passed: the link was silent for too long, is cut and opened again.
    fn look_at_time(&mut self) -> Result<()> {
        self.feed(Input::Tick)?;
        self.answer()
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        for output in self.engine.handle(input, self.now) {
            match output {
                Output::Connect => {
                    self.asked.clear();
                    self.feed(Input::LinkUp)?;
                }
                Output::Disconnect => {
                    self.asked.clear();
                    self.feed(Input::LinkDown)?;
                    self.feed(Input::Hurry)?;
                }
                Output::Apply(batch) => {
                    let begin = Instant::now();
                    self.store.apply(&batch, self.now)?;
                    self.commits.push(begin.elapsed());
                }
                Output::Send(frame) => self.asked.extend(frame.0),
                Output::Told(..) | Output::Link(_) | Output::Notify { .. } => {}
            }
        }
        Ok(())
    }

    /// Answers whatever is asked, and what is asked because of that.
    fn answer(&mut self) -> Result<()> {
        while let Some(request) = self.asked.pop_front() {
            let Request::Question(id, question) = request else {
                continue;
            };
            if let Some(told) = self.told(question) {
                let response = Response::told(id, &told)?;
                self.feed(Input::Frame(ServerFrame::Responses(vec![response])))?;
            }
        }
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is asked here")]
    fn told(&self, question: Question) -> Option<Told> {
        Some(match question {
            Question::SessionOpen { .. } => Told::Greeting(Box::new(Greeting {
                version: tulou_protocol::VERSION,
                server: ServerId(Uuid::from_u128(2)),
                server_name: "Bench".into(),
                epoch: Epoch(Uuid::from_u128(4)),
                session: SessionId(Uuid::from_u128(5)),
                account: AccountId(Uuid::from_u128(1)),
                now: self.now,
                limits: Limits::default(),
                account_limits: tulou_protocol::push::AccountLimits::default(),
                addresses: Vec::new(),
            })),
            Question::SessionWatch { topics } => {
                let topics = topics.into_iter().map(|topic| WatchedTopic {
                    topic,
                    head_seq: Seq(self.head(topic)),
                    rev: Rev(self.head(topic)),
                });
                Told::Watched(Watched {
                    topics: topics.collect(),
                })
            }
            Question::LogSync { logs } => {
                let logs = logs.into_iter().map(|asked| {
                    let Log::Topic(topic) = asked.log else {
                        let outcome = SyncOutcome::Rows {
                            rev: asked.since,
                            rows: Vec::new(),
                            has_more: false,
                            view: asked.view,
                        };
                        return SyncedLog {
                            log: asked.log,
                            outcome,
                        };
                    };
                    let head = self.head(topic);
                    let held = asked.ranges.iter().map(|range| range.to.0).max();
                    let from = (held.unwrap_or(0) + 1).max(head.saturating_sub(TAIL - 1).max(1));
                    let has_tail = !asked.without_tail && from <= head;
                    let outcome = SyncOutcome::Topic {
                        rev: Rev(head),
                        head_seq: Seq(head),
                        floor: Seq(1),
                        rows: if has_tail {
                            rows(topic, from, head)
                        } else {
                            Vec::new()
                        },
                        tail_from: has_tail.then_some(Seq(from)),
                        has_more: false,
                        authors: Vec::new(),
                    };
                    SyncedLog {
                        log: asked.log,
                        outcome,
                    }
                });
                Told::Synced(Synced {
                    logs: logs.collect(),
                })
            }
            Question::TopicPage {
                topic,
                at: PageAt::Before(seq),
                ..
            } => {
                let to = seq.0.saturating_sub(1).max(1);
                let from = to.saturating_sub(PAGE - 1).max(1);
                Told::Page(Page {
                    topic,
                    from: Seq(from),
                    to: Seq(to),
                    rows: rows(topic, from, to),
                    head_seq: Seq(self.head(topic)),
                    floor: Seq(1),
                    authors: Vec::new(),
                    rev: Rev(self.head(topic)),
                })
            }
            Question::CommunityHeads { community, .. } => Told::Heads(Digest {
                community,
                audience: String::new(),
                from: 0,
                to: self.now,
                topics: Vec::new(),
                members: 40,
                online: 40,
                after: None,
            }),
            Question::ProfileList { .. } => Told::Profiles(Profiles { rows: Vec::new() }),
            _ => return None,
        })
    }

    fn head(&self, topic: TopicId) -> u64 {
        self.heads[number(topic)]
    }

    /// The person looks at a topic for a while.
    fn open(&mut self, which: usize) -> Result<()> {
        let topic = topic(which);
        self.store.keep(|db| messages::view(db, topic, self.now))?;
        self.feed(Input::Watch(topic))?;
        self.answer()?;
        if self.below(3) == 0 {
            let head = self.heads[which];
            let at = PageAt::Before(Seq(head.saturating_sub(TAIL - 1).max(2)));
            self.feed(Input::Want(topic, at))?;
            self.answer()?;
        }
        for _ in 0..LIVE {
            let prev = self.heads[which];
            self.heads[which] += 1;
            let push = Push {
                log: Log::Topic(topic),
                prev: Rev(prev),
                rev: Rev(prev + 1),
                rows: rows(topic, prev + 1, prev + 1),
                authors: Vec::new(),
            };
            self.feed(Input::Frame(ServerFrame::Pushed(Pushed::Push(push))))?;
        }
        self.feed(Input::Unwatch(topic))?;
        self.answer()
    }

    fn day(&mut self, budget: u64) -> Result<()> {
        for head in &mut self.heads {
            *head += PER_DAY;
        }
        for _ in 0..OPENED {
            // Some are looked at every day, some once in a year.
            let limit = 1 + self.below(TOPICS as u64);
            let which = usize::try_from(self.below(limit))?;
            self.now += DAY_MS / 40;
            self.look_at_time()?;
            self.open(which)?;
        }
        loop {
            match self
                .store
                .tidy(budget, &BTreeMap::new(), &BTreeSet::new())?
            {
                Tidied::Nothing => return Ok(()),
                Tidied::LetGo(topic, to) => self.feed(Input::LetGo(topic, to))?,
                Tidied::Some => {}
            }
        }
    }
}

fn rows(topic: TopicId, from: u64, to: u64) -> Vec<Row> {
    let row = |seq: u64| {
        let author = AccountId(Uuid::from_u128(
            100 + u128::from(seq.wrapping_mul(7) % 40 + 1),
        ));
        let body = Message {
            seq: Seq(seq),
            content: Some(Content {
                author,
                sent_at: 1_790_000_000_000 + i64::try_from(seq).unwrap_or(0) * 60_000,
                written_at: None,
                text: "今晚还是老地方见吗？I will bring the notes, and the tea this time.".into(),
                reply_to: None,
                edited_at: None,
                recalled_by: None,
                more: More::new(),
            }),
            content_rev: Rev(seq),
            marks: None,
            marks_rev: Rev::ZERO,
            more: More::new(),
        };
        Row {
            id: MessageId(Uuid::from_u128(topic.0.as_u128() << 64 | u128::from(seq))).to_string(),
            rev: Rev(seq),
            body: body.into(),
        }
    };
    (from..=to).map(row).collect()
}

#[tokio::main]
async fn main() -> Result<()> {
    let me = std::env::current_exe()?;
    let folder = tempfile::Builder::new()
        .prefix("bench-years")
        .tempdir_in(me.parent().context("the program's folder")?)?;
    let filled = fill::fill(folder.path(), &vec![1; TOPICS], None)?;
    let (days, mib, measured) = load((DAYS, BUDGET_MIB, MEASURED_DAYS), (8, 8, 2));
    let budget = mib * 1_024 * 1_024;
    eprintln!(
        "{days} days, {TOPICS} topics of {PER_DAY} messages a day, {OPENED} opened a day, a budget of {mib} MiB"
    );
    let begin = Instant::now();
    let mut years = Years::new(folder.path(), &filled.account)?;
    let mut first = Vec::new();
    for day in 1..=days {
        years.day(budget)?;
        if day == measured {
            first = std::mem::take(&mut years.commits);
        }
        if day == days - measured {
            years.commits.clear();
        }
    }
    eprintln!(
        "they passed in {} s; commits of the first {measured} days: p99 {:.2} ms",
        begin.elapsed().as_secs(),
        percentile(&mut first, 99)
    );
    let file = years.store.file_bytes()?;
    anyhow::ensure!(
        file >= budget / 2,
        "of {mib} MiB only {} bytes were ever used: nothing came",
        file
    );
    print("years.store_mib", file as f64 / 1_048_576.0, "MiB");
    print(
        "years.commit_p99_ms",
        percentile(&mut years.commits, 99),
        "ms",
    );
    let Years { store, .. } = years;
    store.checkpoint()?;
    drop(store);
    opened(folder.path(), &filled).await
}

/// Opens topics of which something is held.
async fn opened(folder: &Path, filled: &fill::Filled) -> Result<()> {
    let client = Client::open(folder.to_owned(), Arc::new(InMemory::default())).await?;
    let viewer = client.viewer();
    let mut samples = Vec::with_capacity(SAMPLES);
    for topic in filled.topics.iter().cycle().take(SAMPLES) {
        let begin = Instant::now();
        viewer.enter_topic(&filled.account, topic).await?;
        let stretch = Stretch::End { count: 50 };
        let view = viewer
            .timeline_view(&filled.account, topic, stretch)
            .await?;
        let took = begin.elapsed();
        viewer.leave_topic(&filled.account, topic)?;
        if !view.rows.is_empty() {
            samples.push(took);
        }
    }
    anyhow::ensure!(samples.len() > SAMPLES / 4, "most of it is gone");
    eprintln!(
        "{} openings of topics of which something is held",
        samples.len()
    );
    print("years.open_p99_ms", percentile(&mut samples, 99), "ms");
    client.shutdown().await;
    Ok(())
}
