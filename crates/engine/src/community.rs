//! Communities: which there are, which topics they have, and the heads of those.

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{
    Body, CommunityId, Digest, Log, Question, Rev, Row, Seq, TopicId,
    frame::{Refusal, Response},
    id::Millis,
    permission::Place,
    push::TopicHead,
};

use crate::{
    engine::Engine,
    io::{Change, Counts},
    questions::Asked,
};

/// Requests for heads on their way.
const HEADS: usize = 2;
/// How far a request for heads goes back before what is known: clocks of servers differ.
const OVERLAP_MS: Millis = 10_000;
/// Heads of topics not known yet, and audiences, kept of a community.
const KEPT: usize = 512;

/// What is known of a community's topics.
#[derive(Debug, Default)]
pub struct Community {
    /// Topics that I see, by their small number.
    pub numbers: BTreeMap<u32, TopicId>,
    /// The rev of the last row of each topic, or its tombstone.
    pub topic_revs: BTreeMap<TopicId, Rev>,
    /// Groups and locked topics, by kind and id, as the stamp names them.
    shape: BTreeSet<(String, String)>,
    /// Heads of topics whose rows did not come yet.
    unknown: BTreeMap<u32, TopicHead>,
    /// Heads that moved up to this time of the server are known, whatever the audience.
    pub as_of: Millis,
    /// The last digest of each audience on this link.
    pub digests: BTreeMap<String, Millis>,
    /// Heads since then are to be asked for.
    pub heads_since: Option<Millis>,
    /// When heads were asked for last.
    pub asked_at: Millis,
    counts: Option<(u64, u64)>,
}

impl Community {
    pub(crate) fn restored(as_of: Millis) -> Self {
        Self {
            as_of,
            ..Self::default()
        }
    }

    /// The present state came with a stamp: groups and locked topics that it names.
    pub(crate) fn take_shape(&mut self, kept: &[(String, String)]) {
        let named = kept
            .iter()
            .filter(|(kind, _)| is_shape(kind) && kind != "topic");
        self.shape = named.cloned().collect();
    }

    /// Whether I see the place. Rights at another one came before it, and go with it unseen when it does.
    fn has_place(&self, place: Place) -> bool {
        match place {
            Place::Community => true,
            Place::Group(group) => self.shape.contains(&("group".into(), group.to_string())),
            Place::Topic(topic) => self.numbers.values().any(|seen| *seen == topic),
        }
    }

    /// Heads that moved since `since` are to be asked for, a little further back.
    pub(crate) fn ask_heads_since(&mut self, since: Millis) {
        let since = (since - OVERLAP_MS).max(0);
        self.heads_since = Some(self.heads_since.map_or(since, |other| other.min(since)));
    }
}

impl Engine {
    /// Other rights, other topics: heads are asked for anew, and what is held is looked through.
    pub(crate) fn view_changed(&mut self, community: CommunityId) {
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        // Known again as of 0: so that a crash or a cut before the answer does not lose the question.
        if std::mem::take(&mut state.as_of) > 0 {
            let (members, online) = state.counts.unwrap_or_default();
            self.turn.apply(Change::Counts(
                community,
                Counts {
                    members,
                    online,
                    as_of: 0,
                },
            ));
        }
        state.ask_heads_since(0);
        for topic in state.numbers.values().copied().collect::<Vec<_>>() {
            if let Some(state) = self.topics.all.get_mut(&topic)
                && (!state.held.is_empty() || state.head.floor > Seq::ZERO)
            {
                // What may be read of it is not known any more, which the store remembers.
                state.head.floor = Seq::ZERO;
                self.turn.heads.insert(topic);
                if state.cursor.is_some() {
                    self.topics.to_sync.insert(topic);
                }
            }
        }
        self.topics.watches.is_dirty |= !self.topics.watches.refused.is_empty();
    }

    /// Whether a row that was pushed makes what I see another thing than the stamp says. If the stamp were kept, the
    /// server could not tell that the row has to go when what I see is as it was before.
    pub(crate) fn changes_shape(&self, community: CommunityId, row: &Row) -> bool {
        let kind = row.body.kind();
        let Some(state) = self.communities.get(&community) else {
            return false;
        };
        if let Body::AccessRow(access) = &row.body {
            return !state.has_place(access.place);
        }
        if !is_shape(kind) {
            return false;
        }
        let was_there = if kind == "topic" {
            state
                .numbers
                .values()
                .any(|topic| topic.to_string() == row.id)
        } else {
            state.shape.contains(&(kind.to_owned(), row.id.clone()))
        };
        was_there == matches!(row.body, Body::Deleted(_))
    }

    /// The community is one of mine.
    pub(crate) fn know_community(&mut self, community: CommunityId) {
        self.communities.entry(community).or_insert_with(|| {
            let mut state = Community::default();
            state.ask_heads_since(0);
            state
        });
        let state = self.logs.entry(Log::Community(community)).or_default();
        state.wants_sync |= state.view.is_none() && !state.is_syncing;
    }

