//! Links and addresses of a line.

use std::ops::Range;

use super::{Scan, tree::What};
use crate::markup::{InlineKind, Span, Target, address::LONGEST, letter::is_hidden};

/// The longest address that a link may have.
const TARGET: usize = 2_048;

/// A `[` that may begin a link.
pub struct Bracket {
    at: usize,
    /// Runs from here on stand in it.
    runs: usize,
    /// The backslash before it.
    escape: Option<usize>,
    /// Pictures are not shown: nothing is fetched from elsewhere.
    is_picture: bool,
}

impl Scan<'_> {
    pub(super) fn bracket(&mut self, at: usize, escape: Option<usize>) {
        self.brackets.push(Bracket {
            at,
            runs: self.runs.len(),
            escape,
            is_picture: at > self.line.start && self.bytes[at - 1] == b'!',
        });
    }

    /// What stands between brackets behind a text, and where it ends.
    pub(super) fn target_at(&self, at: usize) -> Option<(Target, usize)> {
        if self.next_byte(at) != Some(b'(') {
            return None;
        }
        let mut open = 0_usize;
        let length = self.bytes[at + 1..self.line.end]
            .iter()
            .take(TARGET)
            .position(|byte| match byte {
                b'(' => {
                    open += 1;
                    false
                }
                b')' => {
                    let is_end = open == 0;
                    open = open.saturating_sub(1);
                    is_end
                }
                byte => byte.is_ascii_whitespace(),
            })?;
        let end = at + 1 + length;
        let typed = &self.text[at + 1..end];
        let address = typed
            .strip_prefix('<')
            .and_then(|typed| typed.strip_suffix('>'))
            .unwrap_or(typed);
        let is_whole = self.bytes[end] == b')' && !address.contains(['<', '>']);
        Some((Target::of(address).filter(|_| is_whole)?, end + 1))
    }

    pub(super) fn closed(&mut self, at: usize) -> usize {
        let Some(open) = self.brackets.pop() else {
            return at + 1;
        };
        let Some((target, end)) = self.target_at(at + 1) else {
            return at + 1;
        };
        // Around a link there is no other.
        self.brackets.clear();
        if let Some(backslash) = open.escape {
            self.event(backslash..backslash + 1, What::Hidden);
            return at + 1;
        }
        let inside = &self.text[open.at + 1..at];
        let shows_nothing = inside.chars().all(|c| c.is_whitespace() || is_hidden(c));
        if open.is_picture || shows_nothing {
            return at + 1;
        }
        // Addresses in it are its text.
        let events = self
            .events
            .iter()
            .rposition(|event| event.range.start < open.at)
            .map_or(0, |before| before + 1);
        let inner = self.events.split_off(events);
        self.events.extend(inner.into_iter().filter(|event| {
            !matches!(event.what, What::Angle | What::Leaf(InlineKind::Address(_)))
        }));
        self.pair_from(open.runs);
        let span = Span::Link(Box::new(target.named(inside)));
        self.event(open.at..open.at + 1, What::Open(span));
        self.event(at..end, What::Close);
        self.done = end;
        end
    }

    pub(super) fn address(&mut self, range: Range<usize>) -> usize {
        let end = range.end;
        let typed = &self.text[range.clone()];
        let Some(target) = Target::of(typed).filter(|_| typed.len() < LONGEST) else {
            return end;
        };
        let is_angled = range.start > self.line.start
            && self.bytes[range.start - 1] == b'<'
            && self.next_byte(end) == Some(b'>');
        if is_angled {
            self.event(range.start - 1..range.start, What::Angle);
        }
        self.leaf(range, InlineKind::Address(Box::new(target)));
        if is_angled {
            self.event(end..end + 1, What::Angle);
            return end + 1;
        }
        end
    }
}
