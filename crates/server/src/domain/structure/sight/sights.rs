//! The sights that somebody holds: whoever sees the same shares one.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use tulou_protocol::{MemberGroupId, TopicId};

use super::{
    super::{
        Member, Structure,
        rules::{Rights, Rules},
    },
    Outlook, Sight,
};

/// Sights by kind of member. Versions of a structure that are seen alike share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sights(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    rules: OnceLock<Arc<Rules>>,
    by: Mutex<By>,
}

/// What is held by nobody else is kept up to so much, in things of some 16 bytes, in the order in which it was made.
const KEPT: usize = 1_000_000;
/// So many names of sights are known before those are looked for that nobody holds any more.
const NAMES: usize = 1_024;

/// The sights that somebody holds.
#[derive(Debug, Default)]
struct By {
    /// By the member groups that access rows speak of, and whether he owns the community.
    groups: HashMap<(bool, Vec<MemberGroupId>), Weak<Outlook>>,
    /// By a hash of the rights: member groups with the same ones see the same.
    rights: HashMap<u64, Weak<Outlook>>,
    /// By the address of what is shared, and the seats.
    seats: HashMap<(usize, Vec<TopicId>), Weak<Sight>>,
    kept: VecDeque<Arc<Sight>>,
    weight: usize,
    sweeps_at: usize,
}

impl Shared {
    fn by(&self) -> MutexGuard<'_, By> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl By {
    fn outlook(
        &mut self,
        key: (bool, Vec<MemberGroupId>),
        rules: &Arc<Rules>,
        rights: Rights,
    ) -> Arc<Outlook> {
        let is_owner = key.0;
        let mut hasher = DefaultHasher::new();
        (is_owner, &rights).hash(&mut hasher);
        let hash = hasher.finish();
        let known = self.rights.get(&hash).and_then(Weak::upgrade);
        let is_same = |known: &Arc<Outlook>| known.is_owner == is_owner && known.rights == rights;
        let outlook = match known.filter(is_same) {
            Some(known) => known,
            None => Arc::new(Outlook::of(rules, is_owner, rights)),
        };
        self.rights.insert(hash, Arc::downgrade(&outlook));
        self.groups.insert(key, Arc::downgrade(&outlook));
        outlook
    }

    fn sight(&mut self, outlook: Arc<Outlook>, seats: Vec<TopicId>) -> Arc<Sight> {
        // As long as a sight is held, what it shares keeps its address.
        let key = (Arc::as_ptr(&outlook).addr(), seats);
        if let Some(known) = self.seats.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        let sight = Arc::new(Sight {
            outlook,
            seats: key.1.clone(),
            shape: OnceLock::new(),
        });
        self.seats.insert(key, Arc::downgrade(&sight));
        self.weight += sight.weight();
        self.kept.push_back(sight.clone());
        while self.weight > KEPT
            && let Some(first) = self.kept.pop_front()
        {
            self.weight -= first.weight();
        }
        self.sweep();
        sight
    }

    /// Forgets the names of what nobody holds, whenever they may be half of all.
    fn sweep(&mut self) {
        let names = self.groups.len() + self.rights.len() + self.seats.len();
        if names < self.sweeps_at.max(NAMES) {
            return;
        }
        self.groups.retain(|_, held| held.strong_count() > 0);
        self.rights.retain(|_, held| held.strong_count() > 0);
        self.seats.retain(|_, held| held.strong_count() > 0);
        let held = self.groups.len() + self.rights.len() + self.seats.len();
        self.sweeps_at = 2 * held;
    }
}

impl Structure {
    /// The rules from which rights follow.
    pub(in super::super) fn rules(&self) -> &Arc<Rules> {
        let rules = &self.sights.0.rules;
        rules.get_or_init(|| Arc::new(Rules::of(self)))
    }

    /// Of how many kinds of members it is known what they see.
    #[cfg(test)]
    pub fn kinds(&self) -> usize {
        self.sights.0.by().kept.len()
    }

    /// What the member sees.
    #[must_use]
    pub fn sight(&self, member: &Member) -> Arc<Sight> {
        let known = &self.sights.0;
        let rules = self.rules();
        let is_owner = self.is_owner(member.account);
        let (mut groups, mut seats) = (Vec::new(), Vec::new());
        if !is_owner {
            let exists = |id: &&MemberGroupId| self.member_groups.contains_key(*id);
            let mine = member.member_groups.iter().filter(exists);
            groups.extend(mine.filter(|id| rules.speak_of(id)).copied());
            groups.sort_unstable();
            groups.dedup();
            let all = self.seats_of(member.account).map(|(topic, _)| topic);
            let is_closed = |topic: &TopicId| {
                let kept = self.topics.get(topic);
                kept.is_some_and(|kept| kept.body.closed)
            };
            seats.extend(all.filter(is_closed));
        }
        let key = (is_owner, groups);
        let outlook = known.by().groups.get(&key).and_then(Weak::upgrade);
        let outlook = outlook.unwrap_or_else(|| {
            let rights = rules.rights(is_owner, &key.1);
            known.by().outlook(key, rules, rights)
        });
        known.by().sight(outlook, seats)
    }
}
