//! Invite links of a community.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tulou_protocol::{
    AccountId, CommunityId, Question,
    invite::Link,
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
