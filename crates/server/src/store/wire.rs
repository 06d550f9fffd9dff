//! Pushes and answers as text. A row is encoded once, when it is written; these only put rows together.

use std::{fmt::Write, sync::Arc};

use tulou_protocol::{
    AccountId, Log, Rev, Seq, authors,
    frame::WireError,
    push::{Pushed, SyncedLog},
};

use super::{Commit, Run, Written};

const NO_ROWS: &str = r#""rows":[]"#;

/// An answer without rows.
pub const NOTHING: &str = r#"{"pushes":[]}"#;

/// The answer to a command: what changed in its home log and in the actor's own.
pub fn answer_json(commit: &Commit, logs: &[Written]) -> String {
    let mut json = String::from(r#"{"pushes":["#);
    let mut is_first = true;
    for written in logs {
        let is_his = match written.log {
            Log::Account(account) => account == commit.account,
            Log::Community(_) => !commit.is_apart,
            Log::Topic(_) => true,
        };
        if is_his {
            if !is_first {
                json.push(',');
            }
            is_first = false;
            push_json(&mut json, &Run::of(written), Seq::ZERO);
        }
    }
    json.push_str("]}");
    json
}

/// Writes of one log as one push of the rows from `floor` on.
pub fn push_json(json: &mut String, run: &Run<'_>, floor: Seq) {
    let _ = write!(
        json,
        r#"{{"log":"{}","prev":{},"rev":{},"rows":["#,
        run.log(),
        run.prev(),
        run.rev()
    );
    let mut is_first = true;
    for row in run.rows() {
        if row.seq < floor {
            continue;
        }
        if !is_first {
            json.push(',');
        }
        is_first = false;
        json.push_str(&row.json);
    }
    json.push(']');
    push_authors(json, run);
    json.push('}');
}

fn push_authors(json: &mut String, run: &Run<'_>) {
    let mut authors: Vec<(AccountId, Rev)> = Vec::new();
    for author in run.writes().flat_map(|written| &written.authors) {
        if authors::is_said(author) && !authors.contains(author) {
            authors.push(*author);
        }
    }
    if authors.is_empty() {
        return;
    }
    json.push_str(r#","authors":["#);
    for (at, (account, rev)) in authors.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(json, r#"{comma}["{account}",{rev}]"#);
    }
    json.push(']');
}

/// Writes of one log as a notification.
#[must_use]
pub fn push_frame(run: &Run<'_>, floor: Seq) -> String {
    let mut json = String::from(r#"{"jsonrpc":"2.0","method":"push","params":"#);
    push_json(&mut json, run, floor);
    json.push('}');
    json
}

/// What was found of a log, whose rows are beside it, encoded.
#[must_use]
pub fn synced_json(synced: &SyncedLog, rows: &[Arc<str>]) -> String {
    let json = serde_json::to_string(synced).unwrap_or_default();
    // Nothing else of it is called so, and what others wrote is in rows only.
    let Some((before, after)) = json.split_once(NO_ROWS) else {
        return json;
    };
    let bytes: usize = rows.iter().map(|row| row.len() + 1).sum();
    let mut json = String::with_capacity(json.len() + bytes);
    json.push_str(before);
    json.push_str(r#""rows":["#);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        json.push_str(row);
    }
    json.push(']');
    json.push_str(after);
    json
}

/// A notification.
#[must_use]
pub fn pushed_frame(pushed: Pushed) -> String {
    tulou_protocol::ServerFrame::Pushed(pushed)
        .to_text()
        .unwrap_or_default()
}

/// A result that is JSON already, as the answer to a request.
#[must_use]
pub fn result_json(id: &serde_json::Value, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

/// An error as the answer to a request.
#[must_use]
pub fn error_json(id: &serde_json::Value, error: &WireError) -> String {
    let error = serde_json::to_string(error).unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}

#[cfg(test)]
mod tests {
    use tulou_protocol::{
        Body, MessageId, Push, Row, ServerFrame, TopicId,
        push::SyncOutcome,
        row::{Content, Message, More},
    };
    use uuid::Uuid;

    use super::*;
    use crate::store::WrittenRow;

    const TOPIC: TopicId = TopicId(Uuid::from_u128(2));

    /// A text of 200 bytes, written by somebody else each time.
    fn row(seq: u64) -> Row {
        let content = Content {
            author: AccountId(Uuid::now_v7()),
            sent_at: 1_796_000_060_000,
            written_at: None,
            text: "字".repeat(66) + ".\n",
            reply_to: None,
            edited_at: None,
            recalled_by: None,
            more: More::new(),
        };
        Row {
            id: MessageId(Uuid::now_v7()).to_string(),
            rev: Rev(seq + 10_000),
            body: Message {
                seq: Seq(seq),
                content: Some(content),
                content_rev: Rev(seq + 10_000),
                marks: None,
                marks_rev: Rev::ZERO,
                more: More::new(),
            }
            .into(),
        }
    }

    fn written(row: &Row, author_rev: u64) -> Written {
        let Body::Message(message) = &row.body else {
            panic!("it is a message");
        };
        Written {
            log: Log::Topic(TOPIC),
            prev: Rev(row.rev.0 - 1),
            rev: row.rev,
            rows: vec![WrittenRow {
                row: None,
                seq: message.seq,
                json: serde_json::to_string(row).unwrap(),
            }],
            authors: message
                .content
                .iter()
                .map(|content| (content.author, Rev(author_rev)))
                .collect(),
        }
    }

    fn run(writes: &[Written]) -> Run<'_> {
        let mut run = Run::of(&writes[0]);
        assert!(writes[1..].iter().all(|written| run.goes_on(written)));
        run
    }

    #[test]
    fn a_text_of_200_bytes_takes_330_in_a_merged_frame() {
        let rows: Vec<Row> = (0..32).map(|at| row(10_000 + at)).collect();
        let writes: Vec<Written> = rows.iter().map(|row| written(row, 1)).collect();
        let frame = push_frame(&run(&writes), Seq::ZERO);
        let each = frame.len() / rows.len();
        assert!(each <= 330, "{each} bytes a row: {}", &frame[..700]);
    }

    #[test]
    fn what_was_found_is_put_together_with_its_rows() {
        let rows: Vec<Row> = (1..4).map(row).collect();
        let synced = |rows| SyncedLog {
            log: Log::Topic(TOPIC),
            outcome: SyncOutcome::Topic {
                rev: Rev(9),
                head_seq: Seq(3),
                floor: Seq(1),
                rows,
                tail_from: Some(Seq(1)),
                has_more: false,
                authors: vec![(AccountId(Uuid::nil()), Rev(2))],
            },
        };
        let encoded: Vec<Arc<str>> = rows
            .iter()
            .map(|row| serde_json::to_string(row).unwrap().into())
            .collect();
        for (rows, encoded) in [(rows, encoded), (Vec::new(), Vec::new())] {
            let json = synced_json(&synced(Vec::new()), &encoded);
            let meant = serde_json::to_string(&synced(rows)).unwrap();
            assert_eq!(json, meant, "as serde writes it");
        }
    }

    #[test]
    fn what_is_put_together_is_the_push_that_is_meant() {
        let rows: Vec<Row> = (1..4).map(row).collect();
        let writes: Vec<Written> = rows
            .iter()
            .zip(1..)
            .map(|(row, rev)| written(row, rev))
            .collect();
        let frame = push_frame(&run(&writes), Seq(2));
        let meant = Push {
            log: Log::Topic(TOPIC),
            prev: writes[0].prev,
            rev: writes[2].rev,
            rows: rows[1..].to_vec(),
            authors: vec![writes[1].authors[0], writes[2].authors[0]],
        };
        assert_eq!(
            ServerFrame::parse(&frame).unwrap(),
            ServerFrame::Pushed(Pushed::Push(meant)),
            "rows before the floor are left out, and what is known of an author anyway"
        );
    }
}
