//! Facts about the store as a whole: the server's last greeting.

use rusqlite::{Connection, OptionalExtension, params};
use tulou_protocol::Greeting;

use super::StoreError;

const GREETING: &str = "greeting";

/// The server's last greeting: epoch, name, limits, addresses.
pub fn greeting(db: &Connection) -> Result<Option<Greeting>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([GREETING], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

pub(super) fn set_greeting(db: &Connection, greeting: &Greeting) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute(params![GREETING, serde_json::to_string(greeting)?])?;
    Ok(())
}
