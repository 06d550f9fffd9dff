//! A moment of an account: what its store holds, and what is kept of that.

use std::sync::Arc;

use rusqlite::Connection as Db;
use tulou_protocol::{CommunityId, TopicId};

use super::{Account, views::Began};
use crate::{
    as_of::AsOf,
    error::Error,
    shape::Shape,
    store::{
        StoreError,
        places::{community_of, memberships},
    },
};

/// A moment of an account. Whatever reads it sees rows, outbox and structures as of the same moment.
pub struct Snapshot<'a> {
    /// The store.
    pub db: &'a Db,
    /// Whose.
    pub account: &'a Account,
    /// Who looks, and when.
    pub as_of: AsOf,
    /// What had happened to what is kept before it began. None of a transaction that writes: what is read of it may never
    /// come to be, so nothing of it is kept.
    pub(super) began: Option<Began>,
}

impl<'a> Snapshot<'a> {
    /// The moment of a transaction that writes.
    pub fn within(db: &'a Db, account: &'a Account) -> Self {
        Self {
            db,
            account,
            as_of: account.as_of(),
            began: None,
        }
    }

    /// A community's structure, kept until something in it changes.
    pub fn shape(&self, community: CommunityId) -> Result<Option<Arc<Shape>>, StoreError> {
        if let Some((since, shape)) = self.account.views().shapes.get(&community)
            // One that was read after this snapshot began may know what its rows do not.
            && self.began.is_none_or(|began| *since <= began.dropped)
        {
            return Ok(Some(Arc::clone(shape)));
        }
        let Some(shape) = Shape::load(self.db, self.as_of.me, community)?.map(Arc::new) else {
            return Ok(None);
        };
        let mut views = self.account.views();
        // A snapshot from before the last change would bring back what was dropped for it.
        if self
            .began
            .is_some_and(|began| began.dropped == views.dropped)
        {
            let since = views.dropped;
            views.shapes.insert(community, (since, Arc::clone(&shape)));
        }
        Ok(Some(shape))
    }

    /// The structure of a community that has to be there.
    ///
    /// # Errors
    /// `not_found` if it is not held.
    pub fn community(&self, community: CommunityId) -> Result<Arc<Shape>, Error> {
        self.shape(community)?
            .ok_or(Error::NotFound("the community"))
    }

    /// The structure of the community that a topic stands in.
    pub fn shape_of_topic(&self, topic: TopicId) -> Result<Option<Arc<Shape>>, StoreError> {
        match community_of(self.db, topic)? {
            Some(community) => self.shape(community),
            None => Ok(None),
        }
    }

    /// The communities that I am a member of, in the order of joining, then those made here.
    pub fn memberships(&self) -> Result<Vec<CommunityId>, StoreError> {
        memberships(self.db, self.as_of.me)
    }
}
