//! Measures `seen`: from one client's submit to the other client's store, one message at a time.

#[path = "bench/load.rs"]
mod load;
#[path = "bench/server.rs"]
mod server;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use load::load;
use server::{Server, percentile, print};
use tokio::time::timeout;
use tulou_client::{
    Changes, Client, InMemory, Viewer,
    action::Action,
    view::{Connection, Stretch},
};

const SAMPLES: usize = 500;
const WARM_UP: usize = 20;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Person {
    client: Client,
    viewer: Viewer,
    changes: Changes,
    account: String,
}

impl Person {
    async fn new(folder: PathBuf, address: &str, name: &str) -> Result<Self> {
        let client = Client::open(folder, Arc::new(InMemory::default())).await?;
        let changes = client.changes();
        let account = client
            .register(address, name, name, "correct horse")
            .await?;
        let mut person = Self {
            viewer: client.viewer(),
            client,
            changes,
            account,
        };
        person.settle().await?;
        Ok(person)
    }

    async fn wait(&mut self) -> Result<()> {
        timeout(PATIENCE, self.changes.next())
            .await
            .context("nothing changed in time")?
            .context("the client ended")?;
        Ok(())
    }

    async fn settle(&mut self) -> Result<()> {
        loop {
            let app = self.client.app_view().await;
            let is_settled = app
                .accounts
                .iter()
                .all(|account| account.connection == Connection::Synced && account.waiting == 0);
            if is_settled {
                return Ok(());
            }
            self.wait().await?;
        }
    }

    async fn last(&self, topic: &str) -> Result<Option<String>> {
        let view = self
            .client
            .timeline_view(&self.account, topic, Stretch::End { count: 1 })
            .await?;
        Ok(view.rows.last().map(|row| row.id.clone()))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let (samples_count, warm_up) = load((SAMPLES, WARM_UP), (5, 1));
    let server = Server::start(server::folder()?, None).await?;
    let home = |name: &str| server.folder.path().join(name);
    let mut alice = Person::new(home("alice"), &server.address, "alice").await?;
    let community = alice
        .client
        .submit(
            &alice.account,
            Action::CreateCommunity {
                name: "bench".into(),
                group: "g".into(),
                topic: "t".into(),
            },
        )
        .await?
        .context("a community was made")?;
    alice.settle().await?;
    let tree = alice.client.tree_view(&alice.account, &community).await?;
    let topic = tree.groups[0].topics[0].id.clone();
    let invite = alice
        .client
        .create_invite(&alice.account, &community, None, None)
        .await?;
    let mut bob = Person::new(home("bob"), &server.address, "bob").await?;
    bob.client.join_link(&bob.account, &invite.link).await?;
    alice.viewer.enter_topic(&alice.account, &topic).await?;
    bob.viewer.enter_topic(&bob.account, &topic).await?;
    alice.settle().await?;
    bob.settle().await?;
    eprintln!(
        "two clients and a server on this computer, {samples_count} messages of 200 bytes, one at a time, both watch the topic"
    );

    let mut samples = Vec::with_capacity(samples_count);
    for number in 0..warm_up + samples_count {
        let text = format!("{number:0200}");
        let action = Action::SendMessage {
            topic: topic.clone(),
            text,
            reply_to: None,
        };
        let begin = Instant::now();
        let message = alice.client.submit(&alice.account, action).await?;
        while bob.last(&topic).await? != message {
            bob.wait().await?;
        }
        if number >= warm_up {
            samples.push(begin.elapsed());
        }
        alice.settle().await?;
    }
    print("seen.p50_ms", percentile(&mut samples, 50), "ms");
    print("seen.p99_ms", percentile(&mut samples, 99), "ms");
    alice.client.shutdown().await;
    bob.client.shutdown().await;
    Ok(())
}
