//! What stands on the lines of a paragraph: code, addresses, mentions and links as they come; then the spans around them.

mod code;
mod link;
mod tree;

use std::ops::Range;

pub use self::code::{code_end, names_in, run_at};
use self::{
    link::Bracket,
    tree::{Event, What, built},
};
use super::{
    Inline, InlineKind, Span,
    address::{beginning_at, mail_around},
    runs::{Pair, Run, pair},
    tiled_inlines,
};
use crate::mention::mention_at;

/// The content of a line.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    pub from: usize,
    pub end: usize,
    /// A backslash that keeps the line from beginning a block.
    pub escape: Option<usize>,
    /// It is a cell of a table: `\|` is a bar.
    pub is_cell: bool,
}

impl Segment {
    pub fn line(from: usize, end: usize) -> Self {
        Self {
            from,
            end,
            escape: None,
            is_cell: false,
        }
    }
}

/// Reads lines that belong together.
pub fn read(text: &str, lines: &[Segment]) -> Vec<Inline> {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        line: 0..0,
        number: 0,
        hides: false,
        done: 0,
        events: Vec::new(),
        runs: Vec::new(),
        brackets: Vec::new(),
        uncoded: Vec::new(),
        kept_code: None,
    };
    for (number, line) in lines.iter().enumerate() {
        if let Some(before) = number.checked_sub(1) {
            scan.leaf(lines[before].end..line.from, InlineKind::Break);
        }
        scan.line(number, line);
    }
    scan.pair_from(0);
    let range = match (lines.first(), lines.last()) {
        (Some(first), Some(last)) => first.from..last.end,
        _ => return Vec::new(),
    };
    scan.events.sort_by_key(|event| event.range.start);
    built(range, scan.events)
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    line: Range<usize>,
    number: usize,
    /// Bars may hide something on this line: it is no row of a table.
    hides: bool,
    /// Behind the last leaf.
    done: usize,
    events: Vec<Event>,
    runs: Vec<Run>,
    brackets: Vec<Bracket>,
    /// Rows of so many backticks have no end on this line.
    uncoded: Vec<usize>,
    /// Where a backslash would stand before backticks that close no code.
    kept_code: Option<usize>,
}

