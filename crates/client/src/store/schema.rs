//! The tables. Migrations are appended and only ever add, so that an older program could be told apart by its number.

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, Trouble};

/// The number of the first of these schemas. What was written under a smaller one is not read: what the person wrote is
/// taken out of it, as out of a damaged file, and the rest is fetched again.
const FIRST: u32 = 9;
/// One entry per schema; the file's `user_version` is the number of the last that was applied.
const MIGRATIONS: &[&str] = &["
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE cursors (
    log  TEXT NOT NULL PRIMARY KEY,
    rev  INTEGER NOT NULL,
    view TEXT
) STRICT, WITHOUT ROWID;
-- The rows of which log are held. One without a name is cleared in steps: what it has is seen by nobody.
CREATE TABLE logs (
    no  INTEGER PRIMARY KEY AUTOINCREMENT,
    log TEXT UNIQUE
) STRICT;
CREATE TABLE rows (
    log     INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    rev     INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    body    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (log, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rows_by_id ON rows (kind, id, deleted, log);
CREATE INDEX rows_gone ON rows (log, rev) WHERE deleted = 1;
-- Where the messages of a topic are. One without a topic is cleared in steps: what it has is seen by nobody.
CREATE TABLE shelves (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    topic     BLOB UNIQUE,
    viewed_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX shelves_by_view ON shelves (viewed_at);
CREATE TABLE messages (
    shelf       INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    id          BLOB NOT NULL,
    is_mine     INTEGER NOT NULL DEFAULT 0,
    pinned_at   INTEGER NOT NULL DEFAULT 0,
    content_rev INTEGER NOT NULL DEFAULT 0,
    content     TEXT NOT NULL DEFAULT '',
    marks_rev   INTEGER NOT NULL DEFAULT 0,
    marks       TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (shelf, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_by_id ON messages (shelf, id);
CREATE INDEX messages_mine ON messages (shelf, seq) WHERE is_mine = 1;
CREATE INDEX messages_pinned ON messages (shelf, pinned_at) WHERE pinned_at > 0;
CREATE TABLE islands (
    topic    BLOB NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq   INTEGER NOT NULL,
    rev      INTEGER NOT NULL,
    is_paged INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, from_seq)
) STRICT, WITHOUT ROWID;
-- `read` with `own` and `over` is how far the topic counts as read where no row says it; none while that is not told.
CREATE TABLE heads (
    topic BLOB NOT NULL PRIMARY KEY,
    seq   INTEGER NOT NULL DEFAULT 0,
    rev   INTEGER NOT NULL DEFAULT 0,
    floor INTEGER NOT NULL DEFAULT 0,
    wide  TEXT NOT NULL DEFAULT '[]',
    read  INTEGER,
    own   INTEGER NOT NULL DEFAULT 0,
    over  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE communities (
    community BLOB NOT NULL PRIMARY KEY,
    me        TEXT NOT NULL DEFAULT '',
    members   INTEGER,
    online    INTEGER,
    as_of     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE profiles (
    account BLOB NOT NULL PRIMARY KEY,
    rev     INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Profiles that rows name as of a rev that is not held: asked for until they come.
CREATE TABLE lacking (
    account BLOB NOT NULL PRIMARY KEY,
    rev     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE members (
    community BLOB NOT NULL,
    account   BLOB NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (community, account)
) STRICT, WITHOUT ROWID;
-- `awaits` names what is not done and no command makes, as a list of ids; nothing at all is an empty text. `first_text` is
-- what a message said when it was sent first, if it was changed since.
CREATE TABLE outbox (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB NOT NULL UNIQUE,
    topic      BLOB,
    command    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state      TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'rejected', 'stale')),
    rejection  TEXT NOT NULL DEFAULT '',
    quiet      INTEGER NOT NULL DEFAULT 0,
    awaits     TEXT NOT NULL DEFAULT '',
    first_text TEXT
) STRICT;
CREATE INDEX outbox_by_topic ON outbox (topic, no);
-- Where the topic of a draft stands, or stood last: the log of its community, and its name.
CREATE TABLE drafts (
    topic    BLOB NOT NULL PRIMARY KEY,
    text     TEXT NOT NULL,
    reply_to BLOB,
    log      TEXT,
    name     TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
-- Edits in progress, in the order in which they were begun. `base` is what the message said then.
CREATE TABLE edits (
    no      INTEGER PRIMARY KEY AUTOINCREMENT,
    topic   BLOB NOT NULL,
    message BLOB NOT NULL,
    base    TEXT NOT NULL,
    text    TEXT NOT NULL,
    log     TEXT,
    name    TEXT NOT NULL DEFAULT '',
    UNIQUE (topic, message)
) STRICT;
-- My messages that a restored server may not have. `name` is what the topic was called.
CREATE TABLE lost (
    topic      BLOB NOT NULL,
    id         BLOB NOT NULL,
    seq        INTEGER NOT NULL,
    text       TEXT NOT NULL,
    reply_to   BLOB,
    written_at INTEGER NOT NULL,
    name       TEXT NOT NULL DEFAULT '',
    is_asked   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lost_unasked ON lost (topic) WHERE is_asked = 0;
"];

/// Brings the file to this program's schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known = FIRST - 1 + u32::try_from(MIGRATIONS.len()).unwrap_or(0);
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    if (1..FIRST).contains(&found) {
        return Err(StoreError::TooOld { found });
    }
    let applied = found.saturating_sub(FIRST - 1) as usize;
    for migration in MIGRATIONS.iter().skip(applied) {
        transaction.execute_batch(migration)?;
    }
    if found < known {
        transaction.pragma_update(None, "user_version", known)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Makes sure that the tables which everything begins with are there: a damaged list of tables is not noticed before.
pub(super) fn look_at_tables(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare(
            "SELECT 1 FROM meta, cursors, logs, rows, shelves, messages, islands, heads, outbox, drafts, edits LIMIT 0",
        )
        .map(|_| ())
        .map_err(|error| match StoreError::from(error) {
            error if error.trouble().is_some() => error,
            _ => StoreError::Shut(Trouble::Damaged),
        })
}
