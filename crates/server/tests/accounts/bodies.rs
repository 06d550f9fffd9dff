//! How large the bodies of requests may be.

use serde_json::json;
use tulou_protocol::openapi::DOORS;

use super::{house, with};

#[tokio::test]
async fn each_door_reads_a_body_as_large_as_it_says_and_refuses_a_larger_one_with_its_limit() {
    let (place, alice) = house().await;
    let mut tried = 0;
    for door in DOORS.iter().filter(|door| door.takes_body()) {
        let (path, most) = (door.path, door.bounds.body_bytes);
        let send = async |bytes: usize| {
            let body = json!("x".repeat(bytes - 2));
            assert_eq!(body.to_string().len(), bytes, "it has so many bytes");
            let (status, refused) = with(&place, &alice.token, door.method, path, body).await;
            (status, refused["rejection"].clone())
        };
        assert_eq!(
            send(most).await,
            (400, json!({"code": "malformed"})),
            "{path} read it: a text is not what it takes"
        );
        assert_eq!(
            send(most + 1).await,
            (400, json!({"code": "too_long", "limit": most})),
            "{path} says how large it may be"
        );
        tried += 1;
    }
    assert!(tried >= 6, "there are doors that take something: {tried}");
    place.stop().await;
}
