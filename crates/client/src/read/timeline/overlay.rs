//! What waits in the outbox for one topic, by message.

use std::collections::HashMap;

use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{Command, CommandId, MessageId, id::Millis};

use crate::{
    store::messages::StoredMessage,
    view::{RefusedView, RejectionView},
};

/// A message that waits to be sent.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The command.
    pub command: CommandId,
    /// Which.
    pub id: MessageId,
    /// What was written, later edits included.
    pub text: String,
    /// The message replied to.
    pub reply_to: Option<MessageId>,
    /// When it was written.
    pub written_at: Millis,
    /// How it stands.
    pub state: OutboxState,
}

/// What waits to be changed about one message.
#[derive(Debug, Clone, Default)]
pub struct Outstanding {
    /// The text as it will be.
    pub text: Option<String>,
    /// It will be recalled.
    pub is_recalled: bool,
    /// Reactions that will be added or taken back, in order.
    pub reactions: Vec<(String, bool)>,
    /// It will be pinned or unpinned.
    pub is_pinned: Option<bool>,
    /// The last change that was refused.
    pub refused: Option<RefusedView>,
}

impl Outstanding {
    /// Whether anything waits.
    pub fn is_waiting(&self) -> bool {
        self.text.is_some()
            || self.is_recalled
            || !self.reactions.is_empty()
            || self.is_pinned.is_some()
    }
}

/// What waits for one topic.
#[derive(Debug, Default)]
pub struct Overlay {
    /// Messages in the order in which they were written.
    pub pending: Vec<Pending>,
    outstanding: HashMap<MessageId, Outstanding>,
}

impl Overlay {
    /// Reads what waits.
    pub fn load(outbox: &[OutboxEntry]) -> Self {
        let mut overlay = Self::default();
        for entry in outbox {
            overlay.take(entry);
        }
        let Self {
            pending,
            outstanding,
        } = &mut overlay;
        pending.retain_mut(|waiting| match outstanding.get_mut(&waiting.id) {
            Some(change) => {
                if let Some(text) = change.text.take() {
                    waiting.text = text;
                }
                !change.is_recalled
            }
            None => true,
        });
        overlay
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other commands change no message"
    )]
    fn take(&mut self, entry: &OutboxEntry) {
        let id = match &entry.command {
            Command::MessageSend {
                message,
                text,
                reply_to,
                written_at,
                ..
            } => {
                self.pending.push(Pending {
                    command: entry.id,
                    id: *message,
                    text: text.clone(),
                    reply_to: *reply_to,
                    written_at: *written_at,
                    state: entry.state.clone(),
                });
                return;
            }
            Command::MessageEdit { message, .. }
            | Command::MessageRecall { message, .. }
            | Command::MessageReact { message, .. }
            | Command::MessagePin { message, .. } => *message,
            _ => return,
        };
        let change = self.outstanding.entry(id).or_default();
        if let Some(rejection) = refusal(&entry.state) {
            change.refused = Some(RefusedView {
                command: entry.id.to_string(),
                method: entry.command.method().to_owned(),
                message: id.to_string(),
                text: if let Command::MessageEdit { text, .. } = &entry.command {
                    Some(text.to.clone())
                } else {
                    None
                },
                rejection,
            });
            return;
        }
        match &entry.command {
            Command::MessageEdit { text, .. } => change.text = Some(text.to.clone()),
            Command::MessageRecall { .. } => change.is_recalled = true,
            Command::MessageReact { key, on, .. } => change.reactions.push((key.clone(), *on)),
            Command::MessagePin { on, .. } => change.is_pinned = Some(*on),
            _ => {}
        }
    }

    /// What waits for a message.
    pub fn outstanding(&self, id: MessageId) -> Option<&Outstanding> {
        self.outstanding.get(&id)
    }

    /// Changes that were refused, of messages that are not among these.
    pub fn refused_elsewhere(&self, shown: &[StoredMessage]) -> Vec<RefusedView> {
        let mut refused: Vec<RefusedView> = self
            .outstanding
            .iter()
            .filter(|(id, _)| {
                shown.iter().all(|held| held.id != **id)
                    && self.pending.iter().all(|pending| pending.id != **id)
            })
            .filter_map(|(_, change)| change.refused.clone())
            .collect();
        refused.sort_by(|a, b| a.command.cmp(&b.command));
        refused
    }

    /// What was written for changes that were refused.
    pub fn refused_texts(&self) -> impl Iterator<Item = &str> {
        self.outstanding
            .values()
            .filter_map(|change| change.refused.as_ref()?.text.as_deref())
    }

    /// A message's text as it will be.
    pub fn text<'a>(&'a self, held: &'a StoredMessage) -> &'a str {
        self.outstanding(held.id)
            .and_then(|change| change.text.as_deref())
            .unwrap_or(&held.content.text)
    }

    /// Whether a message will be pinned.
    pub fn is_pinned(&self, held: &StoredMessage) -> bool {
        self.outstanding(held.id)
            .and_then(|change| change.is_pinned)
            .unwrap_or(held.marks.pinned_at.is_some())
    }

    /// The messages that pending ones reply to.
    pub fn replies(&self) -> impl Iterator<Item = MessageId> {
        self.pending.iter().filter_map(|pending| pending.reply_to)
    }

    /// All texts that wait.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let edits = self
            .outstanding
            .values()
            .filter_map(|change| change.text.as_deref());
        self.pending
            .iter()
            .map(|pending| pending.text.as_str())
            .chain(edits)
    }
}

/// Why an entry waits for the person; none if it only waits for the server.
pub fn refusal(state: &OutboxState) -> Option<RejectionView> {
    match state {
        OutboxState::Waiting => None,
        OutboxState::Rejected(rejection) => Some(RejectionView::of(rejection)),
        OutboxState::Stale => Some(RejectionView::from_code("too_old")),
    }
}
