//! From lines to blocks. Each line says by its beginning what it belongs to; none is drawn into what stands above it.

use std::ops::Range;

use super::{
    Block, BlockKind, Cell, DEPTH, Inline, InlineKind, Item,
    inline::{self, Segment},
    line::{Fence, Line, Quoting},
    tiled, tiled_inlines,
};

/// A table with more cells is text: nobody reads it, and each is an element on the screen.
const CELLS: usize = 500;

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

    fn code(&mut self, fence: Fence) -> Option<Block> {
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
    fn fenced(&mut self, first: usize, fence: Fence) -> Option<Fenced> {
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

    /// How many lines the table has that begins here.
    fn rows(&mut self) -> Option<usize> {
        let text = self.text;
        let lines = &self.lines[self.at..];
        let is_table = self.at >= self.untabled
            && lines.first()?.is_row(text)
            && lines.get(1)?.is_below_head(text)
            && cells_of(text, lines[0])
                .iter()
                .any(|cell| !text[cell.clone()].trim().is_empty());
        if !is_table {
            return None;
        }
        let mut cells = 0;
        let mut rows = 0;
        for line in lines {
            let (indent, start) = line.indent(text);
            if indent >= 4 || text.as_bytes().get(start) != Some(&b'|') || start == line.end {
                break;
            }
            cells += cells_of(text, *line).len();
            rows += 1;
        }
        if cells > CELLS {
            self.untabled = self.at + rows;
            return None;
        }
        Some(rows)
    }

    fn table(&mut self) -> Option<Block> {
        let text = self.text;
        let count = self.rows()?;
        let first = self.at;
        self.at += count;
        let range = self.range(first);
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(count);
        let mut at = range.start;
        for (number, line) in self.lines[first..self.at].iter().enumerate() {
            if number == 1 {
                continue;
            }
            let cells = cells_of(text, *line).into_iter().map(|cell| {
                let segment = Segment {
                    is_cell: true,
                    ..Segment::line(cell.start, cell.end)
                };
                let range = at..cell.end;
                at = cell.end;
                Cell {
                    inlines: tiled_inlines(range.clone(), inline::read(text, &[segment])),
                    range,
                }
            });
            rows.push(cells.collect());
        }
        // The bar, and perhaps the line of dashes, behind the last cell.
        if let Some(last) = rows.iter_mut().rev().find_map(|row| row.last_mut()) {
            last.range.end = range.end;
            last.inlines = tiled_inlines(last.range.clone(), std::mem::take(&mut last.inlines));
        }
        Some(Block {
            range,
            what: BlockKind::Table(rows),
        })
    }
}

/// A language has at most so many bytes; what is longer, or more than one word, is code.
const LANGUAGE: usize = 32;

struct Fenced {
    language: Range<usize>,
    lines: Vec<Line>,
    next: usize,
}

/// Where the cells of a row stand, without the blanks around them. A bar in code, or behind a backslash, is none.
fn cells_of(text: &str, line: Line) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut cells = Vec::new();
    let mut from = line.indent(text).1 + 1;
    let mut at = from;
    let cell = |from: usize, end: usize| {
        let inner = text[from..end].trim_start();
        let start = end - inner.len();
        start..start + inner.trim_end().len()
    };
    while at < line.end {
        match bytes[at] {
            b'\\' => at += 2,
            b'`' => {
                let run = inline::run_at(bytes, at, line.end);
                at = inline::code_end(text, at + run, line.end, run).unwrap_or(at + run);
            }
            b'|' => {
                cells.push(cell(from, at));
                at += 1;
                from = at;
            }
            _ => at += 1,
        }
    }
    // A row need not be closed.
    if !text[from.min(line.end)..line.end].trim().is_empty() {
        cells.push(cell(from, line.end));
    }
    cells
}
