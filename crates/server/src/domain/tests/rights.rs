//! Rights in whole communities, against an oracle that reads the rule of the design (§4) from the rows themselves, and
//! what may be done with them: nobody comes to more than he had.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

pub(super) const GROUPS: [GroupId; 2] =
    [GroupId(Uuid::from_u128(101)), GroupId(Uuid::from_u128(102))];
pub(super) const TOPICS: [TopicId; 4] = [
    TopicId(Uuid::from_u128(201)),
    TopicId(Uuid::from_u128(202)),
    TopicId(Uuid::from_u128(203)),
    TopicId(Uuid::from_u128(204)),
];
/// Lowest rank first.
pub(super) const MEMBER_GROUPS: [MemberGroupId; 4] = [
    MemberGroupId(Uuid::from_u128(301)),
    MemberGroupId(Uuid::from_u128(302)),
    MemberGroupId(Uuid::from_u128(303)),
    MemberGroupId(Uuid::from_u128(304)),
];
const RANKS: [&str; 4] = ["20", "40", "60", "80"];
/// Not in the community any more.
const DELETED: MemberGroupId = MemberGroupId(Uuid::from_u128(309));
const BITS: [Permissions; 8] = [
    Permissions::VIEW,
    Permissions::READ_HISTORY,
    Permissions::SPEAK,
    Permissions::PIN,
    Permissions::MANAGE_TOPICS,
    Permissions::MANAGE_MEMBER_GROUPS,
    Permissions::ASSIGN_MEMBER_GROUPS,
    Permissions::KICK,
];

/// A community as plain lists.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// By place and member group (none: everyone).
    rows: BTreeMap<(Place, Option<MemberGroupId>), (Permissions, Permissions)>,
    /// The group of each topic, and whether it is closed.
    topics: [(usize, bool); 4],
    /// Topics in which bob has a seat.
    seats: BTreeSet<TopicId>,
    /// Bob's member groups.
    mine: Vec<MemberGroupId>,
    /// Carol's.
    hers: Vec<MemberGroupId>,
    bob_owns: bool,
}

fn places() -> Vec<Place> {
    let groups = GROUPS.into_iter().map(Place::Group);
    let topics = TOPICS.into_iter().map(Place::Topic);
    [Place::Community]
        .into_iter()
        .chain(groups)
        .chain(topics)
        .collect()
}

fn subjects() -> Vec<Option<MemberGroupId>> {
    [None]
        .into_iter()
        .chain(MEMBER_GROUPS.into_iter().map(Some))
        .collect()
}

fn bits() -> impl Strategy<Value = Permissions> {
    prop::sample::subsequence(BITS.to_vec(), 0..=4).prop_map(|bits| bits.into_iter().collect())
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let row = (
        prop::sample::select(places()),
        prop::sample::select(subjects()),
        bits(),
        bits(),
    );
    let groups_of = || prop::sample::subsequence(MEMBER_GROUPS.to_vec(), 0..=3);
    (
        prop::collection::vec(row, 0..14),
        bits(),
        prop::array::uniform4((0..2_usize, prop::bool::weighted(0.4))),
        prop::sample::subsequence(TOPICS.to_vec(), 0..=4),
        groups_of(),
        groups_of(),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(rows, all, topics, seats, mut mine, hers, bob_owns)| {
            let mut rows: BTreeMap<_, _> = rows
                .into_iter()
                .map(|(place, subject, allow, deny)| {
                    let usable = match place {
                        Place::Community => Permissions::all(),
                        Place::Group(_) | Place::Topic(_) => {
                            Permissions::all() - Permissions::COMMUNITY_ONLY
                        }
                    };
                    ((place, subject), (allow & usable, (deny - allow) & usable))
                })
                .collect();
            // Most communities can be seen.
            let everyone = rows.entry((Place::Community, None)).or_default();
            everyone.0 |= all | Permissions::VIEW;
            everyone.1 -= everyone.0;
            mine.push(DELETED);
            Plan {
                rows,
                topics,
                seats: seats.into_iter().collect(),
                mine,
                hers,
                bob_owns,
            }
        })
}

