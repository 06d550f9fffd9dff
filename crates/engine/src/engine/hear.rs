//! What the server says: greeting, pushes, answers. Each goes to the part that it concerns.

use serde_json::Value;
use tulou_protocol::{
    Answer, Code, CommandId, CommunityId, Digest, Greeting, Heartbeat, Log, Push, Rejection, Rev,
    ServerFrame, TopicId,
    frame::{Refusal, Response},
    id::Millis,
    push::{Pushed, SyncOutcome},
    question::{Page, PageAt, SyncLog, Synced, Watched},
};

use super::Engine;
use crate::{
    io::{Output, Untold, Write},
    link::{busy_for, is_final},
    live::brings,
    outbox::Accepted,
    questions::{Asked, HeadsFrom},
};

/// How long nothing is asked after the server did not understand a question.
const PAUSE_MS: Millis = 5_000;
/// The least that a server is left alone that has too many sockets of this account.
const CROWDED_MS: Millis = 60_000;

impl Engine {
    pub(super) fn take_frame(&mut self, frame: ServerFrame) {
        if !self.link.hear(self.turn.now()) {
            return;
        }
        match frame {
            ServerFrame::Responses(responses) => {
                for response in responses {
                    self.take_response(response);
                }
            }
            ServerFrame::Pushed(Pushed::Goodbye(goodbye)) => self.take_goodbye(goodbye.reason),
            ServerFrame::Pushed(pushed) => {
                if self.link.is_ready() {
                    self.take_pushed(pushed);
                }
            }
            ServerFrame::Unknown(_) => {}
        }
    }

    fn take_pushed(&mut self, pushed: Pushed) {
        match pushed {
            Pushed::Push(push) => self.take_push(push, true),
            Pushed::Stale(stale) => match stale.log {
                Log::Topic(topic) => self.topics.take_stale(topic, stale.rev),
                Log::Account(_) | Log::Community(_) => self.logs.take_stale(stale.log, stale.rev),
            },
            Pushed::Digest(digest) => {
                self.logs
                    .take_digest(digest, &mut self.topics, &mut self.turn);
            }
            Pushed::Heartbeat(heartbeat) => self.take_heartbeat(heartbeat),
            // Where the server is found is the business of who opens the socket.
            Pushed::Addresses(_) => {}
            // Who opened the link shows it to the person; commands are answered by themselves.
            Pushed::Condition(_) => {}
            Pushed::Goodbye(goodbye) => self.take_goodbye(goodbye.reason),
        }
    }

    fn take_push(&mut self, push: Push, is_news: bool) {
        let turn = &mut self.turn;
        match push.log {
            Log::Topic(topic) => self.topics.take_push(topic, push, is_news, turn),
            Log::Account(_) | Log::Community(_) => {
                self.logs.take_push(push, is_news, &mut self.topics, turn);
            }
        }
    }

    /// The changes that a command made come in the shape of pushes.
    fn apply_answer(&mut self, answer: Answer, brings: Option<CommunityId>) {
        if let Some(community) = brings {
            let mut pushes = answer.pushes.iter();
            if pushes.any(|push| self.logs.is_news_of(community, push)) {
                self.logs.know_community(community);
            }
        }
        for push in answer.pushes {
            self.take_push(push, false);
        }
    }

    fn take_heartbeat(&mut self, heartbeat: Heartbeat) {
        let Heartbeat { now, heads } = heartbeat;
        self.notices.set_server_time(now, self.turn.now());
        self.topics.end_unnamed(&heads, &mut self.turn);
        for (log, rev) in heads {
            match log {
                Log::Topic(topic) => self.topics.take_heartbeat(topic, rev),
                Log::Account(_) | Log::Community(_) => self.logs.take_heartbeat(log, rev),
            }
        }
    }

    fn take_goodbye(&mut self, reason: Code) {
        if is_final(reason) {
            self.sign_out(reason);
        } else {
            self.cut_link(0);
        }
    }

