//! A server that was restored: what is held is older than whatever comes, at once, however much it is.

use super::*;

const ROWS: u32 = 100_000;
/// Rows that one transaction may change: nobody who writes waits longer.
const MOST: u64 = 1_000;

#[test]
fn another_epoch_writes_none_of_the_rows_that_are_held() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(
        &store,
        vec![
            greeted(1),
            Write::Rows(log, vec![group(1, 90, "lost future")]),
        ],
    );
    store
        .keep(|db| {
            let copies =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                INSERT INTO rows (log, kind, id, rev, body)
                SELECT log, 'access', i, 90, '{}' FROM rows, n WHERE kind = 'group'";
            db.execute(copies, [ROWS])?;
            let people =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                INSERT INTO profiles (account, rev, body)
                SELECT unhex(printf('%032x', i)), 90, '{}' FROM n";
            db.execute(people, [ROWS])?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let changed = || {
        let changed = |db: &rusqlite::Transaction<'_>| Ok::<_, StoreError>(db.total_changes());
        store.write(changed).unwrap()
    };
    let before = changed();
    apply(&store, vec![greeted(2)]);
    let written = changed() - before;
    assert!(written < MOST, "{written} rows were changed at once");

    let held = store.read(|db| rows::one(db, log, "group", &group(1, 0, "").id));
    assert_eq!(
        held.unwrap(),
        Some(group(1, 0, "lost future")),
        "shown still"
    );
    let revs = store.read(profiles::revs).unwrap();
    assert!(
        revs.values().all(|rev| *rev == Rev(0)),
        "and asked for anew"
    );
    apply(
        &store,
        vec![Write::Rows(log, vec![group(1, 1, "restored")])],
    );
    let held = store.read(|db| rows::one(db, log, "group", &group(1, 0, "").id));
    assert_eq!(held.unwrap(), Some(group(1, 1, "restored")));
}

#[test]
fn what_was_buried_and_reset_in_another_epoch_is_gone_in_this_one() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(
        &store,
        vec![
            greeted(1),
            Write::Rows(log, vec![group(1, 90, "lost future"), group(2, 91, "held")]),
            greeted(2),
            Write::Rows(log, vec![group(3, 4, "of this one")]),
            Write::Reset {
                log,
                rev: Rev(3),
                kept: vec![("group".into(), group(2, 0, "").id)],
            },
        ],
    );
    let held = store.read(|db| rows::of_log(db, log)).unwrap();
    assert_eq!(held, [group(2, 0, "held"), group(3, 4, "of this one")]);
}
