//! A person without a window, for tests that kill programs: a client on a folder, which does what it is told a line at a
//! time, and answers each line with one of JSON.
//!
//! Its tokens lie in a file of the folder, because no keyring is there to keep them while it is dead.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;
use tulou_client::{
    Client, Error, Secrets, Viewer,
    action::Action,
    secrets::NoKeyring,
    view::{AccountView, Connection, MessageView, Stretch},
};

/// More than any test writes.
const ROWS: u32 = 100_000;
/// Rows of a piece of a longer topic.
const PIECE: u64 = 500;
const PASSWORD: &str = "correct horse";

fn main() -> io::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("TULOU_LOG").unwrap_or_else(|_| EnvFilter::new("error")),
        )
        .with_writer(io::stderr)
        .init();
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("name the folder"))?;
    std::fs::create_dir_all(&folder)?;
    let tokens = Tokens(Mutex::new(folder.join("tokens.json")));
    // The client works on threads of its own while this one waits for the next line.
    let runtime = tokio::runtime::Runtime::new()?;
    let client = runtime
        .block_on(Client::open(folder, Arc::new(tokens)))
        .map_err(io::Error::other)?;
    let viewer = client.viewer();
    for line in io::stdin().lines() {
        let wish: Value = serde_json::from_str(&line?)?;
        let answer = match runtime.block_on(grant(&client, &viewer, &wish)) {
            Ok(done) => json!({ "ok": done }),
            Err(error) => json!({ "error": error.code() }),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    runtime.block_on(client.shutdown());
    Ok(())
}

/// `["word", arguments…]`
async fn grant(client: &Client, viewer: &Viewer, wish: &Value) -> Result<Value, Error> {
    let text = |at: usize| wish[at].as_str().unwrap_or_default();
    let account = client.app_view().await.accounts.into_iter().next();
    let key = account.as_ref().map_or("", |account| &account.key);
    Ok(match text(0) {
        "register" => {
            let (link, name) = (text(1), text(2));
            json!(client.register(link, name, name, PASSWORD).await?)
        }
        "invite" => {
            let invite = client.create_invite(key, text(1), None, None).await?;
            json!(invite.link)
        }
        "join" => json!(client.join_link(key, text(1)).await?.community),
        "topic" => {
            let tree = client.tree_view(key, text(1)).await?;
            json!(tree.groups[0].topics[0].id)
        }
        "enter" => json!(viewer.enter_topic(key, text(1)).await?),
        "hurry" => json!(client.hurry().await),
        "do" => {
            let action: Action = serde_json::from_value(wish[1].clone())
                .unwrap_or_else(|error| panic!("{wish} is no action: {error}"));
            json!(viewer.submit(key, action).await?)
        }
        "state" => state(account.as_ref()),
        "rows" => {
            let stretch = Stretch::End { count: ROWS };
            let view = client.timeline_view(key, text(1), stretch).await?;
            let mut rows: Vec<Value> = view.rows.iter().map(row).collect();
            // A view holds so many rows and no more: what lies before them is read piece by piece, as far as it is here.
            let mut first = view.rows.first().and_then(|row| row.seq).unwrap_or(1);
            while first > 1 {
                let stretch = Stretch::Range {
                    from: first.saturating_sub(PIECE).max(1),
                    to: Some(first - 1),
                };
                let before = client.timeline_view(key, text(1), stretch).await?;
                if before.rows.last().and_then(|row| row.seq) != Some(first - 1) {
                    break;
                }
                first = before.rows.first().and_then(|row| row.seq).unwrap_or(1);
                rows.splice(..0, before.rows.iter().map(row));
            }
            json!({ "rows": rows, "pending": view.pending.len() })
        }
        word => panic!("{word:?} is no wish"),
    })
}

fn state(account: Option<&AccountView>) -> Value {
    json!({
        "connection": account.map(|account| &account.connection),
        "isSynced": account.is_some_and(|account| account.connection == Connection::Synced),
        "isSignedOut": account.is_some_and(|account| account.connection == Connection::SignedOut),
        "waiting": account.map_or(0, |account| account.waiting),
        "rejected": account.map_or(0, |account| account.rejected.len()),
    })
}

/// What both sides have to agree on about a message.
fn row(row: &MessageView) -> Value {
    let reactions: Vec<String> = row
        .reactions
        .iter()
        .map(|reaction| format!("{}{}", reaction.key, reaction.count))
        .collect();
    json!({
        "seq": row.seq,
        "id": row.id,
        "author": row.author.name,
        "text": row.text,
        "reactions": reactions,
        "isPinned": row.is_pinned,
        "isEdited": row.is_edited,
        "isRecalled": row.recalled.is_some(),
    })
}

/// Tokens in a file.
struct Tokens(Mutex<PathBuf>);

impl Tokens {
    fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> T,
    ) -> Result<T, NoKeyring> {
        let path = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let no = |error: io::Error| NoKeyring::Refused(error.to_string());
        let mut tokens = match std::fs::read(&*path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| no(error.into()))?,
            Err(_) => BTreeMap::new(),
        };
        let before = tokens.clone();
        let answer = change(&mut tokens);
        if tokens != before {
            let beside = path.with_extension("new");
            let bytes = serde_json::to_vec(&tokens).map_err(|error| no(error.into()))?;
            std::fs::write(&beside, bytes).map_err(no)?;
            std::fs::rename(&beside, &*path).map_err(no)?;
        }
        Ok(answer)
    }
}

impl Secrets for Tokens {
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring> {
        self.change(|tokens| tokens.get(account).cloned())
    }

    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring> {
        self.change(|tokens| {
            tokens.insert(account.to_owned(), token.to_owned());
        })
    }

    fn delete(&self, account: &str) -> Result<(), NoKeyring> {
        self.change(|tokens| {
            tokens.remove(account);
        })
    }

    fn is_lasting(&self) -> bool {
        true
    }
}