    fn take_response(&mut self, response: Response) {
        if let Some(number) = response.id.as_u64() {
            let Some(asked) = self.questions.take(number) else {
                return;
            };
            match asked {
                Asked::Open => self.take_greeting(response),
                Asked::Sync(logs) => self.take_synced(logs, response),
                Asked::Watch(topics) => self.take_watched(&topics, response),
                Asked::Page(topic, at) => self.take_page(topic, at, response),
                Asked::Profiles(wanted) => {
                    let refused = self.profiles.take(wanted, response, &mut self.turn);
                    if let Err(refusal) = refused {
                        self.question_refused(&refusal);
                    }
                }
                Asked::Heads(community, from) => self.take_heads(community, from, response),
                Asked::Told(ticket) => {
                    let told = response.into_result::<Value>().map_err(Untold::Refused);
                    self.turn.push(Output::Told(ticket, told));
                }
            }
            return;
        }
        let id = response.id.as_str().and_then(|id| id.parse().ok());
        let Some(id) = id else { return };
        match self.live.take(id) {
            Some(live) => {
                let told = response.into_result::<Value>().map_err(Untold::Refused);
                if let Ok(value) = &told
                    && let Ok(answer) = serde::Deserialize::deserialize(value)
                {
                    self.apply_answer(answer, live.brings);
                }
                self.turn.push(Output::Told(live.ticket, told));
            }
            None => self.take_answer(id, response),
        }
    }

    fn take_greeting(&mut self, response: Response) {
        match response.into_result::<Greeting>() {
            Ok(greeting) => {
                self.link.greeted(&mut self.turn);
                self.greeted(greeting);
            }
            Err(Refusal::Rejected(rejection)) if is_final(rejection.code) => {
                self.sign_out(rejection.code);
            }
            Err(Refusal::Rejected(rejection)) if rejection.code == Code::Outdated => {
                self.lose_link();
                self.link
                    .meet_other_version(rejection.version, &mut self.turn);
            }
            Err(Refusal::Busy(busy)) => self.cut_link(busy_for(busy)),
            // So many of this account are connected already: one of them has to go first.
            Err(Refusal::Rejected(rejection)) if rejection.code == Code::TooMany => {
                self.cut_link(CROWDED_MS);
            }
            Err(Refusal::Rejected(_) | Refusal::Misunderstood(_)) => self.cut_link(0),
        }
    }

    /// The epoch is the store's from here on: everything is synced, the account first. A server with another epoch was
    /// restored: everything that is held of it is forgotten and asked for anew. Outbox and drafts stay; the store keeps my
    /// own messages, which the server may have lost.
    fn greeted(&mut self, greeting: Greeting) {
        let turn = &mut self.turn;
        let was = self.epoch.replace(greeting.epoch);
        if was.is_some_and(|epoch| epoch != greeting.epoch) {
            self.topics.forget_all(turn);
            self.logs.forget_all(turn);
            self.profiles.forget();
            self.notices.forget();
        }
        self.logs.forget_orphans(turn);
        self.logs.greeted(greeting.account);
        self.topics.greeted();
        self.notices.greeted(greeting.account);
        self.notices.set_server_time(greeting.now, turn.now());
        self.outbox.greeted(greeting.account, &greeting.limits);
        turn.apply(Write::Greeted(Box::new(greeting)));
    }

    fn take_synced(&mut self, asked: Vec<SyncLog>, response: Response) {
        for SyncLog { log, .. } in &asked {
            match log {
                Log::Topic(topic) => self.topics.end_sync(*topic),
                Log::Account(_) | Log::Community(_) => self.logs.end_sync(*log),
            }
        }
        let synced = match response.into_result::<Synced>() {
            Ok(synced) => synced,
            Err(refusal) => {
                self.question_refused(&refusal);
                for SyncLog { log, .. } in asked {
                    match log {
                        Log::Topic(topic) => self.topics.sync_again(topic),
                        Log::Account(_) | Log::Community(_) => self.logs.sync_again(log),
                    }
                }
                return;
            }
        };
        // What an answer that was full left out.
        for SyncLog { log, .. } in asked.iter().skip(synced.logs.len()) {
            match log {
                Log::Topic(topic) => self.topics.sync_again(*topic),
                Log::Account(_) | Log::Community(_) => self.logs.sync_again(*log),
            }
        }
        let mut is_further = !synced.logs.is_empty();
        let turn = &mut self.turn;
        for (asked, synced) in asked.into_iter().zip(synced.logs) {
            let log = asked.log;
            is_further &= log == synced.log && leads_on(&asked, &synced.outcome);
            if log != synced.log {
                // Another place in the answer than in the question: whose it is nobody knows.
                match log {
                    Log::Topic(topic) => self.topics.sync_again(topic),
                    Log::Account(_) | Log::Community(_) => self.logs.sync_again(log),
                }
                continue;
            }
            match log {
                Log::Topic(topic) => self.topics.take_synced(topic, &asked, synced.outcome, turn),
                Log::Account(_) | Log::Community(_) => {
                    self.logs
                        .take_synced(log, synced.outcome, &mut self.topics, turn);
                }
            }
        }
        if !is_further {
            self.questions.pause(self.turn.now() + PAUSE_MS);
        }
    }

