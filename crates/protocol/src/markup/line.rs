//! Lines, and what their beginnings say.

/// A line as the container sees it: without the marks of the containers around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub from: usize,
    /// Before the line break.
    pub end: usize,
}

/// What an item of a list begins with.
#[derive(Debug, Clone, Copy)]
pub struct Marker {
    /// Columns before it.
    pub indent: usize,
    pub from: usize,
    /// Behind `-` or `1.`.
    pub end: usize,
    /// Where the content begins.
    pub content: usize,
    /// Columns before the content.
    pub width: usize,
    pub is_numbered: bool,
}

/// How a line stands to a quotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    No,
    /// Only marks: an empty line of a quotation, if there is one.
    Bare,
    Content,
}

/// A row of three or more of these is a fence.
#[derive(Debug, Clone, Copy)]
pub struct Fence {
    pub mark: u8,
    pub count: usize,
    pub indent: usize,
    /// Behind the marks.
    pub end: usize,
}

/// Beyond this a line is text: indented source stays as it was pasted.
const INDENT: usize = 4;
/// More marks of quotations without a blank between are what Python asks with: `>>> print(1)`.
const NESTED: usize = 2;
/// No list counts further; longer numbers are text.
const DIGITS: usize = 9;

impl Line {
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        &text[self.from..self.end]
    }

    pub fn is_blank(&self, text: &str) -> bool {
        self.of(text).trim().is_empty()
    }

    /// Columns of blanks before the content, and where the content begins.
    pub fn indent(&self, text: &str) -> (usize, usize) {
        let mut columns = 0;
        for (at, byte) in self.of(text).bytes().enumerate() {
            match byte {
                b' ' => columns += 1,
                b'\t' => columns += 4,
                _ => return (columns, self.from + at),
            }
        }
        (columns, self.end)
    }

    /// The same line behind so many columns of blanks, or as many as it has.
    pub fn stripped(self, text: &str, columns: usize) -> Self {
        let mut left = columns;
        let mut from = self.from;
        for byte in self.of(text).bytes() {
            let width = match byte {
                b' ' => 1,
                b'\t' => 4,
                _ => break,
            };
            if left == 0 {
                break;
            }
            left = left.saturating_sub(width);
            from += 1;
        }
        Self { from, ..self }
    }

    pub fn quoting(&self, text: &str) -> Quoting {
        let (indent, start) = self.indent(text);
        let rest = &text.as_bytes()[start..self.end];
        let run = rest.iter().take_while(|byte| **byte == b'>').count();
        if indent >= INDENT || !(1..=NESTED).contains(&run) || !is_blank_at(rest, run) {
            return Quoting::No;
        }
        let is_bare = rest.iter().all(|byte| matches!(byte, b'>' | b' ' | b'\t'));
        if is_bare {
            Quoting::Bare
        } else {
            Quoting::Content
        }
    }

    /// The line without the mark of one quotation.
    pub fn unquoted(self, text: &str) -> Self {
        let (_, start) = self.indent(text);
        let from = start + 1;
        let blank = usize::from(text.as_bytes().get(from) == Some(&b' ') && from < self.end);
        Self {
            from: from + blank,
            ..self
        }
    }

    pub fn marker(&self, text: &str) -> Option<Marker> {
        let (indent, from) = self.indent(text);
        let rest = &text.as_bytes()[from..self.end];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let len = match rest.first()? {
            b'-' | b'*' => 1,
            b'0'..=b'9' if digits <= DIGITS && matches!(rest.get(digits), Some(b'.' | b')')) => {
                digits + 1
            }
            _ => return None,
        };
        let blanks = rest[len..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        // Marks alone say nothing: `- - -` is text.
        let says = rest[len..]
            .iter()
            .any(|byte| !matches!(byte, b' ' | b'\t' | b'-' | b'*' | b'>' | b'#'));
        // `2026. 11. 30` is a date.
        let is_date = digits > 0 && is_number(&rest[len + blanks..]);
        (indent < INDENT && blanks > 0 && says && !is_date).then_some(Marker {
            indent,
            from,
            end: from + len,
            content: from + len + blanks.min(INDENT),
            width: indent + len + blanks.min(INDENT),
            is_numbered: digits > 0,
        })
    }

    /// The level of a heading, and where its content begins.
    pub fn heading(&self, text: &str) -> Option<(u8, usize)> {
        let line = self.of(text).as_bytes();
        let level = line.iter().take_while(|byte| **byte == b'#').count();
        let blanks = line[level..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let says = line[level + blanks..]
            .iter()
            .any(|byte| !matches!(byte, b' ' | b'\t' | b'#'));
        let level_shown = u8::try_from(level)
            .ok()
            .filter(|level| (1..=3).contains(level))?;
        (blanks > 0 && says).then_some((level_shown, self.from + level + blanks))
    }

    pub fn fence(&self, text: &str) -> Option<Fence> {
        let (indent, from) = self.indent(text);
        let rest = &text.as_bytes()[from..self.end];
        let mark = *rest.first()?;
        let count = rest.iter().take_while(|byte| **byte == mark).count();
        let is_fence = matches!(mark, b'`' | b'~') && count >= 3 && indent < INDENT;
        // With more of them on the line it is code within the line.
        (is_fence && !(mark == b'`' && rest[count..].contains(&b'`'))).then_some(Fence {
            mark,
            count,
            indent,
            end: from + count,
        })
    }

    /// Where a backslash stands that keeps a block from beginning here.
    pub fn escape(&self, text: &str) -> Option<usize> {
        let (_, start) = self.indent(text);
        let rest = &text.as_bytes()[start..self.end];
        let behind = |from| Self { from, ..*self };
        if rest.first() == Some(&b'\\') {
            let behind = behind(start + 1);
            let would_begin = behind.quoting(text) == Quoting::Content
                || behind.marker(text).is_some()
                || behind.heading(text).is_some();
            return would_begin.then_some(start);
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_kept = (1..=DIGITS).contains(&digits)
            && rest.get(digits) == Some(&b'\\')
            && matches!(rest.get(digits + 1), Some(b'.' | b')'))
            && rest.len() > digits + 2
            && is_blank_at(rest, digits + 2);
        is_kept.then_some(start + digits)
    }

    /// Whether the line closes a fence.
    pub fn closes(&self, text: &str, fence: Fence) -> bool {
        let line = self.of(text).trim();
        line.len() >= fence.count && line.bytes().all(|byte| byte == fence.mark)
    }

    /// Where the content ends, if a fence is closed at the end of the line.
    pub fn closes_behind(&self, text: &str, fence: Fence) -> Option<usize> {
        let line = self.of(text).trim_end();
        let count = line
            .bytes()
            .rev()
            .take_while(|byte| *byte == fence.mark)
            .count();
        (count == fence.count && count < line.len()).then_some(self.from + line.len() - count)
    }

    /// Three or more of one mark, and nothing else.
    pub fn is_rule(&self, text: &str) -> bool {
        let line = self.of(text).trim_end().as_bytes();
        line.len() >= 3
            && matches!(line[0], b'-' | b'*' | b'_')
            && line.iter().all(|byte| *byte == line[0])
    }

    /// Whether it may be a row of a table: it begins with one bar.
    pub fn is_row(&self, text: &str) -> bool {
        let (indent, start) = self.indent(text);
        let rest = &text.as_bytes()[start..self.end];
        indent < INDENT && rest.len() > 1 && rest[0] == b'|' && rest[1] != b'|'
    }

    /// Whether it is the line of dashes below the head of a table.
    pub fn is_below_head(&self, text: &str) -> bool {
        self.is_row(text)
            && self.of(text).contains('-')
            && self
                .of(text)
                .bytes()
                .all(|byte| matches!(byte, b'|' | b'-' | b':' | b' ' | b'\t'))
    }
}

/// Whether an item with a number might begin here.
fn is_number(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && line.get(digits) == Some(&b'.') && is_blank_at(line, digits + 1)
}

/// Whether the line of bytes ends there or has a blank.
fn is_blank_at(line: &[u8], at: usize) -> bool {
    line.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t'))
}
