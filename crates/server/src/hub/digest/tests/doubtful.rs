//! Digests of a community of which it is not known who sees what.

use super::*;

#[tokio::test]
async fn while_it_is_not_known_who_sees_what_a_digest_says_only_that_there_is_something() {
    let house = House::with(1).await;
    let room = house.rooms[0].topic;
    let lines = [
        house.comes(house.owner).await,
        house.comes(house.rooms[0].seats[0]).await,
        house.comes(AccountId(Uuid::now_v7())).await,
    ];
    house.in_gathering(|gathering| gathering.is_doubtful = true);
    house.moves(&[house.open, room]);
    let now = house.app.now() - 100;
    house.sends(now).await;
    for line in &lines {
        assert_eq!(windows(line), [(now, now, vec![])], "he asks");
    }
    house.moves(&[room]);
    house.sends(now + 1).await;
    assert_eq!(windows(&lines[0]), [(now + 1, now + 1, vec![])]);
    assert_eq!(windows(&lines[2]), [], "nobody tells him of a closed topic");
    house.in_gathering(|gathering| gathering.is_doubtful = false);
    house.moves(&[house.open]);
    house.sends(now + 2).await;
    assert_eq!(windows(&lines[2]), [(now, now + 2, vec![1])], "heads again");
    house.app.close().await;
}
