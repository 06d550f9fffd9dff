//! Who may do what: member groups, their rights, and why somebody holds one.

use tulou_protocol::{AccountId, permission::Place};

use super::{
    Client,
    ids::{community_id, topic_id},
    person::hear_of,
};
use crate::{
    error::Error,
    read::access,
    store::members as remembered,
    view::{AccessView, ExplanationView, RightsView},
};

impl Client {
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
}
