//! Finds a link or an address in what was pasted.

use super::{InviteLink, MAX_BYTES, MAX_ESCAPES, NotALink, address, strip_prefix, unescaped};

/// Most beginnings of a link that are looked at: the rest of such a text is no better.
const MAX_TRIES: usize = 32;
/// Most lines that a link is folded into.
const MAX_LINES: usize = 80;
/// How a link begins.
const SCHEME: &str = "tulou:";
/// How an address may begin.
const SCHEMES: [&str; 4] = ["wss://", "https://", "ws://", "http://"];

/// The link in a text.
pub fn find(text: &str) -> Result<InviteLink, NotALink> {
    let text = tidied(text);
    let text = text.trim();
    let text = unescaped_links(text);
    if let Some(found) = invite(&text) {
        return found;
    }
    if contains(&text, "&server=") && contains(&text, "at=") {
        return Err(NotALink::Headless);
    }
    if let Some(found) = with_scheme(&text) {
        return found.map(InviteLink::at);
    }
    bare(&text).map(InviteLink::at)
}

/// Without what nobody sees, without what mail writes for `&`, and with the signs of addresses that a Chinese keyboard
/// writes otherwise.
fn tidied(text: &str) -> String {
    let seen = text.chars().filter(|&c| !is_invisible(c));
    let mut text: String = seen.map(narrow).collect();
    if text.contains(['：', '。']) {
        text = with_signs(&text);
    }
    for written in ["&amp;", "&AMP;", "&#38;", "&#x26;"] {
        // `&amp;amp;` becomes `&amp;` first.
        for _ in 0..MAX_ESCAPES {
            if !text.contains(written) {
                break;
            }
            text = text.replace(written, "&");
        }
    }
    text
}

/// A letter, digit or dot of full width as the one that addresses are made of.
const fn narrow(c: char) -> char {
    match c {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '．' => {
            // The block stands in the order of ASCII.
            (c as u32 - ('！' as u32 - '!' as u32)) as u8 as char
        }
        c => c,
    }
}

/// `：` before a port is a colon. In a text that is nothing but an address, `。` is a dot.
fn with_signs(text: &str) -> String {
    let is_of_address = |c: char| c.is_ascii_alphanumeric() || "-_。：:/".contains(c);
    let is_address = text.trim_matches(ends).chars().all(is_of_address);
    let mut signs = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let before = signs.chars().next_back();
        let is_behind_host = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == ']');
        let next = chars.peek().copied().unwrap_or(' ');
        signs.push(match c {
            '：' if is_behind_host && next.is_ascii_digit() => ':',
            '。' if is_behind_host && is_address && next.is_ascii_alphanumeric() => '.',
            c => c,
        });
    }
    signs
}

/// Joiners, marks of direction, byte order marks, soft hyphens, tags; control characters that break no line.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}'
            | '\u{e}'..='\u{1f}'
            | '\u{7f}'..='\u{84}'
            | '\u{86}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A text in which a whole link was escaped, perhaps inside another address.
fn unescaped_links(text: &str) -> String {
    let escaped = [
        "tulou%3a",
        "tulou%253a",
        "https%3a",
        "https%253a",
        "wss%3a",
        "wss%253a",
    ];
    if contains(text, SCHEME) || !escaped.iter().any(|begin| contains(text, begin)) {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for _ in 0..MAX_ESCAPES {
        let decoded = unescaped(&text, '\u{fffd}').into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    text
}

fn invite(text: &str) -> Option<Result<InviteLink, NotALink>> {
    let lower = text.to_ascii_lowercase();
    let mut why = None;
    let begins = lower.match_indices(SCHEME).take(MAX_TRIES);
    for (begin, _) in begins {
        match invite_at(&text[begin + SCHEME.len()..]) {
            Ok(link) => return Some(Ok(link)),
            Err(error) => why = why.or(Some(error)),
        }
    }
    why.map(Err)
}

/// The link whose scheme was just read. It goes on in the next line for as long as it is not whole.
fn invite_at(text: &str) -> Result<InviteLink, NotALink> {
    let mut link = String::new();
    let mut rest = text;
    let mut why = None;
    for _ in 0..MAX_LINES {
        let run = run(rest);
        link.push_str(run);
        rest = &rest[run.len()..];
        let next = folded(rest);
        if !next.is_some_and(|next| next.starts_with('&')) {
            match whole(&link) {
                Ok(link) => return Ok(link),
                // What one line ends with is the most that can be said for certain.
                Err(error) => why = why.or(Some(error)),
            }
        }
        match next {
            Some(next) if link.len() <= MAX_BYTES => rest = next,
            _ => break,
        }
    }
    Err(why.unwrap_or(NotALink::TooLong))
}

/// A link as it stands, or without the signs of the sentence that it stands in.
fn whole(text: &str) -> Result<InviteLink, NotALink> {
    InviteLink::parse_rest(text).or_else(|why| {
        let trimmed = text.trim_end_matches(is_sentence_end);
        if trimmed.len() == text.len() {
            return Err(why);
        }
        InviteLink::parse_rest(trimmed).map_err(|_| why)
    })
}

/// What an address could end with, but does not.
const fn is_sentence_end(c: char) -> bool {
    matches!(
        c,
        '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | ')' | ']' | '='
    )
}

