//! Structures and members in memory, loaded on demand and brought up to date by the publisher.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;
use tulou_protocol::{AccountId, CommunityId, Rev, Seq, TopicId};

use super::App;
use crate::{
    domain::{Structure, change::Change, structure::Member},
    store::{Committed, StoreError},
};

/// Members kept in memory for a community before they are all forgotten and read again.
const MEMBERS: usize = 100_000;

/// How long a decision waits for what was committed to be published.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Communities kept in memory that nobody is connected for.
pub(super) const IDLE: usize = if cfg!(test) { 8 } else { 500 };

/// The communities in memory. Those whose members are connected stay; of the others those that were used last.
#[derive(Default)]
pub(super) struct Kept {
    by_id: HashMap<CommunityId, Arc<Loaded>>,
    uses: AtomicU64,
}

impl Kept {
    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Makes room for one more; which go.
    fn make_room(&mut self, is_needed: impl Fn(CommunityId) -> bool) -> Vec<CommunityId> {
        if self.by_id.len() < IDLE {
            return Vec::new();
        }
        let mut idle: Vec<(u64, CommunityId)> = self
            .by_id
            .iter()
            .filter(|(id, loaded)| Arc::strong_count(loaded) == 1 && !is_needed(**id))
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

/// A community in memory.
pub struct Loaded {
    structure: RwLock<Arc<Structure>>,
    members: Mutex<HashMap<AccountId, Option<Member>>>,
    /// Counts changes of members: what was read before one is not kept.
    changes: AtomicU64,
    /// The structure's rev, for those who wait for it.
    at: watch::Sender<Rev>,
    /// When it was asked for, counted.
    used: AtomicU64,
    /// Commands on the community's log are decided one after the other.
    pub turn: tokio::sync::Mutex<()>,
}

impl Loaded {
    /// The structure as it is.
    pub fn structure(&self) -> Arc<Structure> {
        self.structure
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut Structure)) {
        let mut held = self
            .structure
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut held));
        self.at.send_replace(held.rev);
    }

    fn forget(&self, accounts: &[AccountId]) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        for account in accounts {
            members.remove(account);
        }
    }
}

impl App {
    /// A community, from memory or the store; none if there is none.
    pub(crate) async fn loaded(
        &self,
        community: CommunityId,
    ) -> Result<Option<Arc<Loaded>>, StoreError> {
        loop {
            if let Some(loaded) = self.known(community) {
                return Ok(Some(loaded));
            }
            let Some(structure) = self.store().structure(community).await? else {
                return Ok(None);
            };
            let rev = structure.rev;
            let log = structure.log();
            let loaded = Arc::new(Loaded {
                structure: RwLock::new(Arc::new(structure)),
                members: Mutex::default(),
                changes: AtomicU64::new(0),
                at: watch::Sender::new(rev),
                used: AtomicU64::new(0),
                turn: tokio::sync::Mutex::default(),
            });
            self.keep(community, loaded);
            // What was committed while it was read, the publisher found nobody to tell: it is read again.
            let head = self.store().heads(vec![log]).await?;
            let head = head.first().copied().flatten().unwrap_or_default();
            if head.rev == rev {
                continue;
            }
            match self.known(community) {
                Some(known) if known.structure().rev < head.rev => self.drop_community(community),
                Some(known) => return Ok(Some(known)),
                None => {}
            }
        }
    }

    fn known(&self, community: CommunityId) -> Option<Arc<Loaded>> {
        let kept = self
            .shared
            .communities
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let loaded = kept.by_id.get(&community)?;
        let use_no = kept.uses.fetch_add(1, Ordering::Relaxed);
        loaded.used.store(use_no, Ordering::Relaxed);
        Some(loaded.clone())
    }

    fn keep(&self, community: CommunityId, loaded: Arc<Loaded>) {
        let connected = self.hub().communities();
        let gone = {
            let mut kept = self
                .shared
                .communities
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let gone = kept.make_room(|id| connected.contains(&id));
            kept.by_id.entry(community).or_insert(loaded);
            gone
        };
        if !gone.is_empty() {
            self.shared
                .homes
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .retain(|_, home| !gone.contains(home));
        }
    }

    /// A community's structure, if it is in memory.
    pub(crate) fn known_structure(&self, community: CommunityId) -> Option<Arc<Structure>> {
        self.known(community).map(|loaded| loaded.structure())
    }

