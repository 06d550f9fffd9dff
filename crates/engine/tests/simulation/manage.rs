//! What a person does to a community: its groups and topics, seats, member groups, access.

use crate::acts::*;
use crate::client::{Client, Wish};
use tulou_protocol::{
    Body, Command, CommunityId, GroupId, Log, MemberGroupId, Permissions, TopicId, id::Millis,
    permission::Place,
};

impl Client {
    /// The community, its groups and topics.
    pub fn manage(
        &mut self,
        community: CommunityId,
        topic: TopicId,
        known: &Known,
        now: Millis,
    ) -> Vec<Wish> {
        let log = Log::Community(community);
        let groups: Vec<GroupId> = self.ids(community, "group");
        let group = self.chance.pick(&groups).copied();
        let group_row = group.and_then(|group| self.row(log, "group", group));
        let topic_row = self.row(log, "topic", topic).map(|row| row.body);
        match (self.chance.below(24), group, topic_row) {
            (0..=5, Some(group), _) => {
                let new = TopicId(self.chance.uuid());
                let create = Command::TopicCreate {
                    community,
                    group,
                    topic: new,
                    name: self.name(),
                    introduction: String::new(),
                    closed: self.chance.one_in(3),
                    position: self.position(),
                };
                let mut wishes = self.submit(create, now);
                for _ in 0..self.chance.below(3) {
                    wishes.extend(self.send(new, known, now));
                }
                wishes
            }
            (6..=8, Some(group), Some(Body::Topic(body))) => {
                let edit = Command::TopicEdit {
                    community,
                    topic,
                    name: self.chance.one_in(2).then(|| edit(body.name, self.name())),
                    introduction: None,
                    group: self.chance.one_in(3).then(|| edit(body.group, group)),
                    position: self
                        .chance
                        .one_in(3)
                        .then(|| edit(body.position, self.position())),
                };
                self.submit(edit, now)
            }
            (9, ..) => self.live(Command::TopicDelete { community, topic }, now),
            (10..=12, ..) => {
                let group = GroupId(self.chance.uuid());
                let create = Command::GroupCreate {
                    community,
                    group,
                    name: self.name(),
                    position: self.position(),
                };
                let mut wishes = self.submit(create, now);
                if self.chance.one_in(2) {
                    let create = Command::TopicCreate {
                        community,
                        group,
                        topic: TopicId(self.chance.uuid()),
                        name: self.name(),
                        introduction: "这里".into(),
                        closed: false,
                        position: self.position(),
                    };
                    wishes.extend(self.submit(create, now));
                }
                wishes
            }
            (13 | 14, Some(group), _) => {
                let Some(Body::Group(body)) = group_row.map(|row| row.body) else {
                    return vec![];
                };
                let edit = Command::GroupEdit {
                    community,
                    group,
                    name: Some(edit(body.name, self.name())),
                    position: None,
                };
                self.submit(edit, now)
            }
            (15 | 16, Some(group), _) => self.live(Command::GroupDelete { community, group }, now),
            (17 | 18, ..) => {
                let row = self.row(log, "community", community).map(|row| row.body);
                let Some(Body::Community(body)) = row else {
                    return vec![];
                };
                let edit = Command::CommunityEdit {
                    community,
                    name: Some(edit(body.name, self.name())),
                    introduction: None,
                };
                self.submit(edit, now)
            }
            (19, ..) => self.live(Command::CommunityLeave { community }, now),
            (21, ..) => {
                let row = self.row(log, "community", community).map(|row| row.body);
                let Some(Body::Community(body)) = row else {
                    return vec![];
                };
                let from = if self.chance.one_in(8) {
                    self.account
                } else {
                    body.owner
                };
                let owner = edit(from, *self.chance.pick(&known.accounts).unwrap());
                self.live(Command::CommunityTransfer { community, owner }, now)
            }
            (20, ..) if self.chance.one_in(4) => {
                self.live(Command::CommunityDissolve { community }, now)
            }
            _ => vec![],
        }
    }

