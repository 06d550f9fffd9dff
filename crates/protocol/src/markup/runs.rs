//! Rows of `*`, `_`, `~` and `|`: which open a span, which close one, and which go together.

use super::letter::{is_spaced_sign, is_spaced_word, is_unspaced, is_word};

/// A row of one mark.
#[derive(Debug)]
pub struct Run {
    mark: u8,
    /// What is left of it.
    pub from: usize,
    end: usize,
    line: usize,
    opens: bool,
    closes: bool,
    /// Its length at first.
    count: usize,
    /// A backslash stands before it: it is text.
    is_escaped: bool,
    /// The backslashes that are shown so far: those that kept no span from being made.
    backslashes: Vec<usize>,
}

/// What two runs make.
#[derive(Debug)]
pub enum Pair {
    /// So many marks of each: a span.
    Span {
        open: usize,
        close: usize,
        count: usize,
        mark: u8,
    },
    /// A backslash did its work: it is not shown.
    Escaped(usize),
}

impl Run {
    /// What a run between two characters can do. The end of a line counts as a blank.
    pub fn new(
        mark: u8,
        range: std::ops::Range<usize>,
        line: usize,
        around: (Option<char>, Option<char>),
        backslashes: Vec<usize>,
        hides: bool,
    ) -> Self {
        let count = range.len() - backslashes.len();
        let (opens, closes) = match mark {
            b'*' => stars(count, around),
            b'_' if count == 1 => underline(around),
            b'~' if count == 2 => tildes(around),
            b'|' if count == 2 && hides => bars(around),
            _ => (false, false),
        };
        Self {
            mark,
            from: range.start,
            end: range.end,
            line,
            opens,
            closes,
            count,
            is_escaped: !backslashes.is_empty(),
            backslashes,
        }
    }

    fn was_needed(&mut self, found: &mut impl FnMut(Pair)) {
        for backslash in self.backslashes.drain(..) {
            found(Pair::Escaped(backslash));
        }
    }

    fn left(&self) -> usize {
        if self.is_escaped {
            self.count
        } else {
            self.end - self.from
        }
    }

    fn goes_with(&self, opener: &Self) -> bool {
        opener.mark == self.mark
            && match self.mark {
                // Otherwise `*a**b*` would be cut in the middle.
                b'*' => {
                    let is_both = (self.opens && self.closes) || (opener.opens && opener.closes);
                    !is_both
                        || !(self.count + opener.count).is_multiple_of(3)
                        || (self.count.is_multiple_of(3) && opener.count.is_multiple_of(3))
                }
                b'~' | b'|' => self.line == opener.line,
                _ => true,
            }
    }

    /// Runs that find no opener for the same reason.
    fn sort(&self) -> usize {
        match self.mark {
            b'*' => self.count % 3 + if self.opens { 3 } else { 0 },
            b'_' => 6,
            b'~' => 7,
            _ => 8,
        }
    }
}

fn is_blank(c: Option<char>) -> bool {
    c.is_none_or(char::is_whitespace)
}

/// Within a Latin word, or a number, stars are text; at its end they close. Beside scripts that go without blanks they
/// need none. More than three stand for a word that is not said.
fn stars(count: usize, (before, after): (Option<char>, Option<char>)) -> (bool, bool) {
    if count > 3 {
        return (false, false);
    }
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let is_in_word = before.is_some_and(is_spaced_word);
    let opens = if count == 1 {
        !is_in_word && after.is_some_and(|c| is_beginning(c, before))
    } else {
        let goes_on = is_in_word && !after.is_some_and(is_unspaced);
        !(is_blank(after) || after == Some('/') || goes_on)
    };
    let begins_a_word = before.is_some_and(is_spaced_sign) && after.is_some_and(is_spaced_word);
    let is_a_product = is_digit(before) && is_digit(after);
    let closes = !(is_blank(before) || begins_a_word || is_a_product);
    (opens, closes)
}

/// Whether what is in italics may begin so. Faces, patterns and paths are full of single stars before signs: `(*^_^*)`,
/// `.*?`, `*.txt`, `**/*.rs`, `$*`.
fn is_beginning(c: char, before: Option<char>) -> bool {
    let opens = matches!(
        c,
        '"' | '\'' | '“' | '‘' | '「' | '『' | '《' | '【' | '[' | '<' | '`' | '~' | '|' | '*'
    );
    let is_face = matches!(before, Some('(' | '（')) || matches!(c, '´' | '≧' | '°' | 'ﾟ' | '＾');
    let is_sign = c.is_ascii() && !matches!(c, '(' | '#' | '@' | '$' | '&');
    let is_end = matches!(
        c,
        '，' | '。'
            | '、'
            | '：'
            | '；'
            | '！'
            | '？'
            | '）'
            | '】'
            | '」'
            | '』'
            | '》'
            | '”'
            | '’'
            | '・'
    );
    is_word(c) || opens || !(is_face || is_sign || is_end || c.is_whitespace())
}

