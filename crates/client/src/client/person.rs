//! What is known of one person: from the store at once, from the server when it can be asked.

use std::sync::Arc;

use tulou_protocol::{
    AccountId, Code, CommunityId, Question, TopicId,
    permission::Place,
    question::{Member, Members},
};

use super::{
    Client,
    ids::{community_id, topic_id},
};
use crate::{
    account::{Account, remember},
    blocking::blocking,
    error::Error,
    read::person::{self, Heard},
    store::members as remembered,
    view::PersonView,
};

impl Client {
    /// What is known of a person at a topic or in the community: at once as this computer remembers it, or, if `asks`, as
    /// the server says, as far as there is a link.
    ///
    /// # Errors
    /// `not_found` if the community is not held; what the server says.
    pub async fn person_view(
        &self,
        account: &str,
        community: &str,
        topic: Option<&str>,
        person: &str,
        asks: bool,
    ) -> Result<PersonView, Error> {
        let account = self.account(account)?;
        let community = community_id(community)?;
        let topic = topic.map(topic_id).transpose()?;
        let whom: AccountId = person.parse().map_err(|_| Error::NotFound("the person"))?;
        let heard = if asks {
            hear_of(&account, community, topic, whom).await?
        } else {
            None
        };
        account
            .read(move |snapshot| {
                let place = topic.map_or(Place::Community, Place::Topic);
                person::person(snapshot, community, place, whom, heard)
            })
            .await
    }
}

/// What the server says of somebody: as a member, and whether he sees a topic, for which he is then listed. None without
/// a link, and of a community that the server has not heard of yet.
pub(super) async fn hear_of(
    account: &Arc<Account>,
    community: CommunityId,
    topic: Option<TopicId>,
    whom: AccountId,
) -> Result<Option<Heard>, Error> {
    let member = match ask_for(account, community, None, whom).await {
        Ok(member) => member,
        Err(error) if error.is_for_now() => return Ok(None),
        Err(Error::Rejected(rejection))
            if matches!(rejection.code, Code::NotFound | Code::NotAMember) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if member.is_none() {
        let account = Arc::clone(account);
        blocking(move || {
            account
                .store
                .keep(|db| Ok::<_, Error>(remembered::forget(db, community, whom)?))
        })
        .await?;
    }
    let has_seat = match topic {
        Some(_) if member.is_some() => ask_for(account, community, topic, whom)
            .await
            .is_ok_and(|seen| seen.is_some()),
        Some(_) | None => member.is_some(),
    };
    Ok(Some(Heard { member, has_seat }))
}

async fn ask_for(
    account: &Arc<Account>,
    community: CommunityId,
    topic: Option<TopicId>,
    whom: AccountId,
) -> Result<Option<Member>, Error> {
    let found: Members = account
        .ask(Question::MemberList {
            community,
            topic,
            seats_of: None,
            prefix: String::new(),
            accounts: vec![whom],
            after: None,
            limit: 1,
        })
        .await?;
    remember(account, community, &found).await?;
    let members = found
        .sections
        .into_iter()
        .flat_map(|section| section.members);
    Ok(members.into_iter().find(|member| member.account == whom))
}
