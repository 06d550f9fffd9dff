//! View rules: topics of one group with the same access rows are seen by the same people, so rights are computed once for
//! all of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use tulou_protocol::{
    GroupId, MemberGroupId, Permissions, Standing, TopicId,
    permission::{Place, PlaceAccess, held},
};

use super::Structure;

/// A topic's own access rows: for whom, what is allowed, what is denied.
type Own = Vec<(Option<MemberGroupId>, Permissions, Permissions)>;

/// What an access row says of `View`: for whom, and whether it is allowed.
pub type Said = (Option<MemberGroupId>, bool);

/// The rules of a version of a community.
#[derive(Debug)]
pub struct Rules {
    /// The access rows from the community down to a topic, one for each rule.
    ways: Vec<Vec<PlaceAccess>>,
    /// The topics, in the order of their ids.
    pub topics: Vec<Ruled>,
    /// The access rows down to each group, in the order of their ids.
    groups: Vec<(GroupId, Vec<PlaceAccess>)>,
    community: Vec<PlaceAccess>,
    /// Member groups that rows speak of: the others give and take nothing.
    speaks_of: HashSet<MemberGroupId>,
}

/// A topic, and who may see it.
#[derive(Debug)]
pub struct Ruled {
    pub id: TopicId,
    pub group: GroupId,
    pub is_closed: bool,
    /// The rule, by its place.
    pub rule: usize,
}

/// What a kind of member may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rights {
    /// At the community.
    pub community: Permissions,
    /// In the topics of each rule, whoever needs a seat having one.
    pub by_rule: Vec<Permissions>,
    /// Groups in which he may manage topics.
    pub manages: BTreeSet<GroupId>,
}

impl Rules {
    /// Those of a structure.
    pub fn of(structure: &Structure) -> Self {
        let community = structure.access_at(Place::Community);
        let groups: HashMap<GroupId, PlaceAccess> = structure
            .groups
            .keys()
            .map(|id| (*id, structure.access_at(Place::Group(*id))))
            .collect();
        let mut own: HashMap<TopicId, Own> = HashMap::new();
        let mut speaks_of = HashSet::new();
        for ((place, member_group), kept) in &structure.access {
            speaks_of.extend(*member_group);
            if let Place::Topic(topic) = place {
                let row = (*member_group, kept.body.allow, kept.body.deny);
                own.entry(*topic).or_default().push(row);
            }
        }
        let mut ways = Vec::new();
        let mut known: HashMap<(GroupId, Own), usize> = HashMap::new();
        let topics = structure.topics.iter().map(|(id, kept)| {
            let group = kept.body.group;
            let key = (group, own.remove(id).unwrap_or_default());
            let rule = *known.entry(key).or_insert_with(|| {
                let of_group = match groups.get(&group) {
                    Some(access) => access.clone(),
                    None => structure.access_at(Place::Group(group)),
                };
                let of_topic = structure.access_at(Place::Topic(*id));
                ways.push(vec![community.clone(), of_group, of_topic]);
                ways.len() - 1
            });
            Ruled {
                id: *id,
                group,
                is_closed: kept.body.closed,
                rule,
            }
        });
        let topics = topics.collect();
        let mut groups: Vec<_> = groups
            .into_iter()
            .map(|(id, access)| (id, vec![community.clone(), access]))
            .collect();
        groups.sort_unstable_by_key(|(id, _)| *id);
        Self {
            ways,
            topics,
            groups,
            community: vec![community],
            speaks_of,
        }
    }

    /// A topic, if it is there.
    pub fn topic(&self, id: TopicId) -> Option<&Ruled> {
        let at = self.topics.binary_search_by_key(&id, |topic| topic.id);
        Some(&self.topics[at.ok()?])
    }

    /// Whether a group is there.
    pub fn has_group(&self, id: GroupId) -> bool {
        let at = self.groups.binary_search_by_key(&id, |(group, _)| *group);
        at.is_ok()
    }

    /// What the access rows of a rule say of `View`, for each place from the community down. Rules that say the same are
    /// seen by the same people: each right is decided by itself.
    pub fn of_view(&self, rule: usize) -> Vec<Vec<Said>> {
        let said = |places: &PlaceAccess| {
            let everyone = (None, places.everyone);
            let groups = places
                .groups
                .iter()
                .map(|(id, access)| (Some(*id), *access));
            let all = std::iter::once(everyone).chain(groups);
            let of_view = all.filter(|(_, access)| {
                let spoken_of = access.allow | access.deny;
                spoken_of.contains(Permissions::VIEW)
            });
            // What is allowed and denied at one place is allowed.
            of_view
                .map(|(whom, access)| (whom, access.allow.contains(Permissions::VIEW)))
                .collect()
        };
        self.ways[rule].iter().map(said).collect()
    }

    /// Whether a row speaks of a member group.
    pub fn speak_of(&self, member_group: &MemberGroupId) -> bool {
        self.speaks_of.contains(member_group)
    }

    /// The rights of a kind of member.
    pub fn rights(&self, is_owner: bool, member_groups: &[MemberGroupId]) -> Rights {
        let at = |places: &[PlaceAccess]| {
            let standing = Standing {
                is_owner,
                member_groups,
                has_seat: None,
            };
            held(standing, places).permissions
        };
        let community = at(&self.community);
        let manages_all = community.contains(Permissions::MANAGE_TOPICS);
        Rights {
            community,
            by_rule: self.ways.iter().map(|places| at(places)).collect(),
            manages: self
                .groups
                .iter()
                .filter(|(_, places)| {
                    manages_all || at(places).contains(Permissions::MANAGE_TOPICS)
                })
                .map(|(id, _)| *id)
                .collect(),
        }
    }
}
