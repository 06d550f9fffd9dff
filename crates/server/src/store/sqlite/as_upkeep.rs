//! Upkeep in SQLite.

use tulou_protocol::{AccountId, CommunityId, id::Millis};

use super::{Sqlite, answer, ending, fading};
use crate::store::{Fading, Pending, Upkeep};

impl Upkeep for Sqlite {
    fn fading(&self, before: Millis, limit: usize) -> Pending<Vec<Fading>> {
        self.look(move |db| fading::fading(db, before, limit))
    }

    fn crowded(&self, most: usize) -> Pending<Vec<(AccountId, String, usize)>> {
        self.look(move |db| fading::crowded(db, most))
    }

    fn oldest(&self, account: AccountId, kind: String, limit: usize) -> Pending<Vec<Fading>> {
        self.look(move |db| fading::oldest(db, account, &kind, limit))
    }

    fn forget_tombstones(&self, before: Millis, limit: usize) -> Pending<usize> {
        self.write(move |db| fading::forget_tombstones(db, before, limit))
    }

    fn forget_answers(&self, before: Millis, limit: usize) -> Pending<usize> {
        self.write(move |db| answer::forget(db, before, limit))
    }

    fn bereft(&self, limit: usize) -> Pending<Vec<(CommunityId, AccountId)>> {
        self.look(move |db| ending::bereft(db, limit))
    }

    fn sweep(&self, limit: usize) -> Pending<bool> {
        self.write(move |db| ending::sweep(db, limit))
    }
}
