//! What a change of rights means that could not be read: until it is known, nobody goes by what was so before.

use super::*;

#[tokio::test]
async fn who_watches_again_reads_from_where_the_change_allows_that_could_not_be_told() {
    let (none, history) = (Permissions::empty(), Permissions::READ_HISTORY);
    let house = House::build().await;
    house.says(1, "older than carol").await;
    house.app.parts.clock.set_by(1_000);
    let carol = house.comes("carol").await;
    house.unheard(vec![house.rename("土楼", "围楼")]).await;
    house.heard_without("row", house.deny(none, history)).await;
    let heard = house.hears(&carol).await;
    assert!(asks(&heard, Log::Topic(house.topic)), "it ended: {heard:?}");
    house.app.watch(&carol, vec![house.topic]).await.unwrap();
    let edit = Command::MessageEdit {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(1)),
        text: Edit {
            from: "older than carol".to_owned(),
            to: "not for carol".to_owned(),
        },
    };
    give(&house.app, &house.alice, edit).await;
    house.says(2, "for carol").await;
    let heard = house.hears(&carol).await;
    let ids = rows(&heard, Log::Topic(house.topic));
    assert_eq!(ids, [message(2)], "no commit of the community came since");
    house.app.close().await;
}
