//! What stands on the lines of a paragraph: code, addresses, mentions and links as they come; then the spans around them.

use std::ops::Range;

use super::{
    DEPTH, Inline, InlineKind, Span, Target,
    address::{LONGEST, beginning_at, mail_around},
    runs::{Pair, Run, pair},
    tiled_inlines,
};
use crate::text::mention_at;

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

/// The longest address that a link may have.
const TARGET: usize = 2_048;

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

struct Event {
    range: Range<usize>,
    what: What,
}

enum What {
    Leaf(InlineKind),
    /// The brackets of `<https://…>`.
    Angle,
    Hidden,
    Open(Span),
    Close,
}

/// A `[` that may begin a link.
struct Bracket {
    at: usize,
    /// Runs from here on stand in it.
    runs: usize,
    /// The backslash before it.
    escape: Option<usize>,
    /// Pictures are not shown: nothing is fetched from elsewhere.
    is_picture: bool,
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

    fn code_end(&mut self, from: usize, run: usize) -> Option<usize> {
        if self.uncoded.contains(&run) {
            return None;
        }
        let end = code_end(self.text, from, self.line.end, run);
        if end.is_none() {
            self.uncoded.push(run);
        }
        end
    }

    fn code(&mut self, at: usize) -> usize {
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

    fn bracket(&mut self, at: usize, escape: Option<usize>) {
        self.brackets.push(Bracket {
            at,
            runs: self.runs.len(),
            escape,
            is_picture: at > self.line.start && self.bytes[at - 1] == b'!',
        });
    }

    /// What stands between brackets behind a text, and where it ends.
    fn target_at(&self, at: usize) -> Option<(Target, usize)> {
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

    fn closed(&mut self, at: usize) -> usize {
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
        let shows_nothing = inside
            .chars()
            .all(|c| c.is_whitespace() || super::letter::is_hidden(c));
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

    fn address(&mut self, range: Range<usize>) -> usize {
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

/// A span that is being built.
struct Frame {
    start: usize,
    span: Span,
    /// What stands before it.
    outer: Vec<Inline>,
}

fn built(range: Range<usize>, events: Vec<Event>) -> Vec<Inline> {
    let mut stack: Vec<Frame> = Vec::new();
    let mut inlines: Vec<Inline> = Vec::new();
    // Spans that are nested too deep: their marks are text.
    let mut skipped = 0_usize;
    let mut at = range.start;
    for Event { range, what } in events {
        let is_text = match what {
            What::Open(_) => stack.len() >= DEPTH,
            What::Close => skipped > 0,
            What::Leaf(_) | What::Angle | What::Hidden => false,
        };
        if is_text {
            skipped = if matches!(what, What::Close) {
                skipped - 1
            } else {
                skipped + 1
            };
            continue;
        }
        text_until(&mut inlines, at, range.start);
        at = range.end;
        match what {
            What::Leaf(what) => inlines.push(Inline { range, what }),
            What::Angle | What::Hidden => inlines.push(Inline {
                range,
                what: InlineKind::Mark,
            }),
            What::Open(span) => {
                stack.push(Frame {
                    start: range.start,
                    span,
                    outer: std::mem::take(&mut inlines),
                });
                inlines.push(Inline {
                    range,
                    what: InlineKind::Mark,
                });
            }
            What::Close => {
                let end = range.end;
                inlines.push(Inline {
                    range,
                    what: InlineKind::Mark,
                });
                if let Some(Frame {
                    start,
                    span,
                    mut outer,
                }) = stack.pop()
                {
                    outer.push(Inline {
                        range: start..end,
                        what: InlineKind::Span(span, inlines),
                    });
                    inlines = outer;
                }
            }
        }
    }
    text_until(&mut inlines, at, range.end);
    inlines
}

fn text_until(inlines: &mut Vec<Inline>, from: usize, until: usize) {
    if from < until {
        inlines.push(Inline {
            range: from..until,
            what: InlineKind::Text,
        });
    }
}
