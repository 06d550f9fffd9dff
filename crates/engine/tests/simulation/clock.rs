//! The server's clock, which is set to another time. It does not go back by moments; where it was seen to be ahead it goes
//! back, and so does every time that it gave meanwhile, by as much.

use std::sync::Arc;

use tulou_protocol::{Body, Row, id::Millis, row::Message};
use tulou_server::domain::Change;

use crate::{memory::Memory, oracle::Oracle, server::Server};

/// A clock that goes back by less stands still until it is reached.
const STEP_MS: Millis = 120_000;

/// A leap forward that was seen, and was not taken back.
#[derive(Debug, Clone, Copy)]
pub struct Leap {
    /// The time before it.
    after: Millis,
    pub by: Millis,
}

impl Leap {
    /// Where a time goes when it is taken back.
    const fn back(self, time: Millis) -> Millis {
        if time > self.after {
            time - self.by
        } else {
            time
        }
    }
}

impl Server {
    /// Its clock says another time.
    pub fn set_clock(&mut self, wall: Millis) {
        let before = self.now();
        self.wall = wall;
        let by = self.now() - before;
        if by > STEP_MS {
            self.leaps.push(Leap { after: before, by });
            return;
        }
        let behind = self.memory.clock - wall;
        let is_taken_back = |leap: &mut Leap| (behind - leap.by).abs() <= STEP_MS;
        if let Some(leap) = self.leaps.pop_if(is_taken_back) {
            let by = leap.by.min(behind);
            self.go_back(Leap { by, ..leap });
        }
    }

    fn go_back(&mut self, leap: Leap) {
        self.memory.go_back(leap);
        self.oracle.go_back(leap);
        self.earlier = None;
        self.has_gone_back = true;
        for gathering in self.gatherings.values_mut() {
            // A digest from the beginning misses nothing.
            gathering.begun = 0;
            gathering.told.clear();
        }
        for account in self.oracle.accounts.keys() {
            self.oracle.check_account(*account, &self.memory);
        }
        for community in self.oracle.communities.keys() {
            self.oracle.check_community(*community, &self.memory);
        }
        for (topic, log) in &self.memory.topics {
            self.oracle.check_topic(*topic, &self.memory);
            let times = log.messages.iter().map(|sent| sent.content().sent_at);
            assert!(
                times.clone().is_sorted() && times.max() <= Some(self.memory.clock),
                "{topic} has messages of tomorrow"
            );
        }
    }
}

impl Memory {
    fn go_back(&mut self, leap: Leap) {
        let back = |time: &mut Millis| *time = leap.back(*time);
        back(&mut self.clock);
        for row in self
            .accounts
            .values_mut()
            .flat_map(|log| log.rows.values_mut())
        {
            match &mut row.body {
                Body::Mention(mention) => back(&mut mention.sent_at),
                Body::Membership(membership) => back(&mut membership.joined_at),
                _ => {}
            }
        }
        for (community, home) in &mut self.communities {
            let members = home.members.values_mut();
            members.for_each(|member| back(&mut member.joined_at));
            let mut own = home.structure.community.body.clone();
            back(&mut own.created_at);
            let row = Row {
                id: community.to_string(),
                rev: home.structure.community.rev,
                body: own.into(),
            };
            let seats = home.structure.seats.all();
            let seats = seats.map(|(topic, account, since)| Change::Seat {
                community: *community,
                topic,
                account,
                since: Some(leap.back(since)),
            });
            let seats: Vec<Change> = seats.collect();
            let rev = home.structure.rev;
            Arc::make_mut(&mut home.structure).apply(rev, [&row].into_iter(), &seats);
        }
        for log in self.topics.values_mut() {
            back(&mut log.moved_at);
            for sent in &mut log.messages {
                if let Some(content) = &mut sent.message.content {
                    back(&mut content.sent_at);
                    content.edited_at.iter_mut().for_each(back);
                }
                let marks = sent.message.marks.iter_mut();
                marks.flat_map(|marks| &mut marks.pinned_at).for_each(back);
            }
        }
    }
}

impl Oracle {
    fn go_back(&mut self, leap: Leap) {
        let back = |time: &mut Millis| *time = leap.back(*time);
        for kept in self.communities.values_mut() {
            kept.members.values_mut().for_each(|(at, _)| back(at));
            kept.seats.values_mut().for_each(back);
        }
        for kept in self.accounts.values_mut() {
            kept.memberships.values_mut().for_each(back);
        }
        for kept in self.topics.values_mut() {
            kept.messages
                .iter_mut()
                .for_each(|sent| back(&mut sent.sent_at));
        }
    }
}

/// A row without the times that the server gave: who holds it keeps those of a clock that was ahead.
pub fn timeless(row: &Row) -> Row {
    let mut row = row.clone();
    match &mut row.body {
        Body::Mention(mention) => mention.sent_at = 0,
        Body::Membership(membership) => membership.joined_at = 0,
        Body::Community(community) => community.created_at = 0,
        _ => {}
    }
    row
}

/// A message without them.
pub fn timeless_message(message: &Message) -> Message {
    let mut message = message.clone();
    if let Some(content) = &mut message.content {
        content.sent_at = 0;
        content.edited_at = content.edited_at.map(|_| 0);
    }
    if let Some(marks) = &mut message.marks {
        marks.pinned_at = marks.pinned_at.map(|_| 0);
    }
    message
}
