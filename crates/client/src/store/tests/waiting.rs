//! Commands that wait, and what is shown of them.

use super::*;

#[test]
fn a_refused_command_waits_for_the_person_and_a_refused_cursor_for_nobody() {
    let (_folder, store) = store();
    let send = CommandId(Uuid::from_u128(1));
    let advance = CommandId(Uuid::from_u128(2));
    store
        .write(|db| {
            let command = Command::MessagePin {
                topic: TOPIC,
                message: id(1),
                on: true,
            };
            outbox::push(db, send, command, 1, OutboxState::Waiting)?;
            let command = Command::CursorAdvance {
                topic: TOPIC,
                seq: Seq(3),
                set_no: 0,
            };
            outbox::push(db, advance, command, 1, OutboxState::Waiting)
        })
        .unwrap();
    let rejection = Rejection::from(Code::NotFound);
    let touched = apply(
        &store,
        vec![
            Write::Rejected(send, rejection.clone()),
            Write::Rejected(advance, rejection.clone()),
        ],
    );
    let outbox = store.read(outbox::all).unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].state, OutboxState::Rejected(rejection));
    assert_eq!(touched.dropped, [advance]);
    apply(&store, vec![Write::Done(send)]);
    assert_eq!(store.read(outbox::all).unwrap(), []);
}

#[test]
fn a_message_that_came_before_its_answer_is_shown_once() {
    let (_folder, store) = store();
    let send = |seq: u64| Command::MessageSend {
        topic: TOPIC,
        message: id(seq),
        text: "a".into(),
        reply_to: None,
        written_at: 5,
    };
    store
        .write(|db| {
            for seq in [2, 3] {
                let command = CommandId(Uuid::from_u128(70 + u128::from(seq)));
                outbox::push(db, command, send(seq), 1, OutboxState::Waiting)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let island = Island {
        from: Seq(1),
        to: Seq(2),
        rev: Rev(2),
        is_paged: true,
    };
    apply(
        &store,
        vec![
            topic_rows(vec![
                message(1, Some(("a", 1)), None),
                message(2, Some(("a", 2)), None),
                // Beyond a gap: it is not among what is shown.
                message(3, Some(("a", 9)), None),
            ]),
            Write::Islands(TOPIC, vec![island]),
        ],
    );
    let as_of = AsOf {
        me: ME,
        now: 9,
        skew: 1_000,
        is_linked: true,
    };
    let view = end_of_topic(store, as_of);
    let ids = |rows: &[MessageView]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&view.rows), [id(1).to_string(), id(2).to_string()]);
    assert_eq!(ids(&view.pending), [id(3).to_string()]);
    assert_eq!(
        view.pending[0].sent_at, 1_005,
        "by the server's clock, as the rows above it: a wrong one here begins no day of its own"
    );
}
