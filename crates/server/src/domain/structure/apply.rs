//! A structure, brought up to date by what was committed.

use tulou_protocol::{Rev, Row};

use super::{Structure, sight::Sights};
use crate::domain::change::Change;

impl Structure {
    /// Applies what was committed: the rows that the log took, and the changes beside it.
    pub fn apply<'a>(&mut self, rev: Rev, rows: impl Iterator<Item = &'a Row>, changes: &[Change]) {
        for row in rows {
            self.put(row);
        }
        for change in changes {
            match change {
                Change::Numbered { last, .. } => self.last_no = *last,
                Change::Seat {
                    topic,
                    account,
                    since,
                    ..
                } => {
                    let seats = self.seats.entry(*topic).or_default();
                    match since {
                        Some(since) => seats.insert(*account, *since),
                        None => seats.remove(account),
                    };
                }
                Change::TopicEnds { topic, .. } => drop(self.seats.remove(topic)),
                Change::Row { .. }
                | Change::Send(_)
                | Change::Content(_)
                | Change::Marks { .. }
                | Change::Member { .. }
                | Change::MemberGone { .. }
                | Change::ReadSoFar { .. }
                | Change::ReadUpTo { .. }
                | Change::TopicBegins { .. }
                | Change::CommunityEnds { .. }
                | Change::Bereft { .. }
                | Change::Fades { .. }
                | Change::MentionSeen { .. }
                | Change::InviteUsed { .. }
                | Change::Named { .. } => {}
            }
        }
        self.rev = self.rev.max(rev);
        self.sights = Sights::default();
    }
}
