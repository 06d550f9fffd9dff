//! What is said in a round, encoded once for each audience, and who hears what of it.

use std::{collections::HashMap, sync::Arc, time::Instant};

use axum::extract::ws::Utf8Bytes;
use tulou_protocol::{AccountId, CommunityId, Digest, TopicId, id::Millis, push::Pushed};

use super::{Cost, LARGEST, MOMENT, News, SHORT, head, pause_of};
use crate::{
    domain::{Audience, Hears, Sight, Structure},
    store::{Moved, wire},
};

/// What is said in a round.
pub(super) struct Saying {
    pub community: CommunityId,
    said: Vec<Said>,
    /// Who has a seat in which of the closed topics among them, by their place. The owner has all seats.
    seated: HashMap<AccountId, Vec<usize>>,
    /// What those hear of the open ones who have the same rights. A sight of each kind is held so that no other kind gets
    /// its number.
    kinds: HashMap<usize, (Arc<Sight>, Kind)>,
    /// For those who hear nothing else, if the counts have changed.
    counts: Option<Utf8Bytes>,
    /// For those who miss something that is said, but cannot be said to them.
    note: Utf8Bytes,
    pub cost: Cost,
}

/// What is said to an audience.
pub(super) struct Said {
    pub audience: Audience,
    frame: Utf8Bytes,
    /// How many there were to say.
    pub bytes: usize,
}

/// What a kind of member hears of open topics.
#[derive(Default)]
struct Kind {
    hears: Vec<usize>,
    /// He sees topics of an audience that he does not see all of.
    misses: bool,
}

/// Lets others have their turn now and then.
struct Moments(Instant);

impl Moments {
    fn begin() -> Self {
        Self(Instant::now())
    }

    async fn pass(&mut self) {
        if self.0.elapsed() >= MOMENT {
            tokio::task::yield_now().await;
            self.0 = Instant::now();
        }
    }
}

impl Saying {
    /// Encodes what is to be told, up to a time.
    pub async fn of(structure: &Structure, news: &News, moved: &[Moved], to: Millis) -> Self {
        let (members, online) = news.counts;
        let digest = |audience: &str, from| Digest {
            community: structure.id,
            audience: audience.to_owned(),
            from,
            to,
            topics: Vec::new(),
            members,
            online,
            after: None,
        };
        let frame = |digest| wire::pushed_frame(Pushed::Digest(digest)).into();
        let moved: HashMap<TopicId, &Moved> =
            moved.iter().map(|moved| (moved.topic, moved)).collect();
        let mut said = Vec::new();
        let mut moments = Moments::begin();
        for (audience, from) in &news.audiences {
            let found = audience.topics.iter().filter_map(|topic| moved.get(topic));
            let digest = Digest {
                topics: found.filter_map(|moved| head(structure, moved)).collect(),
                ..digest(&audience.name, *from)
            };
            // Topics that ended meanwhile leave nothing to be said.
            if !digest.topics.is_empty() {
                let (frame, bytes) = encoded(digest);
                let audience = audience.clone();
                said.push(Said {
                    audience,
                    frame,
                    bytes,
                });
            }
            moments.pass().await;
        }
        let is_counted_anew = news.counts != news.were;
        Self {
            community: structure.id,
            cost: Cost {
                encoded: said.len() + usize::from(is_counted_anew),
                ..Cost::default()
            },
            said,
            seated: HashMap::new(),
            kinds: HashMap::new(),
            counts: is_counted_anew.then(|| frame(digest("", 0))),
            note: frame(digest("", to)),
        }
    }

    /// What is said to whom.
    pub fn audiences(&self) -> impl Iterator<Item = &Said> {
        self.said.iter()
    }

