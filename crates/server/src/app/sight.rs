//! What an account may see, looked at before something is read and again after: what waits to be read is read as it is
//! then, and rights may have been taken away meanwhile.

use tulou_protocol::{AccountId, TopicId, id::Millis};

use super::App;
use crate::store::{Pending, StoreError};

/// How often something is read again because rights have changed meanwhile.
pub(super) const LOOKS: usize = 8;

impl App {
    /// Reads of a topic what an account may read: since a time, or all of it. None if the account does not see the topic.
    pub(super) async fn read_topic<T>(
        &self,
        topic: TopicId,
        account: AccountId,
        read: impl Fn(Option<Millis>) -> Pending<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some((structure, member)) = self.communities().visible(topic, account).await? else {
            return Ok(None);
        };
        let mut since = structure.readable_since(&member, topic);
        for _ in 0..LOOKS {
            let found = read(since).await?;
            let Some((structure, member)) = self.communities().visible(topic, account).await?
            else {
                return Ok(None);
            };
            let is_since = structure.readable_since(&member, topic);
            if is_since == since {
                return Ok(Some(found));
            }
            since = is_since;
        }
        Err(StoreError::TooLong)
    }
}
