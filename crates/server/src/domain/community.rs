//! Decisions about a community as a whole.

use tulou_protocol::{
    AccountId, Code, CommunityId, GroupId, Log, Permissions, Rejection, Rev, Row, TopicId,
    command::Edit,
    limits,
    permission::Place,
    rejection::Counted,
    row::{AccessRow, Body, Community, Group, Join, Membership, Topic},
    text,
};

use super::{
    case::{Case, Decision},
    change::{Change, Expect},
    edit::Editing,
    membership::Member,
};

/// The first among siblings: leaves room on both sides.
const FIRST_POSITION: &str = "80";

pub(super) fn create(
    case: &Case<'_>,
    id: CommunityId,
    name: &str,
    (group, group_name): (GroupId, &str),
    (topic, topic_name): (TopicId, &str),
) -> Result<Decision, Rejection> {
    for (field, name) in [
        ("name", name),
        ("group_name", group_name),
        ("topic_name", topic_name),
    ] {
        text::check_name(name).map_err(|no| no.at(field))?;
    }
    if case.facts.structure.is_some() {
        return Err(Code::IdTaken.into());
    }
    case.facts
        .has_room(limits::COMMUNITIES, Counted::Communities)?;
    // Ids of logs are unique, whatever their kind.
    if topic.0 == id.0 {
        return Err(Code::Malformed.at("topic"));
    }
    let log = Log::Community(id);
    let put = |id: String, body: Body| Change::Row { log, id, body };
    let mut changes = vec![
        put(
            id.to_string(),
            Community {
                name: name.to_owned(),
                introduction: String::new(),
                owner: case.actor,
                join: Join::Invite,
                recall_window_ms: limits::RECALL_WINDOW_MS,
                edit_window_ms: None,
                created_at: case.now,
                more: Default::default(),
            }
            .into(),
        ),
        put(
            AccessRow::id(Place::Community, None),
            AccessRow {
                place: Place::Community,
                member_group: None,
                allow: Permissions::NEW_COMMUNITY,
                deny: Permissions::empty(),
                more: Default::default(),
            }
            .into(),
        ),
        put(
            group.to_string(),
            Group {
                name: group_name.to_owned(),
                position: FIRST_POSITION.to_owned(),
                more: Default::default(),
            }
            .into(),
        ),
        put(
            topic.to_string(),
            Topic {
                group,
                name: topic_name.to_owned(),
                introduction: String::new(),
                closed: false,
                position: FIRST_POSITION.to_owned(),
                no: 1,
                more: Default::default(),
            }
            .into(),
        ),
        Change::Numbered {
            community: id,
            last: 1,
        },
        Change::TopicBegins {
            community: id,
            topic,
        },
    ];
    changes.extend(joins(case, id));
    Ok(Decision {
        expects: vec![Expect::New(log), Expect::New(Log::Topic(topic))],
        changes,
    })
}

/// The actor becomes a member.
pub(super) fn joins(case: &Case<'_>, community: CommunityId) -> [Change; 2] {
    [
        Change::Member {
            community,
            member: Member {
                account: case.actor,
                joined_at: case.now,
                member_groups: Vec::new(),
                rev: Rev::ZERO,
            },
        },
        Change::Row {
            log: Log::Account(case.actor),
            id: community.to_string(),
            body: Membership {
                community,
                joined_at: case.now,
                more: Default::default(),
            }
            .into(),
        },
    ]
}

pub(super) fn edit(
    case: &Case<'_>,
    name: Option<&Edit<String>>,
    introduction: Option<&Edit<String>>,
) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Community, Permissions::MANAGE_COMMUNITY)?;
    let mut community = Editing::of(structure, structure.id, &structure.community);
    community.field(
        "name",
        name,
        |to| text::check_name(to),
        |body| &mut body.name,
    )?;
    let check_introduction = |to: &String| text::check_introduction(to);
    community.field("introduction", introduction, check_introduction, |body| {
        &mut body.introduction
    })?;
    Ok(community.done())
}

/// Refuses everybody but the owner.
pub(super) fn require_owner(case: &Case<'_>) -> Result<(), Rejection> {
    let (structure, _) = case.member()?;
    if structure.is_owner(case.actor) {
        return Ok(());
    }
    Err(Code::NotOwner.into())
}

/// Another member is the owner from then on. The one before stays a member with what he has beside it. The owner has all
/// seats: of the closed topics in which the new one had none he has read what is there, as with a seat that is given.
pub(super) fn transfer(case: &Case<'_>, owner: &Edit<AccountId>) -> Result<Decision, Rejection> {
    let (structure, _) = case.member()?;
    let kept = &structure.community;
    if owner.from != kept.body.owner {
        return Err(Rejection::changed(Row {
            id: structure.id.to_string(),
            rev: kept.rev,
            body: kept.body.clone().into(),
        }));
    }
    require_owner(case)?;
    if owner.to == owner.from {
        return Ok(Decision::default());
    }
    let heir = case.target(owner.to).map_err(|no| no.at("owner.to"))?;
    let mut changes = vec![Change::Row {
        log: structure.log(),
        id: structure.id.to_string(),
        body: Community {
            owner: owner.to,
            ..kept.body.clone()
        }
        .into(),
    }];
    let has_no_seat = |topic: &&TopicId| structure.seat(**topic, owner.to) == Some(None);
    changes.extend(
        case.facts
            .known
            .written_topics
            .iter()
            .filter(has_no_seat)
            .map(|topic| Change::ReadSoFar {
                account: owner.to,
                topic: *topic,
            }),
    );
    Ok(Decision {
        expects: vec![
            Expect::Member(structure.id, owner.to, heir.rev),
            Expect::Lives(owner.to),
        ],
        changes,
    })
}

pub(super) fn dissolve(case: &Case<'_>) -> Result<Decision, Rejection> {
    let (structure, _) = case.member()?;
    require_owner(case)?;
    let community = structure.id;
    let mut changes = vec![Change::Row {
        log: structure.log(),
        id: community.to_string(),
        body: Body::Deleted("community".to_owned()),
    }];
    changes.extend(structure.topics.keys().map(|topic| Change::TopicEnds {
        community,
        topic: *topic,
    }));
    changes.push(Change::CommunityEnds { community });
    Ok(Decision::of(changes))
}

/// The account's `Membership` row goes.
pub(super) fn membership_ends(community: CommunityId, account: AccountId) -> Change {
    Change::Row {
        log: Log::Account(account),
        id: community.to_string(),
        body: Body::Deleted("membership".to_owned()),
    }
}
