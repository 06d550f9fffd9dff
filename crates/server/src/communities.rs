//! Communities in memory: structures and members, read when they are asked for and brought up to date by what is committed.

mod loaded;
mod reading;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tulou_protocol::{AccountId, CommunityId, Log, Seq, TopicId, id::Millis};

use crate::{
    domain::{Member, Structure, change::Change},
    store::{Committed, Head, Store, StoreError},
};

pub use loaded::Loaded;

/// How long a decision waits for what was committed to be published.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Up to so many members are counted one by one when somebody comes or goes. Beyond, comings and goings are added up:
/// those that were under way when the community was read may be counted twice, and that is not seen.
const COUNTED: u64 = 2_000;

/// Communities kept in memory that nobody needs.
pub(crate) const IDLE: usize = if cfg!(test) { 8 } else { 500 };

/// The communities in memory.
pub struct Communities {
    store: Arc<dyn Store>,
    kept: RwLock<Residents>,
    readings: reading::Readings,
    /// The communities of topics.
    homes: RwLock<HashMap<TopicId, CommunityId>>,
    /// How often the time went back, and those of members and seats with it.
    rewinds: AtomicU64,
}

/// Those that somebody holds stay; of the others those that were used last.
#[derive(Default)]
struct Residents {
    by_id: HashMap<CommunityId, Arc<Loaded>>,
    uses: AtomicU64,
}

impl Residents {
    /// Makes room for one more; which go.
    fn make_room(&mut self) -> Vec<CommunityId> {
        if self.by_id.len() < IDLE {
            return Vec::new();
        }
        let mut idle: Vec<(u64, CommunityId)> = self
            .by_id
            .iter()
            .filter(|(_, loaded)| Arc::strong_count(loaded) == 1)
            .map(|(id, loaded)| (loaded.used.load(Ordering::Relaxed), *id))
            .collect();
        // A quarter at once, so that the next ones need not look.
        let beyond = idle.len().saturating_sub(IDLE * 3 / 4);
        if idle.len() < IDLE {
            return Vec::new();
        }
        idle.sort_unstable();
        idle.truncate(beyond);
        let gone: Vec<CommunityId> = idle.into_iter().map(|(_, id)| id).collect();
        for id in &gone {
            self.by_id.remove(id);
        }
        gone
    }
}

