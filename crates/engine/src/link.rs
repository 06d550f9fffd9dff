//! The link: opening it, greeting, back-off, silence. Nothing of what is said over it.

use tulou_protocol::{Code, Question, VERSION, frame::Busy, id::Millis};

use crate::{
    io::{LinkState, Output},
    turn::Turn,
};

/// The first wait after a link was lost; doubled at each failure.
const BACKOFF_MS: Millis = 1_000;
/// The longest wait.
const BACKOFF_MOST_MS: Millis = 30_000;
/// If nothing at all comes for so long while an answer is awaited, the link is dead.
const ANSWER_MS: Millis = 15_000;
/// An answer that takes longer is lost, whatever comes meanwhile.
const ANSWER_MOST_MS: Millis = 10 * 60 * 1_000;
/// Silence of two heartbeats means that the link is dead.
const SILENCE_MS: Millis = 65_000;
/// A socket that takes longer to open is given up.
const OPENING_MS: Millis = 20_000;
/// A socket that takes longer to close is forgotten.
const CLOSING_MS: Millis = 5_000;

/// Neither side learns another version by itself: a server that speaks one is left alone for so long.
const OTHER_VERSION_MS: Millis = 10 * 60 * 1_000;

/// The longest that a busy server is left alone.
const BUSY_MOST_MS: Millis = 24 * 60 * 60 * 1_000;

/// How long a busy server wants to be left alone.
pub fn busy_for(busy: Busy) -> Millis {
    Millis::try_from(busy.retry_after_ms)
        .unwrap_or(BUSY_MOST_MS)
        .clamp(1, BUSY_MOST_MS)
}

/// Where the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
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
    token: String,
    stage: Stage,
    /// Attempts since the last greeting.
    attempts: u32,
    /// The last that people were told.
    told: Option<LinkState>,
    /// When the server was last heard.
    heard_at: Millis,
    /// When bytes came last of a frame that was not whole.
    stirred_at: Millis,
    random: u64,
}

impl Link {
    /// No link yet: it is opened at once. The seed decides the chance in the back-off.
    pub const fn new(token: String, seed: u64, now: Millis) -> Self {
        Self {
            token,
            stage: Stage::Down(now),
            attempts: 0,
            told: None,
            heard_at: now,
            stirred_at: now,
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

    /// Whether commands and questions may be sent.
    pub const fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready)
    }

    /// Whether people were told that it is connected, and not that it is complete.
    pub fn is_syncing(&self) -> bool {
        self.told == Some(LinkState::Syncing)
    }

    /// Whether people were told that it is connected and complete.
    pub fn is_synced(&self) -> bool {
        self.told == Some(LinkState::Synced)
    }

    /// The socket is open; how the link is opened, if it is still wanted.
    pub fn open(&mut self, now: Millis) -> Option<Question> {
        if !matches!(self.stage, Stage::Opening(_)) {
            return None;
        }
        self.stage = Stage::Greeting;
        self.heard_at = now;
        Some(Question::SessionOpen {
            token: self.token.clone(),
            version: VERSION,
        })
    }

    /// The socket is closed, or could not be opened.
    pub fn close(&mut self, turn: &mut Turn) {
        match self.stage {
            Stage::Opening(_) | Stage::Greeting | Stage::Ready => {
                let retry_at = turn.now() + self.back_off();
                self.stage = Stage::Down(retry_at);
                self.tell_offline(retry_at, turn);
            }
            Stage::Closing(_, retry_at) => self.stage = Stage::Down(retry_at),
            Stage::Down(_) | Stage::SignedOut => {}
        }
    }

    /// The person, or a system that woke up, does not want to wait.
    pub const fn hurry(&mut self, now: Millis) {
        match self.stage {
            Stage::Down(_) => self.stage = Stage::Down(now),
            Stage::Closing(since, _) => self.stage = Stage::Closing(since, now),
            Stage::Opening(_) | Stage::Greeting | Stage::Ready | Stage::SignedOut => {}
        }
    }

