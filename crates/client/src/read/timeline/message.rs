//! One message as it is shown.

use std::collections::HashMap;

use tulou_protocol::{MessageId, Permissions, id::Millis, row::Reaction, text::mentions};

use super::{
    EXCERPT,
    overlay::{Outstanding, Overlay, Pending, refusal},
};
use crate::{
    as_of::AsOf,
    markdown::{self, Names},
    read::names::People,
    shape::Shape,
    store::messages::StoredMessage,
    view::{Delivery, MessageAction, MessageView, ReactionView, RecalledView, ReplyView},
};

/// What messages are painted with.
pub struct Painter<'a> {
    pub as_of: AsOf,
    pub shape: Option<&'a Shape>,
    pub permissions: Permissions,
    pub people: &'a People,
    pub names: Names<'a>,
    pub quoted: &'a HashMap<MessageId, StoredMessage>,
    pub marks: HashMap<MessageId, Vec<String>>,
    pub overlay: &'a Overlay,
    /// The server asked to send what waits later; what comes after waits with it.
    pub waits_until: Option<Millis>,
}

impl Painter<'_> {
    /// A message that the server has.
    pub fn sent(&self, held: &StoredMessage) -> MessageView {
        let content = &held.content;
        let nothing = Outstanding::default();
        let change = self.overlay.outstanding(held.id).unwrap_or(&nothing);
        let is_mine = content.author == self.as_of.me;
        let recalled_by = content
            .recalled_by
            .or(change.is_recalled.then_some(self.as_of.me));
        let recalled = recalled_by.map(|account| {
            let by = self.people.author(account, self.shape);
            RecalledView {
                by: by.name,
                by_account_name: by.account_name,
                is_by_author: account == content.author,
            }
        });
        let text = if recalled.is_some() {
            ""
        } else {
            self.overlay.text(held)
        };
        let (blocks, is_folded) = markdown::folded(text, &self.names);
        let is_pinned = recalled.is_none() && self.overlay.is_pinned(held);
        MessageView {
            id: held.id.to_string(),
            seq: Some(held.seq.0),
            author: self.people.author(content.author, self.shape),
            sent_at: content.sent_at,
            written_at: content.written_at,
            blocks,
            is_folded,
            text: text.to_owned(),
            reply: content
                .reply_to
                .filter(|_| recalled.is_none())
                .map(|id| self.reply(id)),
            reactions: if recalled.is_some() {
                Vec::new()
            } else {
                self.reactions(held, change)
            },
            is_pinned,
            is_edited: recalled.is_none() && (content.edited_at.is_some() || change.text.is_some()),
            mentions_me: !is_mine && self.mentions_me(text),
            is_mine,
            delivery: Delivery::Sent,
            has_pending_change: change.is_waiting(),
            refused: change.refused.clone(),
            actions: if recalled.is_some() {
                Vec::new()
            } else {
                self.actions(held, is_mine)
            },
            recalled,
        }
    }

    /// What waits to be sent, oldest first. What came with the topic before its own answer is among the rows already.
    pub fn pending(&self, found: &[StoredMessage]) -> Vec<MessageView> {
        self.overlay
            .pending
            .iter()
            .filter(|pending| found.iter().all(|held| held.id != pending.id))
            .map(|pending| self.waiting(pending))
            .collect()
    }

    fn waiting(&self, pending: &Pending) -> MessageView {
        let (blocks, is_folded) = markdown::folded(&pending.text, &self.names);
        MessageView {
            id: pending.id.to_string(),
            seq: None,
            author: self.people.author(self.as_of.me, self.shape),
            sent_at: pending.written_at.saturating_add(self.as_of.skew),
            written_at: None,
            blocks,
            is_folded,
            text: pending.text.clone(),
            reply: pending.reply_to.map(|id| self.reply(id)),
            reactions: Vec::new(),
            is_pinned: false,
            is_edited: false,
            recalled: None,
            mentions_me: false,
            is_mine: true,
            delivery: match (refusal(&pending.state), self.waits_until) {
                (Some(rejection), _) => Delivery::Failed { rejection },
                (None, Some(until)) => Delivery::Waiting { until },
                (None, None) => Delivery::Sending,
            },
            has_pending_change: false,
            refused: refusal(&pending.state).map(|rejection| crate::view::RefusedView {
                command: pending.command.to_string(),
                method: "message.send".to_owned(),
                message: pending.id.to_string(),
                text: None,
                rejection,
            }),
            actions: vec![MessageAction::Edit, MessageAction::Recall],
        }
    }

    fn reply(&self, id: MessageId) -> ReplyView {
        let unknown = ReplyView {
            id: id.to_string(),
            author: None,
            excerpt: String::new(),
            is_recalled: false,
        };
        let quote = |text: &str| markdown::excerpt(text, &self.names, EXCERPT);
        if let Some(held) = self.quoted.get(&id) {
            let is_recalled = held.content.recalled_by.is_some()
                || self
                    .overlay
                    .outstanding(id)
                    .is_some_and(|change| change.is_recalled);
            return ReplyView {
                author: Some(self.people.author(held.content.author, self.shape)),
                excerpt: if is_recalled {
                    String::new()
                } else {
                    quote(self.overlay.text(held))
                },
                is_recalled,
                ..unknown
            };
        }
        match self.overlay.pending.iter().find(|pending| pending.id == id) {
            Some(pending) => ReplyView {
                author: Some(self.people.author(self.as_of.me, self.shape)),
                excerpt: quote(&pending.text),
                ..unknown
            },
            None => unknown,
        }
    }

    fn reactions(&self, held: &StoredMessage, change: &Outstanding) -> Vec<ReactionView> {
        let mine = self.marks.get(&held.id);
        let mut views: Vec<ReactionView> = held
            .marks
            .reactions
            .iter()
            .map(|Reaction { key, count }| ReactionView {
                is_mine: mine.is_some_and(|mine| mine.contains(key)),
                key: key.clone(),
                count: *count,
            })
            .collect();
        for (key, on) in &change.reactions {
            match views.iter_mut().find(|view| view.key == *key) {
                Some(view) if view.is_mine != *on => {
                    view.is_mine = *on;
                    view.count = if *on {
                        view.count.saturating_add(1)
                    } else {
                        view.count.saturating_sub(1)
                    };
                }
                Some(_) => {}
                None if *on => views.push(ReactionView {
                    key: key.clone(),
                    count: 1,
                    is_mine: true,
                }),
                None => {}
            }
        }
        views.retain(|view| view.count > 0);
        views
    }

    fn mentions_me(&self, text: &str) -> bool {
        if !text.contains("<@") {
            return false;
        }
        let found = mentions(text);
        found.everyone
            || found.accounts.contains(&self.as_of.me)
            || self.shape.is_some_and(|shape| {
                found
                    .member_groups
                    .iter()
                    .any(|group| shape.me.member_groups.contains(group))
            })
    }

    pub fn actions(&self, held: &StoredMessage, is_mine: bool) -> Vec<MessageAction> {
        let age = self.as_of.server_now().saturating_sub(held.content.sent_at);
        let can = |permission| self.permissions.contains(permission);
        let edit_window = self.shape.and_then(|shape| shape.edit_window_ms);
        let recall_window = self.shape.map_or(0, |shape| shape.recall_window_ms);
        let allowed = [
            (
                MessageAction::Edit,
                is_mine && can(Permissions::SPEAK) && edit_window.is_none_or(|window| age < window),
            ),
            (
                MessageAction::Recall,
                (is_mine && age < recall_window) || can(Permissions::RECALL_OTHERS),
            ),
            (MessageAction::React, can(Permissions::REACT)),
            (MessageAction::Pin, can(Permissions::PIN)),
            (MessageAction::Reply, can(Permissions::SPEAK)),
        ];
        allowed
            .into_iter()
            .filter(|(_, is_allowed)| *is_allowed)
            .map(|(action, _)| action)
            .collect()
    }
}
