use rusqlite::StatementStatus;
use uuid::Uuid;

use super::*;
use crate::store::sqlite::schema;

const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(1));
const GROUP: MemberGroupId = MemberGroupId(Uuid::from_u128(2));

fn with(members: u128) -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    schema::migrate(&mut db).unwrap();
    let insert = "INSERT INTO member_in (community, member_group, name_key, account)
        VALUES (?1, ?2, 'a', ?3) ON CONFLICT DO NOTHING";
    for no in 0..members {
        let account = Uuid::from_u128(no);
        // Whoever is listed already is so once.
        for _ in 0..2 {
            let row = (COMMUNITY.as_bytes(), GROUP.as_bytes(), account.as_bytes());
            db.execute(insert, row).unwrap();
        }
    }
    db
}

#[test]
fn how_many_are_in_a_member_group_is_known_without_reading_them() {
    let steps = |members| {
        let db = with(members);
        let mut statement = db.prepare(COUNT).unwrap();
        let ids = (COMMUNITY.as_bytes(), GROUP.as_bytes());
        let counted = statement.query_row(ids, |row| counter(row, 0)).unwrap();
        assert_eq!(u128::from(counted), members);
        statement.get_status(StatementStatus::VmStep)
    };
    assert_eq!(steps(2_000), steps(2));
}

#[test]
fn of_a_member_group_that_nobody_is_in_any_more_no_count_is_left() {
    let db = with(3);
    assert_eq!(count(&db, COMMUNITY, &[GROUP]).unwrap(), [3]);
    db.execute(
        "DELETE FROM member_in WHERE account = ?1",
        [Uuid::nil().as_bytes()],
    )
    .unwrap();
    assert_eq!(count(&db, COMMUNITY, &[GROUP]).unwrap(), [2]);
    db.execute("DELETE FROM member_in", []).unwrap();
    assert_eq!(count(&db, COMMUNITY, &[GROUP]).unwrap(), [0]);
    let left: u64 = db
        .query_row("SELECT count(*) FROM member_count", [], |row| {
            counter(row, 0)
        })
        .unwrap();
    assert_eq!(left, 0);
}
