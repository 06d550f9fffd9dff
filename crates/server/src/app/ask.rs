//! Questions.

use std::sync::Arc;

use base64::Engine;
use serde::de::DeserializeOwned;
use tulou_protocol::{
    AccountId, Code, CommunityId, Counted, Log, Permissions, Question, Rejection, Seq, TopicId,
    frame::Refusal,
    id::Millis,
    limits,
    permission::Place,
    push::Heartbeat,
    question::{
        HeldMessages, Invite, Invites, Page, PageAt, Profiles, Told, Watched, WatchedTopic,
    },
    row::Body,
};

use super::{
    App,
    answer::{QuestionAnswer, at_most, broken, missing, no, unwritten},
    links,
    members::Wanted,
    sync,
};
use crate::{
    actor::Actor,
    domain::{Member, Structure},
    hub::Line,
    store::{Inviting, StoreError},
};

impl App {
    /// Answers a question of a session: the answer as JSON.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) async fn answer(
        &self,
        line: &Arc<Line>,
        question: Question,
    ) -> Result<String, Refusal> {
        // It may have waited for its turn since it was asked.
        line.actor.require_signed_in().map_err(Refusal::Rejected)?;
        // Large and many: rows are put together as they are.
        if let Question::LogSync { logs } = question {
            sync::check(&logs)?;
            let synced = self.sync(line.account(), logs);
            return synced.await.map_err(broken);
        }
        let told = if let Question::SessionWatch { topics } = question {
            self.watch(line, topics).await?
        } else {
            self.ask(&line.actor, question).await?
        };
        written(&told)
    }

    /// Answers a question.
    ///
    /// # Errors
    /// The refusal.
    pub async fn ask(&self, actor: &Actor, question: Question) -> QuestionAnswer {
        let account = actor.account;
        if matches!(
            question,
            Question::InviteCreate { .. } | Question::InviteTake { .. }
        ) && self.is_read_only()
        {
            return Err(Self::no_room());
        }
        match question {
            // The session is open.
            Question::SessionOpen { .. } => Err(no(Code::Already)),
            // Only who has a line is pushed what he watches: see [`App::watch`].
            Question::SessionWatch { .. } => Err(no(Code::NotOpen)),
            Question::LogSync { logs } => {
                sync::check(&logs)?;
                let synced = self.sync(account, logs).await.map_err(broken)?;
                Ok(Told::Synced(as_told(&synced)?))
            }
            Question::TopicPage { topic, at, limit } => self.page(account, topic, at, limit).await,
            Question::MessageHeld { topic, messages } => {
                at_most(limits::HELD_MESSAGES, &messages, "messages")?;
                let held = self.store().held_messages(topic, account, messages);
                let messages = held.await.map_err(broken)?;
                Ok(Told::HeldMessages(HeldMessages { messages }))
            }
            Question::ProfileList { accounts } => {
                at_most(limits::PROFILES, &accounts, "accounts")?;
                let rows = self.store().profiles(accounts).await.map_err(broken)?;
                Ok(Told::Profiles(Profiles { rows }))
            }
            Question::MemberList {
                community,
                topic,
                seats_of,
                prefix,
                accounts,
                after,
                limit,
            } => {
                let wanted = Wanted {
                    community,
                    topic,
                    seats_of,
                    prefix,
                    accounts,
                    after,
                    limit,
                };
                self.list_members(account, wanted).await
            }
            Question::CommunityHeads {
                community,
                since,
                after,
            } => self.list_heads(account, community, since, after).await,
            Question::InviteList { community } => {
                self.may_invite(actor, community).await?;
                let mut invites = self.invites(community).await.map_err(broken)?;
                links::fit(&mut invites);
                self.may_invite(actor, community).await?;
                Ok(Told::Invites(Invites { invites }))
            }
            Question::InviteCreate {
                community,
                expires_at,
                max_uses,
            } => {
                self.create_invite(actor, community, expires_at, max_uses)
                    .await
            }
            Question::InviteTake { community, code } => {
                self.may_invite(actor, community).await?;
                let taken = self.store().take_over_invite(community, code, account);
                if let Some(invite) = taken.await.map_err(broken)? {
                    return Ok(Told::Invite(invite));
                }
                self.may_invite(actor, community).await?;
                Err(missing("code"))
            }
            Question::InviteRevoke { community, code } => {
                self.may_invite(actor, community).await?;
                let is_gone = self
                    .store()
                    .revoke_invite(community, code)
                    .await
                    .map_err(broken)?;
                if is_gone {
                    Ok(Told::Nothing {})
                } else {
                    Err(missing("code"))
                }
            }
        }
    }

    pub(super) async fn member_of(
        &self,
        account: AccountId,
        community: CommunityId,
    ) -> Result<(Arc<Structure>, Member), Refusal> {
        self.communities()
            .membership(community, account)
            .await
            .map_err(broken)?
            .ok_or_else(|| no(Code::NotAMember))
    }

    /// Has a session watch these topics, and no others.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) async fn watch(&self, line: &Arc<Line>, mut topics: Vec<TopicId>) -> QuestionAnswer {
        at_most(limits::WATCHES, &topics, "topics")?;
        topics.sort_unstable();
        topics.dedup();
        let mut watched = Vec::new();
        for topic in topics {
            if self.sees(line, topic).await?.is_some() {
                watched.push(topic);
            }
        }
        self.hub().watch(line, &watched);
        // Rights that were lost between the look and the watch are found now; those lost later end or move the watch.
        let mut kept = Vec::new();
        for topic in watched {
            let is_kept = match self.sees(line, topic).await? {
                Some(community) => self.goes_on(line, community, topic).await?,
                None => false,
            };
            if is_kept {
                kept.push(topic);
            } else {
                self.hub().unwatch(line, topic);
            }
        }
        let logs = kept.iter().map(|topic| Log::Topic(*topic)).collect();
        let heads = self.store().heads(logs).await.map_err(broken)?;
        for (topic, head) in kept.iter().zip(&heads) {
            if let Some(head) = head {
                self.hub().stands_at(Log::Topic(*topic), head.rev);
            }
        }
        let topics = kept
            .into_iter()
            .zip(heads)
            .filter_map(|(topic, head)| {
                head.map(|head| WatchedTopic {
                    topic,
                    head_seq: head.seq,
                    rev: head.rev,
                })
            })
            .collect();
        Ok(Told::Watched(Watched { topics }))
    }

    /// The community of a topic, if a session's account sees it.
    async fn sees(&self, line: &Line, topic: TopicId) -> Result<Option<CommunityId>, Refusal> {
        let seen = self.communities().visible(topic, line.account()).await;
        let seen = seen.map_err(broken)?;
        Ok(seen.map(|(structure, _)| structure.id))
    }

    /// Finds out from where on a session's watch goes: whether it does.
    async fn goes_on(
        &self,
        line: &Line,
        community: CommunityId,
        topic: TopicId,
    ) -> Result<bool, Refusal> {
        let account = line.account();
        if !self.hub().seeks(line, topic) {
            return Ok(true);
        }
        if !self.hub().is_doubtful(community) {
            let settled = self.settle(community, account, topic).await;
            if settled.map_err(broken)? {
                return Ok(true);
            }
        }
        // What the hub knows of him is older than what was looked at, or may be, or he is new to it.
        self.gather(community, account).await.map_err(broken)?;
        let settled = self.settle(community, account, topic).await;
        settled.map_err(broken)
    }

    async fn page(
        &self,
        account: AccountId,
        topic: TopicId,
        at: PageAt,
        limit: usize,
    ) -> QuestionAnswer {
        let read = |since| self.store().page(topic, at, limit, since);
        let found = self.read_topic(topic, account, read).await;
        let stretch = found.map_err(broken)?.ok_or_else(|| missing("topic"))?;
        let stretch = stretch.ok_or_else(|| missing("at.message"))?;
        let place = |row: Option<&tulou_protocol::Row>| match row.map(|row| &row.body) {
            Some(Body::Message(message)) => message.seq,
            Some(_) | None => Seq::ZERO,
        };
        Ok(Told::Page(Page {
            topic,
            rev: stretch.head.rev,
            head_seq: stretch.head.seq,
            floor: stretch.floor,
            from: place(stretch.rows.first()),
            to: place(stretch.rows.last()),
            rows: stretch.rows,
            authors: stretch.authors,
        }))
    }

    /// The links of a community. Those have lapsed, too, whose owner may not invite.
    async fn invites(&self, community: CommunityId) -> Result<Vec<Invite>, StoreError> {
        let mut invites = self.store().invites(community).await?;
        let mut owners: Vec<AccountId> = invites.iter().map(|invite| invite.by).collect();
        owners.sort_unstable();
        owners.dedup();
        let Some(loaded) = self.communities().loaded(community).await? else {
            return Ok(invites);
        };
        let structure = loaded.structure();
        let mut owners = self.communities().members(&loaded, &owners).await?;
        owners.retain(|owner| structure.may_invite(owner));
        for invite in &mut invites {
            invite.lapsed |= !owners.iter().any(|owner| owner.account == invite.by);
        }
        Ok(invites)
    }

    /// The community that an invite link leads to, if it may be used.
    pub(crate) async fn invited_to(
        &self,
        code: String,
        account: Option<AccountId>,
    ) -> Result<Option<Arc<Structure>>, StoreError> {
        let found = self.store().invite(code, account, self.now()).await?;
        let Some((community, by)) = found else {
            return Ok(None);
        };
        let owner = self.communities().membership(community, by).await?;
        Ok(owner
            .filter(|(structure, owner)| structure.may_invite(owner))
            .map(|(structure, _)| structure))
    }

    async fn may_invite(&self, actor: &Actor, community: CommunityId) -> Result<(), Refusal> {
        let (structure, member) = self.member_of(actor.account, community).await?;
        actor.require_signed_in().map_err(Refusal::Rejected)?;
        let held = structure.held(&member, Place::Community);
        held.ok_or_else(|| missing("community"))?
            .require(Permissions::INVITE)
            .map_err(|lacking| Refusal::Rejected(lacking.into()))
    }

    async fn create_invite(
        &self,
        actor: &Actor,
        community: CommunityId,
        expires_at: Option<Millis>,
        max_uses: Option<u32>,
    ) -> QuestionAnswer {
        self.may_invite(actor, community).await?;
        let created_at = self.now();
        if max_uses == Some(0) {
            return Err(Refusal::Rejected(Code::Malformed.at("max_uses")));
        }
        if expires_at.is_some_and(|at| at <= created_at) {
            return Err(Refusal::Rejected(Code::Malformed.at("expires_at")));
        }
        // 9 random bytes are 12 characters that may stand in a link.
        let mut bytes = [0; 9];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            Refusal::Misunderstood(tulou_protocol::frame::INTERNAL_ERROR)
        })?;
        let invite = Invite {
            code: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes),
            expires_at,
            max_uses,
            uses: 0,
            came: Vec::new(),
            by: actor.account,
            lapsed: false,
            created_at,
        };
        let make = |idle| {
            let made = self.store().create_invite(community, invite.clone(), idle);
            async { made.await.map_err(broken) }
        };
        let mut made = make(Vec::new()).await?;
        if made == Inviting::TooMany {
            // Those that nobody may come by make room.
            let mut held = self.invites(community).await.map_err(broken)?;
            held.retain(|invite| invite.lapsed);
            made = make(held.into_iter().map(|invite| invite.by).collect()).await?;
        }
        match made {
            Inviting::Made => Ok(Told::Invite(invite)),
            Inviting::NoMember => Err(no(Code::NotAMember)),
            Inviting::TooMany => {
                let full = Rejection::limit(Code::TooMany, limits::INVITES);
                Err(Refusal::Rejected(full.of(Counted::Invites)))
            }
        }
    }

    /// The heads of an account's log, of the topics that the session watches, and of the account's communities.
    pub(crate) async fn heartbeat(&self, line: &Line) -> Result<Heartbeat, StoreError> {
        let mut logs = vec![Log::Account(line.account())];
        logs.extend(line.watched().into_iter().map(Log::Topic));
        logs.extend(
            self.hub()
                .communities_of(line.account())
                .into_iter()
                .map(Log::Community),
        );
        let heads = self.store().heads(logs.clone()).await?;
        Ok(Heartbeat {
            now: self.now(),
            heads: logs
                .into_iter()
                .zip(heads)
                .filter_map(|(log, head)| head.map(|head| (log, head.rev)))
                .collect(),
        })
    }
}

/// An answer as JSON.
fn written(told: &Told) -> Result<String, Refusal> {
    serde_json::to_string(told).map_err(|error| unwritten(&error))
}

/// An answer that is JSON already.
fn as_told<T: DeserializeOwned>(json: &str) -> Result<T, Refusal> {
    serde_json::from_str(json).map_err(|error| unwritten(&error))
}
