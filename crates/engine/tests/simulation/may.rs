//! What each command asks of whoever gives it, said a second time.

use crate::acts::invited_by;
use crate::oracle::Oracle;
use crate::rights::*;
use tulou_protocol::{AccountId, Command, MessageId, Permissions, id::Millis, permission::Place};

impl Oracle {
    /// Whether an account may do this, as things stand.
    pub fn may(&self, actor: AccountId, command: &Command, now: Millis) -> May {
        match command {
            Command::MessageSend {
                topic,
                message,
                text,
                reply_to,
                ..
            } => {
                if_so(
                    self.has_at_topic(actor, *topic, Permissions::SPEAK),
                    "he may not speak",
                )?;
                self.addressed(actor, *topic, text)?;
                let messages = &self.topics[topic].messages;
                let has = |id: &MessageId| messages.iter().any(|sent| sent.id == *id);
                if_so(reply_to.as_ref().is_none_or(has), "it replies to nothing")?;
                let taken = messages.iter().find(|sent| sent.id == *message);
                if_so(
                    taken.is_none_or(|sent| sent.author == actor),
                    "the id is another's",
                )
            }
            Command::MessageEdit {
                topic,
                message,
                text,
            } => {
                if_so(
                    self.has_at_topic(actor, *topic, Permissions::SPEAK),
                    "he may not speak",
                )?;
                let sent = self.readable(actor, *topic, *message)?;
                if_so(sent.author == actor, "it is another's")?;
                if_so(sent.recalled_by.is_none(), "it was recalled")?;
                if sent.text == text.to {
                    return Ok(());
                }
                if_so(sent.text == text.from, "the text has moved meanwhile")?;
                self.addressed(actor, *topic, &text.to)
            }
            Command::MessageRecall { topic, message } => {
                let sent = self.readable(actor, *topic, *message)?;
                let is_in_time = sent.author == actor && now - sent.sent_at <= RECALL_MS;
                let may_others = self.has_at_topic(actor, *topic, Permissions::RECALL_OTHERS);
                let is_done = sent.recalled_by.is_some();
                if_so(
                    is_done || is_in_time || may_others,
                    "it is another's, or too late",
                )
            }
            Command::MessageReact {
                topic,
                message,
                key,
                on,
            } => {
                let sent = self.readable(actor, *topic, *message)?;
                let is_on = sent.reactions.contains(&(actor, key.clone()));
                if *on {
                    if_so(
                        self.has_at_topic(actor, *topic, Permissions::REACT),
                        "he may not react",
                    )?;
                    if_so(sent.recalled_by.is_none(), "it was recalled")?;
                }
                let mut kinds: Vec<&String> = sent.reactions.iter().map(|(_, key)| key).collect();
                kinds.sort_unstable();
                kinds.dedup();
                let is_full = *on && !is_on && kinds.len() >= 20 && !kinds.contains(&key);
                unless(is_full, "there are too many kinds")
            }
            Command::MessagePin { topic, message, on } => {
                let sent = self.readable(actor, *topic, *message)?;
                if_so(
                    self.has_at_topic(actor, *topic, Permissions::PIN),
                    "he may not pin",
                )?;
                unless(*on && sent.recalled_by.is_some(), "it was recalled")?;
                let messages = self.topics[topic].messages.iter();
                let pins = messages.filter(|sent| sent.is_pinned).count();
                let is_full = *on && !sent.is_pinned && pins >= self.room.pins;
                unless(is_full, "there are too many pins")
            }
            Command::CursorAdvance { topic, .. } | Command::CursorSet { topic, .. } => {
                if_so(self.sees_topic(actor, *topic), "he does not see the topic")
            }
            Command::MentionSeen { .. } => Ok(()),
            Command::NotifySet { scope, .. } => {
                let levels = &self.accounts[&actor].notify;
                let is_new = !levels.contains_key(&scope.key());
                unless(
                    is_new && levels.len() >= self.room.levels,
                    "there are too many levels",
                )
            }
            Command::ProfileEdit { display_name } => {
                moved(&self.accounts[&actor].name, Some(display_name))?;
                named(&display_name.to)
            }
            Command::CommunityCreate {
                community, topic, ..
            } => {
                unless(
                    self.used.contains(&community.0) || self.used.contains(&topic.0),
                    "an id is taken",
                )?;
                self.has_room(actor)
            }
            Command::CommunityJoin { community, invite } => {
                let kept = self
                    .communities
                    .get(community)
                    .ok_or("there is no such community")?;
                unless(kept.members.contains_key(&actor), "he is a member")?;
                self.has_room(actor)?;
                let code = invite.as_ref().ok_or("there is no invite")?;
                let by = invited_by(*community, code).ok_or("the invite is not valid")?;
                let by = by.unwrap_or(kept.owner);
                if_so(kept.members.contains_key(&by), "who invites has left")?;
                self.has(by, *community, Place::Community, Permissions::INVITE)
            }
            _ => self.may_manage(actor, command),
        }
    }

    /// Whether an account may come to one more community.
    fn has_room(&self, actor: AccountId) -> May {
        let mine = self.accounts[&actor].memberships.len();
        unless(
            mine >= self.room.communities,
            "there are too many communities",
        )
    }
}