/// Faces and paths are full of them: the content begins with a letter or a quotation, and ends like a sentence.
fn underline((before, after): (Option<char>, Option<char>)) -> (bool, bool) {
    // The face `*_*`, and those with eyes: `>_<`.
    let is_mouth = before == Some('*') && after == Some('*');
    let opens = !is_mouth
        && !before.is_some_and(|c| is_word(c) || matches!(c, '<' | '>' | '^' | '.' | '\\'))
        && after.is_some_and(|c| {
            is_word(c)
                || matches!(
                    c,
                    '*' | '~' | '`' | '"' | '\'' | '“' | '‘' | '「' | '『' | '《' | '[' | '<'
                )
        });
    let closes = !is_mouth
        && !after.is_some_and(is_word)
        && before.is_some_and(|c| {
            is_word(c)
                || matches!(
                    c,
                    '.' | ','
                        | '!'
                        | '?'
                        | '…'
                        | '"'
                        | '\''
                        | ')'
                        | ']'
                        | '”'
                        | '’'
                        | '」'
                        | '』'
                        | '》'
                        | '）'
                        | '。'
                        | '，'
                        | '！'
                        | '？'
                        | '*'
                        | '~'
                        | '`'
                        | '>'
                        | '%'
                )
        });
    (opens, closes)
}

/// Chinese and Japanese write tildes for a drawn-out tone, behind a word: only what is not part of one opens.
fn tildes((before, after): (Option<char>, Option<char>)) -> (bool, bool) {
    let opens = !is_blank(after) && !before.is_some_and(is_word);
    let goes_on = before.is_some_and(is_word) && after.is_some_and(is_word);
    let closes = !(is_blank(before) || goes_on);
    (opens, closes)
}

/// In source two bars stand between blanks, words or brackets.
fn bars((before, after): (Option<char>, Option<char>)) -> (bool, bool) {
    let opens = !is_blank(after)
        && !before.is_some_and(|c| is_spaced_word(c) || matches!(c, ')' | ']' | '}' | '"' | '\''));
    let closes = !is_blank(before)
        && !after.is_some_and(|c| is_spaced_word(c) || matches!(c, '(' | '[' | '{'));
    (opens, closes)
}

/// Which runs go together, the innermost first. What is left of them is text.
pub fn pair(runs: &mut [Run], found: &mut impl FnMut(Pair)) {
    let mut openers: Vec<usize> = Vec::new();
    // Below these there is no opener for a run of that sort.
    let mut lowest = [0_usize; 9];
    for at in 0..runs.len() {
        let sort = runs[at].sort();
        let mut is_looking = runs[at].closes;
        while is_looking && runs[at].left() > 0 {
            let matching = openers
                .iter()
                .enumerate()
                .rev()
                .take_while(|(_, opener)| **opener >= lowest[sort])
                .find(|(_, opener)| runs[at].goes_with(&runs[**opener]))
                .map(|(place, opener)| (place, *opener));
            let Some((place, opener)) = matching else {
                lowest[sort] = at;
                break;
            };
            let is_escaped = runs[opener].is_escaped;
            if is_escaped {
                runs[opener].was_needed(found);
                openers.remove(place);
            }
            if runs[at].is_escaped {
                runs[at].was_needed(found);
                is_looking = false;
            } else if !is_escaped {
                let (before, rest) = runs.split_at_mut(at);
                let (first, second) = (&mut before[opener], &mut rest[0]);
                let count = if first.left() >= 2 && second.left() >= 2 {
                    2
                } else {
                    1
                };
                first.end -= count;
                found(Pair::Span {
                    open: first.end,
                    close: second.from,
                    count,
                    mark: first.mark,
                });
                second.from += count;
                openers.truncate(place + usize::from(first.left() > 0));
            }
        }
        let run = &runs[at];
        if run.opens && run.left() > 0 && (!run.is_escaped || !run.backslashes.is_empty()) {
            openers.push(at);
        }
    }
}
