//! What a message text and a name may be, and the mentions that stand in a text.
//!
//! Mentions are written `<@id>` (a person), `<@&id>` (a member group) and `<@everyone>`.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{
    id::{AccountId, MemberGroupId},
    limits,
    rejection::{Code, Rejection},
};

/// Who a text mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Persons, each once, in order.
    pub accounts: Vec<AccountId>,
    /// Member groups, each once, in order.
    pub member_groups: Vec<MemberGroupId>,
    /// Everyone.
    pub everyone: bool,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// A person.
    Account(AccountId),
    /// A member group.
    MemberGroup(MemberGroupId),
    /// Everyone.
    Everyone,
}

/// Splits a text at its mentions. Nothing is lost: what is no mention is text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find("<@") {
        let start = at + found;
        let inner = start + 2;
        // An id has 36 characters; looking no further keeps this linear.
        let end = text.as_bytes()[inner..]
            .iter()
            .take(40)
            .position(|byte| *byte == b'>')
            .map(|n| inner + n);
        let piece = end.and_then(|end| {
            let name = &text[inner..end];
            let piece = if name == "everyone" {
                Piece::Everyone
            } else if let Some(id) = name.strip_prefix('&') {
                Piece::MemberGroup(hyphenated(id)?.parse().ok()?)
            } else {
                Piece::Account(hyphenated(name)?.parse().ok()?)
            };
            Some((piece, end + 1))
        });
        match piece {
            Some((piece, end)) => {
                if plain_from < start {
                    pieces.push(Piece::Text(&text[plain_from..start]));
                }
                pieces.push(piece);
                plain_from = end;
                at = end;
            }
            None => at = inner,
        }
    }
    if plain_from < text.len() {
        pieces.push(Piece::Text(&text[plain_from..]));
    }
    pieces
}

fn hyphenated(id: &str) -> Option<&str> {
    (id.len() == 36).then_some(id)
}

/// Who a text mentions.
#[must_use]
pub fn mentions(text: &str) -> Mentions {
    let mut found = Mentions::default();
    for piece in pieces(text) {
        match piece {
            Piece::Text(_) => {}
            Piece::Account(id) if !found.accounts.contains(&id) => found.accounts.push(id),
            Piece::MemberGroup(id) if !found.member_groups.contains(&id) => {
                found.member_groups.push(id)
            }
            Piece::Account(_) | Piece::MemberGroup(_) => {}
            Piece::Everyone => found.everyone = true,
        }
    }
    found
}

/// A text as it is to be sent: NFC, line ends as `\n`, no control characters but newline and tab, no white space at the
/// end. What a person typed becomes what [`check_message`] accepts, unless it is empty or too long.
#[must_use]
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = text.chars().filter(|c| !is_forbidden(*c)).nfc().collect();
    kept.trim_end().to_owned()
}

/// A name as it is to be sent: like [`clean`], on one line, trimmed.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let line: String = clean(name)
        .chars()
        .map(|c| if c == '\n' || c == '\t' { ' ' } else { c })
        .collect();
    line.trim().to_owned()
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Whether a text may be a message's.
///
/// # Errors
/// `empty`, `too_long` ([`limits::TEXT_BYTES`]), `bad_characters`, `too_many` ([`limits::MENTIONS`]).
pub fn check_message(text: &str) -> Result<(), Rejection> {
    if text.trim().is_empty() {
        return Err(Code::Empty.into());
    }
    check(text, limits::TEXT_BYTES)?;
    if mentions(text).accounts.len() > limits::MENTIONS {
        return Err(Rejection::limit(Code::TooMany, limits::MENTIONS));
    }
    Ok(())
}

/// Whether a text may be the name of a thing.
///
/// # Errors
/// `empty`, `too_long` ([`limits::NAME_BYTES`]), `bad_characters`.
pub fn check_name(name: &str) -> Result<(), Rejection> {
    if name.trim().is_empty() {
        return Err(Code::Empty.into());
    }
    if name.contains(['\n', '\t']) || name.trim() != name {
        return Err(Code::BadCharacters.into());
    }
    check(name, limits::NAME_BYTES)
}