    /// Finds out who has a seat in the closed topics, of those who are connected or of those who have one, whoever are
    /// fewer: that takes no longer than to tell all who hear of them.
    pub async fn find(&mut self, structure: &Structure, present: &[(AccountId, Arc<Sight>)]) {
        let owner = structure.community.body.owner;
        let mut moments = Moments::begin();
        for (at, said) in self.said.iter().enumerate() {
            if !said.audience.is_closed {
                continue;
            }
            for topic in &said.audience.topics {
                let has_seat = |account| structure.seats.since(*topic, account).is_some();
                let mut hears = |account: AccountId| {
                    self.cost.looks += 1;
                    self.seated.entry(account).or_default().push(at);
                };
                if !has_seat(owner) {
                    hears(owner);
                }
                if structure.seats.count(*topic) <= present.len() {
                    for account in structure.seats.in_topic(*topic) {
                        hears(account);
                        moments.pass().await;
                    }
                } else {
                    for (account, _) in present {
                        if has_seat(*account) {
                            hears(*account);
                        }
                        moments.pass().await;
                    }
                }
            }
        }
    }

    /// Whether it is for nobody but those who have seats.
    pub fn is_for_few(&self) -> bool {
        self.counts.is_none() && self.said.iter().all(|said| said.audience.is_closed)
    }

    /// Those who have seats.
    pub fn seated(&self) -> impl Iterator<Item = AccountId> {
        self.seated.keys().copied()
    }

    /// Finds out what those hear of the open topics who see this.
    pub async fn look(&mut self, sights: impl Iterator<Item = &Arc<Sight>>) {
        let mut moments = Moments::begin();
        for sight in sights {
            self.kind(sight);
            moments.pass().await;
        }
    }

    fn kind(&mut self, sight: &Arc<Sight>) -> &Kind {
        let looks = &mut self.cost.looks;
        let said = &self.said;
        let (_, kind) = self.kinds.entry(sight.kind()).or_insert_with(|| {
            let mut kind = Kind::default();
            let open = said.iter().enumerate();
            for (at, said) in open.filter(|(_, said)| !said.audience.is_closed) {
                *looks += 1;
                match said.audience.heard_by(sight) {
                    Hears::All => kind.hears.push(at),
                    Hears::Some => kind.misses = true,
                    Hears::Nothing => {}
                }
            }
            (sight.clone(), kind)
        });
        kind
    }

    /// What a member hears who sees this.
    pub fn heard_by(&mut self, account: AccountId, sight: &Arc<Sight>) -> Vec<Utf8Bytes> {
        self.cost.looks += 1;
        let Kind { hears, misses } = self.kind(sight);
        let (mut hears, misses) = (hears.clone(), *misses);
        // Whoever lost his seat a moment ago hears nothing of it any more.
        let seated = self.seated.get(&account).into_iter().flatten();
        hears.extend(seated.filter(|at| {
            let audience = &self.said[**at].audience;
            audience.heard_by(sight) == Hears::All
        }));
        // An audience that is told much has a pause of its own.
        let again = hears.iter().map(|at| self.said[*at].bytes);
        let again = again.filter(|bytes| pause_of(*bytes) <= SHORT).sum();
        self.cost.most = self.cost.most.max(again);
        let bytes: usize = hears.iter().map(|at| self.said[*at].frame.len()).sum();
        if misses || bytes > LARGEST {
            return vec![self.note.clone()];
        }
        if hears.is_empty() {
            return self.counts.iter().cloned().collect();
        }
        let frames = hears.iter().map(|at| self.said[*at].frame.clone());
        frames.collect()
    }

    /// Tells somebody that something was said that he did not hear: he asks.
    pub fn note(&self) -> &Utf8Bytes {
        &self.note
    }
}

/// A digest as it goes out. One that is too large names no topics, and begins where it ends: whoever hears it misses what was
/// before, and asks for it. Also how many bytes there were to say: whoever asks gets as many.
pub(super) fn encoded(digest: Digest) -> (Utf8Bytes, usize) {
    let frame = wire::pushed_frame(Pushed::Digest(digest.clone()));
    let bytes = frame.len();
    if bytes <= LARGEST {
        return (frame.into(), bytes);
    }
    let without = Digest {
        from: digest.to,
        topics: Vec::new(),
        ..digest
    };
    (wire::pushed_frame(Pushed::Digest(without)).into(), bytes)
}
