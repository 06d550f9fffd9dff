//! Pushes and answers as text. A row is encoded once, when it is written; these only put rows together.

use std::fmt::Write;

use tulou_protocol::{AccountId, Log, Rev, Seq, frame::WireError, push::Pushed};

use crate::store::{Commit, Run, Written};

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
        if !authors.contains(author) {
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