    fn take_watched(&mut self, asked: &[TopicId], response: Response) {
        match response.into_result::<Watched>() {
            Ok(watched) => self.topics.take_watched(asked, &watched, &mut self.turn),
            Err(refusal) => {
                self.topics.watch_again();
                self.question_refused(&refusal);
            }
        }
    }

    fn take_page(&mut self, topic: TopicId, at: PageAt, response: Response) {
        match response.into_result::<Page>() {
            Ok(page) => self.topics.take_page(topic, at, page, &mut self.turn),
            Err(refusal @ Refusal::Busy(_)) => {
                self.topics.want_again(topic, at);
                self.question_refused(&refusal);
            }
            // Nobody can give it: the view that wanted it shows what is there.
            Err(Refusal::Rejected(_) | Refusal::Misunderstood(_)) => {}
        }
    }

    fn take_heads(&mut self, community: CommunityId, from: HeadsFrom, response: Response) {
        match response.into_result::<Digest>() {
            Ok(heads) => {
                let (since, after) = (heads.to, heads.after.map(|after| after.topic));
                let is_further = after.is_none() || HeadsFrom { since, after } > from;
                let (topics, turn) = (&mut self.topics, &mut self.turn);
                self.logs.take_heads(community, heads, topics, turn);
                if !is_further {
                    self.questions.pause(self.turn.now() + PAUSE_MS);
                }
            }
            Err(refusal @ Refusal::Busy(_)) => {
                self.logs.heads_again(community, from);
                self.question_refused(&refusal);
            }
            Err(Refusal::Misunderstood(_)) => {
                self.logs.heads_failed(community, from, self.turn.now());
            }
            // It is no community of mine any more, which its log says.
            Err(Refusal::Rejected(_)) => {}
        }
    }

    /// The answer to a command of the outbox.
    fn take_answer(&mut self, id: CommandId, response: Response) {
        let now = self.turn.now();
        let Some((log, sent)) = self.outbox.land(id, now) else {
            return;
        };
        match response.into_result::<Answer>() {
            Ok(answer) => {
                let accepted = Accepted::of(&answer, &sent);
                self.apply_answer(answer, brings(&sent));
                self.outbox
                    .done(id, &sent, accepted, &self.topics, &mut self.turn);
            }
            Err(Refusal::Busy(busy)) => self.outbox.put_off(id, log, now + busy_for(busy)),
            Err(refusal) => {
                let rejection: Option<Rejection> = refusal.into();
                let rejection = rejection.unwrap_or_else(|| Code::Unknown.into());
                if rejection.code == Code::SignedOut {
                    self.outbox.put_off(id, log, now);
                    self.sign_out(rejection.code);
                } else {
                    self.outbox.refuse(id, &rejection, &mut self.turn);
                }
            }
        }
    }

    /// The server wants to be left alone for a while, or does not understand a question.
    fn question_refused(&mut self, refusal: &Refusal) {
        let now = self.turn.now();
        match refusal {
            Refusal::Busy(busy) => self.questions.pause(now + busy_for(*busy)),
            Refusal::Rejected(rejection) if rejection.code == Code::SignedOut => {
                self.sign_out(rejection.code);
            }
            Refusal::Rejected(_) | Refusal::Misunderstood(_) => {
                self.questions.pause(now + PAUSE_MS);
            }
        }
    }
}

/// Whether what is asked next is another question. The same one would have the same answer, again and again, as fast as the
/// link is.
fn leads_on(asked: &SyncLog, outcome: &SyncOutcome) -> bool {
    match outcome {
        SyncOutcome::Rows { rev, has_more, .. } => !has_more || *rev > asked.since,
        SyncOutcome::Reset { rev, begun, .. } => begun.is_none() || *rev > Rev::ZERO,
        SyncOutcome::Topic { rev, has_more, .. } => {
            !has_more || asked.ranges.iter().any(|range| range.rev < *rev)
        }
        SyncOutcome::Ahead { .. } => asked.since > Rev::ZERO,
        SyncOutcome::Gone {} => true,
    }
}
