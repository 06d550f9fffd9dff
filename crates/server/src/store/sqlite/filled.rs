//! Tables with a row in each, for tests of what is cleared.

use rusqlite::{Connection, params_from_iter, types::Value};
use uuid::Uuid;

/// What the rows name.
pub const ID: Uuid = Uuid::from_u128(9);

/// Texts of the first column.
fn texts(db: &Connection, sql: &str, of: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let found = statement.query_map([of], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

/// Puts a row that names [`ID`] in a column into each table that has this column, but for some tables; which those are.
pub fn filled(db: &Connection, column: &str, but: &[&str]) -> Vec<String> {
    let mut tables = texts(
        db,
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND c.name = ?1",
        column,
    );
    tables.retain(|table| !but.contains(&&**table));
    assert!(tables.len() > 1, "there are tables: {tables:?}");
    for table in &tables {
        let columns = texts(db, "SELECT name FROM pragma_table_info(?1)", table);
        let types = texts(db, "SELECT type FROM pragma_table_info(?1)", table);
        let values = columns
            .iter()
            .zip(&types)
            .map(|(name, kind)| match &**kind {
                _ if name == column => Value::Blob(ID.as_bytes().to_vec()),
                "INTEGER" => Value::Integer(1),
                "TEXT" => Value::Text("x".to_owned()),
                _ => Value::Blob(vec![7; 16]),
            });
        let marks = vec!["?"; columns.len()].join(", ");
        // A trigger may have made one already.
        let sql = format!("INSERT OR REPLACE INTO {table} VALUES ({marks})");
        db.execute(&sql, params_from_iter(values)).unwrap();
    }
    assert_eq!(left(db, column, &tables), tables, "each has a row");
    tables
}

/// Which of these tables still name [`ID`] in the column.
pub fn left(db: &Connection, column: &str, tables: &[String]) -> Vec<String> {
    let is_left = |table: &&String| {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {column} = ?1)");
        db.query_row(&sql, [ID.as_bytes()], |row| row.get(0))
            .unwrap()
    };
    tables.iter().filter(is_left).cloned().collect()
}