    /// A frame came. Whether it is of a link that is still wanted.
    pub const fn hear(&mut self, now: Millis) -> bool {
        let is_open = matches!(self.stage, Stage::Greeting | Stage::Ready);
        if is_open {
            self.heard_at = now;
        }
        is_open
    }

    /// Bytes came of a frame that is not whole.
    pub const fn stir(&mut self, now: Millis) {
        if self.hear(now) {
            self.stirred_at = now;
        }
    }
    /// The link is of no use: close it and try again, not before `wait` has passed.
    pub fn cut(&mut self, wait: Millis, turn: &mut Turn) {
        let retry_at = self.let_go(wait, turn);
        self.tell_offline(retry_at, turn);
    }

    /// Lets go of the socket; when the next is opened.
    fn let_go(&mut self, wait: Millis, turn: &mut Turn) -> Millis {
        let retry_at = turn.now() + self.back_off().max(wait);
        self.stage = Stage::Closing(turn.now(), retry_at);
        turn.push(Output::Disconnect);
        retry_at
    }

    /// A server that does not name its version knows ones that came after this.
    pub fn meet_other_version(&mut self, servers: Option<u32>, turn: &mut Turn) {
        let retry_at = self.let_go(OTHER_VERSION_MS, turn);
        let state = LinkState::OtherVersion {
            is_server_newer: servers.is_none_or(|version| version > VERSION),
            retry_at,
        };
        self.tell(state, turn);
    }

    /// The token is not accepted.
    pub fn sign_out(&mut self, code: Code, turn: &mut Turn) {
        self.stage = Stage::SignedOut;
        turn.push(Output::Disconnect);
        self.tell(LinkState::SignedOut(code), turn);
    }

    /// The server greeted.
    pub fn greeted(&mut self, turn: &mut Turn) {
        self.stage = Stage::Ready;
        self.attempts = 0;
        self.tell(LinkState::Syncing, turn);
    }

    /// Everything is here.
    pub fn complete(&mut self, turn: &mut Turn) {
        self.tell(LinkState::Synced, turn);
    }

    /// What is due by time. Whether the link is dead, and has to be cut. `asked_at` is when the oldest request that has no
    /// answer was sent.
    pub fn pump(&mut self, asked_at: Option<Millis>, turn: &mut Turn) -> bool {
        let now = turn.now();
        if let Stage::Closing(since, retry_at) = self.stage
            && now >= since + CLOSING_MS
        {
            self.stage = Stage::Down(retry_at);
        }
        match self.stage {
            Stage::Down(retry_at) if now >= retry_at => {
                self.stage = Stage::Opening(now);
                turn.push(Output::Connect);
                self.tell(LinkState::Connecting, turn);
                false
            }
            Stage::Opening(_) | Stage::Greeting | Stage::Ready => {
                self.limit(asked_at).is_some_and(|limit| now >= limit)
            }
            Stage::Down(_) | Stage::Closing(..) | Stage::SignedOut => false,
        }
    }

    /// When the link has to be looked at next.
    pub fn limit(&self, asked_at: Option<Millis>) -> Option<Millis> {
        match self.stage {
            Stage::Down(retry_at) => Some(retry_at),
            Stage::Opening(since) => Some(since + OPENING_MS),
            Stage::Closing(since, _) => Some(since + CLOSING_MS),
            Stage::Greeting | Stage::Ready => {
                let silence = self.heard_at + SILENCE_MS;
                let answer =
                    |at: Millis| (at.max(self.stirred_at) + ANSWER_MS).min(at + ANSWER_MOST_MS);
                Some(asked_at.map_or(silence, |at| silence.min(answer(at))))
            }
            Stage::SignedOut => None,
        }
    }

    fn tell_offline(&mut self, retry_at: Millis, turn: &mut Turn) {
        self.tell(LinkState::Offline { retry_at }, turn);
    }

    fn tell(&mut self, state: LinkState, turn: &mut Turn) {
        if self.told.as_ref() != Some(&state) {
            self.told = Some(state.clone());
            turn.push(Output::Link(state));
        }
    }
}

/// Whether no later attempt with the same token can succeed.
pub const fn is_final(code: Code) -> bool {
    matches!(code, Code::SignedOut)
}
