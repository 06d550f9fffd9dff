//! Stores that are slow to open.

use std::fs::File;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_whose_store_another_program_has_keeps_no_other_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let before = client(&folder).await;
    let keys: Vec<_> = (1..=2).map(|no| account(&before, no).0).collect();
    before.keep_accounts().await.unwrap();
    let file = before.account(&keys[0]).unwrap().store.path().to_owned();
    before.shutdown().await;
    drop(before);
    let held = File::options()
        .write(true)
        .open(format!("{}.lock", file.display()))
        .unwrap();
    held.lock().unwrap();

    let client = client(&folder).await;
    let began = std::time::Instant::now();
    let view = client.app_view().await;
    let took = began.elapsed();
    let shown: Vec<_> = view.accounts.iter().map(|it| it.key.clone()).collect();
    assert_eq!(shown, keys, "both are there, in their order");
    assert_eq!(
        view.accounts[0].store.trouble, None,
        "the file of the one is waited for still"
    );
    assert!(took < Duration::from_secs(1), "the frame took {took:?}");
    assert!(client.topics_view(&keys[0]).await.is_err());
    assert!(
        client.topics_view(&keys[1]).await.is_ok(),
        "the other one is at work"
    );

    let mut changes = client.changes();
    drop(held);
    tokio::time::timeout(Duration::from_secs(20), async {
        while client.topics_view(&keys[0]).await.is_err() {
            changes.next().await;
        }
    })
    .await
    .expect("and so is the first once it has its file, which is told");
    client.shutdown().await;
}
