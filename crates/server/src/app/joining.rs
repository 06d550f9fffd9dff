//! Who may not join, found out before anybody waits for the community: whoever has no right to come does not stand in the
//! queue of those who have.

use tulou_protocol::{AccountId, Code, CommunityId, Log, Rejection, row::Join};

use super::App;
use crate::store::StoreError;

impl App {
    /// Why somebody may not join, as far as a look tells. That he may is decided in the community's turn.
    pub(super) async fn turns_away(
        &self,
        account: AccountId,
        community: CommunityId,
        invite: Option<&str>,
    ) -> Result<Option<Rejection>, StoreError> {
        let _turn = self.turn_to_give(account).await;
        let refused = |code: Code| Ok(Some(code.into()));
        let here = vec![account];
        if !self.store().members(community, here).await?.is_empty() {
            return refused(Code::Already);
        }
        match invite {
            None => match self.communities().loaded(community).await? {
                None => Ok(Some(Code::NotFound.at("community"))),
                Some(loaded) => match loaded.structure().community.body.join {
                    Join::Open => Ok(None),
                    Join::Invite => refused(Code::InviteNeeded),
                },
            },
            Some(code) => {
                let led = self.invited_to(code.to_owned(), Some(account)).await?;
                if led.is_some_and(|structure| structure.id == community) {
                    return Ok(None);
                }
                // Who only guesses brings no community to memory.
                let heads = self.store().heads(vec![Log::Community(community)]).await?;
                if heads.into_iter().flatten().next().is_none() {
                    return Ok(Some(Code::NotFound.at("community")));
                }
                refused(Code::InviteInvalid)
            }
        }
    }
}