impl Plan {
    pub(super) fn structure(&self) -> Structure {
        let owner = if self.bob_owns { BOB } else { OWNER };
        let mut rows = vec![row(
            1,
            COMMUNITY,
            Community {
                name: "土楼".into(),
                introduction: String::new(),
                owner,
                join: Join::Invite,
                recall_window_ms: 120_000,
                edit_window_ms: None,
                created_at: 0,
                more: Default::default(),
            },
        )];
        for id in GROUPS {
            let body = Group {
                name: "分组".into(),
                position: "80".into(),
                more: Default::default(),
            };
            rows.push(row(2, id, body));
        }
        for ((id, (group, closed)), no) in TOPICS.into_iter().zip(self.topics).zip(1..) {
            let body = Topic {
                group: GROUPS[group],
                ..topic("话题", closed, no)
            };
            rows.push(row(3, id, body));
        }
        for (id, rank) in MEMBER_GROUPS.into_iter().zip(RANKS) {
            rows.push(row(4, id, member_group("组", rank)));
        }
        for ((place, subject), (allow, deny)) in &self.rows {
            let body = AccessRow {
                deny: *deny,
                ..access(*place, *subject, *allow)
            };
            rows.push(row(5, AccessRow::id(*place, *subject), body));
        }
        let seats = self.seats.iter().map(|topic| (*topic, BOB, 500)).collect();
        Structure::from_rows(COMMUNITY, Rev(5), rows, seats, 4, 3).unwrap()
    }

    pub(super) fn bob(&self) -> Member {
        member(BOB, &self.mine)
    }

    pub(super) fn carol(&self) -> Member {
        member(CAROL, &self.hers)
    }

    /// The last word that the rows speak on a bit for bob, whatever seats there are.
    fn last_word(&self, place: Place, bit: Permissions) -> bool {
        let mut levels = vec![Place::Community];
        match place {
            Place::Community => {}
            Place::Group(_) => levels.push(place),
            Place::Topic(id) => {
                let at = TOPICS.iter().position(|topic| *topic == id).unwrap();
                levels.push(Place::Group(GROUPS[self.topics[at].0]));
                levels.push(place);
            }
        }
        let mut word = false;
        for level in levels {
            let says = |subject| {
                self.rows
                    .get(&(level, subject))
                    .copied()
                    .unwrap_or_default()
            };
            let (allow, deny) = says(None);
            word = allow.contains(bit) || (word && !deny.contains(bit));
            let mine: Vec<_> = self.mine.iter().map(|id| says(Some(*id))).collect();
            let is_allowed = mine.iter().any(|(allow, _)| allow.contains(bit));
            let is_denied = mine.iter().any(|(_, deny)| deny.contains(bit));
            word = is_allowed || (word && !is_denied);
        }
        word
    }

    /// Whether bob has a right somewhere.
    fn may(&self, place: Place, bit: Permissions) -> bool {
        if self.bob_owns {
            return true;
        }
        let is_shut_out = match place {
            Place::Topic(id) => self.is_closed(id) && !self.seats.contains(&id),
            Place::Community | Place::Group(_) => false,
        };
        !is_shut_out && self.last_word(place, Permissions::VIEW) && self.last_word(place, bit)
    }

    /// Edits start from what is.
    fn fill(&self, mut command: Command) -> Command {
        if let Command::TopicEdit {
            topic,
            group: Some(group),
            ..
        } = &mut command
        {
            let at = TOPICS.iter().position(|id| id == topic).unwrap();
            group.from = GROUPS[self.topics[at].0];
        }
        if let Command::AccessSet {
            place,
            member_group,
            allow,
            deny,
            ..
        } = &mut command
        {
            let known = self.rows.get(&(*place, *member_group)).copied();
            (allow.from, deny.from) = known.unwrap_or_default();
        }
        command
    }

