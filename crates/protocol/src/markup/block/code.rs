//! Code between fences: where it ends, and what of its lines belongs to it.

use std::ops::Range;

use super::{
    super::{
        Block, BlockKind, Inline, InlineKind, inline,
        line::{Fence, Line},
        tiled_inlines,
    },
    Container,
};

/// A language has at most so many bytes; what is longer, or more than one word, is code.
const LANGUAGE: usize = 32;

pub struct Fenced {
    language: Range<usize>,
    lines: Vec<Line>,
    next: usize,
}

impl Container<'_> {
    pub fn code(&mut self, fence: Fence) -> Option<Block> {
        let text = self.text;
        let first = self.at;
        let fenced = self.fenced(first, fence)?;
        self.at = fenced.next;
        let range = self.range(first);
        let mut inlines: Vec<Inline> = Vec::new();
        let mut before = None;
        for line in &fenced.lines {
            if let Some(end) = before {
                inlines.push(Inline {
                    range: end..line.from,
                    what: InlineKind::Break,
                });
            }
            inline::names_in(text, line.from..line.end, &mut inlines);
            before = Some(line.end);
        }
        Some(Block {
            what: BlockKind::Code {
                language: fenced.language,
                inlines: tiled_inlines(range.clone(), inlines),
            },
            range,
        })
    }

    /// What stands in the fence that opens at a line; nothing if it holds nothing, or is of `~` and never closed: then
    /// its marks are what somebody wanted to say.
    pub fn fenced(&mut self, first: usize, fence: Fence) -> Option<Fenced> {
        let text = self.text;
        let opening = self.lines[first];
        let behind = Line {
            from: fence.end,
            end: opening.end,
        };
        let info = behind.of(text).trim();
        let is_language = info.len() <= LANGUAGE
            && info
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+#.-".contains(&byte));
        let rest = &self.lines[first + 1..];
        let (until, next, cut) = match self.closing(first, fence) {
            Some(at) => (at, at + 1, None),
            None if fence.mark == b'~' => return None,
            None => {
                let behind = rest
                    .iter()
                    .enumerate()
                    .find_map(|(at, line)| Some((at, line.closes_behind(text, fence)?)));
                match behind {
                    Some((at, end)) => (first + at + 2, first + at + 2, Some(end)),
                    None => (self.lines.len(), self.lines.len(), None),
                }
            }
        };
        let mut lines: Vec<Line> = Vec::with_capacity(until - first);
        if !is_language {
            lines.push(behind);
        }
        lines.extend(
            self.lines[first + 1..until]
                .iter()
                .map(|line| line.stripped(text, fence.indent)),
        );
        if let (Some(end), Some(last)) = (cut, lines.last_mut()) {
            last.end = end.max(last.from);
        }
        let start = fence.end + behind.of(text).len() - behind.of(text).trim_start().len();
        let is_empty = lines.iter().all(|line| line.is_blank(text));
        (!is_empty).then_some(Fenced {
            language: start..start + if is_language { info.len() } else { 0 },
            lines,
            next,
        })
    }

    /// The line that closes a fence. What was sought in vain is not sought again.
    fn closing(&mut self, first: usize, fence: Fence) -> Option<usize> {
        let unclosed = &mut self.unclosed[usize::from(fence.mark == b'~')];
        if fence.count >= *unclosed {
            return None;
        }
        let found = self.lines[first + 1..]
            .iter()
            .position(|line| line.closes(self.text, fence));
        if found.is_none() {
            *unclosed = fence.count;
        }
        found.map(|at| first + 1 + at)
    }
}