    /// Seats, member groups, access, members.
    pub fn grant(
        &mut self,
        community: CommunityId,
        topic: TopicId,
        known: &Known,
        now: Millis,
    ) -> Vec<Wish> {
        let account = *self.chance.pick(&known.accounts).unwrap();
        let log = Log::Community(community);
        let groups: Vec<MemberGroupId> = self.ids(community, "member_group");
        let group = self.chance.pick(&groups).copied();
        match (self.chance.below(24), group) {
            (0..=5, _) => {
                let on = !self.chance.one_in(3);
                let seat = Command::SeatSet {
                    community,
                    topic,
                    account,
                    on,
                };
                self.live(seat, now)
            }
            (6 | 7, _) => {
                let create = Command::MemberGroupCreate {
                    community,
                    member_group: MemberGroupId(self.chance.uuid()),
                    name: self.name(),
                    rank: self.position(),
                    shown: self.chance.one_in(2),
                    tagged: self.chance.one_in(2),
                };
                self.submit(create, now)
            }
            (8, Some(member_group)) => {
                let row = self
                    .row(log, "member_group", member_group)
                    .map(|row| row.body);
                let Some(Body::MemberGroup(body)) = row else {
                    return vec![];
                };
                let edit = Command::MemberGroupEdit {
                    community,
                    member_group,
                    name: Some(edit(body.name, self.name())),
                    rank: Some(edit(body.rank, self.position())),
                    shown: Some(edit(body.shown, self.chance.one_in(2))),
                    tagged: Some(edit(body.tagged, self.chance.one_in(2))),
                };
                self.submit(edit, now)
            }
            (9, Some(member_group)) => {
                let delete = Command::MemberGroupDelete {
                    community,
                    member_group,
                };
                self.live(delete, now)
            }
            (10..=13, Some(member_group)) => {
                let on = !self.chance.one_in(4);
                let assign = Command::MemberGroupAssign {
                    community,
                    member_group,
                    account,
                    on,
                };
                self.live(assign, now)
            }
            (14..=22, _) => self.set_access(community, topic, group, now),
            (23, _) => {
                let end_invites = self.chance.one_in(4);
                let kick = Command::MemberKick {
                    community,
                    account,
                    end_invites,
                };
                self.live(kick, now)
            }
            _ => vec![],
        }
    }

    pub fn set_access(
        &mut self,
        community: CommunityId,
        topic: TopicId,
        group: Option<MemberGroupId>,
        now: Millis,
    ) -> Vec<Wish> {
        let groups: Vec<GroupId> = self.ids(community, "group");
        let place = match (self.chance.below(4), self.chance.pick(&groups)) {
            (0, _) => Place::Community,
            (1, Some(group)) => Place::Group(*group),
            _ => Place::Topic(topic),
        };
        let member_group = group.filter(|_| self.chance.one_in(2));
        let id = tulou_protocol::row::AccessRow::id(place, member_group);
        let row = self
            .row(Log::Community(community), "access", id)
            .map(|row| row.body);
        let (allow, deny) = match row {
            Some(Body::AccessRow(access)) => (access.allow, access.deny),
            _ => (Permissions::empty(), Permissions::empty()),
        };
        let rights = [
            Permissions::VIEW,
            Permissions::VIEW,
            Permissions::READ_HISTORY,
            Permissions::READ_HISTORY,
            Permissions::SPEAK,
            Permissions::REACT,
            Permissions::PIN,
            Permissions::MENTION_ALL,
            Permissions::RECALL_OTHERS,
            Permissions::MANAGE_TOPICS,
            Permissions::MANAGE_MEMBER_GROUPS,
            Permissions::ASSIGN_MEMBER_GROUPS,
            Permissions::KICK,
            Permissions::MANAGE_COMMUNITY,
        ];
        let right = *self.chance.pick(&rights).unwrap();
        let (to_allow, to_deny) = match self.chance.below(5) {
            0 | 1 => (allow | right, deny - right),
            2 | 3 => (allow - right, deny | right),
            _ => (allow - right, deny - right),
        };
        let set = Command::AccessSet {
            community,
            place,
            member_group,
            allow: edit(allow, to_allow),
            deny: edit(deny, to_deny),
        };
        self.submit(set, now)
    }
}
