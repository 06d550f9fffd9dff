//! What an account sees of a model server's memory.

use crate::memory::{Memory, TopicLog};
use std::collections::BTreeSet;
use tulou_protocol::{
    AccountId, Body, CommunityId, Rev, Row, Seq, TopicId, authors::is_said, id::Millis,
};
use tulou_server::domain::{Member, Structure};

impl Memory {
    pub fn communities_of(&self, account: AccountId) -> Vec<CommunityId> {
        let mine = self
            .communities
            .iter()
            .filter(|(_, home)| home.members.contains_key(&account));
        mine.map(|(community, _)| *community).collect()
    }

    pub fn membership(
        &self,
        account: AccountId,
        community: CommunityId,
    ) -> Option<(&crate::memory::Hall, &Member)> {
        let home = self.communities.get(&community)?;
        Some((home, home.members.get(&account)?))
    }

    /// A topic that an account may see.
    pub fn visible(
        &self,
        account: AccountId,
        topic: TopicId,
    ) -> Option<(&Structure, &Member, &TopicLog)> {
        let log = self.topics.get(&topic)?;
        let (home, member) = self.membership(account, log.community)?;
        let sight = home.structure.sight(member);
        sight.sees(topic).then_some((&home.structure, member, log))
    }

    /// The first message that an account may read of a topic that it sees.
    pub fn floor(&self, account: AccountId, topic: TopicId) -> Seq {
        let (structure, member, log) = self.visible(account, topic).unwrap();
        let since = structure.readable_since(member, topic);
        since.map_or(Seq(1), |since| log.first_since(since))
    }

    pub fn authors(&self, rows: &[Row]) -> Vec<(AccountId, Rev)> {
        let authors: BTreeSet<AccountId> = rows
            .iter()
            .filter_map(|row| match &row.body {
                Body::Message(message) => Some(message.content.as_ref()?.author),
                _ => None,
            })
            .collect();
        let with_rev = |author| (author, self.profile_rev(author));
        authors.into_iter().map(with_rev).filter(is_said).collect()
    }
}

impl TopicLog {
    pub fn first_since(&self, time: Millis) -> Seq {
        let before = self
            .messages
            .iter()
            .filter(|sent| sent.content().sent_at < time);
        Seq(before.count() as u64 + 1)
    }
}