impl Scan<'_> {
    fn line(&mut self, number: usize, line: &Segment) {
        self.line = line.from..line.end;
        self.number = number;
        self.brackets.clear();
        self.uncoded.clear();
        self.kept_code = None;
        self.done = line.from;
        let typed = self.text[self.line.clone()].trim();
        let is_row = (typed.starts_with('|') && !typed.starts_with("||"))
            || (typed.ends_with('|') && !typed.ends_with("||"));
        self.hides = !is_row && !line.is_cell;
        let mut at = line.from;
        while at < line.end {
            at = match self.bytes[at] {
                b'\\' if line.escape == Some(at) => {
                    self.event(at..at + 1, What::Hidden);
                    at + 2
                }
                b'\\' => self.backslash(at, line.is_cell),
                b'`' => self.code(at),
                b'*' | b'_' | b'~' | b'|' => self.run(at),
                b'[' => {
                    self.bracket(at, None);
                    at + 1
                }
                b']' => self.closed(at),
                b'<' => match mention_at(&self.text[..self.line.end], at) {
                    Some((mention, end)) => {
                        self.leaf(at..end, InlineKind::Mention(mention));
                        end
                    }
                    None => at + 1,
                },
                b'h' | b'H' | b'w' | b'W' | b'm' | b'M' | b't' | b'T' => {
                    match beginning_at(self.text, &self.line, at) {
                        Some(range) => self.address(range),
                        None => at + 1,
                    }
                }
                b'@' => match mail_around(self.text, &(self.done..self.line.end), at) {
                    Some(range) => {
                        // What was taken for marks belongs to the address.
                        while self.runs.last().is_some_and(|run| run.from >= range.start) {
                            self.runs.pop();
                        }
                        self.address(range)
                    }
                    None => at + 1,
                },
                _ => at + 1,
            };
        }
    }

    fn event(&mut self, range: Range<usize>, what: What) {
        self.events.push(Event { range, what });
    }

    fn leaf(&mut self, range: Range<usize>, what: InlineKind) {
        self.done = range.end;
        self.event(range, What::Leaf(what));
    }

    fn next_byte(&self, at: usize) -> Option<u8> {
        (at < self.line.end).then(|| self.bytes[at])
    }

    /// A backslash is shown, unless it keeps something from being markup.
    fn backslash(&mut self, at: usize, is_cell: bool) -> usize {
        let Some(next) = self.next_byte(at + 1) else {
            return at + 1;
        };
        match next {
            b'|' if is_cell => {
                self.event(at..at + 1, What::Hidden);
                at + 2
            }
            // It belongs to a path.
            b'*' | b'_' | b'~' | b'|'
                if at > self.line.start && b":\\/".contains(&self.bytes[at - 1]) =>
            {
                at + 2
            }
            b'*' | b'_' | b'~' | b'|' => self.run(at),
            b'`' => {
                let run = run_at(self.bytes, at + 1, self.line.end);
                let behind = at + 1 + run;
                if self.kept_code == Some(at) {
                    self.event(at..at + 1, What::Hidden);
                } else if let Some(end) = self.code_end(behind, run) {
                    self.event(at..at + 1, What::Hidden);
                    // A backslash before the closing ones does the same.
                    self.kept_code = (end - run).checked_sub(1);
                }
                behind
            }
            b'[' => {
                self.bracket(at + 1, Some(at));
                at + 2
            }
            b']' => {
                if self.target_at(at + 2).is_some() && self.brackets.pop().is_some() {
                    self.event(at..at + 1, What::Hidden);
                }
                at + 2
            }
            b'<' => match mention_at(&self.text[..self.line.end], at + 1) {
                Some((mention, end)) => {
                    self.event(at..at + 1, What::Hidden);
                    self.leaf(at + 1..end, InlineKind::Name(mention));
                    end
                }
                None => at + 1,
            },
            _ => at + 1,
        }
    }

    /// A row of marks, with the backslashes in it if it begins with one.
    fn run(&mut self, from: usize) -> usize {
        let is_escaped = self.bytes[from] == b'\\';
        let mark = self.bytes[from + usize::from(is_escaped)];
        let mut backslashes = Vec::new();
        let mut end = from;
        loop {
            match self.next_byte(end) {
                Some(b'\\') if is_escaped && self.next_byte(end + 1) == Some(mark) => {
                    backslashes.push(end);
                    end += 2;
                }
                Some(byte) if byte == mark => end += 1,
                _ => break,
            }
        }
        let around = (
            self.text[self.line.start..from].chars().next_back(),
            self.text[end..self.line.end].chars().next(),
        );
        self.runs.push(Run::new(
            mark,
            from..end,
            self.number,
            around,
            backslashes,
            self.hides,
        ));
        end
    }

    /// Pairs the runs from one on; they go with none that stands before them.
    fn pair_from(&mut self, first: usize) {
        let mut runs = self.runs.split_off(first);
        let events = &mut self.events;
        pair(&mut runs, &mut |found| match found {
            Pair::Escaped(at) => events.push(Event {
                range: at..at + 1,
                what: What::Hidden,
            }),
            Pair::Span {
                open,
                close,
                count,
                mark,
            } => {
                let span = match (mark, count) {
                    (b'~', _) => Span::Strike,
                    (b'|', _) => Span::Spoiler,
                    (_, 1) => Span::Italic,
                    (_, _) => Span::Bold,
                };
                events.push(Event {
                    range: open..open + count,
                    what: What::Open(span),
                });
                events.push(Event {
                    range: close..close + count,
                    what: What::Close,
                });
            }
        });
    }
}
