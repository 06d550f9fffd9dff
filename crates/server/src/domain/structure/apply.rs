//! A structure, brought up to date by what was committed.

use tulou_protocol::{GroupId, MemberGroupId, Rev, Row, TopicId, row::Body};

use super::{Structure, sight::Sights};
use crate::domain::change::Change;

impl Structure {
    /// Applies what was committed: the rows that the log took, and the changes beside it.
    pub fn apply<'a>(&mut self, rev: Rev, rows: impl Iterator<Item = &'a Row>, changes: &[Change]) {
        let mut is_seen_otherwise = false;
        for row in rows {
            is_seen_otherwise |= self.matters(row);
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
                    self.seats.put(*topic, *account, *since);
                }
                Change::TopicEnds { topic, .. } => self.seats.end(*topic),
                Change::Row { .. }
                | Change::Send(_)
                | Change::Content(_)
                | Change::Marks { .. }
                | Change::Member { .. }
                | Change::MemberGone { .. }
                | Change::ReadSoFar { .. }
                | Change::TopicBegins { .. }
                | Change::CommunityEnds { .. }
                | Change::Bereft { .. }
                | Change::Fades { .. }
                | Change::MentionSeen { .. }
                | Change::InviteUsed { .. }
                | Change::InvitesEnd { .. }
                | Change::Named { .. } => {}
            }
        }
        self.rev = self.rev.max(rev);
        if is_seen_otherwise {
            self.sights = Sights::default();
        }
    }

    /// Whether what members see may be another thing with a row. Another name is none; a seat is part of the kind of
    /// member.
    fn matters(&self, row: &Row) -> bool {
        match &row.body {
            Body::Community(body) => body.owner != self.community.body.owner,
            Body::Group(_) => row
                .id
                .parse()
                .is_ok_and(|id: GroupId| !self.groups.contains_key(&id)),
            Body::Topic(body) => row
                .id
                .parse()
                .is_ok_and(|id: TopicId| !self.is_placed_alike(id, body)),
            Body::MemberGroup(_) => row
                .id
                .parse()
                .is_ok_and(|id: MemberGroupId| !self.member_groups.contains_key(&id)),
            Body::AccessRow(_) | Body::Deleted(_) => true,
            Body::Message(_)
            | Body::LockedTopic(_)
            | Body::Profile(_)
            | Body::Membership(_)
            | Body::Cursor(_)
            | Body::Notify(_)
            | Body::Friend(_)
            | Body::Direct(_)
            | Body::Draft(_)
            | Body::Mention(_)
            | Body::Mark(_)
            | Body::Unknown(..) => false,
        }
    }
}
