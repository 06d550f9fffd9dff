//! Heads of topics: digests, and what is asked when one of them was lost.

use tulou_protocol::{CommunityId, Digest, Question, Rev, id::Millis, limits};

use super::Logs;
use crate::{
    io::{Counts, Write},
    questions::{Asked, HeadsFrom, Questions},
    topics::Topics,
    turn::Turn,
};

/// Requests for heads on their way.
const HEADS: usize = 2;
/// Heads of topics not known yet that are kept of a community.
const KEPT: usize = 512;
/// So many audiences are remembered of a community: each has a topic.
const AUDIENCES: usize = limits::TOPICS;
/// How often heads are asked for without a reason, against a last digest that was lost.
const REFRESH_MS: Millis = 600_000;
/// What ends so long before what is known was told by a server whose clock went back.
const WENT_BACK_MS: Millis = 60_000;

impl Logs {
    /// Asks for heads, of communities that are here themselves: one question of each at a time, page after page.
    pub fn pump_heads(&mut self, questions: &mut Questions, turn: &mut Turn) {
        let mut asking = questions.count(|asked| matches!(asked, Asked::Heads(..)));
        for (community, state) in &mut self.communities {
            let is_here = state.log.cursor > Rev::ZERO && state.log.is_complete();
            let is_asked = |asked: &Asked| matches!(asked, Asked::Heads(of, _) if of == community);
            if asking < HEADS
                && is_here
                && state.wants_heads()
                && questions.count(is_asked) == 0
                && let Some(from) = state.next_heads()
            {
                state.asked_at = turn.now();
                asking += 1;
                let community = *community;
                let HeadsFrom { since, after } = from;
                let heads = Question::CommunityHeads {
                    community,
                    since,
                    after,
                };
                questions.ask(Asked::Heads(community, from), heads, turn);
            }
        }
    }

    /// Heads that moved from a time on. What a page says that is not the last is known up to its end; whether the server's
    /// clock went back only the last can tell.
    pub fn take_heads(
        &mut self,
        community: CommunityId,
        from: HeadsFrom,
        mut heads: Digest,
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        if let Some(state) = self.communities.get_mut(&community) {
            // Heads whose topics are not known yet are not in the store: they have to be asked for again, also when a
            // later question does not reach back to them.
            let mut numbers = heads.topics.iter().map(|head| head.no);
            let are_known = !state.are_heads_doubted
                && from.since <= state.as_of
                && numbers.all(|no| state.numbers.contains_key(&no));
            let went_back = heads.after.is_none() && heads.to + WENT_BACK_MS < state.as_of;
            let as_of = match (are_known, went_back) {
                (true, false) => state.as_of.max(heads.to),
                // What is asked for from a time that is still to come, the server tells from the beginning.
                (true, true) => heads.to,
                (false, true) => 0,
                (false, false) => state.as_of,
            };
            if std::mem::replace(&mut state.as_of, as_of) != as_of {
                turn.apply(Write::HeadsKnown(community, as_of));
            }
            match heads.after {
                Some(_) => state.ask_heads_on(HeadsFrom {
                    since: heads.to,
                    after: heads.after,
                }),
                None => state.digests.retain(|_, to| *to <= heads.to + WENT_BACK_MS),
            }
        }
        // They are told to me alone: nothing said of what I have read is said, too.
        for head in &mut heads.topics {
            head.read.get_or_insert_default();
        }
        self.take_moved(heads, topics, turn);
    }

    /// The server was busy: it is asked again.
    pub fn heads_again(&mut self, community: CommunityId, from: HeadsFrom) {
        if let Some(state) = self.communities.get_mut(&community) {
            match from.after {
                Some(_) => state.ask_heads_on(from),
                None => state.ask_heads_since(state.as_of),
            }
        }
    }

    /// A digest: a window that begins after what is known of its audience means that one before it was lost.
    pub fn take_digest(&mut self, digest: Digest, topics: &mut Topics, turn: &mut Turn) {
        let Some(state) = self.communities.get_mut(&digest.community) else {
            return;
        };
        let last = state.digests.get(&digest.audience).copied();
        let mut known = last.unwrap_or_default().max(state.as_of);
        if digest.to + WENT_BACK_MS < known {
            state.digests.clear();
            if state.lose_heads() {
                turn.apply(Write::HeadsKnown(digest.community, 0));
            }
            known = state.as_of;
        }
        if digest.from > known {
            state.ask_heads_since(known);
        }
        // One to nobody in particular says nothing of windows to come.
        if !digest.audience.is_empty() {
            if state.digests.len() >= AUDIENCES {
                state.digests.clear();
            }
            let audience = digest.audience.clone();
            state.digests.insert(audience, known.max(digest.to));
        }
        self.take_moved(digest, topics, turn);
    }

    fn take_moved(&mut self, digest: Digest, topics: &mut Topics, turn: &mut Turn) {
        let Some(state) = self.communities.get_mut(&digest.community) else {
            return;
        };
        let (members, online) = (digest.members, digest.online);
        let counts = Counts { members, online };
        if state.counts.replace(counts) != Some(counts) {
            turn.apply(Write::Counts(digest.community, counts));
        }
        for mut head in digest.topics {
            match state.numbers.get(&head.no) {
                Some(topic) => topics.take_head(*topic, head),
                None if state.early.len() < KEPT => {
                    let before = state.early.get(&head.no);
                    head.read = head.read.or(before.and_then(|before| before.read));
                    state.early.insert(head.no, head);
                }
                None => {}
            }
        }
    }

    /// In idle time, heads that were not asked for in a long while are.
    pub fn refresh_heads(&mut self, questions: &mut Questions, turn: &mut Turn) {
        for state in self.communities.values_mut() {
            if turn.now() >= state.asked_at + REFRESH_MS {
                state.asked_at = turn.now();
                state.ask_heads_since(state.as_of);
            }
        }
        self.pump_heads(questions, turn);
    }

    /// When heads are asked for without a reason.
    pub fn refresh_due(&self) -> Option<Millis> {
        let asked_at = self.communities.values().map(|state| state.asked_at);
        asked_at.map(|at| at + REFRESH_MS).min()
    }
}
