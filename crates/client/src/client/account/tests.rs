use tulou_protocol::{
    Rev, Row,
    row::{Community, Join, More},
};
use uuid::Uuid;

use super::*;

const ME: AccountId = AccountId(Uuid::from_u128(1));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(2));

fn account(folder: &std::path::Path) -> Arc<Account> {
    let known = Known {
        server: ServerId(Uuid::from_u128(3)),
        account: ME,
        name: "alice".into(),
        server_name: "s".into(),
        addresses: Vec::new(),
        key: None,
    };
    let store = Store::open(&folder.join("a.sqlite"), ME).unwrap();
    let (wishes, _) = mpsc::channel(1);
    let (board, nearby) = (Board::default(), Arc::default());
    Arc::new(Account::new(known, Arc::new(store), wishes, board, nearby))
}

/// The community gets a name, and those who look are told.
fn rename(account: &Account, rev: u64, name: &str) {
    let row = Row {
        id: COMMUNITY.to_string(),
        rev: Rev(rev),
        body: Community {
            name: name.into(),
            introduction: String::new(),
            owner: ME,
            join: Join::Invite,
            recall_window_ms: 0,
            edit_window_ms: None,
            created_at: 0,
            more: More::new(),
        }
        .into(),
    };
    let change = tulou_engine::Change::Rows(Log::Community(COMMUNITY), vec![row]);
    let touched = account.store.apply(&[change], 1).unwrap();
    account.note(&touched).unwrap();
}

fn name(account: &Account, db: &Db) -> Result<String, Error> {
    let shape = account.shape(db, COMMUNITY)?;
    Ok(shape.expect("it is known").name.clone())
}

#[tokio::test]
async fn a_structure_that_was_read_before_it_changed_is_not_kept_after() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    rename(&account, 1, "old");
    let read = account.read(|account, db| {
        // The snapshot begins with the first look.
        memberships(db, account.id)?;
        rename(account, 2, "new");
        name(account, db)
    });
    assert_eq!(read.await.unwrap(), "old", "as of the snapshot");
    assert_eq!(account.read(name).await.unwrap(), "new");
    let kept = account.state().shapes.len();
    assert_eq!(kept, 1, "what is read after it is kept");
}

#[tokio::test]
async fn a_server_that_names_an_absurd_time_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    account.set_server_time(5);
    assert!(account.looking().now < 60_000, "its time, not ours");
    for absurd in [i64::MAX, i64::MIN, -1] {
        account.set_server_time(absurd);
        let now = account.looking().now;
        assert!((0..=LATEST + 60_000).contains(&now), "{absurd}: {now}");
    }
}
