//! The link: opening it, greeting, back-off, silence. Nothing of what is said over it.

use tulou_protocol::{
    Code, Greeting, Question, VERSION,
    frame::{Busy, Refusal, Response},
    id::Millis,
};

use crate::{
    engine::{Asked, Engine},
    io::{LinkState, Output, Untold},
};

/// The first wait after a link was lost; doubled at each failure.
pub const BACKOFF_MS: Millis = 1_000;
/// The longest wait.
pub const BACKOFF_MOST_MS: Millis = 30_000;
/// An answer that takes longer means that the link is dead.
pub const ANSWER_MS: Millis = 15_000;
/// Silence of two heartbeats means that the link is dead.
pub const SILENCE_MS: Millis = 65_000;
/// A socket that takes longer to open is given up.
pub const OPENING_MS: Millis = 20_000;
/// A socket that takes longer to close is forgotten.
const CLOSING_MS: Millis = 5_000;

/// Neither side learns another version by itself: a server that speaks one is left alone for so long.
pub const OTHER_VERSION_MS: Millis = 10 * 60 * 1_000;

/// The longest that a busy server is left alone.
const BUSY_MOST_MS: Millis = 24 * 60 * 60 * 1_000;

/// How long a busy server wants to be left alone.
pub fn wait_of(busy: Busy) -> Millis {
    Millis::try_from(busy.retry_after_ms)
        .unwrap_or(BUSY_MOST_MS)
        .clamp(1, BUSY_MOST_MS)
}

/// Where the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// None; the next attempt is at this time.
    Down(Millis),
    /// The socket is being opened, since this time.
    Opening(Millis),
    /// The socket is open, the greeting is awaited.
    Greeting,
    /// Greeted.
    Ready,
    /// The socket is being closed, since the first time; the next attempt is at the second.
    Closing(Millis, Millis),
    /// The token is not accepted. Nothing happens any more.
    SignedOut,
}

/// The client's socket, as the engine sees it.
#[derive(Debug)]
pub struct Link {
    /// Where it stands.
    pub stage: Stage,
    /// Attempts since the last greeting.
    attempts: u32,
    /// The last that people were told.
    pub told: Option<LinkState>,
    /// When the server was last heard.
    pub heard_at: Millis,
    /// The server's time minus ours.
    pub clock_ahead: Millis,
    random: u64,
}

impl Link {
    pub(crate) const fn new(seed: u64, now: Millis) -> Self {
        Self {
            stage: Stage::Down(now),
            attempts: 0,
            told: None,
            heard_at: now,
            clock_ahead: 0,
            random: seed,
        }
    }

    /// SplitMix64: enough to keep a thousand clients from returning in the same instant.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// How long to wait before the next attempt: half of it fixed, half by chance.
    fn back_off(&mut self) -> Millis {
        let whole = (BACKOFF_MS << self.attempts.min(10)).min(BACKOFF_MOST_MS);
        self.attempts += 1;
        let half = whole / 2;
        half + (self.random() % (half as u64 + 1)) as Millis
    }
}

