//! Somebody without a window who made the server's first account and community.

use std::{path::Path, sync::Arc};

use tulou_client::{Client, InMemory, Viewer, action::Action, view::Stretch};

use crate::driver::until;

/// A community on a server of its own, and who made both.
pub struct Host {
    /// Who made both, without a window.
    pub client: Client,
    /// What he looks at.
    pub viewer: Viewer,
    /// The account.
    pub account: String,
    /// The community.
    pub community: String,
    /// Its first group.
    pub group: String,
    /// Its first topic.
    pub topic: String,
    /// An invite link.
    pub link: String,
}

impl Host {
    /// Founds a community on a server that has no accounts yet.
    pub async fn new(folder: &Path, address: &str) -> Self {
        let client = Client::open(folder.join("bob"), Arc::new(InMemory::default()))
            .await
            .unwrap();
        let account = client
            .register(address, "bob", "Kestrel", "battery staple 马")
            .await
            .unwrap();
        let create = Action::CreateCommunity {
            name: "星海玩家社群".into(),
            group: "Lobby".into(),
            topic: "general".into(),
        };
        let community = client.submit(&account, create).await.unwrap().unwrap();
        let invite = until("an invite link", async || {
            client
                .create_invite(&account, &community, None, None)
                .await
                .ok()
        })
        .await;
        let tree = client.tree_view(&account, &community).await.unwrap();
        let group = tree.groups[0].id.clone();
        let topic = tree.groups[0].topics[0].id.clone();
        let viewer = client.viewer();
        viewer.enter_topic(&account, &topic).await.unwrap();
        Self {
            client,
            viewer,
            account,
            community,
            group,
            topic,
            link: invite.link,
        }
    }

    /// Does something; the id of what was made.
    pub async fn act(&self, action: Action) -> Option<String> {
        self.client.submit(&self.account, action).await.unwrap()
    }

    /// Waits until the message with this text is there or recalled.
    pub async fn sees(&self, text: &str, is_recalled: bool) {
        let what = format!("“{text}”, recalled: {is_recalled}");
        until(&what, async || {
            let view = self
                .client
                .timeline_view(&self.account, &self.topic, Stretch::End { count: 50 })
                .await
                .ok()?;
            let stands = view.rows.iter().any(|row| row.text == text);
            let recalled = view.rows.iter().any(|row| row.recalled.is_some());
            (if is_recalled {
                !stands && recalled
            } else {
                stands
            })
            .then_some(())
        })
        .await;
    }
}
