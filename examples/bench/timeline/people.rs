//! Those who write.

use std::sync::Arc;

use anyhow::{Context, Result};
use rand::{SeedableRng, rngs::StdRng};
use tulou_client::{
    Client, InMemory, Viewer,
    action::Action,
    view::{MessageView, Stretch},
};

use super::{server::Server, text, until};

/// How many there are.
pub const AUTHORS: usize = 3;
/// What each of them signs in with.
pub const PASSWORD: &str = "correct horse 电池";

/// The community and its topics.
struct Place {
    community: String,
    topic: String,
    code: String,
    link: String,
}

impl Place {
    async fn new(client: &Client, key: &str) -> Result<Self> {
        let create = Action::CreateCommunity {
            name: "Bench".into(),
            group: "Group".into(),
            topic: "talk".into(),
        };
        let community = client.submit(key, create).await?.context("a community")?;
        let (group, topic) = until("the community", async || {
            let tree = client.tree_view(key, &community).await.ok()?;
            let group = tree.groups.first().filter(|_| !tree.is_pending)?;
            Some((group.id.clone(), group.topics.first()?.id.clone()))
        })
        .await?;
        let create = Action::CreateTopic {
            community: community.clone(),
            group,
            name: "code".into(),
            introduction: String::new(),
            is_closed: false,
        };
        let code = client.submit(key, create).await?.context("a topic")?;
        let invite = client.create_invite(key, &community, None, None).await?;
        Ok(Self {
            community,
            topic,
            code,
            link: invite.link,
        })
    }
}

/// Those who write, each with a client of his own. The first one owns the community.
pub struct People {
    clients: Vec<(Client, String)>,
    /// What they look at.
    viewers: Vec<Viewer>,
    /// Where they talk.
    pub topic: String,
    /// Where they show each other code.
    pub code: String,
    /// The way in.
    pub link: String,
}

impl People {
    /// Makes their accounts, a community and its topics.
    pub async fn new(server: &Server) -> Result<Self> {
        let mut clients = Vec::new();
        let mut place: Option<Place> = None;
        for n in 0..AUTHORS {
            let folder = server.folder.path().join(format!("person{n}"));
            let client = Client::open(folder, Arc::new(InMemory::default())).await?;
            let name = format!("person{n}");
            let key = client
                .register(&server.address, &name, &name, PASSWORD)
                .await?;
            if let Some(place) = &place {
                client.join_link(&key, &place.link).await?;
            } else {
                place = Some(Place::new(&client, &key).await?);
            }
            clients.push((client, key));
        }
        let place = place.context("a place to talk")?;
        let mut viewers = Vec::new();
        for (client, key) in &clients {
            until("the topics", async || {
                let tree = client.tree_view(key, &place.community).await.ok()?;
                (tree.groups.first()?.topics.len() == 2).then_some(())
            })
            .await?;
            let viewer = client.viewer();
            viewer.enter_topic(key, &place.topic).await?;
            viewer.enter_topic(key, &place.code).await?;
            viewers.push(viewer);
        }
        Ok(Self {
            clients,
            viewers,
            topic: place.topic,
            code: place.code,
            link: place.link,
        })
    }

    /// Fills the topics: so many messages to talk about, and so many blocks of code.
    pub async fn write(&self, messages: usize, blocks: usize) -> Result<()> {
        let mut rng = StdRng::seed_from_u64(1);
        for n in 0..blocks {
            self.send_to(&self.code, n / 4 % AUTHORS, &text::code(&mut rng))
                .await?;
        }
        for n in 0..messages {
            // Everybody writes a few lines in a row.
            self.send(n / 4 % AUTHORS, &text::line(&mut rng)).await?;
        }
        for (topic, count) in [(&self.code, blocks), (&self.topic, messages)] {
            until("all messages", async || {
                let (client, key) = &self.clients[0];
                let end = Stretch::End { count: 1 };
                let view = client.timeline_view(key, topic, end).await.ok()?;
                (view.head >= count as u64).then_some(())
            })
            .await?;
        }
        Ok(())
    }

    async fn act(&self, who: usize, action: Action) -> Result<()> {
        let (client, key) = &self.clients[who];
        client.submit(key, action).await?;
        Ok(())
    }

    /// One of them sends a message to where they talk.
    pub async fn send(&self, who: usize, text: &str) -> Result<()> {
        self.send_to(&self.topic, who, text).await
    }

    async fn send_to(&self, topic: &str, who: usize, text: &str) -> Result<()> {
        let action = Action::SendMessage {
            topic: topic.to_owned(),
            text: text.to_owned(),
            reply_to: None,
        };
        self.act(who, action).await
    }

    /// A message and who of us wrote it; none when it is recalled, or the window's.
    async fn written(&self, seq: u64) -> Result<Option<(usize, MessageView)>> {
        let (client, key) = &self.clients[0];
        let row = until("the message's row", async || {
            let at = Stretch::Range {
                from: seq,
                to: Some(seq),
            };
            let view = client.timeline_view(key, &self.topic, at).await.ok()?;
            view.rows.into_iter().find(|row| row.seq == Some(seq))
        })
        .await?;
        let who = self
            .clients
            .iter()
            .position(|(_, key)| key.ends_with(&row.author.id));
        Ok(who.filter(|_| row.recalled.is_none()).map(|who| (who, row)))
    }

    /// The author of a message changes it.
    pub async fn edit(&self, seq: u64, text: &str) -> Result<()> {
        let Some((who, row)) = self.written(seq).await? else {
            return self.send(0, text).await;
        };
        let action = Action::EditMessage {
            topic: self.topic.clone(),
            message: row.id,
            from: row.text,
            text: text.to_owned(),
        };
        self.act(who, action).await
    }

    /// The author of a message reacts to it.
    pub async fn react(&self, seq: u64, key: &str) -> Result<()> {
        let Some((who, row)) = self.written(seq).await? else {
            return self.send(1, key).await;
        };
        let action = Action::React {
            topic: self.topic.clone(),
            message: row.id,
            key: key.to_owned(),
            on: true,
        };
        self.act(who, action).await
    }

    /// The owner of the community recalls a message.
    pub async fn recall(&self, seq: u64) -> Result<()> {
        let Some((_, row)) = self.written(seq).await? else {
            return self.send(2, "…").await;
        };
        let action = Action::RecallMessage {
            topic: self.topic.clone(),
            message: row.id,
        };
        self.act(0, action).await
    }

    /// Ends their clients.
    pub async fn go(self) {
        drop(self.viewers);
        for (client, _) in self.clients {
            client.shutdown().await;
        }
    }
}
