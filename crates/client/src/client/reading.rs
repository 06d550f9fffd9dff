//! What a person sees.

use futures_util::future::join_all;
use tulou_engine::Input;
use tulou_protocol::{
    Question, TopicId,
    question::{Page, PageAt},
};

use super::{
    Client,
    ids::{community_id, topic_id},
};
use crate::{
    account::{Account, ViewerId, meet},
    error::Error,
    read::{
        level, members,
        timeline::{self, Read},
        tree,
    },
    unread::sum,
    view::{
        Badge, BadgesView, Block, CountsView, JumpView, LevelPlace, LevelView, MentionedView,
        Stretch, TimelineView, TreeView,
    },
};

impl Client {
    /// The groups and topics of a community.
    ///
    /// # Errors
    /// `not_found` if the community is not held.
    pub async fn tree_view(&self, account: &str, community: &str) -> Result<TreeView, Error> {
        let community = community_id(community)?;
        self.account(account)?
            .read(move |snapshot| tree::tree(snapshot, community))
            .await
    }

    /// The numbers of some topics of a community, and the sums above them.
    ///
    /// # Errors
    /// `not_found` if the community is not held.
    pub async fn badges_view(
        &self,
        account: &str,
        community: &str,
        topics: &[String],
    ) -> Result<BadgesView, Error> {
        let community = community_id(community)?;
        let topics: Vec<TopicId> = topics
            .iter()
            .map(|topic| topic_id(topic))
            .collect::<Result<_, _>>()?;
        let view = self
            .account(account)?
            .read(move |snapshot| tree::badges(snapshot, community, &topics))
            .await?;
        let app = self.badge().await;
        Ok(BadgesView { app, ..view })
    }

    /// How many members a community has.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn counts_view(&self, account: &str, community: &str) -> Result<CountsView, Error> {
        let community = community_id(community)?;
        self.account(account)?
            .read(move |snapshot| Ok(tree::counts(snapshot.db, community)?))
            .await
    }

    /// The topics of all communities of an account that can be opened.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn topics_view(&self, account: &str) -> Result<Vec<JumpView>, Error> {
        self.account(account)?
            .read(|snapshot| Ok(tree::jumps(snapshot)?))
            .await
    }

    /// The number of everything.
    pub async fn badge(&self) -> Badge {
        let accounts = self.accounts();
        let badges = join_all(accounts.iter().map(async |account| {
            // What cannot be read has no number; the frame of the window says why.
            let read = account.read(|snapshot| Ok(snapshot.whole_badges()?)).await;
            read.unwrap_or_default()
        }))
        .await;
        sum(badges.into_iter().flatten())
    }

    /// The notification level of a place: what is set there, what holds, and who decides.
    ///
    /// # Errors
    /// `not_found` if the place is not held.
    pub async fn level_view(&self, account: &str, place: LevelPlace) -> Result<LevelView, Error> {
        self.account(account)?
            .read(move |snapshot| level::level(snapshot, &place))
            .await
    }

    /// A stretch of a topic. What is missing is fetched meanwhile.
    ///
    /// # Errors
    /// `not_found` if the server knows nothing of the message that is asked for; or if the store fails.
    pub async fn timeline_view(
        &self,
        account: &str,
        topic: &str,
        stretch: Stretch,
    ) -> Result<TimelineView, Error> {
        self.timeline(account, topic, stretch, None).await
    }

    /// The same as somebody sees it who may have entered the topic.
    pub(super) async fn timeline(
        &self,
        account: &str,
        topic: &str,
        stretch: Stretch,
        viewer: Option<ViewerId>,
    ) -> Result<TimelineView, Error> {
        let account = self.account(account)?;
        let topic = topic_id(topic)?;
        let asked = stretch.message();
        let Read {
            view,
            wants,
            shape,
            illegible,
        } = account
            .read(move |snapshot| {
                let entered = viewer.and_then(|viewer| snapshot.account.entered(viewer, topic));
                Ok(timeline::timeline(snapshot, topic, &stretch, entered)?)
            })
            .await?;
        if let Some(shape) = shape {
            let quoted = view.rows.iter().filter_map(|row| row.reply.as_ref());
            let authors = view.rows.iter().map(|row| &row.author);
            let authors = authors.chain(quoted.filter_map(|reply| reply.author.as_ref()));
            let unnamed = view.mentioned.iter().filter(|one| one.name.is_none());
            let people = authors
                .map(|author| &author.id)
                .chain(unnamed.map(|one| &one.id))
                .filter_map(|id| id.parse().ok());
            // Whoever poses as the owner is told apart although the owner never wrote here.
            meet(&account, shape.id, people.chain([shape.owner]).collect());
        }
        if let Some(at) = illegible.map(PageAt::Around)
            && account.awaits(topic, at)
        {
            account.tell(Input::Want(topic, at)).await;
        }
        if let Some(at) = asked.filter(|at| !wants.contains(at)) {
            account.end_awaiting(topic, at);
        }
        for want in wants {
            // What makes a view stale has it read again many times before the page is here.
            if let PageAt::Message(_) = want
                && account.awaits(topic, want)
            {
                let is_known = is_there(&account, topic, want).await;
                // Without a link nobody could be asked: the next reading does.
                if !matches!(is_known, Ok(true)) {
                    account.end_awaiting(topic, want);
                }
                is_known?;
            }
            account.tell(Input::Want(topic, want)).await;
        }
        Ok(view)
    }

    /// A text of a topic as a tree, whole: what a folded message shows when it is unfolded.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn text_blocks(
        &self,
        account: &str,
        topic: &str,
        text: String,
    ) -> Result<Vec<Block>, Error> {
        let topic = topic_id(topic)?;
        self.account(account)?
            .read(move |snapshot| Ok(timeline::text(snapshot, topic, &text)?))
            .await
    }

    /// Whom a message may mention besides persons: everyone and the member groups, where I have the right.
    ///
    /// # Errors
    /// `not_found` if the topic is not held.
    pub async fn many_view(&self, account: &str, topic: &str) -> Result<Vec<MentionedView>, Error> {
        let topic = topic_id(topic)?;
        self.account(account)?
            .read(move |snapshot| {
                let shape = snapshot
                    .shape_of_topic(topic)?
                    .ok_or(Error::NotFound("the topic"))?;
                Ok(members::many(&shape, topic))
            })
            .await
    }
}

/// Asks whether a message exists and may be read: a page that is refused would never come, and nobody would say so. False
/// if that is not known.
async fn is_there(account: &Account, topic: TopicId, at: PageAt) -> Result<bool, Error> {
    let page = Question::TopicPage {
        topic,
        at,
        limit: 1,
    };
    match account.ask::<Page>(page).await {
        Ok(page) if page.rows.is_empty() => Err(Error::NotFound("the message")),
        Err(Error::Rejected(rejection)) => Err(Error::Rejected(rejection)),
        Ok(_) => Ok(true),
        Err(_) => Ok(false),
    }
}
