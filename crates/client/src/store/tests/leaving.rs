//! A large community that one leaves: it is gone at once, and its rows go in steps.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const ROWS: u32 = 200_000;
/// Rows that one transaction may change: nobody who writes waits longer.
const MOST: u64 = 1_000;

/// How many rows were changed on the connection that writes what can be had again.
fn changed(store: &Store) -> u64 {
    let changed = store.keep(|db| Ok::<_, StoreError>(db.total_changes()));
    changed.unwrap()
}

#[test]
fn a_community_that_is_left_is_hidden_at_once_and_its_rows_go_in_steps() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(&store, vec![Write::Rows(log, vec![topic_row()])]);
    store
        .keep(|db| {
            let copies =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                INSERT INTO rows (log, kind, id, rev, body)
                SELECT log, 'access', i, 1, '{}' FROM rows, n WHERE kind = 'topic'";
            let made = db.execute(copies, [ROWS])?;
            assert_eq!(u32::try_from(made).ok(), Some(ROWS));
            Ok::<_, StoreError>(())
        })
        .unwrap();

    let before = changed(&store);
    apply(&store, vec![Write::Forget(log)]);
    let leaving = changed(&store) - before;
    assert!(leaving < MOST, "{leaving} rows were changed at once");
    assert_eq!(store.read(|db| rows::of_log(db, log)).unwrap(), []);
    assert_eq!(
        store.read(|db| rows::community_of(db, TOPIC)).unwrap(),
        None
    );

    // Who comes back meanwhile has what the server says then.
    apply(&store, vec![Write::Rows(log, vec![topic_row()])]);
    let (mut at, mut steps) = (changed(&store), 0);
    while store
        .tidy(u64::MAX, &BTreeMap::new(), &BTreeSet::new())
        .unwrap()
        != Tidied::Nothing
    {
        let now = changed(&store);
        assert!(now - at < MOST, "{} rows in a step", now - at);
        (at, steps) = (now, steps + 1);
        assert!(steps < ROWS, "it comes to an end");
    }
    assert_eq!(
        store.read(|db| rows::of_log(db, log)).unwrap(),
        [topic_row()]
    );
    let count = |db: &Connection| db.query_row("SELECT count(*) FROM rows", [], |row| row.get(0));
    let left: u32 = store.read(|db| Ok::<_, StoreError>(count(db)?)).unwrap();
    assert_eq!(left, 1, "nothing else is kept");
}
