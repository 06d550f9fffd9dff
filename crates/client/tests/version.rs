//! A server that speaks another version of the protocol than this program.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/other_version.rs"]
mod other_version;
#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::{net::SocketAddr, time::Duration};

use other_version::OtherVersion;
use stage::Stage;
use tokio::{net::TcpListener, time::Instant};
use tulou_client::{
    Client, Error,
    action::Action,
    view::{Connection, MembersPart},
};
use tulou_protocol::VERSION;

/// How long a port may be in the kernel's hands.
const PATIENCE: Duration = Duration::from_secs(20);

/// A port that was just given back may be in the kernel's hands for a moment.
async fn listen(address: SocketAddr) -> TcpListener {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

/// Live commands and questions, each as it was refused.
async fn live(client: &Client, account: &str, community: &str, topic: &str) -> Vec<Error> {
    let mut refused = Vec::new();
    for action in [
        Action::DeleteTopic {
            community: community.to_owned(),
            topic: topic.to_owned(),
        },
        Action::DissolveCommunity {
            community: community.to_owned(),
        },
    ] {
        refused.push(client.submit(account, action).await.unwrap_err());
    }
    let invites = client.invites_view(account, community).await;
    refused.push(invites.unwrap_err());
    let invite = client.create_invite(account, community, None, None).await;
    refused.push(invite.unwrap_err());
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_to_a_server_of_another_version_is_kept_until_the_versions_agree() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.settled().await;
    let id = stage.server().server().to_string();
    let address = stage.server().address();
    stage.stop_server().await;
    for (version, is_newer) in [(VERSION + 1, true), (VERSION - 1, false)] {
        let other = OtherVersion::serve(listen(address).await, id.clone(), version);
        alice.client.hurry().await;
        alice
            .until("it says whose version is older", async || {
                let app = alice.client.app_view().await;
                let connection = &app.accounts[0].connection;
                matches!(connection, Connection::OtherVersion { is_server_newer, .. } if *is_server_newer == is_newer)
                    .then_some(())
            })
            .await;
        let expected = if is_newer { "outdated" } else { "too_old" };
        for refused in live(&alice.client, &alice.account, &community, &topic).await {
            assert_eq!(
                refused.code(),
                expected,
                "what needs the server says why it cannot be done"
            );
        }
        let members = alice
            .client
            .members_view(&alice.account, &community, None, MembersPart::first("", 10))
            .await
            .unwrap();
        assert!(!members.is_fresh, "members are shown as remembered");
        drop(other);
    }
    let app = alice.client.app_view().await;
    assert_eq!(
        app.accounts[0].communities.len(),
        1,
        "the history is there as before"
    );
    let said = alice.say(&topic, "kept meanwhile").await;
    let app = alice.client.app_view().await;
    assert_eq!(app.accounts[0].waiting, 1, "and what is written waits");
    stage.start_server().await;
    alice.client.hurry().await;
    alice.settled().await;
    assert!(alice.has(&topic, &said).await);
    stage.end([alice]).await;
}