impl Communities {
    /// Those of a store; none is in memory yet.
    #[must_use]
    pub fn of(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            store,
            kept: RwLock::default(),
            readings: reading::Readings::default(),
            homes: RwLock::default(),
            rewinds: AtomicU64::new(0),
        })
    }

    fn kept(&self) -> RwLockWriteGuard<'_, Residents> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn homes(&self) -> RwLockReadGuard<'_, HashMap<TopicId, CommunityId>> {
        self.homes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn homes_mut(&self) -> RwLockWriteGuard<'_, HashMap<TopicId, CommunityId>> {
        self.homes.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are in memory.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.kept().by_id.len()
    }

    /// Reads a community's structure again; one that is no more leaves memory. What it did not hear of may have been of
    /// members, too.
    async fn read_again(&self, loaded: &Loaded) -> Result<(), StoreError> {
        loop {
            let rewinds = self.rewinds();
            let Some(fresh) = self.store.structure(loaded.id).await? else {
                self.drop_community(loaded.id);
                return Ok(());
            };
            // What came while it was read is in the store by now.
            if loaded.renew(fresh, rewinds) {
                loaded.forget_all();
                return Ok(());
            }
        }
    }

    fn rewinds(&self) -> u64 {
        self.rewinds.load(Ordering::SeqCst)
    }

    async fn head(&self, log: Log) -> Result<Head, StoreError> {
        let heads = self.store.heads(vec![log]).await?;
        Ok(heads.first().copied().flatten().unwrap_or_default())
    }

    fn known(&self, community: CommunityId) -> Option<Arc<Loaded>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let loaded = kept.by_id.get(&community)?;
        let use_no = kept.uses.fetch_add(1, Ordering::Relaxed);
        loaded.used.store(use_no, Ordering::Relaxed);
        Some(loaded.clone())
    }

    fn keep(&self, loaded: Arc<Loaded>) {
        let gone = {
            let mut kept = self.kept();
            let gone = kept.make_room();
            kept.by_id.entry(loaded.id).or_insert(loaded);
            gone
        };
        if !gone.is_empty() {
            self.homes_mut().retain(|_, home| !gone.contains(home));
        }
    }

    /// A community's structure, if it is in memory.
    pub(crate) fn known_structure(&self, community: CommunityId) -> Option<Arc<Structure>> {
        self.known(community).map(|loaded| loaded.structure())
    }

    /// The time went back: those of members and seats are others now, in the store.
    pub(crate) fn went_back(&self) {
        self.rewinds.fetch_add(1, Ordering::SeqCst);
        // Members are read when they are asked for.
        for loaded in self.kept().by_id.values() {
            loaded.forget_all();
        }
    }

    /// Structures that were read before the time went back are read again.
    pub(crate) async fn read_what_is_late(&self) -> Result<(), StoreError> {
        let rewinds = self.rewinds();
        let mut late: Vec<Arc<Loaded>> = Vec::new();
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            let of_before = kept
                .by_id
                .values()
                .filter(|loaded| loaded.rewinds() != rewinds);
            late.extend(of_before.cloned());
        }
        for loaded in late {
            self.read_again(&loaded).await?;
        }
        Ok(())
    }

    /// The community is not kept in memory any more.
    pub(crate) fn drop_community(&self, community: CommunityId) {
        self.kept().by_id.remove(&community);
        self.homes_mut().retain(|_, home| *home != community);
    }

    /// The community of a topic.
    pub(crate) async fn home_of(&self, topic: TopicId) -> Result<Option<CommunityId>, StoreError> {
        let known = self.known_home(topic);
        if known.is_some() {
            return Ok(known);
        }
        let found = self.store.community_of(topic).await?;
        if let Some(community) = found {
            self.homes_mut().insert(topic, community);
        }
        Ok(found)
    }

    /// The community of a topic, if that is in memory.
    pub(crate) fn known_home(&self, topic: TopicId) -> Option<CommunityId> {
        self.homes().get(&topic).copied()
    }

    /// Brings what is in memory of a community to a commit. Where others are missing before it, the store is asked.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn follow(
        &self,
        community: CommunityId,
        committed: &Committed,
    ) -> Result<(), StoreError> {
        for change in &committed.changes {
            if let Change::TopicEnds { topic, .. } = change {
                self.homes_mut().remove(topic);
            }
        }
        let Some(loaded) = self.known(community) else {
            return Ok(());
        };
        let accounts: Vec<AccountId> = committed.changes.iter().filter_map(whom).collect();
        if !accounts.is_empty() {
            loaded.forget(&accounts);
        }
        if let Some(written) = committed.of(Log::Community(community)) {
            let at = loaded.structure().rev;
            if written.prev > at {
                self.read_again(&loaded).await?;
            } else if written.rev > at {
                let rows = written.rows.iter().filter_map(|row| row.row.as_ref());
                loaded.change(|structure| structure.apply(written.rev, rows, &committed.changes));
            }
        }
        if let Some((_, joined)) = committed.joined {
            self.count_members(&loaded.structure(), joined).await;
        }
        Ok(())
    }

    /// Members came or went. Nobody's rights hang on how many there are.
    async fn count_members(&self, structure: &Structure, joined: i64) {
        let about = structure.members().saturating_add_signed(joined);
        let counted = if about > COUNTED {
            Ok(about)
        } else {
            self.store.count_members(structure.id).await
        };
        if let Err(error) = &counted {
            tracing::error!(%error, community.id = %structure.id, "members were not counted");
        }
        structure.count_members(counted.unwrap_or(about));
    }

    /// A decision rested on what has moved: some members are read again, and what is committed is waited for until the
    /// publisher has brought it. Only if it does not (another process wrote), the structure is read again.
    pub(crate) async fn refresh(
        &self,
        loaded: &Loaded,
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        loaded.forget(accounts);
        let head = self.head(Log::Community(loaded.id)).await?;
        if loaded.comes_to(head.rev, CATCH_UP).await {
            return Ok(());
        }
        // However many wait, one reads it.
        let _reading = loaded.reading.lock().await;
        if loaded.structure().rev >= head.rev {
            return Ok(());
        }
        self.read_again(loaded).await
    }

    /// Members among some accounts.
    pub(crate) async fn members(
        &self,
        loaded: &Loaded,
        accounts: &[AccountId],
    ) -> Result<Vec<Member>, StoreError> {
        let mut remembered = loaded.remembered(accounts);
        if remembered.missing.is_empty() {
            return Ok(remembered.found);
        }
        let missing = remembered.missing.clone();
        let read = self.store.members(loaded.id, missing).await?;
        loaded.remember(&remembered, &read);
        remembered.found.extend(read);
        Ok(remembered.found)
    }

    /// Members among some accounts, whatever is known of them.
    pub(crate) async fn members_again(
        &self,
        loaded: &Loaded,
        accounts: &[AccountId],
    ) -> Result<Vec<Member>, StoreError> {
        loaded.forget(accounts);
        self.members(loaded, accounts).await
    }

    /// One member.
    pub(crate) async fn member(
        &self,
        loaded: &Loaded,
        account: AccountId,
    ) -> Result<Option<Member>, StoreError> {
        Ok(self.members(loaded, &[account]).await?.pop())
    }

    /// The first message of a topic for whoever may read it since a time, or all of it.
    pub(crate) async fn floor_since(
        &self,
        topic: TopicId,
        since: Option<Millis>,
    ) -> Result<Seq, StoreError> {
        match since {
            Some(since) => self.store.first_since(topic, since).await,
            None => Ok(Seq(1)),
        }
    }

    /// A community and the account as a member of it.
    pub(crate) async fn membership(
        self: &Arc<Self>,
        community: CommunityId,
        account: AccountId,
    ) -> Result<Option<(Arc<Structure>, Member)>, StoreError> {
        // For who is no member nothing more is read.
        if self.known(community).is_none() {
            let members = self.store.members(community, vec![account]).await?;
            if members.is_empty() {
                return Ok(None);
            }
        }
        let Some(loaded) = self.loaded(community).await? else {
            return Ok(None);
        };
        let member = self.member(&loaded, account).await?;
        Ok(member.map(|member| (loaded.structure(), member)))
    }

    /// A topic that the account may see, with the community and the member.
    pub(crate) async fn visible(
        self: &Arc<Self>,
        topic: TopicId,
        account: AccountId,
    ) -> Result<Option<(Arc<Structure>, Member)>, StoreError> {
        let Some(community) = self.home_of(topic).await? else {
            return Ok(None);
        };
        let found = self.membership(community, account).await?;
        Ok(found.filter(|(structure, member)| structure.sight(member).sees(topic)))
    }
}

/// Whose membership a change is of.
pub(crate) const fn whom(change: &Change) -> Option<AccountId> {
    match change {
        Change::Member { member, .. } => Some(member.account),
        Change::MemberGone { account, .. } => Some(*account),
        Change::Row { .. }
        | Change::Send(_)
        | Change::Content(_)
        | Change::Marks { .. }
        | Change::Numbered { .. }
        | Change::Seat { .. }
        | Change::ReadSoFar { .. }
        | Change::TopicBegins { .. }
        | Change::TopicEnds { .. }
        | Change::CommunityEnds { .. }
        | Change::Bereft { .. }
        | Change::Fades { .. }
        | Change::MentionSeen { .. }
        | Change::InviteUsed { .. }
        | Change::InvitesEnd { .. }
        | Change::Named { .. } => None,
    }
}
