//! Tables: rows between bars, below a head.

use std::ops::Range;

use super::{
    super::{
        Block, BlockKind, Cell,
        inline::{self, Segment},
        line::Line,
        tiled_inlines,
    },
    Container,
};

/// A table with more cells is text: nobody reads it, and each is an element on the screen.
const CELLS: usize = 500;

impl Container<'_> {
    /// How many lines the table has that begins here.
    pub fn rows(&mut self) -> Option<usize> {
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

    pub fn table(&mut self) -> Option<Block> {
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
