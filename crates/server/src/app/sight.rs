//! What an account may see, looked at before something is read and again after: what waits to be read is read as it is
//! then, and rights may have been taken away meanwhile.

use tulou_protocol::{AccountId, Seq, TopicId};

use super::App;
use crate::store::{Pending, StoreError};

/// How often something is read again because rights have changed meanwhile.
pub(super) const LOOKS: usize = 8;

impl App {
    /// Reads of a topic from the first message on that an account may read: which that is, and what was read. None if the
    /// account does not see the topic.
    pub(super) async fn read_topic<T>(
        &self,
        topic: TopicId,
        account: AccountId,
        read: impl Fn(Seq) -> Pending<T>,
    ) -> Result<Option<(Seq, T)>, StoreError> {
        let Some((structure, member)) = self.communities().visible(topic, account).await? else {
            return Ok(None);
        };
        let mut since = structure.readable_since(&member, topic);
        for _ in 0..LOOKS {
            let floor = self.communities().floor_since(topic, since).await?;
            let found = read(floor).await?;
            let Some((structure, member)) = self.communities().visible(topic, account).await?
            else {
                return Ok(None);
            };
            let is_since = structure.readable_since(&member, topic);
            if is_since == since {
                return Ok(Some((floor, found)));
            }
            since = is_since;
        }
        Err(StoreError::TooLong)
    }
}
