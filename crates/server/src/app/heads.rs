//! Heads of a community's topics, in answers that are not too long.

use std::{collections::HashMap, sync::Arc};

use tulou_protocol::{
    AccountId, CommunityId, Digest, TopicId,
    frame::Refusal,
    id::Millis,
    limits,
    push::{HeadsAfter, TopicHead},
    question::Told,
};

use super::{
    App,
    answer::{QuestionAnswer, broken},
};
use crate::{
    domain::{Member, Sight, Structure, paging},
    hub::digest,
};

/// So many topics are looked up together.
const TOGETHER: usize = 128;
/// What an answer says beside its heads takes no more bytes.
const REST_BYTES: usize = 1_024;

/// Heads as somebody is told them.
#[derive(Default)]
struct Heads {
    heads: Vec<(TopicId, TopicHead)>,
    /// When the last of them moved.
    last: Millis,
    /// There are more.
    is_full: bool,
}

impl App {
    pub(super) async fn list_heads(
        &self,
        account: AccountId,
        community: CommunityId,
        since: Millis,
        after: Option<TopicId>,
    ) -> QuestionAnswer {
        self.member_of(account, community).await?;
        let now = self.now();
        let settled = self.store().settled(now).await.map_err(broken)?;
        // He heard of a later time while the clock was ahead.
        let (since, after) = if since > now {
            (0, None)
        } else {
            (since, after)
        };
        let moved = self.store().moved_since(community, since, after);
        let moved = moved.await.map_err(broken)?;
        // What moved while it was read is told to whoever may see it now.
        let (structure, member) = self.member_of(account, community).await?;
        let sight = structure.sight(&member);
        let mut shown = moved;
        shown.retain(|(topic, _)| sight.sees(*topic));
        let page = self.page_of_heads(&structure, &member, &sight, &shown);
        let mut page = page.await?;
        let last = page.heads.last().filter(|_| page.is_full);
        let (to, on) = match last.map(|(topic, _)| (page.last, *topic)) {
            Some(last) => {
                let (to, on) = paging::page_ends(last, settled, (since, after));
                let on = HeadsAfter {
                    topic: on,
                    until: settled,
                };
                (to, Some(on))
            }
            None => (settled, None),
        };
        let (structure, member) = self.member_of(account, community).await?;
        let sees = structure.sight(&member);
        if !Arc::ptr_eq(&sees, &sight) {
            page.heads.retain(|(topic, _)| sees.sees(*topic));
        }
        Ok(Told::Heads(Digest {
            community,
            audience: String::new(),
            from: since,
            to,
            topics: page.heads.into_iter().map(|(_, head)| head).collect(),
            members: structure.members(),
            online: self.presence().count_online(community),
            after: on,
        }))
    }

    /// The first of these heads, as many as an answer holds.
    async fn page_of_heads(
        &self,
        structure: &Structure,
        member: &Member,
        sight: &Sight,
        moved: &[(TopicId, Millis)],
    ) -> Result<Heads, Refusal> {
        let mut page = Heads::default();
        let mut left = limits::ANSWER_BYTES - REST_BYTES;
        for some in moved.chunks(TOGETHER) {
            let topics = some.iter().map(|(topic, _)| *topic).collect();
            let found = self.store().moved(topics).await.map_err(broken)?;
            let read_by = |topic| structure.reader_as_seen(sight, member, topic);
            let topics = found
                .iter()
                .map(|moved| (moved.topic, read_by(moved.topic)));
            let read = self.store().read_before(member.account, topics.collect());
            let read = read.await.map_err(broken)?;
            let mut heads = HashMap::new();
            for (moved, read) in found.iter().zip(read) {
                if let Some(head) = digest::head(structure, moved) {
                    heads.insert(moved.topic, TopicHead { read, ..head });
                }
            }
            for (topic, at) in some {
                // It may have ended meanwhile.
                let Some(head) = heads.remove(topic) else {
                    continue;
                };
                let bytes = bytes_of(&head)? + 1;
                if bytes > left && !page.heads.is_empty() {
                    page.is_full = true;
                    return Ok(page);
                }
                left = left.saturating_sub(bytes);
                page.heads.push((*topic, head));
                page.last = *at;
            }
        }
        Ok(page)
    }
}

fn bytes_of(head: &TopicHead) -> Result<usize, Refusal> {
    let json = serde_json::to_string(head);
    Ok(json
        .map_err(|error| super::answer::unwritten(&error))?
        .len())
}