    pub(crate) fn forget_community(&mut self, community: CommunityId) {
        if let Some(state) = self.communities.remove(&community) {
            for topic in state.numbers.into_values() {
                self.forget_topic(topic);
            }
        }
        self.logs.remove(&Log::Community(community));
        self.turn.apply(Change::Forget(Log::Community(community)));
        self.doubt_topics_without_row();
    }

    /// A row of a topic that I see.
    pub(crate) fn number_topic(
        &mut self,
        community: CommunityId,
        topic: TopicId,
        no: u32,
        rev: Rev,
    ) {
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        if state.topic_revs.get(&topic).is_some_and(|row| *row > rev) {
            return;
        }
        state.topic_revs.insert(topic, rev);
        let is_new = state.numbers.insert(no, topic).is_none();
        let seen = self.topics.all.entry(topic).or_default();
        seen.is_seen = true;
        seen.has_row = true;
        if let Some(head) = state.unknown.remove(&no) {
            self.take_head(topic, head);
        }
        self.topics.watches.is_dirty |= is_new && self.topics.watches.refused.contains(&topic);
    }

    /// A topic that I do not see any more.
    pub(crate) fn remove_topic(&mut self, community: CommunityId, topic: TopicId, rev: Rev) {
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        if state.topic_revs.get(&topic).is_some_and(|row| *row > rev) {
            return;
        }
        state.topic_revs.insert(topic, rev);
        let before = state.numbers.len();
        state.numbers.retain(|_, other| *other != topic);
        if state.numbers.len() < before {
            self.forget_topic(topic);
        }
    }

    pub(crate) fn pump_heads(&mut self) {
        let mut asking = self
            .questions
            .count(|asked| matches!(asked, Asked::Heads(..)));
        let mut chosen = Vec::new();
        for (community, state) in &mut self.communities {
            let is_known = self
                .logs
                .get(&Log::Community(*community))
                .is_some_and(|log| log.cursor > Rev::ZERO && !log.is_syncing && !log.wants_sync);
            if asking < HEADS
                && is_known
                && let Some(since) = state.heads_since.take()
            {
                state.asked_at = self.turn.now();
                asking += 1;
                chosen.push((*community, since));
            }
        }
        for (community, since) in chosen {
            let heads = Question::CommunityHeads { community, since };
            self.questions
                .ask(Asked::Heads(community, since), heads, &mut self.turn);
        }
    }

    pub(crate) fn take_heads(&mut self, community: CommunityId, since: Millis, response: Response) {
        let heads = response.into_result::<Digest>();
        match heads {
            Ok(heads) => {
                if let Some(state) = self.communities.get_mut(&community) {
                    // Heads whose topics are not known yet are not in the store: they have to be asked for again, also
                    // when a later question does not reach back to them.
                    let are_known = since <= state.as_of
                        && heads
                            .topics
                            .iter()
                            .all(|head| state.numbers.contains_key(&head.no));
                    if are_known {
                        state.as_of = state.as_of.max(heads.to);
                    }
                    state.counts = None;
                }
                self.take_moved(heads);
            }
            Err(refusal) => {
                if matches!(refusal, Refusal::Busy(_)) {
                    if let Some(state) = self.communities.get_mut(&community) {
                        state.ask_heads_since(state.as_of);
                    }
                    self.question_refused(&refusal);
                }
            }
        }
    }

    /// A digest: a window that begins after what is known means that one before it was lost.
    pub(crate) fn take_digest(&mut self, digest: Digest) {
        let Some(state) = self.communities.get_mut(&digest.community) else {
            return;
        };
        let known = state.digests.get(&digest.audience).copied();
        let known = known.unwrap_or(state.as_of).max(state.as_of);
        if digest.from > known {
            state.ask_heads_since(known);
        }
        if state.digests.len() >= KEPT {
            state.digests.clear();
        }
        state
            .digests
            .insert(digest.audience.clone(), known.max(digest.to));
        self.take_moved(digest);
    }

    fn take_moved(&mut self, digest: Digest) {
        let Some(state) = self.communities.get_mut(&digest.community) else {
            return;
        };
        let counts = (digest.members, digest.online);
        if state.counts.replace(counts) != Some(counts) {
            self.turn.apply(Change::Counts(
                digest.community,
                Counts {
                    members: digest.members,
                    online: digest.online,
                    as_of: state.as_of,
                },
            ));
        }
        for head in digest.topics {
            let Some(state) = self.communities.get_mut(&digest.community) else {
                return;
            };
            match state.numbers.get(&head.no) {
                Some(topic) => {
                    let topic = *topic;
                    self.take_head(topic, head);
                }
                None if state.unknown.len() < KEPT => {
                    state.unknown.insert(head.no, head);
                }
                None => {}
            }
        }
    }
}

/// Whether a kind of row is part of what a stamp names.
fn is_shape(kind: &str) -> bool {
    matches!(kind, "topic" | "locked_topic" | "group")
}
