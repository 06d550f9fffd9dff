//! What the commands about messages mean, said a second time.

use crate::oracle::*;
use tulou_protocol::{AccountId, Command, id::Millis, row::MessageKey, text};

impl Oracle {
    pub fn apply_to_message(&mut self, actor: AccountId, command: &Command, now: Millis) -> bool {
        match command {
            Command::MessageSend {
                topic,
                message,
                text,
                reply_to,
                ..
            } => {
                let kept = self.topic(*topic);
                kept.messages.push(Message {
                    id: *message,
                    author: actor,
                    sent_at: now,
                    text: text.clone(),
                    first_text: text.clone(),
                    reply_to: *reply_to,
                    is_edited: false,
                    recalled_by: None,
                    reactions: vec![],
                    is_pinned: false,
                });
                let seq = kept.messages.len() as u64;
                // It is read up to there, if nothing was unread.
                let at = self.stands(actor, *topic);
                let cursor = self.account(actor).cursors.get(topic).copied();
                let set_no = cursor.unwrap_or_default().1;
                let (_, unread) = self.after(actor, *topic, at);
                let at = if unread == 0 { seq } else { at };
                self.reads_to(actor, *topic, (at, set_no), now);
                let mentioned = text::mentions(text).accounts;
                let key = MessageKey::of(*topic, *message);
                self.mention(actor, key, (seq, false), &mentioned);
                true
            }
            Command::MessageEdit {
                topic,
                message,
                text: edit,
            } => {
                let (seq, sent) = self.message(*topic, *message);
                if sent.text == edit.to {
                    return false;
                }
                sent.text = edit.to.clone();
                sent.is_edited = true;
                let before = text::mentions(&edit.from).accounts;
                let after = text::mentions(&edit.to).accounts;
                for gone in before.iter().filter(|account| !after.contains(account)) {
                    if let Some(account) = self.accounts.get_mut(gone) {
                        account.mentions.remove(&MessageKey::of(*topic, *message));
                    }
                }
                let new: Vec<AccountId> = after
                    .into_iter()
                    .filter(|account| !before.contains(account))
                    .collect();
                let key = MessageKey::of(*topic, *message);
                self.mention(actor, key, (seq, true), &new);
                true
            }
            Command::MessageRecall { topic, message } => {
                let (_, sent) = self.message(*topic, *message);
                let is_new = sent.recalled_by.is_none();
                if is_new {
                    sent.recalled_by = Some(actor);
                    sent.is_pinned = false;
                    let mentioned = text::mentions(&std::mem::take(&mut sent.text)).accounts;
                    for account in mentioned {
                        if let Some(account) = self.accounts.get_mut(&account) {
                            account.mentions.remove(&MessageKey::of(*topic, *message));
                        }
                    }
                }
                is_new
            }
            Command::MessageReact {
                topic,
                message,
                key,
                on,
            } => {
                let (_, sent) = self.message(*topic, *message);
                let given = (actor, key.clone());
                let was_on = sent.reactions.contains(&given);
                let name = MessageKey::of(*topic, *message);
                // Whoever gives it is told that it is his, though his row had faded.
                let marks = &self.accounts[&actor].marks;
                let is_told = marks.get(&name).is_some_and(|(_, keys)| keys.contains(key));
                if was_on == *on && (!on || is_told) {
                    return false;
                }
                let (seq, sent) = self.message(*topic, *message);
                if !on {
                    sent.reactions.retain(|other| *other != given);
                }
                let mark = self.account(actor).marks.entry(name);
                let (_, keys) = mark.or_insert((seq, vec![]));
                keys.retain(|other| other != key);
                if *on {
                    keys.push(key.clone());
                }
                if keys.is_empty() {
                    self.account(actor).marks.remove(&name);
                }
                if *on && !was_on {
                    self.message(*topic, *message).1.reactions.push(given);
                }
                true
            }
            Command::MessagePin { topic, message, on } => {
                let (_, sent) = self.message(*topic, *message);
                std::mem::replace(&mut sent.is_pinned, *on) != *on
            }
            other => panic!("{} is not about a message", other.method()),
        }
    }
}