    fn is_closed(&self, id: TopicId) -> bool {
        let at = TOPICS.iter().position(|topic| *topic == id).unwrap();
        self.topics[at].1
    }
}

proptest! {
    #[test]
    fn a_member_holds_and_sees_what_the_oracle_says(plan in plan()) {
        let structure = plan.structure();
        let bob = plan.bob();
        for place in places() {
            let held = structure.permissions(&bob, place);
            for bit in BITS {
                prop_assert_eq!(held.contains(bit), plan.may(place, bit), "{:?} at {}", bit, place);
            }
        }
        let sight = structure.sight(&bob);
        let mut groups = BTreeSet::new();
        for (id, (group, _)) in TOPICS.into_iter().zip(plan.topics) {
            let is_seen = plan.may(Place::Topic(id), Permissions::VIEW);
            // Listed for those who would see it if they had a seat.
            let is_locked = !is_seen && plan.is_closed(id) && plan.last_word(Place::Topic(id), Permissions::VIEW);
            prop_assert_eq!(sight.sees(id), is_seen);
            prop_assert_eq!(sight.is_locked(id), is_locked);
            if is_seen || is_locked {
                groups.insert(GROUPS[group]);
            }
        }
        // Who manages one sees it also while it is empty.
        let manages = |place| plan.may(place, Permissions::MANAGE_TOPICS);
        groups.extend(GROUPS.into_iter().filter(|id| manages(Place::Community) || manages(Place::Group(*id))));
        prop_assert_eq!(sight.groups(), &groups);
        for row in structure.rows_since(&sight, Rev::ZERO, false) {
            let topic = |id: &str| Place::Topic(id.parse().unwrap());
            if let Body::Topic(_) = &row.body {
                prop_assert!(plan.may(topic(&row.id), Permissions::VIEW));
            }
            if let Body::Group(_) = &row.body {
                prop_assert!(groups.contains(&row.id.parse().unwrap()));
            }
            if let Body::AccessRow(AccessRow { place: place @ Place::Topic(_), .. }) = &row.body {
                prop_assert!(plan.may(*place, Permissions::VIEW), "it would name the topic");
            }
            if let Body::LockedTopic(_) = &row.body {
                prop_assert!(plan.is_closed(row.id.parse().unwrap()));
            }
        }
    }

    #[test]
    fn a_message_is_taken_where_its_author_may_speak_and_nowhere_else(plan in plan()) {
        let structure = plan.structure();
        let bob = facts(&structure, plan.bob());
        for id in TOPICS {
            prop_assert_eq!(run(&bob, &send(id, "你好")).is_ok(), plan.may(Place::Topic(id), Permissions::SPEAK));
        }
    }

    #[test]
    fn nobody_comes_to_more_than_he_had_by_what_he_may_do(
        plan in plan(),
        commands in prop::collection::vec(management(), 30),
    ) {
        let structure = plan.structure();
        let bob = plan.bob();
        let mut known = facts(&structure, bob.clone());
        known.members.insert(BOB, bob.clone());
        known.members.insert(CAROL, member(CAROL, &plan.hers));
        known.members.insert(OWNER, member(OWNER, &[]));
        for command in commands {
            let command = plan.fill(command);
            let Ok(decision) = run(&known, &command) else { continue };
            let mut after = structure.clone();
            let mut bob_after = bob.clone();
            let mut rows = Vec::new();
            for change in &decision.changes {
                if let Change::Row { log, id, body } = change
                    && *log == structure.log()
                {
                    rows.push(row(6, id, body.clone()));
                }
                if let Change::Member { member, .. } = change
                    && member.account == BOB
                {
                    bob_after = member.clone();
                }
            }
            after.apply(Rev(6), rows.iter(), &decision.changes);
            for place in places() {
                let (was, is) = (structure.permissions(&bob, place), after.permissions(&bob_after, place));
                prop_assert!(was.contains(is), "{:?} gave {:?} at {}", command, is - was, place);
            }
            // Nor does anybody else get or lose by a move what the mover lacks, nor who stands as high as he.
            if let Command::TopicEdit { topic, .. } = command {
                let place = Place::Topic(topic);
                let held = structure.permissions(&bob, place);
                for groups in [plan.hers.clone(), vec![], MEMBER_GROUPS.to_vec()] {
                    let carol = member(CAROL, &groups);
                    let (was, is) = (structure.permissions(&carol, place), after.permissions(&carol, place));
                    // Without a seat, or without View before or after, one thing takes or brings all the others.
                    let is_in = was.contains(Permissions::VIEW) && is.contains(Permissions::VIEW);
                    prop_assert!(!is_in || held.contains(was ^ is), "{:?} gave or took {:?}", command, was ^ is);
                    prop_assert!(!is_in || held.contains(Permissions::MANAGE_TOPICS));
                }
            }
            if let Command::MemberKick { account, .. } = command {
                let highest = |groups: &[MemberGroupId]| groups.iter().filter(|id| **id != DELETED).max().copied();
                prop_assert!(account == CAROL || plan.bob_owns, "nobody removes the owner");
                prop_assert!(plan.bob_owns || highest(&plan.hers) < highest(&plan.mine), "nor his own rank");
            }
        }
    }
}

