//! Invite links of a community.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tulou_protocol::{
    AccountId, CommunityId, Question,
    invite::InviteLink,
    limits,
    question::{Invite, Invites, Members},
};

use super::{Client, ids::community_id};
use crate::{
    account::{Account, remember},
    error::Error,
    store::{members as remembered, meta},
    view::InviteView,
};

impl Client {
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
        let names = names(&account, community, &found.invites).await?;
        Ok(found
            .invites
            .into_iter()
            .map(|invite| invite_view(&account, &addresses, invite, &names))
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
        shown(&account, community, invite).await
    }

    /// Makes an invite link my own: it is good as long as I may invite.
    ///
    /// # Errors
    /// What the server says, or `offline`.
    pub async fn take_over_invite(
        &self,
        account: &str,
        community: &str,
        code: &str,
    ) -> Result<InviteView, Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let invite: Invite = account
            .ask(Question::InviteTake {
                community,
                code: code.to_owned(),
            })
            .await?;
        shown(&account, community, invite).await
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

async fn shown(
    account: &Arc<Account>,
    community: CommunityId,
    invite: Invite,
) -> Result<InviteView, Error> {
    let addresses = public_addresses(account).await?;
    let names = names(account, community, std::slice::from_ref(&invite)).await?;
    Ok(invite_view(account, &addresses, invite, &names))
}

/// The names of those who made invite links or came by them; who is known nowhere is asked for, as many as a page holds.
/// Who left is not found any more.
async fn names(
    account: &Arc<Account>,
    community: CommunityId,
    invites: &[Invite],
) -> Result<HashMap<AccountId, String>, Error> {
    let makers = invites.iter().map(|invite| invite.by);
    let came = invites.iter().flat_map(|invite| &invite.came).copied();
    let of_these: HashSet<AccountId> = makers.clone().chain(came.clone()).collect();
    let mut names: HashMap<AccountId, String> = account
        .read(move |snapshot| {
            let known = remembered::some(snapshot.db, community, of_these)?;
            Ok(known
                .into_iter()
                .map(|(id, member)| (id, member.display_name))
                .collect())
        })
        .await?;
    let mut asked = HashSet::new();
    let unknown: Vec<AccountId> = makers
        .chain(came)
        .filter(|id| !names.contains_key(id) && asked.insert(*id))
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
    names: &HashMap<AccountId, String>,
) -> InviteView {
    let came = invite.came.iter().filter_map(|id| names.get(id).cloned());
    let link = InviteLink {
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
        made_by: names.get(&invite.by).cloned().unwrap_or_default(),
        came: came.collect(),
        has_lapsed: invite.lapsed,
        made_at: invite.created_at,
    }
}
