//! What a person sees.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tulou_engine::Input;
use tulou_protocol::{
    AccountId, CommunityId, Question, TopicId,
    invite::Link,
    limits,
    permission::Place,
    question::{Invite, Invites, Members, Page, PageAt},
};

use super::{
    Client,
    ids::{community_id, topic_id},
    person::hear_of,
};
use crate::{
    account::{Account, ViewerId, meet, remember},
    error::Error,
    read::{
        access, level, members,
        timeline::{self, Read},
        tree,
    },
    store::{members as remembered, meta},
    unread::sum,
    view::{
        AccessView, Badge, BadgesView, Block, ExplanationView, InviteView, JumpView, LevelPlace,
        LevelView, MentionedView, RightsView, Stretch, TimelineView, TreeView,
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
        let mut badges = Vec::new();
        for account in self.accounts() {
            // What cannot be read has no number; the frame of the window says why.
            let read = account.read(|snapshot| Ok(snapshot.whole_badges()?));
            badges.extend(read.await.unwrap_or_default());
        }
        sum(badges)
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
        let Read { view, wants, shape } = account
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
        for want in wants {
            if let PageAt::Message(_) = want {
                is_there(&account, topic, want).await?;
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

    /// The table of rights of a member group.
    ///
    /// # Errors
    /// `not_found` if the community or the member group is not held.
    pub async fn rights_view(
        &self,
        account: &str,
        community: &str,
        member_group: &str,
    ) -> Result<RightsView, Error> {
        let community = community_id(community)?;
        let member_group = member_group.to_owned();
        self.account(account)?
            .read(move |snapshot| access::rights(&*snapshot.community(community)?, &member_group))
            .await
    }

    /// Member groups.
    ///
    /// # Errors
    /// `not_found` if the community is not held.
    pub async fn access_view(&self, account: &str, community: &str) -> Result<AccessView, Error> {
        let community = community_id(community)?;
        self.account(account)?
            .read(move |snapshot| Ok(access::access(&*snapshot.community(community)?)))
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

    /// Why a member holds each permission or not, at a topic or at the community.
    ///
    /// # Errors
    /// `not_found` if the member is not known here and there is no link.
    pub async fn explain(
        &self,
        account: &str,
        community: &str,
        topic: Option<&str>,
        member: &str,
    ) -> Result<ExplanationView, Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let topic = topic.map(topic_id).transpose()?;
        let member: AccountId = member.parse().map_err(|_| Error::NotFound("the member"))?;
        let heard = hear_of(&account, community, topic, member).await?;
        account
            .read(move |snapshot| {
                let shape = snapshot.community(community)?;
                let place = topic.map_or(Place::Community, Place::Topic);
                let (known, has_seat) = match heard {
                    Some(heard) => (heard.member, heard.has_seat),
                    None => (remembered::one(snapshot.db, community, member)?, true),
                };
                let groups = match known {
                    _ if member == shape.viewer => shape.me.member_groups.clone(),
                    Some(known) => known.member_groups,
                    None if member == shape.owner => Vec::new(),
                    None => return Err(Error::NotFound("the member")),
                };
                let is_owner = member == shape.owner;
                Ok(access::whole_explanation(
                    &shape, is_owner, &groups, place, has_seat,
                ))
            })
            .await
    }

    /// The invite links of a community.
    ///
    /// # Errors
    /// What the server says, or `offline`.
    pub async fn invites_view(
        &self,
        account: &str,
        community: &str,
    ) -> Result<Vec<InviteView>, Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let found: Invites = account.ask(Question::InviteList { community }).await?;
        let addresses = public_addresses(&account).await?;
        let makers = makers(&account, community, &found.invites).await?;
        Ok(found
            .invites
            .into_iter()
            .map(|invite| {
                let made_by = makers.get(&invite.by).cloned().unwrap_or_default();
                invite_view(&account, &addresses, invite, made_by)
            })
            .collect())
    }

    /// Makes an invite link.
    ///
    /// # Errors
    /// What the server says, or `offline`.
    pub async fn create_invite(
        &self,
        account: &str,
        community: &str,
        expires_in_s: Option<u32>,
        max_uses: Option<u32>,
    ) -> Result<InviteView, Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let server_now = account.as_of().server_now();
        let invite: Invite = account
            .ask(Question::InviteCreate {
                community,
                expires_at: expires_in_s.map(|seconds| server_now + i64::from(seconds) * 1_000),
                max_uses,
            })
            .await?;
        let addresses = public_addresses(&account).await?;
        let makers = makers(&account, community, std::slice::from_ref(&invite)).await?;
        let made_by = makers.get(&invite.by).cloned().unwrap_or_default();
        Ok(invite_view(&account, &addresses, invite, made_by))
    }

    /// Ends an invite link.
    ///
    /// # Errors
    /// What the server says, or `offline`.
    pub async fn revoke_invite(
        &self,
        account: &str,
        community: &str,
        code: &str,
    ) -> Result<(), Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let _: serde_json::Value = account
            .ask(Question::InviteRevoke {
                community,
                code: code.to_owned(),
            })
            .await?;
        Ok(())
    }
}

