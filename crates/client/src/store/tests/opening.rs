//! The file: its version, its plans, a new one in the place of a damaged one.

use super::*;

#[test]
fn a_crash_between_the_tables_and_what_is_brought_into_them_loses_nothing() {
    let (folder, store) = store();
    let command = Command::CursorSet {
        topic: TOPIC,
        seq: Seq(1),
    };
    let command_id = CommandId(Uuid::from_u128(77));
    store
        .write(|db| {
            drafts::put(db, TOPIC, "half a senten", None)?;
            outbox::push(db, command_id, command, 3, OutboxState::Waiting)
        })
        .unwrap();
    store.copy_spare().unwrap();
    store.checkpoint().unwrap();
    drop(store);
    let path = folder.path().join("a.sqlite");
    std::fs::remove_file(&path).unwrap();
    // The program ends as soon as the new file has its tables.
    drop(file::open(&path).unwrap());

    let store = Store::open(&path, ME).unwrap();
    let waiting = store.read(outbox::all).unwrap();
    assert_eq!(
        waiting.len(),
        1,
        "the outbox is brought in at the next start"
    );
    assert_eq!(waiting[0].id, command_id);
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a senten");
    store
        .write(|db| {
            outbox::remove(db, command_id)?;
            drafts::put(db, TOPIC, "half a sentence", None)
        })
        .unwrap();
    drop(store);

    let store = Store::open(&path, ME).unwrap();
    assert_eq!(
        store.read(outbox::all).unwrap(),
        [],
        "what was brought in once is not brought in again"
    );
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a sentence");
}

#[test]
fn what_was_refused_or_is_too_old_is_still_so_in_a_store_begun_anew() {
    let (folder, store) = store();
    let command = |seq| Command::CursorSet {
        topic: TOPIC,
        seq: Seq(seq),
    };
    let ids = [1, 2, 3].map(|no| CommandId(Uuid::from_u128(no)));
    let rejection = Rejection::from(Code::NotAllowed);
    store
        .write(|db| {
            for (id, state) in ids.into_iter().zip([
                OutboxState::Waiting,
                OutboxState::Stale,
                OutboxState::Waiting,
            ]) {
                outbox::push(db, id, command(1), 3, state)?;
            }
            outbox::reject(db, ids[2], &rejection)
        })
        .unwrap();
    store.mend(5).unwrap();
    let states: Vec<OutboxState> = store
        .read(outbox::all)
        .unwrap()
        .into_iter()
        .map(|entry| entry.state)
        .collect();
    let expected = [
        OutboxState::Waiting,
        OutboxState::Stale,
        OutboxState::Rejected(rejection),
    ];
    assert_eq!(
        states, expected,
        "nothing is sent that waits for the person"
    );
    drop(folder);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    drop(Store::open(&path, ME).unwrap());
    let file = Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let refused = Store::open(&path, ME).map(|_| ());
    assert!(
        matches!(refused, Err(StoreError::TooNew { found: 99, .. })),
        "{refused:?}"
    );
}

#[test]
fn the_hot_statements_search_and_never_scan() {
    let (_folder, store) = store();
    let plans = [
        "SELECT seq FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq BETWEEN ?2 AND ?3 AND content <> '' ORDER BY seq LIMIT ?4",
        "SELECT seq FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND id = ?2 AND content <> '' ORDER BY seq DESC LIMIT 1",
        "SELECT seq FROM messages INDEXED BY messages_pinned WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND pinned_at > 0 ORDER BY pinned_at DESC LIMIT 5",
        "SELECT count(*) FROM messages INDEXED BY messages_mine WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq > ?2 AND is_mine = 1",
        "DELETE FROM rows INDEXED BY rows_gone WHERE log = (SELECT no FROM logs WHERE log = ?1) AND rev <= ?2 AND deleted = 1",
        "SELECT no FROM shelves WHERE topic IS NULL LIMIT 1",
        "SELECT 1 FROM outbox WHERE topic = ?1",
        "SELECT no FROM logs WHERE log IS NULL LIMIT 1",
        "SELECT kind, id FROM rows WHERE log = ?1 ORDER BY kind, id LIMIT ?2",
        "SELECT logs.log FROM rows JOIN logs ON logs.no = rows.log WHERE rows.kind = 'topic' AND rows.id = ?1 AND rows.deleted = 0 AND logs.log IS NOT NULL LIMIT 1",
        "SELECT body FROM rows WHERE log = (SELECT no FROM logs WHERE log = ?1) AND deleted = 0",
        "SELECT body FROM rows WHERE log = (SELECT no FROM logs WHERE log = ?1) AND kind = ?2 AND deleted = 0",
        "SELECT body FROM rows WHERE log = (SELECT no FROM logs WHERE log = ?1) AND kind = 'mention' AND id > ?2 || ':' AND id < ?2 || ';' AND deleted = 0",
        "SELECT no FROM outbox WHERE topic = ?1 ORDER BY no",
        "SELECT from_seq FROM islands WHERE topic = ?1 ORDER BY from_seq",
    ];
    for sql in plans {
        let plan: Vec<String> = store
            .read(|db| {
                let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let given = std::iter::repeat_n("", plan.parameter_count());
                let steps = plan.query_map(rusqlite::params_from_iter(given), |row| row.get(3))?;
                let steps = steps.collect::<Result<Vec<String>, _>>();
                steps.map_err(StoreError::from)
            })
            .unwrap();
        assert!(
            plan.iter()
                .all(|step| step.starts_with("SEARCH") || step.starts_with("SCALAR SUBQUERY")),
            "{sql}\n{plan:?}"
        );
    }
}

#[test]
fn nobody_waits_for_a_store_that_waits_for_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    // As another program has it.
    let held = File::create(file::beside(&path, ".lock")).unwrap();
    held.lock().unwrap();
    let store = Store::shut(&path, ME);
    let mut longest = Duration::ZERO;
    std::thread::scope(|scope| {
        let (store, (done, opened)) = (&store, std::sync::mpsc::channel());
        scope.spawn(move || done.send(store.reopen(1, false)).unwrap());
        loop {
            let began = Instant::now();
            let read = store.read(|_| Ok::<_, StoreError>(()));
            longest = longest.max(began.elapsed());
            assert!(matches!(read, Err(StoreError::Shut(_))), "it says so");
            if let Ok(reopened) = opened.recv_timeout(Duration::from_millis(50)) {
                assert_eq!(reopened.unwrap_err().trouble(), Some(Trouble::Locked));
                break;
            }
        }
    });
    assert!(
        longest < Duration::from_secs(1),
        "a view took {longest:?} to say that there is nothing"
    );
    drop(held);
    store.reopen(1, false).unwrap();
    assert_eq!(*store.trouble().borrow(), None);
}

#[test]
fn what_is_read_while_a_store_is_shut_puts_it_in_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::shut(&folder.path().join("a.sqlite"), ME);
    let read = store.read(|_| Ok::<_, StoreError>(()));
    assert!(matches!(read, Err(StoreError::Shut(_))));
    assert_eq!(
        *store.trouble().borrow(),
        None,
        "somebody who looks while it opens says nothing of the file"
    );
}

#[test]
fn a_store_that_was_removed_is_not_made_again() {
    let (_folder, store) = store();
    store.remove().unwrap();
    assert!(store.reopen(1, true).is_err());
    assert!(!store.path().exists());
}