/// The signs of links that a text begins with.
fn run(text: &str) -> &str {
    let end =
        text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.~%:/?&=+[];,!*'()#@$".contains(c)));
    &text[..end.unwrap_or(text.len())]
}

/// What stands in the next line, behind its indentation and the marks of a quotation.
fn folded(text: &str) -> Option<&str> {
    let next = text.trim_start_matches(|c: char| c.is_whitespace() || c == '>' || c == '|');
    let is_folded = text.starts_with(char::is_whitespace) || text.starts_with("=\n");
    (is_folded && next.starts_with(|c: char| c.is_ascii() && !c.is_ascii_control())).then_some(next)
}

/// The first address that says what it is.
fn with_scheme(text: &str) -> Option<Result<String, NotALink>> {
    let lower = text.to_ascii_lowercase();
    let mut why = None;
    let begins = lower.match_indices("://").take(MAX_TRIES);
    for (at, _) in begins {
        let head = &text[..at + 3];
        let letters = text[..at]
            .bytes()
            .rev()
            .take_while(u8::is_ascii_alphabetic)
            .count();
        let scheme = SCHEMES
            .iter()
            .find(|scheme| lower[..at + 3].ends_with(*scheme))
            .map_or(letters + 3, |scheme| scheme.len());
        if scheme == 3 {
            continue;
        }
        let begin = head.len() - scheme;
        let host = host(&text[at + 3..]);
        match address(&format!("{}{host}", &text[begin..at + 3])) {
            Ok(address) => return Some(Ok(address)),
            Err(error) => why = why.or(Some(error)),
        }
    }
    why.map(Err)
}

/// The address that a text begins with, behind its scheme. What is written in letters of ASCII ends with them: nobody
/// leaves a blank behind an address in a Chinese sentence.
fn host(text: &str) -> &str {
    let is_ascii = text.starts_with(|c: char| c.is_ascii());
    let end = text.find(|c: char| ends(c) || (is_ascii && !c.is_ascii()));
    trimmed(&text[..end.unwrap_or(text.len())])
}

/// An address that does not say what it is: the whole text, or the one word of it that looks like an address.
fn bare(text: &str) -> Result<String, NotALink> {
    if text.is_empty() {
        return Err(NotALink::Nothing);
    }
    let mut words = text
        .split(ends)
        .map(trimmed)
        .filter(|word| !word.is_empty());
    let (first, more) = (words.next(), words.next());
    match (first, more) {
        (None, _) => return Err(NotALink::Nothing),
        (Some(word), None) if word.len() <= MAX_BYTES && !is_prose(word) => return address(word),
        (Some(_), _) => {}
    }
    let mut why = None;
    let words = text
        .split(|c: char| ends(c) || !c.is_ascii())
        .map(trimmed)
        .filter(|word| looks_like_an_address(word));
    for word in words.take(MAX_TRIES) {
        match address(word) {
            Ok(address) => return Ok(address),
            Err(error) => why = why.or(Some(error)),
        }
    }
    Err(why.unwrap_or(NotALink::Nothing))
}

/// Letters of another script that are no name with a dot, or stand before or behind an address in ASCII.
fn is_prose(word: &str) -> bool {
    let mut parts = word.split(|c: char| !c.is_ascii());
    !word.is_ascii() && (!word.contains(['.', ':']) || parts.any(looks_like_an_address))
}

/// A name with a dot, an IP address, or anything with a port.
fn looks_like_an_address(word: &str) -> bool {
    if word.contains('@') || word.len() > MAX_BYTES {
        return false;
    }
    let authority = word.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_ip = host
        .trim_matches(['[', ']'])
        .parse::<std::net::IpAddr>()
        .is_ok();
    let last = host.rsplit_once('.').map(|(_, last)| last);
    let is_name = last.is_some_and(|last| {
        last.len() >= 2
            && last
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && last.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    let is_host = host.starts_with(|c: char| c.is_ascii_alphanumeric());
    is_ip || (is_host && (is_name || port.is_some_and(is_number)))
}

/// Blanks, brackets and quotes that no address holds, of any kind.
fn ends(c: char) -> bool {
    c.is_whitespace()
        || "<>\"`{}|^「」『』“”‘’«»‹›„‚（）()【】〔〕《》〈〉［］｛｝。，；：！？、…—・".contains(c)
}

/// Without the signs around a word.
fn trimmed(word: &str) -> &str {
    let word = word.trim_start_matches(['\'', '*', '_', '~', '(', ',', ';']);
    let word = word.trim_end_matches(['.', ',', ';', '!', '?', '\'', '*', '~', ')']);
    // `[chat.example.org]`, but not `[::1]`.
    match word.strip_prefix('[') {
        Some(inner) if !inner.contains(':') => inner.trim_end_matches(']'),
        Some(_) => word,
        None if word.contains('[') => word,
        None => word.trim_end_matches(']'),
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    text.as_bytes()
        .windows(wanted.len())
        .any(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
        || strip_prefix(text, wanted).is_some()
}
