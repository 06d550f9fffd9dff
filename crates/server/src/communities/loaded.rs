//! A community in memory: its structure, and those of its members that were asked for.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;
use tulou_protocol::{AccountId, CommunityId, Rev};

use crate::domain::{Member, Structure};

/// Members kept in memory for a community before they are all forgotten and read again.
const MEMBERS: usize = 100_000;

/// A community in memory. Whoever holds it keeps it there.
pub struct Loaded {
    /// Which.
    pub id: CommunityId,
    structure: RwLock<Arc<Structure>>,
    members: Mutex<HashMap<AccountId, Option<Member>>>,
    /// Counts changes of members: what was read before one is not kept.
    changes: AtomicU64,
    /// How often the time had gone back before the structure was read.
    rewinds: AtomicU64,
    /// The structure's rev, for those who wait for it.
    at: watch::Sender<Rev>,
    /// When it was asked for, counted.
    pub(super) used: AtomicU64,
    /// Commands on the community's log are decided one after the other.
    pub turn: tokio::sync::Mutex<()>,
    /// Whoever reads the structure again holds it.
    pub(super) reading: tokio::sync::Mutex<()>,
}

/// Members that were looked for in memory.
pub(super) struct Remembered {
    pub found: Vec<Member>,
    /// Those of whom nothing is known.
    pub missing: Vec<AccountId>,
    changes: u64,
}

impl Loaded {
    pub(crate) fn new(structure: Structure, rewinds: u64) -> Self {
        Self {
            id: structure.id,
            rewinds: AtomicU64::new(rewinds),
            at: watch::Sender::new(structure.rev),
            structure: RwLock::new(Arc::new(structure)),
            members: Mutex::default(),
            changes: AtomicU64::new(0),
            used: AtomicU64::new(0),
            turn: tokio::sync::Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// The structure as it is.
    pub fn structure(&self) -> Arc<Structure> {
        self.structure
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Structure)) {
        let mut held = self
            .structure
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut held));
        self.at.send_replace(held.rev);
    }

    /// How often the time had gone back before the structure was read.
    pub(super) fn rewinds(&self) -> u64 {
        self.rewinds.load(Ordering::SeqCst)
    }

    /// The structure was read again, after the time had gone back so often; false, and nothing is done, if what is here is of
    /// later.
    pub(super) fn renew(&self, fresh: Structure, rewinds: u64) -> bool {
        let mut held = self
            .structure
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if fresh.rev < held.rev || rewinds < self.rewinds() {
            return false;
        }
        *held = Arc::new(fresh);
        self.rewinds.store(rewinds, Ordering::SeqCst);
        self.at.send_replace(held.rev);
        true
    }

    /// Members are read again when they are asked for.
    pub(super) fn forget(&self, accounts: &[AccountId]) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        for account in accounts {
            members.remove(account);
        }
    }

    /// All members are read again when they are asked for.
    pub(super) fn forget_all(&self) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        members.clear();
    }

    /// Whether its structure came to a rev within a time.
    pub(super) async fn comes_to(&self, rev: Rev, within: Duration) -> bool {
        let mut at = self.at.subscribe();
        let comes = at.wait_for(|at| *at >= rev);
        tokio::time::timeout(within, comes).await.is_ok()
    }

    pub(super) fn remembered(&self, accounts: &[AccountId]) -> Remembered {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let mut remembered = Remembered {
            found: Vec::with_capacity(accounts.len()),
            missing: Vec::new(),
            changes: self.changes.load(Ordering::SeqCst),
        };
        for account in accounts {
            match members.get(account) {
                Some(known) => remembered.found.extend(known.clone()),
                None => remembered.missing.push(*account),
            }
        }
        remembered
    }

    /// Keeps what was read of those who were missing, unless members have changed meanwhile.
    pub(super) fn remember(&self, was: &Remembered, read: &[Member]) {
        let found: HashMap<AccountId, &Member> =
            read.iter().map(|member| (member.account, member)).collect();
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(Ordering::SeqCst) != was.changes {
            return;
        }
        if members.len() > MEMBERS {
            members.clear();
        }
        for account in &was.missing {
            members.insert(*account, found.get(account).copied().cloned());
        }
    }
}
