//! Code within a line, and the mentions in code.

use std::ops::Range;

use super::{Scan, tiled_inlines};
use crate::{
    markup::{Inline, InlineKind},
    mention::mention_at,
};

/// Code with the mentions in it, which call nobody.
pub fn names_in(text: &str, range: Range<usize>, into: &mut Vec<Inline>) {
    let mut plain = range.start;
    let mut at = range.start;
    let mut add = |range: Range<usize>, what| {
        if !range.is_empty() {
            into.push(Inline { range, what });
        }
    };
    while let Some(found) = text[at..range.end].find("<@") {
        at += found;
        match mention_at(&text[..range.end], at) {
            Some((mention, end)) => {
                add(plain..at, InlineKind::Text);
                add(at..end, InlineKind::Name(mention));
                plain = end;
                at = end;
            }
            None => at += 2,
        }
    }
    add(plain..range.end, InlineKind::Text);
}

/// How long the row of one byte is.
pub fn run_at(bytes: &[u8], at: usize, end: usize) -> usize {
    let mark = bytes[at];
    bytes[at..end]
        .iter()
        .take_while(|byte| **byte == mark)
        .count()
}

/// Behind the row of as many backticks that closes code.
pub fn code_end(text: &str, from: usize, end: usize, run: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(found) = text[at..end].find('`') {
        at += found;
        let count = run_at(bytes, at, end);
        at += count;
        if count == run {
            return Some(at);
        }
    }
    None
}

impl Scan<'_> {
    pub(super) fn code_end(&mut self, from: usize, run: usize) -> Option<usize> {
        if self.uncoded.contains(&run) {
            return None;
        }
        let end = code_end(self.text, from, self.line.end, run);
        if end.is_none() {
            self.uncoded.push(run);
        }
        end
    }

    pub(super) fn code(&mut self, at: usize) -> usize {
        let run = run_at(self.bytes, at, self.line.end);
        let inside = at + run;
        let Some(end) = self.code_end(inside, run) else {
            return inside;
        };
        let mut content = inside..end - run;
        let typed = &self.text[content.clone()];
        if typed.trim().is_empty() || (run == 1 && self.is_between_faces(at, typed)) {
            return inside;
        }
        // Blanks keep backticks apart from those around them.
        if typed.starts_with(" `") || typed.ends_with("` ") {
            content.start += usize::from(typed.starts_with(' '));
            content.end -= usize::from(typed.ends_with(' '));
        }
        let mut inlines = Vec::new();
        names_in(self.text, content, &mut inlines);
        self.leaf(at..end, InlineKind::Code(tiled_inlines(at..end, inlines)));
        end
    }

    /// `(´･ω･`) (´-ω-`)`: what stands between two faces is no code.
    fn is_between_faces(&self, at: usize, typed: &str) -> bool {
        let before = self.text[self.line.start..at].chars().next_back();
        typed.trim_start_matches('*').starts_with([')', '）'])
            && typed.contains(['(', '（'])
            && before.is_some_and(|c| !c.is_whitespace())
    }
}
