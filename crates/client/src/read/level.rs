//! The notification level of a place, and who decides it.

use tulou_protocol::{
    CommunityId, GroupId, TopicId,
    row::{Level, NotifyScope},
};

use crate::{
    account::Snapshot,
    error::Error,
    shape::Shape,
    store::outbox,
    unread::Ledger,
    view::{LevelDecider, LevelPlace, LevelView},
};

/// The scope that a place names.
///
/// # Errors
/// `not_found` if an id is none.
pub fn scope_of(place: &LevelPlace) -> Result<NotifyScope, Error> {
    Ok(match place {
        LevelPlace::Global => NotifyScope::Global,
        LevelPlace::Community { community } => NotifyScope::Community(id(community)?),
        LevelPlace::Group { group, .. } => NotifyScope::Group(id(group)?),
        LevelPlace::Topic { topic, .. } => NotifyScope::Topic(id(topic)?),
    })
}

/// The community that a place is in; none is everywhere.
fn community_of(place: &LevelPlace) -> Result<Option<CommunityId>, Error> {
    match place {
        LevelPlace::Global => Ok(None),
        LevelPlace::Community { community }
        | LevelPlace::Group { community, .. }
        | LevelPlace::Topic { community, .. } => Ok(Some(id(community)?)),
    }
}

/// The level of a place.
///
/// # Errors
/// `not_found` if the community is not held, or the place is not in it.
pub fn level(snapshot: &Snapshot<'_>, place: &LevelPlace) -> Result<LevelView, Error> {
    let shape = match community_of(place)? {
        Some(community) => Some(snapshot.community(community)?),
        None => None,
    };
    let db = snapshot.db;
    let ledger = Ledger::load(db, snapshot.as_of, &outbox::all(db)?)?;
    by_ledger(&ledger, shape.as_deref(), place)
}

/// The level of a place in a community, by what is set.
///
/// # Errors
/// `not_found` if the place is not in the community.
pub fn by_ledger(
    ledger: &Ledger,
    shape: Option<&Shape>,
    place: &LevelPlace,
) -> Result<LevelView, Error> {
    let scope = scope_of(place)?;
    let missing = Error::NotFound("the place of the level");
    let decision = match (scope, shape) {
        (NotifyScope::Global, _) => ledger.decide(None, &[scope]),
        (NotifyScope::Community(_), Some(shape)) => {
            ledger.decide(Some(shape), &Ledger::scopes(shape, None, None))
        }
        (NotifyScope::Group(group), Some(shape)) => {
            shape.group(group).ok_or(missing)?;
            ledger.decide(Some(shape), &Ledger::scopes(shape, Some(group), None))
        }
        (NotifyScope::Topic(topic), Some(shape)) => {
            let group: GroupId = shape.topic(topic).ok_or(missing)?.group;
            let topic: TopicId = topic;
            ledger.decide(
                Some(shape),
                &Ledger::scopes(shape, Some(group), Some(topic)),
            )
        }
        (NotifyScope::Community(_) | NotifyScope::Group(_) | NotifyScope::Topic(_), None) => {
            return Err(missing);
        }
    };
    let (set, until) = ledger.set_at(scope).unwrap_or((Level::Inherit, None));
    let name_of = |group: GroupId| {
        let group = shape.and_then(|shape| shape.group(group));
        group.map(|group| group.name.clone()).unwrap_or_default()
    };
    Ok(LevelView {
        set: set.into(),
        until,
        holds: decision.level.into(),
        decided_by: match decision.by {
            Some(NotifyScope::Topic(_)) => LevelDecider::Topic,
            Some(NotifyScope::Group(group)) => LevelDecider::Group {
                name: name_of(group),
            },
            Some(NotifyScope::Community(_)) => LevelDecider::Community {
                name: shape.map(|shape| shape.name.clone()).unwrap_or_default(),
            },
            Some(NotifyScope::Global) => LevelDecider::Global,
            None => LevelDecider::Size,
        },
    })
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse()
        .map_err(|_| Error::NotFound("the place of the level"))
}
