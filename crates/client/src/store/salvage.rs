//! Reading as many rows as a damaged file gives.

use rusqlite::{Connection, Row};

use super::StoreError;

/// The rows of a query that ends with one `ORDER BY` column, in its order, and whether those were all. A page that is
/// broken stops the reading, so it is tried from the other end as well; a row that says nothing sensible is left out.
pub(super) fn rows<T>(
    db: &Connection,
    query: &str,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> (Vec<T>, bool) {
    let (mut found, mut is_whole, has_ended) = forward(db, query, &read);
    if !has_ended {
        is_whole = false;
        let (mut from_behind, ..) = forward(db, &format!("{query} DESC"), &read);
        from_behind.reverse();
        found.extend(from_behind);
    }
    (found, is_whole)
}

/// Rows up to the first that the file does not give; whether each made sense; whether the end was reached.
fn forward<T>(
    db: &Connection,
    query: &str,
    read: &impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> (Vec<T>, bool, bool) {
    let mut found = Vec::new();
    let mut is_whole = true;
    let Ok(mut statement) = db.prepare(query) else {
        return (found, false, false);
    };
    let Ok(mut rows) = statement.query([]) else {
        return (found, false, false);
    };
    loop {
        match rows.next() {
            Ok(Some(row)) => match read(row) {
                Ok(row) => found.push(row),
                Err(error) => {
                    tracing::warn!("a row of a damaged store makes no sense: {error}");
                    is_whole = false;
                }
            },
            Ok(None) => return (found, is_whole, true),
            Err(_) => return (found, false, false),
        }
    }
}
