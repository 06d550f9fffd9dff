//! Tables. Migrations are appended, never changed; a file of a newer version is refused.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{Epoch, ServerId};
use uuid::Uuid;

use crate::store::{Identity, StoreError};

/// Pages of the file that are kept in memory by each connection, in KiB.
const CACHE_KIB: i64 = 16 * 1_024;
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 128;

/// Files of before the first release have versions up to this one. They are refused: their ids and bodies are written
/// otherwise.
const BEFORE: i64 = 100;

/// One migration each; the version of a file is how many it has had, beyond [`BEFORE`].
const MIGRATIONS: &[&str] = &["
CREATE TABLE server (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL,
    epoch BLOB NOT NULL
) STRICT;

-- Heads. `seq` is a topic's last place, a community's last topic number. `moved_at` never goes back.
CREATE TABLE log (
    id BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    rev INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL DEFAULT 0,
    moved_at INTEGER NOT NULL DEFAULT 0,
    community BLOB NOT NULL DEFAULT x''
) STRICT, WITHOUT ROWID;
CREATE INDEX log_of_community ON log (community, moved_at) WHERE kind = 0;

CREATE TABLE row (
    log BLOB NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    rev INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (log, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX row_rev ON row (log, rev);

-- `rev` is the last change of either part, `first_rev` the one that made it.
CREATE TABLE message (
    topic BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    author BLOB NOT NULL,
    sent_at INTEGER NOT NULL,
    written_at INTEGER,
    text TEXT NOT NULL,
    reply_to BLOB,
    edited_at INTEGER,
    recalled_by BLOB,
    first_rev INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    content_rev INTEGER NOT NULL,
    marks TEXT,
    marks_rev INTEGER NOT NULL DEFAULT 0,
    pinned_at INTEGER,
    PRIMARY KEY (topic, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_id ON message (topic, id);
CREATE INDEX message_changed ON message (topic, rev) WHERE rev > first_rev;
CREATE INDEX message_pinned ON message (topic, pinned_at) WHERE pinned_at IS NOT NULL;

CREATE TABLE reaction (
    topic BLOB NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (topic, seq, key, account)
) STRICT, WITHOUT ROWID;

-- `who` is a member group, or empty for everyone.
CREATE TABLE wide_mention (
    topic BLOB NOT NULL,
    seq INTEGER NOT NULL,
    who BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (topic, seq, who)
) STRICT, WITHOUT ROWID;

-- The row of one who left stays, so that its rev goes on. `member_groups` are ids of 16 bytes, one after the other.
CREATE TABLE member (
    community BLOB NOT NULL,
    account BLOB NOT NULL,
    joined_at INTEGER NOT NULL,
    member_groups BLOB NOT NULL DEFAULT x'',
    rev INTEGER NOT NULL,
    has_left INTEGER NOT NULL DEFAULT 0,
    account_name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    PRIMARY KEY (community, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_name ON member (community, name_key) WHERE has_left = 0;
CREATE INDEX member_account_name ON member (community, account_name) WHERE has_left = 0;
CREATE INDEX member_account ON member (account);

CREATE TABLE seat (
    topic BLOB NOT NULL,
    account BLOB NOT NULL,
    community BLOB NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (topic, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX seat_community ON seat (community);

CREATE TABLE account (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    token BLOB PRIMARY KEY,
    id BLOB NOT NULL,
    account BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account);

CREATE TABLE invite (
    community BLOB NOT NULL,
    code TEXT NOT NULL UNIQUE,
    expires_at INTEGER,
    max_uses INTEGER,
    uses INTEGER NOT NULL DEFAULT 0,
    made_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (community, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
    account BLOB NOT NULL,
    command BLOB NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, command)
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_at ON answer (at);
", "
-- `deletion`: 0 none, 1 begun, and its messages stay, 2 begun, and they are recalled, 3 done.
ALTER TABLE account ADD COLUMN deletion INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
CREATE INDEX account_deletion ON account (deletion) WHERE deletion IN (1, 2);
UPDATE account SET name_key = coalesce(
    (SELECT lower(json_extract(body, '$.display_name')) FROM row WHERE log = account.id AND kind = 'profile'), '');

ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
UPDATE session SET seen_at = created_at;
CREATE UNIQUE INDEX session_id ON session (id);
CREATE INDEX session_seen ON session (seen_at);

-- A code sets a new password once. One that the administrator made expires.
CREATE TABLE recovery (
    account BLOB NOT NULL,
    code BLOB NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (account, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_expires ON recovery (expires_at) WHERE expires_at IS NOT NULL;
", "
-- When a row last changed, and up to which rev tombstones of a log are forgotten.
ALTER TABLE row ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE row SET at = unixepoch() * 1000;
ALTER TABLE log ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
CREATE INDEX row_fading ON row (log, kind, rev) WHERE deleted = 0 AND kind IN ('mention', 'mark');
CREATE INDEX row_old ON row (at) WHERE deleted = 0 AND kind IN ('mention', 'mark');
CREATE INDEX row_gone ON row (at) WHERE deleted = 1 AND kind IN ('mention', 'mark');

-- What ended and is still to be removed: 0 a topic, 1 a community.
CREATE TABLE ending (
    log BLOB PRIMARY KEY,
    kind INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Members by member group, in the order in which they are listed.
CREATE TABLE member_in (
    community BLOB NOT NULL,
    member_group BLOB NOT NULL,
    name_key TEXT NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (community, member_group, name_key, account)
) STRICT, WITHOUT ROWID;
WITH RECURSIVE place (n) AS (SELECT 0 UNION ALL SELECT n + 16 FROM place WHERE n < 4096)
INSERT INTO member_in (community, member_group, name_key, account)
    SELECT community, substr(member_groups, n + 1, 16), name_key, account FROM member JOIN place ON n < length(member_groups)
    WHERE has_left = 0;
DROP INDEX member_name;
DROP INDEX member_account_name;
CREATE INDEX member_name ON member (community, name_key, account) WHERE has_left = 0;
CREATE INDEX member_account_name ON member (community, account_name, account) WHERE has_left = 0;
", "
CREATE INDEX message_author ON message (topic, author, seq);
", "
-- The clock leapt: for so long, of the time that passes while the server runs, nothing becomes old.
ALTER TABLE server ADD COLUMN distrusted_ms INTEGER NOT NULL DEFAULT 0;
", "
-- The clock leapt: until then what became old is told by the time before.
ALTER TABLE server DROP COLUMN distrusted_ms;
ALTER TABLE server ADD COLUMN stood INTEGER NOT NULL DEFAULT 0;
ALTER TABLE server ADD COLUMN doubted_until INTEGER NOT NULL DEFAULT 0;
", "
-- Whoever the link belongs to has left.
ALTER TABLE invite ADD COLUMN lapsed INTEGER NOT NULL DEFAULT 0;

-- The link that a member came by.
ALTER TABLE member ADD COLUMN invite TEXT NOT NULL DEFAULT '';
CREATE INDEX member_invite ON member (community, invite, joined_at) WHERE invite <> '';

-- Who registered by a link and has still to join by it: the use is counted already.
CREATE TABLE kept_place (
    account BLOB PRIMARY KEY,
    community BLOB NOT NULL,
    code TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_place_of ON kept_place (community, code);

-- Member groups that were deleted, and that members are still to be taken out of.
CREATE TABLE ended_group (
    community BLOB NOT NULL,
    member_group BLOB NOT NULL,
    PRIMARY KEY (community, member_group)
) STRICT, WITHOUT ROWID;
", "
-- How many members are listed under a member group: nobody reads as many rows to know it.
CREATE TABLE member_count (
    community BLOB NOT NULL,
    member_group BLOB NOT NULL,
    members INTEGER NOT NULL,
    PRIMARY KEY (community, member_group)
) STRICT, WITHOUT ROWID;
INSERT INTO member_count (community, member_group, members)
    SELECT community, member_group, count(*) FROM member_in GROUP BY community, member_group;
CREATE TRIGGER member_listed AFTER INSERT ON member_in BEGIN
    INSERT INTO member_count (community, member_group, members) VALUES (NEW.community, NEW.member_group, 1)
        ON CONFLICT (community, member_group) DO UPDATE SET members = members + 1;
END;
CREATE TRIGGER member_unlisted AFTER DELETE ON member_in BEGIN
    UPDATE member_count SET members = members - 1
        WHERE community = OLD.community AND member_group = OLD.member_group;
    DELETE FROM member_count
        WHERE community = OLD.community AND member_group = OLD.member_group AND members <= 0;
END;
"];

/// Settings of a connection.
pub fn prepare(db: &Connection) -> Result<(), StoreError> {
    db.pragma_update(None, "journal_mode", "wal")?;
    sync_whole(db)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.pragma_update(None, "foreign_keys", false)?;
    db.pragma_update(None, "temp_store", "memory")?;
    // What was recalled is written over, on pages that are free by now, too.
    db.pragma_update(None, "secure_delete", true)?;
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// What is committed has reached the disk.
pub fn sync_whole(db: &Connection) -> Result<(), StoreError> {
    db.pragma_update(None, "synchronous", "full")?;
    // On macOS a sync reaches the disk's own memory only, unless it is asked for more.
    db.pragma_update(None, "fullfsync", true)?;
    db.pragma_update(None, "checkpoint_fullfsync", true)?;
    Ok(())
}

/// The newest version that this program knows.
pub fn known() -> i64 {
    BEFORE.saturating_add(i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))
}

/// Whether a store of this version was made before the first release.
pub const fn is_before(version: i64) -> bool {
    0 < version && version <= BEFORE
}

/// The version of a file; refuses one that is newer than this program, or from before the first release.
pub fn check_version(db: &Connection) -> Result<i64, StoreError> {
    let known = known();
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if is_before(found) {
        return Err(StoreError::Before { found });
    }
    Ok(found)
}

/// Writes a page of the file without changing anything in it.
pub fn touch(db: &Connection) -> Result<(), StoreError> {
    db.execute("UPDATE server SET one = 1 WHERE one = 1", [])?;
    Ok(())
}

/// Brings the file to the newest version; who the store is.
pub fn migrate(db: &mut Connection) -> Result<Identity, StoreError> {
    let known = known();
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = check_version(&tx)?;
    for (at, migration) in (BEFORE..).zip(MIGRATIONS) {
        if at >= found {
            tx.execute_batch(migration)?;
        }
    }
    tx.pragma_update(None, "user_version", known)?;
    let kept = tx
        .query_row("SELECT id, epoch FROM server WHERE one = 1", [], |row| {
            Ok(Identity {
                server: ServerId::from_bytes(row.get(0)?),
                epoch: Epoch::from_bytes(row.get(1)?),
            })
        })
        .optional()?;
    let identity = match kept {
        Some(identity) => identity,
        None => {
            let made = Identity {
                server: ServerId(Uuid::now_v7()),
                epoch: Epoch(Uuid::now_v7()),
            };
            tx.execute(
                "INSERT INTO server (one, id, epoch) VALUES (1, ?1, ?2)",
                (made.server.as_bytes(), made.epoch.as_bytes()),
            )?;
            made
        }
    };
    tx.commit()?;
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_newer_version_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        db.pragma_update(None, "user_version", 1_000).unwrap();
        assert!(
            matches!(
                migrate(&mut db),
                Err(StoreError::Newer { found: 1_000, .. })
            ),
            "an older program does not touch it"
        );
    }

    #[test]
    fn a_file_of_before_the_first_release_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.pragma_update(None, "user_version", 3).unwrap();
        let refused = migrate(&mut db);
        assert!(
            matches!(refused, Err(StoreError::Before { found: 3 })),
            "its ids are written otherwise: {refused:?}"
        );
    }

    #[test]
    fn every_sync_is_asked_to_reach_the_disk() {
        let db = Connection::open_in_memory().unwrap();
        prepare(&db).unwrap();
        for pragma in ["fullfsync", "checkpoint_fullfsync"] {
            let is_on: bool = db
                .pragma_query_value(None, pragma, |row| row.get(0))
                .unwrap();
            assert!(is_on, "{pragma}");
        }
    }

    #[test]
    fn what_is_removed_is_nowhere_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        let db = Connection::open(&file).unwrap();
        prepare(&db).unwrap();
        db.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)")
            .unwrap();
        // Within a page, and on pages of its own.
        for length in [10, 10_000] {
            let secret = "whispered".repeat(length);
            for no in 0..20 {
                let text = if no == 7 {
                    secret.as_str()
                } else {
                    "said aloud"
                };
                db.execute("INSERT INTO t VALUES (?1, ?2)", (no, text))
                    .unwrap();
            }
            db.pragma_update(None, "wal_checkpoint", "truncate")
                .unwrap();
            db.execute("UPDATE t SET b = '' WHERE a = 7", []).unwrap();
            db.execute("DELETE FROM t", []).unwrap();
            db.pragma_update(None, "wal_checkpoint", "truncate")
                .unwrap();
            let kept = std::fs::read(&file).unwrap();
            let found = kept.windows(9).any(|bytes| bytes == b"whispered");
            assert!(!found, "of {length}");
        }
    }

    #[test]
    fn hot_statements_use_their_indexes() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        let plan = |sql: &str| -> String {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let count = statement.parameter_count();
            let nothing = vec![rusqlite::types::Null; count];
            let lines: Vec<String> = statement
                .query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            lines.join("; ")
        };
        for sql in super::super::message::HOT
            .iter()
            .chain(super::super::log::HOT)
            .chain(super::super::row::HOT)
            .chain(super::super::community::HOT)
            .chain(super::super::answer::HOT)
            .chain(super::super::held::HOT)
            .chain(super::super::fading::HOT)
            .chain(super::super::listing::HOT)
            .chain(super::super::account::HOT)
            .chain(super::super::session::HOT)
            .chain(super::super::recovery::HOT)
            .chain(super::super::deletion::HOT)
            .chain(super::super::invite::HOT)
            .chain(super::super::ending::HOT)
        {
            let plan = plan(sql);
            assert!(!plan.contains("SCAN"), "{sql} reads by key, not: {plan}");
            assert!(
                !plan.contains("TEMP B-TREE"),
                "{sql} sorts by an index, not: {plan}"
            );
        }
    }
}
