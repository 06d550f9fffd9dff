//! What whoever had one sight and gets another sees otherwise. All but seats is found out once for all of the two kinds;
//! then only the topics are looked at in which somebody has a seat.

use tulou_protocol::{Permissions, TopicId};

use super::{Ruled, Sight};

/// What is another thing to all who had a sight of one kind and get one of another, if they have no seats.
#[derive(Debug)]
pub struct Difference {
    /// Who owns the community, or a group: seats do not matter to it.
    is_theirs_all: bool,
    /// Topics, in order.
    topics: Vec<TopicId>,
    /// How many topics were looked at to find it out.
    pub looks: usize,
}

/// What a topic is to somebody who sees it, or for whom it is listed.
#[derive(PartialEq, Eq)]
enum Shown {
    Locked,
    Seen { has_history: bool },
}

impl Difference {
    /// Between two kinds of members, each of which this is a sight of. What was made or deleted between them is none.
    pub fn between(before: &Sight, after: &Sight) -> Self {
        let (was, is) = (&before.outlook.rules, &after.outlook.rules);
        let groups = before.groups().symmetric_difference(after.groups());
        let group_was = |id| was.has_group(id) && is.has_group(id);
        let both = was.topics.iter().filter_map(|at| {
            let then = is.topic(at.id)?;
            Some((at, then))
        });
        let otherwise = both.filter(|(at, then)| {
            let (one, other) = (before.look(at, false), after.look(then, false));
            one.map(shown) != other.map(shown)
        });
        Self {
            is_theirs_all: before.is_owner() != after.is_owner() || groups.copied().any(group_was),
            topics: otherwise.map(|(at, _)| at.id).collect(),
            looks: was.topics.len(),
        }
    }

    /// Whether it is one to somebody who had this sight of the one kind and gets that one of the other. `looks` counts the
    /// topics that are looked at.
    pub fn is_seen_by(&self, before: &Sight, after: &Sight, looks: &mut usize) -> bool {
        if self.is_theirs_all {
            return true;
        }
        let new = after.seats.iter().filter(|topic| !before.has_seat(**topic));
        // Of the topics that are another thing to whoever has no seat.
        let mut seated = 0;
        for topic in before.seats.iter().chain(new) {
            *looks += 1;
            let was = before.outlook.rules.topic(*topic);
            let is = after.outlook.rules.topic(*topic);
            let (Some(was), Some(is)) = (was, is) else {
                continue;
            };
            if before.show(was) != after.show(is) {
                return true;
            }
            seated += usize::from(self.topics.binary_search(topic).is_ok());
        }
        self.topics.len() > seated
    }
}

impl Sight {
    fn show(&self, at: &Ruled) -> Option<Shown> {
        self.look(at, self.has_seat(at.id)).map(shown)
    }
}

fn shown((rights, is_open): (Permissions, bool)) -> Shown {
    if is_open {
        let has_history = rights.contains(Permissions::READ_HISTORY);
        Shown::Seen { has_history }
    } else {
        Shown::Locked
    }
}
