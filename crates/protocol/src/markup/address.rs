//! Addresses that stand in a text by themselves: where one begins, and where people end it.

use std::ops::Range;

use super::letter::{is_hidden, is_spaced_word, is_unspaced, is_word};

/// What an address begins with, in small letters.
const BEGINNINGS: [&str; 5] = ["https://", "http://", "www.", "mailto:", "tulou://"];
/// Nobody types a longer one; what is longer is text.
pub const LONGEST: usize = 4_096;
/// The part of a mail address before `@`.
const LOCAL: usize = 64;

/// The address that begins at a place of a line, without the punctuation of the sentence around it.
pub fn beginning_at(text: &str, line: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..line.end];
    let begin = BEGINNINGS.iter().find(|begin| {
        rest.get(..begin.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(begin))
    })?;
    let before = text[line.start..at].chars().next_back();
    let first = rest[begin.len()..].chars().next()?;
    if before.is_some_and(is_spaced_word) || !(is_word(first) || first == '[') {
        return None;
    }
    let end = at + ended(rest, begin.len(), before == Some('_'));
    (end > at + begin.len()).then_some(at..end)
}

/// How much of a text belongs to the address that it begins with.
fn ended(text: &str, begin: usize, is_underlined: bool) -> usize {
    let mut open = [0_usize; 3];
    let mut end = text.len();
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < begin) {
        let ends = match c {
            '(' | '[' | '{' => {
                open[kind_of(c)] += 1;
                false
            }
            ')' | ']' | '}' => {
                let open = &mut open[kind_of(c)];
                let is_closed = *open == 0;
                *open = open.saturating_sub(1);
                is_closed
            }
            '<' | '>' | '"' | '`' | '|' | '\\' => true,
            // Names in Chinese and Japanese are written with these dots.
            '\u{b7}' | '\u{30fb}' => false,
            _ if is_word(c) && is_unspaced(c) => goes_on_as_text(&text[begin..at]),
            _ => c.is_whitespace() || is_hidden(c) || (!c.is_ascii() && !is_word(c)),
        };
        if ends || at > LONGEST {
            end = at;
            break;
        }
    }
    let loose: &[char] = if is_underlined {
        &['.', ',', ';', ':', '!', '?', '\'', '*', '~', '_']
    } else {
        &['.', ',', ';', ':', '!', '?', '\'', '*', '~']
    };
    begin + text[begin..end].trim_end_matches(loose).len()
}

/// Whether a letter of a script without blanks is the sentence again: right behind a letter, a digit, a bracket or a mark
/// (`https://x.example/a的时候`). Behind another sign it is part of the address, as in names of pages, and in a host that
/// is not whole.
fn goes_on_as_text(address: &str) -> bool {
    let is_glued = address
        .bytes()
        .next_back()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || b")]*~".contains(&byte));
    let is_host = !address.contains(['/', '?', '#']);
    let is_whole = address.contains(['.', ':']) || address.eq_ignore_ascii_case("localhost");
    is_glued && (!is_host || is_whole)
}

fn kind_of(bracket: char) -> usize {
    match bracket {
        '(' | ')' => 0,
        '[' | ']' => 1,
        _ => 2,
    }
}

/// The mail address around an `@`.
pub fn mail_around(text: &str, line: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let local = bytes[line.start..at]
        .iter()
        .rev()
        .take(LOCAL)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte))
        .count();
    let outside = bytes[at - local..at]
        .iter()
        .take_while(|byte| !byte.is_ascii_alphanumeric())
        .count();
    let start = at - local + outside;
    let before = text[line.start..start].chars().next_back();
    if start == at
        || before.is_some_and(|c| is_spaced_word(c) || matches!(c, '/' | ':' | '@' | '\\'))
    {
        return None;
    }
    let domain = bytes[at + 1..line.end]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        .count();
    let domain = text[at + 1..at + 1 + domain].trim_end_matches(['.', '-']);
    let end = at + 1 + domain.len();
    let is_domain = domain.len() <= 253
        && domain.split('.').all(|label| !label.is_empty())
        && domain.rsplit_once('.').is_some_and(|(_, last)| {
            last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
    // `git@host.example:path` is no mail.
    let is_path = bytes.get(end) == Some(&b':')
        && end + 1 < line.end
        && !bytes[end + 1].is_ascii_whitespace();
    let goes_on = text[end..line.end]
        .chars()
        .next()
        .is_some_and(|c| c == '@' || is_spaced_word(c));
    (is_domain && !is_path && !goes_on).then_some(start..end)
}
