//! Heads of topics: digests, and what is asked when one of them was lost.

use tulou_protocol::{CommunityId, Digest, Question, Rev, id::Millis, limits};

use super::{Logs, community::Community};
use crate::{
    io::{Counts, Write},
    questions::{Asked, HeadsFrom, Questions},
    topics::Topics,
    turn::Turn,
};

/// Requests for heads on their way.
const HEADS: usize = 2;
/// So many audiences are remembered of a community: each has a topic.
const AUDIENCES: usize = limits::TOPICS;
/// How often heads are asked for without a reason, against a last digest that was lost.
const REFRESH_MS: Millis = 600_000;
/// What ends so long before what is known was told by a server whose clock went back.
const WENT_BACK_MS: Millis = 60_000;

impl Logs {
    /// Asks for heads, of communities that are here themselves: one question of each at a time, page after page. Whoever was
    /// asked longest ago comes first, so that nobody waits for as long as one of many pages takes.
    pub fn pump_heads(&mut self, questions: &mut Questions, turn: &mut Turn) {
        let mut asking = questions.count(|asked| matches!(asked, Asked::Heads(..)));
        let mut wanting: Vec<(CommunityId, &mut Community)> = Vec::new();
        for (community, state) in &mut self.communities {
            let is_here = state.log.cursor > Rev::ZERO && state.log.is_complete();
            let is_asked = |asked: &Asked| matches!(asked, Asked::Heads(of, _) if of == community);
            if is_here && state.is_due(turn.now()) && questions.count(is_asked) == 0 {
                wanting.push((*community, state));
            }
        }
        wanting.sort_by_key(|(_, state)| state.asked_at);
        for (community, state) in wanting {
            if asking < HEADS
                && let Some(from) = state.next_heads()
            {
                state.asked_at = turn.now();
                asking += 1;
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
        mut heads: Digest,
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        // They are told to me alone: nothing said of what I have read is said, too.
        for head in &mut heads.topics {
            head.read.get_or_insert_default();
        }
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        state.end_failures();
        if state.is_answer_of_now() {
            state.round.bound(&mut heads);
        }
        let (to, after) = (heads.to, heads.after);
        let numbers: Vec<u32> = heads.topics.iter().map(|head| head.no).collect();
        self.take_moved(heads, topics, turn);
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        // Heads whose topics are not known yet are not in the store: they have to be asked for again, also when a later
        // question does not reach back to them, unless their rows come.
        let (early, lost): (Vec<u32>, Vec<u32>) = numbers
            .into_iter()
            .filter(|no| !state.numbers.contains_key(no))
            .partition(|no| state.early.contains_key(no));
        state.round.take(to, early);
        if !lost.is_empty() {
            state.round.lose();
        }
        let went_back = after.is_none() && to + WENT_BACK_MS < state.as_of;
        if state.know_heads(went_back) {
            turn.apply(Write::HeadsKnown(community, state.as_of));
        }
        match after {
            Some(after) => state.ask_heads_on(HeadsFrom {
                since: to,
                after: Some(after.topic),
            }),
            None => state.digests.retain(|_, told| *told <= to + WENT_BACK_MS),
        }
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

    /// The server failed at it: it is asked again after a pause, and others meanwhile.
    pub fn heads_failed(&mut self, community: CommunityId, from: HeadsFrom, now: Millis) {
        self.heads_again(community, from);
        if let Some(state) = self.communities.get_mut(&community) {
            state.put_heads_off(now);
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
        for head in digest.topics {
            match state.numbers.get(&head.no) {
                Some(topic) => topics.take_head(*topic, head),
                None => state.keep_early(head),
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
