//! Turns: an account is read for a few times at once, from however many sessions it asks. There are few readers, and they
//! are everybody's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tulou_protocol::AccountId;

/// Questions of an account that are worked on at the same time, and commands that are read for: half of the readers.
pub const READING: usize = 2;
/// Commands of an account that change a community, or wait for its turn, at the same time.
pub const CHANGING: usize = 1;
/// Accounts at which those are forgotten who ask nothing.
const MANY: usize = 1_000;

/// A turn, until it is dropped.
pub type Turn = Option<OwnedSemaphorePermit>;

/// Whose turn it is.
#[derive(Debug)]
pub struct Turns {
    at_once: usize,
    by_account: Mutex<HashMap<AccountId, Weak<Semaphore>>>,
}

impl Turns {
    /// So many for each account at the same time.
    pub fn of(at_once: usize) -> Self {
        Self {
            at_once,
            by_account: Mutex::default(),
        }
    }

    /// Waits for an account's turn. Those who wait get it one after the other.
    pub async fn turn(&self, account: AccountId) -> Turn {
        let turns = self.turns(account);
        // Nothing closes it.
        turns.acquire_owned().await.ok()
    }

    fn turns(&self, account: AccountId) -> Arc<Semaphore> {
        let mut by_account = self
            .by_account
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = by_account.get(&account).and_then(Weak::upgrade) {
            return turns;
        }
        if by_account.len() >= MANY {
            by_account.retain(|_, turns| turns.strong_count() > 0);
        }
        let turns = Arc::new(Semaphore::new(self.at_once));
        by_account.insert(account, Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn one_account_has_two_turns_however_often_it_asks_and_others_have_theirs() {
        let turns = Turns::of(READING);
        let (greedy, other) = (AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        let held = [turns.turn(greedy).await, turns.turn(greedy).await];
        assert!(turns.turn(greedy).now_or_never().is_none(), "it waits");
        assert!(
            turns.turn(other).now_or_never().is_some(),
            "nobody else does"
        );
        drop(held);
        assert!(turns.turn(greedy).now_or_never().is_some());
    }
}
