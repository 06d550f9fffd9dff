//! Who may do what in a community, and who stands above whom.

use tulou_protocol::{
    Access, AccountId, MemberGroupId, Permissions, Standing,
    permission::{Held, Place, PlaceAccess, granted, held},
};

use super::Shape;

impl Shape {
    /// What is set for a member group (none: everyone) at a place.
    pub fn access_at(&self, place: Place, member_group: Option<MemberGroupId>) -> Access {
        self.set_at(place, member_group).0
    }

    /// What the viewer may do at a place.
    pub fn mine(&self, place: Place) -> Held {
        self.of(self.is_owner(), &self.me.member_groups, place, true)
    }

    /// What everyone who is in no member group may do at a place.
    pub fn of_everyone(&self, place: Place) -> Permissions {
        self.of(false, &[], place, true).permissions
    }

    /// What is set for a member group (none: everyone) at a place, and whether that is not yet acknowledged.
    pub fn set_at(&self, place: Place, member_group: Option<MemberGroupId>) -> (Access, bool) {
        self.access
            .get(&place)
            .and_then(|rows| rows.rows.get(&member_group))
            .copied()
            .unwrap_or_default()
    }

    /// What somebody who is in one member group only (none: in no member group) has at a place from elsewhere: were
    /// nothing set there for that member group. Each right by itself, also where the place cannot be seen.
    pub fn inherited(&self, place: Place, member_group: Option<MemberGroupId>) -> Held {
        let mut places: Vec<PlaceAccess> =
            self.path(place).into_iter().map(|at| self.at(at)).collect();
        if let Some(here) = places.last_mut() {
            match member_group {
                None => here.everyone = Access::default(),
                Some(group) => here.groups.retain(|(other, _)| *other != group),
            }
        }
        granted(
            Standing {
                is_owner: false,
                member_groups: member_group.as_slice(),
                has_seat: None,
            },
            &places,
        )
    }

    /// The places whose access rows count at a place, the community first.
    pub fn path(&self, place: Place) -> Vec<Place> {
        let mut path = vec![Place::Community];
        if let Place::Topic(id) = place
            && let Some(topic) = self.topic(id)
        {
            path.push(Place::Group(topic.group));
        }
        if place != Place::Community {
            path.push(place);
        }
        path
    }

    /// What somebody may do at a place.
    pub fn of(
        &self,
        is_owner: bool,
        member_groups: &[MemberGroupId],
        place: Place,
        has_seat: bool,
    ) -> Held {
        let seat = match place {
            // A topic is shown in full to nobody without a seat.
            Place::Topic(id) => self
                .topic(id)
                .and_then(|topic| topic.is_closed.then_some(has_seat && !topic.is_locked)),
            Place::Community | Place::Group(_) => None,
        };
        let places: Vec<PlaceAccess> = self.path(place).into_iter().map(|at| self.at(at)).collect();
        held(
            Standing {
                is_owner,
                member_groups,
                has_seat: seat,
            },
            &places,
        )
    }

    fn at(&self, place: Place) -> PlaceAccess {
        let mut at = PlaceAccess {
            place,
            everyone: Access::default(),
            groups: Vec::new(),
        };
        for (member_group, (access, _)) in self.access.get(&place).into_iter().flat_map(|p| &p.rows)
        {
            match member_group {
                None => at.everyone = *access,
                Some(group) => at.groups.push((*group, *access)),
            }
        }
        at
    }

    /// How high somebody stands: the order of his highest member group; `usize::MAX` for no member group.
    pub fn order_of(&self, member_groups: &[MemberGroupId]) -> usize {
        self.member_groups
            .iter()
            .position(|group| member_groups.contains(&group.id))
            .unwrap_or(usize::MAX)
    }

    /// Whether the viewer stands above somebody.
    pub fn stands_above(&self, account: AccountId, member_groups: &[MemberGroupId]) -> bool {
        account != self.owner
            && (self.is_owner()
                || self.order_of(&self.me.member_groups) < self.order_of(member_groups))
    }

    /// Whether the viewer stands above a member group.
    pub fn is_above_group(&self, id: MemberGroupId) -> bool {
        self.is_owner() || self.order_of(&self.me.member_groups) < self.order_of(&[id])
    }
}
