//! The rows of a community as somebody sees them.

use tulou_protocol::{
    GroupId, Rev, Row, TopicId,
    permission::Place,
    row::{Body, LockedTopic},
};

use super::{Structure, sight::Sight};

/// What it hangs on how rows are seen: to all of whom it is the same they are the same, while one of their sights is held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeenBy {
    kind: usize,
    /// Seats in topics that the rows speak of.
    seats: Vec<TopicId>,
}

impl SeenBy {
    /// Somebody with this sight, rows speaking of these topics (see [`spoken_of`]).
    pub fn of(sight: &Sight, topics: &[TopicId]) -> Self {
        Self {
            kind: sight.kind(),
            seats: sight.seats_among(topics),
        }
    }
}

/// The topics of which rows speak, in order: somebody's seats there matter to how he sees the rows, and no others do.
pub fn spoken_of<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<TopicId> {
    let topic = |row: &Row| match &row.body {
        Body::Topic(_) => row.id.parse().ok(),
        Body::AccessRow(access) => match access.place {
            Place::Topic(id) => Some(id),
            Place::Community | Place::Group(_) => None,
        },
        Body::Community(_)
        | Body::Group(_)
        | Body::MemberGroup(_)
        | Body::Deleted(_)
        | Body::LockedTopic(_)
        | Body::Message(_)
        | Body::Profile(_)
        | Body::Membership(_)
        | Body::Cursor(_)
        | Body::Notify(_)
        | Body::Friend(_)
        | Body::Direct(_)
        | Body::Draft(_)
        | Body::Mention(_)
        | Body::Mark(_)
        | Body::Unknown(..) => None,
    };
    let mut topics: Vec<TopicId> = rows.filter_map(topic).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

impl Structure {
    /// A row of the community's log as somebody sees it; none if he may not.
    #[must_use]
    pub fn seen(&self, sight: &Sight, row: &Row) -> Option<Row> {
        let is_seen = match &row.body {
            Body::Community(_) | Body::MemberGroup(_) => true,
            Body::Group(_) => row
                .id
                .parse()
                .is_ok_and(|id: GroupId| sight.groups().contains(&id)),
            Body::Topic(topic) => {
                let Ok(id) = row.id.parse::<TopicId>() else {
                    return None;
                };
                if sight.is_locked(id) {
                    return Some(Row {
                        id: row.id.clone(),
                        rev: row.rev,
                        body: LockedTopic {
                            group: topic.group,
                            name: topic.name.clone(),
                            position: topic.position.clone(),
                            seats: u32::try_from(self.seats.count(id)).unwrap_or(u32::MAX),
                            more: Default::default(),
                        }
                        .into(),
                    });
                }
                sight.sees(id)
            }
            Body::AccessRow(access) => match access.place {
                Place::Community => true,
                Place::Group(id) => sight.groups().contains(&id),
                Place::Topic(id) => sight.sees(id),
            },
            // A tombstone names an opaque id and nothing else.
            Body::Deleted(_) => true,
            Body::LockedTopic(_)
            | Body::Message(_)
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
        };
        is_seen.then(|| row.clone())
    }

    /// Rows that a commit wrote to the community's log, as somebody sees them.
    #[must_use]
    pub fn written_as_seen<'a>(
        &self,
        sight: &Sight,
        written: impl Iterator<Item = &'a Row>,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for row in written {
            if let Body::Deleted(kind) = &row.body {
                rows.extend(tombstones(kind).iter().map(|kind| Row {
                    id: row.id.clone(),
                    rev: row.rev,
                    body: Body::Deleted((*kind).to_owned()),
                }));
            } else {
                rows.extend(self.seen(sight, row));
            }
        }
        rows
    }

    /// All rows that somebody sees, changed after `since`, in the order of rev.
    #[must_use]
    pub fn rows_since(&self, sight: &Sight, since: Rev, with_tombstones: bool) -> Vec<Row> {
        let mut rows = Vec::new();
        let is_new = |rev: Rev| rev > since;
        let mut add = |id: String, rev: Rev, body: Body| {
            rows.extend(self.seen(sight, &Row { id, rev, body }));
        };
        let own = &self.community;
        if is_new(own.rev) {
            add(self.id.to_string(), own.rev, own.body.clone().into());
        }
        for (id, kept) in self.groups.iter().filter(|(_, kept)| is_new(kept.rev)) {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for (id, kept) in self.topics.iter().filter(|(_, kept)| is_new(kept.rev)) {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        let member_groups = self.member_groups.iter();
        for (id, kept) in member_groups.filter(|(_, kept)| is_new(kept.rev)) {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        let access = self.access.iter();
        for ((place, member_group), kept) in access.filter(|(_, kept)| is_new(kept.rev)) {
            let id = tulou_protocol::row::AccessRow::id(*place, *member_group);
            add(id, kept.rev, kept.body.clone().into());
        }
        if with_tombstones {
            rows.extend(self.tombstones_since(since));
        }
        rows.sort_by_key(|row| row.rev);
        rows
    }

    /// Tombstones of what was deleted after a rev.
    #[must_use]
    pub fn tombstones_since(&self, since: Rev) -> Vec<Row> {
        let gone = self.gone.iter().filter(|(_, rev)| **rev > since);
        let rows = gone.flat_map(|((kind, id), rev)| {
            tombstones(kind).iter().map(|kind| Row {
                id: id.clone(),
                rev: *rev,
                body: Body::Deleted((*kind).to_owned()),
            })
        });
        rows.collect()
    }
}

/// The kinds under which a reader may hold what was deleted.
fn tombstones(kind: &str) -> &'static [&'static str] {
    match kind {
        "topic" => &["topic", "locked_topic"],
        "group" => &["group"],
        "member_group" => &["member_group"],
        "access" => &["access"],
        _ => &["community"],
    }
}
