//! What is known of the keyring.

use crate::{secrets::NoKeyring, view::KeyringView};

/// What is known of the keyring.
#[derive(Debug)]
pub(in crate::client) struct Asked {
    /// How it did when it answered last.
    last: KeyringView,
    /// It kept or told something since the start.
    has_worked: bool,
    /// How many wait for an answer that takes long.
    pub(super) waits: usize,
    /// Questions that were begun.
    questions: u64,
    /// How many had been begun when one failed; none once it did a later one.
    failed: Option<u64>,
    /// Whether it can keep anything was tried.
    pub(super) is_tried: bool,
}

impl Asked {
    pub fn new(is_lasting: bool) -> Self {
        Self {
            last: if is_lasting {
                KeyringView::Works
            } else {
                KeyringView::Missing
            },
            has_worked: false,
            waits: 0,
            questions: 0,
            failed: None,
            is_tried: false,
        }
    }

    pub fn view(&self) -> KeyringView {
        if self.waits > 0 {
            KeyringView::Waits
        } else {
            self.last
        }
    }

    pub fn has_worked(&self) -> bool {
        self.has_worked
    }

    /// The number of a question that begins.
    pub(super) fn begin(&mut self) -> u64 {
        self.questions += 1;
        self.questions
    }

    pub(super) fn note<T>(&mut self, answer: &Result<T, NoKeyring>) {
        match answer {
            // One without a place to keep anything answers, too, as long as nothing is to be kept.
            Ok(_) if self.last == KeyringView::Missing => {}
            Ok(_) => self.last = KeyringView::Works,
            Err(NoKeyring::Missing(_)) => self.last = KeyringView::Missing,
            Err(NoKeyring::Refused(_)) => self.last = KeyringView::Refused,
        }
        if answer.is_err() {
            self.failed = Some(self.questions);
        }
    }

    /// It kept something, or had. Whether it had failed before that was asked: then it is another keyring now, as one that
    /// was unlocked.
    pub(super) fn work(&mut self, question: u64) -> bool {
        self.last = KeyringView::Works;
        self.has_worked = true;
        let is_again = self.failed.is_some_and(|failed| failed < question);
        if is_again {
            self.failed = None;
        }
        is_again
    }
}
