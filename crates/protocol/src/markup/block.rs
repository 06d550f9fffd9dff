//! From lines to blocks. Each line says by its beginning what it belongs to; none is drawn into what stands above it.

mod code;
mod table;

use std::ops::Range;

use super::{
    Block, BlockKind, DEPTH, Item,
    inline::{self, Segment},
    line::{Line, Quoting},
    tiled, tiled_inlines,
};

pub fn read(text: &str) -> Vec<Block> {
    let mut lines = Vec::new();
    let mut from = 0;
    for line in text.split('\n') {
        let end = from + line.len();
        lines.push(Line { from, end });
        from = end + 1;
    }
    if text.is_empty() {
        return Vec::new();
    }
    tiled(0..text.len(), Container::new(text, &lines, 0).blocks())
}

/// The lines of the text itself, of a quotation, or of an item.
struct Container<'a> {
    text: &'a str,
    lines: &'a [Line],
    depth: usize,
    /// Whether a quotation begins at the line: it has a mark, and some line that follows has content, too.
    quotes: Vec<bool>,
    /// Looking for the end of a fence of `~` or `` ` `` with so many marks or more was in vain.
    unclosed: [usize; 2],
    /// Lines before this one begin no table: they belong to one that is too large.
    untabled: usize,
    at: usize,
}

impl<'a> Container<'a> {
    fn new(text: &'a str, lines: &'a [Line], depth: usize) -> Self {
        let mut quotes = vec![false; lines.len()];
        if depth < DEPTH {
            for (at, line) in lines.iter().enumerate().rev() {
                quotes[at] = match line.quoting(text) {
                    Quoting::No => false,
                    Quoting::Bare => quotes.get(at + 1) == Some(&true),
                    Quoting::Content => true,
                };
            }
        }
        Self {
            text,
            lines,
            depth,
            quotes,
            unclosed: [usize::MAX; 2],
            untabled: 0,
            at: 0,
        }
    }

    fn blocks(mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        while let Some(line) = self.lines.get(self.at).copied() {
            let block = if line.is_blank(self.text) {
                self.gap()
            } else {
                self.marked(line).unwrap_or_else(|| self.paragraph())
            };
            blocks.push(block);
        }
        blocks
    }

    fn gap(&mut self) -> Block {
        let first = self.at;
        self.at += self.lines[first..]
            .iter()
            .take_while(|line| line.is_blank(self.text))
            .count();
        Block {
            range: self.range(first),
            what: BlockKind::Gap(self.at - first),
        }
    }

    /// From the first line to the one before where the container is.
    fn range(&self, first: usize) -> Range<usize> {
        self.lines[first].from..self.lines[self.at - 1].end
    }

    /// A block that begins with a mark, if one begins here.
    fn marked(&mut self, line: Line) -> Option<Block> {
        let text = self.text;
        if self.depth < DEPTH {
            if self.quotes[self.at] {
                return Some(self.quote());
            }
            if line.marker(text).is_some() {
                return Some(self.list());
            }
        }
        if let Some(fence) = line.fence(text)
            && let Some(block) = self.code(fence)
        {
            return Some(block);
        }
        if let Some((level, content)) = line.heading(text) {
            self.at += 1;
            let inlines = inline::read(text, &[Segment::line(content, line.end)]);
            return Some(Block {
                range: line.from..line.end,
                what: BlockKind::Heading {
                    level,
                    inlines: tiled_inlines(line.from..line.end, inlines),
                },
            });
        }
        if self.is_rule(line) {
            self.at += 1;
            return Some(Block {
                range: line.from..line.end,
                what: BlockKind::Rule,
            });
        }
        self.table()
    }

    /// Only between two empty lines with something beyond them: `***` alone is what somebody wanted to say.
    fn is_rule(&self, line: Line) -> bool {
        let is_blank = |at: usize| {
            self.lines
                .get(at)
                .is_some_and(|line| line.is_blank(self.text))
        };
        line.is_rule(self.text)
            && self.at >= 2
            && is_blank(self.at - 1)
            && is_blank(self.at + 1)
            && self.at + 2 < self.lines.len()
    }

    fn quote(&mut self) -> Block {
        let first = self.at;
        let inner: Vec<Line> = self.lines[first..]
            .iter()
            .take_while(|line| line.quoting(self.text) != Quoting::No)
            .map(|line| line.unquoted(self.text))
            .collect();
        self.at += inner.len();
        let range = self.range(first);
        let blocks = Container::new(self.text, &inner, self.depth + 1).blocks();
        Block {
            what: BlockKind::Quote(tiled(range.clone(), blocks)),
            range,
        }
    }

    fn list(&mut self) -> Block {
        let first = self.at;
        let is_numbered = self.lines[first]
            .marker(self.text)
            .is_some_and(|marker| marker.is_numbered);
        let mut items: Vec<Item> = Vec::new();
        while let Some(line) = self.lines.get(self.at)
            && let Some(marker) = line.marker(self.text)
            && marker.is_numbered == is_numbered
        {
            let start = self.at;
            let mut inner = vec![Line {
                from: marker.content,
                end: line.end,
            }];
            self.at += 1;
            while let Some(upto) = self.upto_indented(marker.indent + 2) {
                let more = &self.lines[self.at..=upto];
                inner.extend(
                    more.iter()
                        .map(|line| line.stripped(self.text, marker.width)),
                );
                self.at = upto + 1;
            }
            let range = self.range(start);
            if let Some(before) = items.last_mut() {
                before.range.end = range.start;
                before.blocks = tiled(before.range.clone(), std::mem::take(&mut before.blocks));
            }
            let blocks = Container::new(self.text, &inner, self.depth + 1).blocks();
            items.push(Item {
                mark: marker.from..marker.end,
                blocks: tiled(range.clone(), blocks),
                range,
            });
        }
        Block {
            range: self.range(first),
            what: BlockKind::List { is_numbered, items },
        }
    }

    /// The next line that is not empty, if it is indented by so much.
    fn upto_indented(&self, columns: usize) -> Option<usize> {
        let next = self.lines[self.at..]
            .iter()
            .position(|line| !line.is_blank(self.text))?;
        let (indent, _) = self.lines[self.at + next].indent(self.text);
        (indent >= columns).then_some(self.at + next)
    }

    fn paragraph(&mut self) -> Block {
        let text = self.text;
        let first = self.at;
        let mut segments = Vec::new();
        loop {
            let line = self.lines[self.at];
            segments.push(Segment {
                escape: line.escape(text),
                ..Segment::line(line.from, line.end)
            });
            self.at += 1;
            match self.lines.get(self.at) {
                Some(line) if !line.is_blank(text) && !self.is_start(*line) => {}
                Some(_) | None => break,
            }
        }
        let range = self.range(first);
        let inlines = inline::read(text, &segments);
        Block {
            what: BlockKind::Paragraph(tiled_inlines(range.clone(), inlines)),
            range,
        }
    }

    /// Whether another block than a paragraph begins at the line.
    fn is_start(&mut self, line: Line) -> bool {
        let text = self.text;
        (self.depth < DEPTH && (self.quotes[self.at] || line.marker(text).is_some()))
            || line.heading(text).is_some()
            || line
                .fence(text)
                .is_some_and(|fence| self.fenced(self.at, fence).is_some())
            || self.rows().is_some()
    }
}