    /// The community is not kept in memory any more.
    pub(crate) fn drop_community(&self, community: CommunityId) {
        self.shared
            .communities
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .remove(&community);
        self.shared
            .homes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, home| *home != community);
    }

    /// Applies a commit to the structure in memory.
    pub(crate) fn apply(&self, community: CommunityId, committed: &Committed) {
        for change in &committed.changes {
            if let Change::TopicEnds { topic, .. } = change {
                self.shared
                    .homes
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(topic);
            }
        }
        let Some(loaded) = self.known(community) else {
            return;
        };
        let written = committed
            .logs
            .iter()
            .find(|written| written.log == tulou_protocol::Log::Community(community));
        let Some(written) = written else { return };
        let at = loaded.structure().rev;
        if written.prev > at {
            self.drop_community(community);
        } else if written.rev > at {
            let rows = written.rows.iter().filter_map(|row| row.row.as_ref());
            loaded.change(|structure| structure.apply(written.rev, rows, &committed.changes));
        }
    }

    /// Sets how many members there are.
    pub(crate) fn set_members(&self, community: CommunityId, members: u64) {
        if let Some(loaded) = self.known(community) {
            loaded.change(|structure| structure.members = members);
        }
    }

    /// Members that a commit changed are read again.
    pub(crate) fn forget_members(&self, community: CommunityId, committed: &Committed) {
        let accounts: Vec<AccountId> = committed
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Member { member, .. } => Some(member.account),
                Change::MemberGone { account, .. } => Some(*account),
                Change::Row { .. }
                | Change::Send(_)
                | Change::Content(_)
                | Change::Marks { .. }
                | Change::Numbered { .. }
                | Change::Seat { .. }
                | Change::ReadSoFar { .. }
                | Change::ReadUpTo { .. }
                | Change::TopicBegins { .. }
                | Change::TopicEnds { .. }
                | Change::CommunityEnds { .. }
                | Change::Bereft { .. }
                | Change::Fades { .. }
                | Change::MentionSeen { .. }
                | Change::InviteUsed { .. }
                | Change::Named { .. } => None,
            })
            .collect();
        if let Some(loaded) = self.known(community)
            && !accounts.is_empty()
        {
            loaded.forget(&accounts);
        }
    }

    /// A decision rested on what has moved: some members are read again, and what is committed is waited for until the
    /// publisher has brought it. Only if it does not (another process wrote), the structure is read again.
    pub(crate) async fn refresh(
        &self,
        loaded: &Loaded,
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        loaded.forget(accounts);
        let held = loaded.structure();
        let head = self.store().heads(vec![held.log()]).await?;
        let head = head.first().copied().flatten().unwrap_or_default();
        let mut at = loaded.at.subscribe();
        let caught_up = at.wait_for(|rev| *rev >= head.rev);
        if tokio::time::timeout(CATCH_UP, caught_up).await.is_ok() {
            return Ok(());
        }
        if let Some(fresh) = self.store().structure(held.id).await? {
            loaded.change(|structure| {
                if fresh.rev > structure.rev {
                    *structure = fresh;
                }
            });
        }
        Ok(())
    }

    /// Members among some accounts.
    pub(crate) async fn members(
        &self,
        loaded: &Loaded,
        accounts: &[AccountId],
    ) -> Result<Vec<Member>, StoreError> {
        let mut found = Vec::with_capacity(accounts.len());
        let mut missing = Vec::new();
        let changes;
        {
            let members = loaded
                .members
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            changes = loaded.changes.load(Ordering::SeqCst);
            for account in accounts {
                match members.get(account) {
                    Some(known) => found.extend(known.clone()),
                    None => missing.push(*account),
                }
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let community = loaded.structure().id;
        let read = self.store().members(community, missing.clone()).await?;
        let mut members = loaded
            .members
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if loaded.changes.load(Ordering::SeqCst) == changes {
            if members.len() > MEMBERS {
                members.clear();
            }
            for account in missing {
                let member = read.iter().find(|member| member.account == account);
                members.insert(account, member.cloned());
            }
        }
        drop(members);
        found.extend(read);
        Ok(found)
    }

    /// One member.
    pub(crate) async fn member(
        &self,
        loaded: &Loaded,
        account: AccountId,
    ) -> Result<Option<Member>, StoreError> {
        Ok(self.members(loaded, &[account]).await?.pop())
    }

    /// The first message of a topic that a member may read.
    pub(crate) async fn floor(
        &self,
        structure: &Structure,
        member: &Member,
        topic: TopicId,
    ) -> Result<Seq, StoreError> {
        match structure.readable_since(member, topic) {
            Some(since) => self.store().first_since(topic, since).await,
            None => Ok(Seq(1)),
        }
    }

    /// A community and the account as a member of it.
    pub(crate) async fn membership(
        &self,
        community: CommunityId,
        account: AccountId,
    ) -> Result<Option<(Arc<Structure>, Member)>, StoreError> {
        let Some(loaded) = self.loaded(community).await? else {
            return Ok(None);
        };
        let member = self.member(&loaded, account).await?;
        Ok(member.map(|member| (loaded.structure(), member)))
    }

    /// A topic that the account may see, with the community and the member.
    pub(crate) async fn visible(
        &self,
        topic: TopicId,
        account: AccountId,
    ) -> Result<Option<(Arc<Structure>, Member)>, StoreError> {
        let Some(community) = self.home_of(topic).await? else {
            return Ok(None);
        };
        let found = self.membership(community, account).await?;
        Ok(found.filter(|(structure, member)| structure.sight(member).topics.contains_key(&topic)))
    }

    /// The account is connected and may be a member of a community: from here on its changes reach it.
    pub(crate) async fn gather(
        &self,
        community: CommunityId,
        account: AccountId,
    ) -> Result<(), StoreError> {
        if let Some((structure, member)) = self.membership(community, account).await? {
            let sight = structure.sight(&member);
            self.hub().present(community, member, sight, self.now());
            // What was lost meanwhile is seen now; what is lost later, the publisher tells.
            if self.membership(community, account).await?.is_none() {
                self.hub().absent(community, account);
            }
        }
        Ok(())
    }
}