impl Engine {
    /// Whether commands and questions may be sent.
    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self.link.stage, Stage::Ready)
    }

    pub(crate) fn link_up(&mut self) {
        if !matches!(self.link.stage, Stage::Opening(_)) {
            return;
        }
        self.link.stage = Stage::Greeting;
        self.link.heard_at = self.now;
        let open = Question::SessionOpen {
            token: self.token.clone(),
            version: VERSION,
        };
        self.ask(Asked::Open, open);
    }

    pub(crate) fn link_down(&mut self) {
        match self.link.stage {
            Stage::Opening(_) | Stage::Greeting | Stage::Ready => {
                let retry_at = self.now + self.link.back_off();
                self.lose_link();
                self.link.stage = Stage::Down(retry_at);
                self.tell_offline(retry_at);
            }
            Stage::Closing(_, retry_at) => self.link.stage = Stage::Down(retry_at),
            Stage::Down(_) | Stage::SignedOut => {}
        }
    }

    /// The person, or a system that woke up, does not want to wait.
    pub(crate) fn hurry(&mut self) {
        match self.link.stage {
            Stage::Down(_) => self.link.stage = Stage::Down(self.now),
            Stage::Closing(since, _) => self.link.stage = Stage::Closing(since, self.now),
            Stage::Opening(_) | Stage::Greeting | Stage::Ready | Stage::SignedOut => {}
        }
    }

    /// The link is of no use: close it and try again.
    pub(crate) fn cut_link(&mut self, at_least: Millis) {
        let retry_at = self.close_link(at_least);
        self.tell_offline(retry_at);
    }

    /// Closes the link; when it is opened again.
    fn close_link(&mut self, at_least: Millis) -> Millis {
        let retry_at = self.now + self.link.back_off().max(at_least);
        self.lose_link();
        self.link.stage = Stage::Closing(self.now, retry_at);
        self.out.push(Output::Disconnect);
        retry_at
    }

    /// A server that does not name its version knows ones that came after this.
    fn meet_other_version(&mut self, servers: Option<u32>) {
        let retry_at = self.close_link(OTHER_VERSION_MS);
        let retry_at = self.by_the_clock(retry_at);
        self.tell_link(LinkState::OtherVersion {
            is_server_newer: servers.is_none_or(|version| version > VERSION),
            retry_at,
        });
    }

    fn tell_offline(&mut self, retry_at: Millis) {
        let retry_at = self.by_the_clock(retry_at);
        self.tell_link(LinkState::Offline { retry_at });
    }

    pub(crate) fn sign_out(&mut self, code: Code) {
        self.lose_link();
        self.link.stage = Stage::SignedOut;
        self.out.push(Output::Disconnect);
        self.tell_link(LinkState::SignedOut(code));
    }

    /// What is due by time.
    pub(crate) fn pump_link(&mut self) {
        match self.link.stage {
            Stage::Closing(since, retry_at) if self.now >= since + CLOSING_MS => {
                self.link.stage = Stage::Down(retry_at);
                self.pump_link();
            }
            Stage::Down(retry_at) if self.now >= retry_at => {
                self.link.stage = Stage::Opening(self.now);
                self.out.push(Output::Connect);
                self.tell_link(LinkState::Connecting);
            }
            Stage::Opening(since) if self.now >= since + OPENING_MS => self.cut_link(0),
            Stage::Greeting | Stage::Ready
                if self.link_limit().is_some_and(|limit| self.now >= limit) =>
            {
                self.cut_link(0);
            }
            Stage::Down(_)
            | Stage::Opening(_)
            | Stage::Greeting
            | Stage::Ready
            | Stage::Closing(..)
            | Stage::SignedOut => {}
        }
    }

    /// When the link has to be looked at next.
    pub(crate) fn link_limit(&self) -> Option<Millis> {
        match self.link.stage {
            Stage::Down(retry_at) => Some(retry_at),
            Stage::Opening(since) => Some(since + OPENING_MS),
            Stage::Closing(since, _) => Some(since + CLOSING_MS),
            Stage::Greeting | Stage::Ready => {
                let silence = self.link.heard_at + SILENCE_MS;
                let overdue = self.oldest_request().map(|at| at + ANSWER_MS);
                Some(overdue.map_or(silence, |overdue| overdue.min(silence)))
            }
            Stage::SignedOut => None,
        }
    }

    pub(crate) fn take_greeting(&mut self, response: Response) {
        match response.into_result::<Greeting>() {
            Ok(greeting) => {
                self.link.stage = Stage::Ready;
                self.link.attempts = 0;
                self.link.clock_ahead = greeting.now.saturating_sub(self.now);
                self.tell_link(LinkState::Syncing);
                self.greeted(greeting);
            }
            Err(Refusal::Rejected(rejection)) if is_final(rejection.code) => {
                self.sign_out(rejection.code);
            }
            Err(Refusal::Rejected(rejection)) if rejection.code == Code::Outdated => {
                self.meet_other_version(rejection.version);
            }
            Err(Refusal::Busy(busy)) => {
                self.cut_link(wait_of(busy));
            }
            Err(Refusal::Rejected(_) | Refusal::Misunderstood(_)) => self.cut_link(0),
        }
    }

    pub(crate) fn take_goodbye(&mut self, reason: Code) {
        if is_final(reason) {
            self.sign_out(reason);
        } else {
            self.cut_link(0);
        }
    }

    pub(crate) fn tell_link(&mut self, state: LinkState) {
        if self.link.told.as_ref() != Some(&state) {
            self.link.told = Some(state.clone());
            self.out.push(Output::Link(state));
        }
    }

    /// Everything that was known only of this link is forgotten; what was asked is asked again on the next.
    fn lose_link(&mut self) {
        for (_, (_, asked)) in std::mem::take(&mut self.requests) {
            match asked {
                Asked::Told(ticket) => self.out.push(Output::Told(ticket, Err(Untold::Offline))),
                Asked::Page(topic, at) => self.want_again(topic, at),
                Asked::Open
                | Asked::Sync(_)
                | Asked::Watch(_)
                | Asked::Profiles(_)
                | Asked::Heads(..) => {}
            }
        }
        for (_, live) in std::mem::take(&mut self.live) {
            let told = Output::Told(live.ticket, Err(Untold::Offline));
            self.out.push(told);
        }
        self.pause_until = 0;
        self.lose_logs();
        self.lose_topics();
        self.profiles.lose_link();
        self.outbox.lose_link();
    }
}

/// Whether no later attempt with the same token can succeed.
const fn is_final(code: Code) -> bool {
    matches!(code, Code::SignedOut)
}
