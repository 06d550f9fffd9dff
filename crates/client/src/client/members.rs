//! Members of a community, asked for a part at a time.

use std::sync::Arc;

use tulou_protocol::{Code, CommunityId, Question, TopicId, limits, question::Members};

use super::{
    Client,
    ids::{community_id, topic_id},
};
use crate::{
    account::{Account, remember},
    error::Error,
    read::members,
    store::members as remembered,
    view::{MembersPart, MembersView},
};

/// Members that are listed at once.
const MEMBERS: u32 = 5_000;
/// Members that are remembered at most, of a community.
const REMEMBERED: u32 = 10_000;
/// Of those so many are looked at for names that look like one that is listed.
const COMPARED: u32 = 2_000;

impl Client {
    /// A part of the members of each section, or of those whose name begins with `prefix`: from the server, or without a link
    /// as this computer remembers them.
    ///
    /// # Errors
    /// What the server says.
    pub async fn members_view(
        &self,
        account: &str,
        community: &str,
        topic: Option<&str>,
        part: MembersPart,
    ) -> Result<MembersView, Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let topic = topic.map(topic_id).transpose()?;
        let part = at_most(part);
        let asked = member_list(&account, community, Wanted::of(topic), &part).await;
        match asked {
            Ok(found) => {
                account
                    .read(move |snapshot| {
                        let shape = snapshot.community(community)?;
                        let held = if part.after.is_some() || found.next.is_some() {
                            remembered::of_community(snapshot.db, community, COMPARED)?
                        } else {
                            Vec::new()
                        };
                        Ok(members::fresh(&shape, found, &held))
                    })
                    .await
            }
            Err(error) if error.is_for_now() => {
                account
                    .read(move |snapshot| {
                        let shape = snapshot.community(community)?;
                        let held = remembered::of_community(snapshot.db, community, REMEMBERED)?;
                        Ok(members::remembered(&shape, held, &part))
                    })
                    .await
            }
            // A community that waits in the outbox has no members to ask for yet.
            Err(Error::Rejected(rejection))
                if matches!(rejection.code, Code::NotFound | Code::NotAMember) =>
            {
                account
                    .read(move |snapshot| {
                        let shape = snapshot.community(community)?;
                        if !shape.is_pending {
                            return Err(Error::Rejected(rejection));
                        }
                        Ok(members::remembered(&shape, Vec::new(), &part))
                    })
                    .await
            }
            Err(error) => Err(error),
        }
    }

    /// Members, each with whether he has a seat in a topic: all of them, or only those who have one and see the topic.
    ///
    /// # Errors
    /// What the server says, or `offline`: seats are not remembered.
    pub async fn seats_view(
        &self,
        account: &str,
        community: &str,
        topic: &str,
        only_seated: bool,
        part: MembersPart,
    ) -> Result<MembersView, Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let topic = topic_id(topic)?;
        let part = at_most(part);
        let wanted = Wanted {
            topic: only_seated.then_some(topic),
            seats_of: Some(topic),
        };
        let found = member_list(&account, community, wanted, &part).await?;
        account
            .read(move |snapshot| {
                let shape = snapshot.community(community)?;
                Ok(members::fresh(&shape, found, &[]))
            })
            .await
    }
}

/// Which members are asked for, and what of them.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// Only those who see it.
    topic: Option<TopicId>,
    /// Whether they have a seat in it.
    seats_of: Option<TopicId>,
}

impl Wanted {
    fn of(topic: Option<TopicId>) -> Self {
        Self {
            topic,
            seats_of: None,
        }
    }
}

fn at_most(part: MembersPart) -> MembersPart {
    MembersPart {
        limit: part.limit.clamp(1, MEMBERS),
        ..part
    }
}

/// Asks for members, page by page, and remembers them.
async fn member_list(
    account: &Arc<Account>,
    community: CommunityId,
    listed: Wanted,
    part: &MembersPart,
) -> Result<Members, Error> {
    let mut found = Members {
        sections: Vec::new(),
        next: part.after.clone(),
    };
    let mut left = part.limit as usize;
    loop {
        let page: Members = account
            .ask(Question::MemberList {
                community,
                topic: listed.topic,
                seats_of: listed.seats_of,
                prefix: part.prefix.clone(),
                accounts: Vec::new(),
                after: found.next.take(),
                limit: left.min(limits::MEMBERS_PAGE),
            })
            .await?;
        remember(account, community, &page).await?;
        let named: usize = page
            .sections
            .iter()
            .map(|section| section.members.len())
            .sum();
        left = left.saturating_sub(named);
        members::append(&mut found, page);
        if left == 0 || found.next.is_none() {
            return Ok(found);
        }
    }
}
