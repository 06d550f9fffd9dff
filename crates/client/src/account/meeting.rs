//! Getting to know members: whoever wrote something that is shown is asked for, in batches, and again after a while, so that
//! the tags beside names are right for people whom this computer has never heard of, and stay so.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use tulou_protocol::{
    AccountId, CommunityId, limits,
    question::{Member, Members},
};

use super::Account;
use crate::{blocking::blocking, error::Error, store::members as remembered};

/// Whoever is shown is asked for again after this time: he may have got into another member group.
pub const MEET_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Who was asked for, and when.
pub type Met = HashMap<(CommunityId, AccountId), Instant>;

/// Asks for members who were not asked for lately. Nobody waits for it: what it brings makes views stale.
pub fn meet(account: &Arc<Account>, community: CommunityId, authors: HashSet<AccountId>) {
    let strangers = account.strangers(community, authors);
    if strangers.is_empty() {
        return;
    }
    let account = Arc::clone(account);
    tokio::spawn(async move {
        for batch in strangers.chunks(limits::MEMBERS_PAGE) {
            if ask(&account, community, batch).await.is_err() {
                // Without a link they are strangers again, and are asked for when they come into view the next time.
                account.forget_met(community, batch);
            }
        }
    });
}

async fn ask(
    account: &Arc<Account>,
    community: CommunityId,
    accounts: &[AccountId],
) -> Result<(), Error> {
    let found: Members = account
        .ask(tulou_protocol::Question::MemberList {
            community,
            topic: None,
            seats_of: None,
            prefix: String::new(),
            accounts: accounts.to_vec(),
            after: None,
            limit: accounts.len(),
        })
        .await?;
    remember(account, community, &found).await
}

/// Keeps members that the server named; what shows them becomes stale when there is news.
pub async fn remember(
    account: &Arc<Account>,
    community: CommunityId,
    found: &Members,
) -> Result<(), Error> {
    let heard: Vec<Member> = found
        .sections
        .iter()
        .flat_map(|section| section.members.iter().cloned())
        // A seat is of one topic, and is asked for anew.
        .map(|member| Member {
            seat: false,
            ..member
        })
        .collect();
    let account = Arc::clone(account);
    blocking(move || {
        let is_news = account.store.keep(|db| {
            let accounts = heard.iter().map(|member| member.account);
            let held = remembered::some(db, community, accounts)?;
            let is_news = heard.iter().any(|member| {
                held.get(&member.account).is_none_or(|held| {
                    held.member_groups != member.member_groups
                        || held.display_name != member.display_name
                })
            });
            remembered::put(db, community, &heard)?;
            Ok::<_, Error>(is_news)
        })?;
        if is_news {
            account.note_shown();
        }
        Ok::<_, Error>(())
    })
    .await
}