/// Asks whether a message exists and may be read: a page that is refused would never come, and nobody would say so.
async fn is_there(account: &Account, topic: TopicId, at: PageAt) -> Result<(), Error> {
    let page = Question::TopicPage {
        topic,
        at,
        limit: 1,
    };
    match account.ask::<Page>(page).await {
        Ok(page) if page.rows.is_empty() => Err(Error::NotFound("the message")),
        Err(Error::Rejected(rejection)) => Err(Error::Rejected(rejection)),
        // Without a link it is not known; the want waits.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The addresses that an invite link carries: those that the server names, else the one in use.
async fn public_addresses(account: &Arc<Account>) -> Result<Vec<String>, Error> {
    account
        .read(|snapshot| {
            let named = meta::addresses(snapshot.db)?.named;
            Ok(if named.is_empty() {
                vec![snapshot.account.address()]
            } else {
                named
            })
        })
        .await
}

/// The names of those who made invite links; who is known nowhere is asked for. Who left is not found any more.
async fn makers(
    account: &Arc<Account>,
    community: CommunityId,
    invites: &[Invite],
) -> Result<HashMap<AccountId, String>, Error> {
    let makers: HashSet<AccountId> = invites.iter().map(|invite| invite.by).collect();
    let of_these = makers.clone();
    let mut names: HashMap<AccountId, String> = account
        .read(move |snapshot| {
            let known = remembered::some(snapshot.db, community, of_these)?;
            Ok(known
                .into_iter()
                .map(|(id, member)| (id, member.display_name))
                .collect())
        })
        .await?;
    let unknown: Vec<AccountId> = makers
        .into_iter()
        .filter(|id| !names.contains_key(id))
        .take(limits::MEMBERS_PAGE)
        .collect();
    if unknown.is_empty() {
        return Ok(names);
    }
    let limit = unknown.len();
    // A list of links is worth showing without a name.
    if let Ok(found) = account
        .ask::<Members>(Question::MemberList {
            community,
            topic: None,
            seats_of: None,
            prefix: String::new(),
            accounts: unknown,
            after: None,
            limit,
        })
        .await
    {
        remember(account, community, &found).await?;
        let found = found
            .sections
            .into_iter()
            .flat_map(|section| section.members);
        names.extend(found.map(|member| (member.account, member.display_name)));
    }
    Ok(names)
}

fn invite_view(
    account: &Account,
    addresses: &[String],
    invite: Invite,
    made_by: String,
) -> InviteView {
    let link = Link {
        code: Some(invite.code.clone()),
        server: Some(account.server),
        addresses: addresses.to_vec(),
        key: account.server_key(),
    };
    InviteView {
        link: link.to_text(),
        code: invite.code,
        expires_at: invite.expires_at,
        max_uses: invite.max_uses,
        uses: invite.uses,
        made_by,
        made_at: invite.created_at,
    }
}
