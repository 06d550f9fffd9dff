//! The end of an account, in steps that a crash may come between: first nobody can sign in to it any more, then its
//! messages and memberships are seen to (by commits like any other), at last the rest of it goes.

use rusqlite::Connection;
use tulou_protocol::{
    AccountId, Log, Rev, Row, TopicId,
    id::Millis,
    row::{Body, Profile},
};

use super::{
    account,
    log::{self, number},
    recovery, row, session,
};
use crate::store::{Deletion, StoreError, Unfinished};

/// What `account.deletion` says.
const KEEPS: i64 = 1;
const RECALLS: i64 = 2;
const DONE: i64 = 3;

const UNFINISHED: &str = "SELECT id, deletion FROM account WHERE deletion IN (1, 2)";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[UNFINISHED];

/// Begins: the names, the password, the codes and the sessions go.
pub fn begin(
    db: &Connection,
    account: AccountId,
    recalls: bool,
    now: Millis,
) -> Result<Deletion, StoreError> {
    if !account::owned(db, account)?.is_empty() {
        return Ok(Deletion::Owns);
    }
    // No name that can be signed in with holds a `~`, so the old one is free again.
    db.prepare_cached(
        "UPDATE account SET name = '~' || hex(id), password = '', name_key = '', deletion = ?2
        WHERE id = ?1 AND deletion = 0",
    )?
    .execute((account.as_bytes(), if recalls { RECALLS } else { KEEPS }))?;
    recovery::drop_all(db, account)?;
    let own = Log::Account(account);
    let rev = log::head(db, own)?.unwrap_or_default().rev.next();
    let profile: Body = Profile {
        account_name: String::new(),
        display_name: String::new(),
        introduction: String::new(),
        server_admin: false,
        gone: true,
        more: Default::default(),
    }
    .into();
    let row = Row {
        id: account.to_string(),
        rev,
        body: profile,
    };
    row::put(db, own, &row, now)?;
    put_head(db, account, rev)?;
    session::end_all(db, account).map(Deletion::Begun)
}

fn put_head(db: &Connection, account: AccountId, rev: Rev) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE log SET rev = ?2 WHERE id = ?1")?
        .execute((account.as_bytes(), number(rev.0)))?;
    Ok(())
}

/// Deletions that have begun and not ended.
pub fn unfinished(db: &Connection) -> Result<Vec<Unfinished>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(UNFINISHED)?
        .query_map([], |row| {
            Ok(Unfinished {
                account: AccountId::from_bytes(row.get(0)?),
                recalls: row.get::<_, i64>(1)? == RECALLS,
            })
        })?
        .collect();
    Ok(found?)
}

/// Ends: what only the account itself could read goes, and its name in lists of members that it left.
pub fn end(db: &Connection, account: AccountId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM row WHERE log = ?1 AND kind <> 'profile'",
        "DELETE FROM answer WHERE account = ?1",
        "DELETE FROM kept_place WHERE account = ?1",
        "UPDATE member SET account_name = '', display_name = '', name_key = '' WHERE account = ?1 AND has_left = 1",
    ] {
        db.prepare_cached(sql)?.execute([account.as_bytes()])?;
    }
    db.prepare_cached("UPDATE account SET deletion = ?2 WHERE id = ?1")?
        .execute((account.as_bytes(), DONE))?;
    Ok(())
}

/// The topics that an account has a cursor in; where it wrote, it has one.
pub fn topics(db: &Connection, account: AccountId) -> Result<Vec<TopicId>, StoreError> {
    let found: Result<Vec<String>, _> = db
        .prepare_cached("SELECT id FROM row WHERE log = ?1 AND kind = 'cursor'")?
        .query_map([account.as_bytes()], |row| row.get(0))?
        .collect();
    Ok(found?.iter().filter_map(|id| id.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{
        filled::{ID, filled, left},
        schema,
    };

    #[test]
    fn an_account_that_ended_leaves_nothing_of_its_own_in_any_table() {
        let mut db = Connection::open_in_memory().unwrap();
        schema::migrate(&mut db).unwrap();
        // What it gave to others stays or goes by commits of its own.
        let given = ["reaction", "member", "member_in", "seat"];
        let tables = filled(&db, "account", &given);
        begin(&db, AccountId(ID), false, 1).unwrap();
        end(&db, AccountId(ID)).unwrap();
        assert_eq!(
            left(&db, "account", &tables),
            [""; 0],
            "nobody clears these"
        );
    }
}