/// Something that changes rights. What was before is filled in by [`Plan::fill`].
fn management() -> impl Strategy<Value = Command> {
    let edit = |to| Edit {
        from: Permissions::empty(),
        to,
    };
    let group = || prop::sample::select(MEMBER_GROUPS.to_vec());
    let set = (
        prop::sample::select(places()),
        prop::sample::select(subjects()),
        bits(),
        bits(),
    )
        .prop_map(
            move |(place, member_group, allow, deny)| Command::AccessSet {
                community: COMMUNITY,
                place,
                member_group,
                allow: edit(allow),
                deny: edit(deny - allow),
            },
        );
    let assign = (
        group(),
        prop::sample::select(vec![BOB, CAROL]),
        any::<bool>(),
    )
        .prop_map(|(member_group, account, on)| Command::MemberGroupAssign {
            community: COMMUNITY,
            member_group,
            account,
            on,
        });
    let delete = group().prop_map(|member_group| Command::MemberGroupDelete {
        community: COMMUNITY,
        member_group,
    });
    let rank = (
        0..MEMBER_GROUPS.len(),
        prop::sample::select(vec!["10", "30", "50", "70", "90"]),
    )
        .prop_map(|(at, to)| Command::MemberGroupEdit {
            community: COMMUNITY,
            member_group: MEMBER_GROUPS[at],
            name: None,
            rank: Some(Edit {
                from: RANKS[at].into(),
                to: to.into(),
            }),
            shown: None,
            tagged: None,
        });
    let seat = (prop::sample::select(TOPICS.to_vec()), any::<bool>()).prop_map(|(topic, on)| {
        Command::SeatSet {
            community: COMMUNITY,
            topic,
            account: BOB,
            on,
        }
    });
    let kick = prop::sample::select(vec![OWNER, CAROL]).prop_map(|account| Command::MemberKick {
        community: COMMUNITY,
        account,
        end_invites: false,
    });
    let moving = (
        prop::sample::select(TOPICS.to_vec()),
        prop::sample::select(GROUPS.to_vec()),
    )
        .prop_map(|(topic, to)| Command::TopicEdit {
            community: COMMUNITY,
            topic,
            name: None,
            introduction: None,
            group: Some(Edit { from: to, to }),
            position: None,
        });
    prop_oneof![4 => set, 3 => assign, 2 => delete, 1 => rank, 1 => seat, 1 => kick, 3 => moving]
}
