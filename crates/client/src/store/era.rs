//! The revs of another epoch mean nothing: whatever comes replaces what is held. Revs are kept counted from a number that
//! is higher than all before once another epoch begins; so none of what is held is written anew for that, however much it is.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::Rev;

use super::{StoreError, nat};

const KEY: &str = "era";
/// Revs of an epoch. A server that counts further than that is believed as far.
const REVS: i64 = 1 << 40;

/// An epoch, as the file counts them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Era(i64);

impl Era {
    /// The present one.
    pub fn of(db: &Connection) -> Result<Self, StoreError> {
        let era: Option<i64> = db
            .prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1")?
            .query_row([KEY], |row| row.get(0))
            .optional()?;
        Ok(Self(era.unwrap_or(0)))
    }

    /// Another one begins.
    pub fn begin(db: &Connection) -> Result<(), StoreError> {
        let next = Self::of(db)?.0.saturating_add(1);
        db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
            .execute([KEY, &next.to_string()])?;
        Ok(())
    }

    /// How a rev of this era is kept.
    pub fn kept(self, rev: Rev) -> i64 {
        let rev = i64::try_from(rev.0).unwrap_or(REVS).min(REVS - 1);
        self.first().saturating_add(rev)
    }

    /// What is kept as a rev of this era; one of before is none.
    pub fn rev(self, kept: i64) -> Rev {
        Rev(nat(kept.saturating_sub(self.first()).max(0)))
    }

    fn first(self) -> i64 {
        self.0.saturating_mul(REVS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rev_of_an_era_is_higher_than_all_of_those_before() {
        let (first, second) = (Era(0), Era(1));
        let revs = [Rev(0), Rev(1), Rev(7_000_000), Rev(u64::MAX)];
        for rev in revs {
            assert!(first.kept(rev) < second.kept(Rev(0)));
            assert_eq!(second.rev(first.kept(rev)), Rev(0), "it means nothing");
        }
        for era in [first, second, Era(1_000_000)] {
            assert!(revs.is_sorted_by_key(|rev| era.kept(*rev)));
            assert_eq!(era.rev(era.kept(Rev(7_000_000))), Rev(7_000_000));
        }
    }
}