/// Whether a text may be an introduction.
///
/// # Errors
/// `too_long` ([`limits::INTRODUCTION_BYTES`]), `bad_characters`.
pub fn check_introduction(text: &str) -> Result<(), Rejection> {
    check(text, limits::INTRODUCTION_BYTES)
}

/// Whether a text may be the name of an account: [`limits::ACCOUNT_NAME_BYTES`] of `a–z 0–9 _ . -`, beginning with a
/// letter or digit. Names are compared as they are, so there are no two that look alike.
///
/// # Errors
/// `empty`, `too_long`, `bad_characters`.
pub fn check_account_name(name: &str) -> Result<(), Rejection> {
    if name.len() < *limits::ACCOUNT_NAME_BYTES.start() {
        return Err(Code::Empty.into());
    }
    if name.len() > *limits::ACCOUNT_NAME_BYTES.end() {
        return Err(Rejection::limit(
            Code::TooLong,
            *limits::ACCOUNT_NAME_BYTES.end(),
        ));
    }
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let first = name.as_bytes().first().copied().is_some_and(is_plain);
    if !first
        || !name
            .bytes()
            .all(|b| is_plain(b) || matches!(b, b'_' | b'.' | b'-'))
    {
        return Err(Code::BadCharacters.into());
    }
    Ok(())
}

/// Whether a text may be a reaction: one emoji, by its length and without white space or ASCII letters.
///
/// # Errors
/// `empty`, `too_long` ([`limits::REACTION_BYTES`]), `bad_characters`.
pub fn check_reaction(key: &str) -> Result<(), Rejection> {
    if key.is_empty() {
        return Err(Code::Empty.into());
    }
    if key
        .chars()
        .any(|c| c.is_whitespace() || c.is_ascii_alphabetic())
    {
        return Err(Code::BadCharacters.into());
    }
    check(key, limits::REACTION_BYTES)
}

/// Whether a text may be a place among siblings: a fractional key of printable ASCII.
///
/// # Errors
/// `empty`, `too_long` ([`limits::POSITION_BYTES`]), `bad_characters`.
pub fn check_position(position: &str) -> Result<(), Rejection> {
    if position.is_empty() {
        return Err(Code::Empty.into());
    }
    if !position.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Code::BadCharacters.into());
    }
    check(position, limits::POSITION_BYTES)
}

fn check(text: &str, limit: usize) -> Result<(), Rejection> {
    if text.len() > limit {
        return Err(Rejection::limit(Code::TooLong, limit));
    }
    if text.chars().any(is_forbidden) || !is_nfc(text) {
        return Err(Code::BadCharacters.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn what_is_cleaned_is_accepted_unless_empty_or_too_long(text in "\\PC{0,80}|[\\x00-\\x7f]{0,80}") {
            let cleaned = clean(&text);
            match check_message(&cleaned) {
                Ok(()) => {}
                Err(rejection) => prop_assert!(matches!(rejection.code, Code::Empty | Code::TooLong | Code::TooMany)),
            }
        }

        #[test]
        fn the_pieces_of_a_text_are_the_text(text in "(<@|>|&|everyone|[a-f0-9-]{1,36}|\\PC){0,30}") {
            let joined: String = pieces(&text).iter().map(|piece| match piece {
                Piece::Text(text) => (*text).to_owned(),
                Piece::Account(id) => format!("<@{id}>"),
                Piece::MemberGroup(id) => format!("<@&{id}>"),
                Piece::Everyone => "<@everyone>".to_owned(),
            }).collect();
            prop_assert_eq!(joined.to_lowercase(), text.to_lowercase());
        }
    }

    #[test]
    fn a_person_mentioned_twice_counts_once() {
        let id = AccountId(Uuid::from_u128(5));
        let found = mentions(&format!("<@{id}> 你好 <@{id}> <@everyone> <@nobody>"));
        assert_eq!(found.accounts, [id]);
        assert!(found.everyone);
    }

    #[test]
    fn names_that_look_alike_cannot_both_exist() {
        assert!(check_account_name("alice").is_ok());
        for name in ["Alice", "аlice", "alice ", "-alice", "a"] {
            assert!(check_account_name(name).is_err(), "{name:?} is refused");
        }
    }
}
