//! What a message text and a name may be, and whom a text mentions.
//!
//! What was typed is cleaned (`clean…`) before it is checked (`check…`): what was cleaned is refused only because it
//! shows nothing or is too long. A client cleans and checks, the server checks.

mod reaction;
mod shown;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark, is_nfc};
use unicode_segmentation::UnicodeSegmentation;

pub use self::{reaction::reaction, shown::shows_nothing};
use crate::{
    id::{AccountId, MemberGroupId},
    limits, markup,
    mention::{Mention, mention_at},
    rejection::{Code, Counted, Rejection},
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

impl Mentions {
    /// How many are named.
    #[must_use]
    pub fn count(&self) -> usize {
        self.accounts.len() + self.member_groups.len() + usize::from(self.everyone)
    }
}

/// Who a text mentions. What stands in code, or behind a backslash, is a name and calls nobody.
#[must_use]
pub fn mentions(text: &str) -> Mentions {
    let mut found = Mentions::default();
    if !text.contains("<@") {
        return found;
    }
    markup::called(&markup::read(text), &mut |mention| match mention {
        Mention::Account(id) if !found.accounts.contains(&id) => found.accounts.push(id),
        Mention::MemberGroup(id) if !found.member_groups.contains(&id) => {
            found.member_groups.push(id);
        }
        Mention::Account(_) | Mention::MemberGroup(_) => {}
        Mention::Everyone => found.everyone = true,
    });
    found
}

/// A text as it is to be sent: NFC, line ends as `\n`, no control characters but newline and tab, no white space at the
/// end. What a person typed becomes what [`check_message`] accepts, unless it shows nothing or is too long.
#[must_use]
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = text.chars().filter(|c| !is_forbidden(*c)).collect();
    let kept: String = apart(kept).nfc().collect();
    kept.trim_end().to_owned()
}

/// A text in which nothing that stands behind a mention becomes one sign with its end: a stroke (U+0338) among marks there
/// would make `>` another sign, and the mention a text. U+034F, which shows nothing, keeps them apart.
fn apart(mut text: String) -> String {
    const STROKE: char = '\u{338}';
    const JOINER: char = '\u{34F}';
    if !text.contains("<@") || !text.contains(STROKE) {
        return text;
    }
    let mut at = 0;
    while let Some(found) = text[at..].find("<@") {
        let start = at + found;
        let Some((_, end)) = mention_at(&text, start) else {
            at = start + 2;
            continue;
        };
        let is_struck = text[end..]
            .chars()
            .take_while(|c| is_combining_mark(*c) && *c != JOINER)
            .any(|c| c == STROKE);
        if is_struck {
            text.insert(end, JOINER);
        }
        at = end;
    }
    text
}

/// A name as it is to be sent: what is seen of it, on one line. White space of every kind is a blank; overrides of the
/// direction, fillers, and joiners that join nothing are left out.
#[must_use]
pub fn clean_name(name: &str) -> String {
    shown::name(&clean(name))
}

/// An introduction as it is to be sent: like [`clean`], and nothing at all if it shows nothing.
#[must_use]
pub fn clean_introduction(text: &str) -> String {
    let text = clean(text);
    if shows_nothing(&text) {
        String::new()
    } else {
        text
    }
}

/// How long a text is for a person: its grapheme clusters.
#[must_use]
pub fn characters(text: &str) -> usize {
    text.graphemes(true).count()
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t' || shown::is_noncharacter(c)
}

/// Whether a text may be a message's.
///
/// # Errors
/// `empty`, `too_long` ([`limits::TEXT_BYTES`]), `bad_characters`, `too_many` ([`limits::MENTIONS`]).
pub fn check_message(text: &str) -> Result<(), Rejection> {
    if shows_nothing(text) {
        return Err(Code::Empty.into());
    }
    check(text, limits::TEXT_BYTES)?;
    if mentions(text).count() > limits::MENTIONS {
        return Err(Rejection::limit(Code::TooMany, limits::MENTIONS).of(Counted::Mentions));
    }
    Ok(())
}

/// Whether a text may be the name of a thing: as [`clean_name`] leaves it.
///
/// # Errors
/// `empty`, `too_long` ([`limits::NAME_CHARACTERS`], [`limits::NAME_BYTES`]), `bad_characters`.
pub fn check_name(name: &str) -> Result<(), Rejection> {
    if shows_nothing(name) {
        return Err(Code::Empty.into());
    }
    check_length(name, limits::NAME_CHARACTERS, limits::NAME_BYTES)?;
    if clean_name(name) != name {
        return Err(Code::BadCharacters.into());
    }
    Ok(())
}

/// Whether a text may be an introduction; it may be empty.
///
/// # Errors
/// `too_long` ([`limits::INTRODUCTION_CHARACTERS`], [`limits::INTRODUCTION_BYTES`]), `bad_characters`.
pub fn check_introduction(text: &str) -> Result<(), Rejection> {
    check_length(
        text,
        limits::INTRODUCTION_CHARACTERS,
        limits::INTRODUCTION_BYTES,
    )?;
    if clean_introduction(text) != text {
        return Err(Code::BadCharacters.into());
    }
    Ok(())
}

/// First as people count, then as storage does: few characters may still be many bytes.
fn check_length(text: &str, most: usize, most_bytes: usize) -> Result<(), Rejection> {
    let counted = characters(text);
    if counted > most {
        return Err(Rejection::too_long(Counted::Characters, most, counted));
    }
    if text.len() > most_bytes {
        return Err(Rejection::too_long(Counted::Bytes, most_bytes, text.len()));
    }
    Ok(())
}

/// Whether a text may be the name of an account: [`limits::ACCOUNT_NAME_BYTES`] of `a–z 0–9 _ . -`, beginning with a
/// letter or digit. Names are compared as they are, so there are no two that look alike.
///
/// # Errors
/// `too_short`, `too_long`, `bad_characters`.
pub fn check_account_name(name: &str) -> Result<(), Rejection> {
    if name.len() < *limits::ACCOUNT_NAME_BYTES.start() {
        return Err(Rejection::limit(
            Code::TooShort,
            *limits::ACCOUNT_NAME_BYTES.start(),
        ));
    }
    if name.len() > *limits::ACCOUNT_NAME_BYTES.end() {
        return Err(Rejection::too_long(
            Counted::Bytes,
            *limits::ACCOUNT_NAME_BYTES.end(),
            name.len(),
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
        return Err(Rejection::too_long(Counted::Bytes, limit, text.len()));
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
        fn a_cleaned_name_is_accepted_unless_empty_or_too_long(typed in "(\\PC|[\u{200C}\u{200D}\u{202E}\u{2067}\u{FE0F}\u{300} \n]){0,80}") {
            let cleaned = clean_name(&typed);
            match check_name(&cleaned) {
                Ok(()) => {}
                Err(rejection) => prop_assert!(matches!(rejection.code, Code::Empty | Code::TooLong)),
            }
            let about = clean_introduction(&typed);
            prop_assert_eq!(check_introduction(&about), Ok(()));
        }
    }

    #[test]
    fn what_the_window_sends_of_a_mention_that_was_written_by_hand_calls_nobody() {
        let cases = include_str!("../../../ui/src/lib/called.json");
        let cases: Vec<(String, String)> = serde_json::from_str(cases).unwrap();
        for (typed, sent) in cases {
            assert_eq!(mentions(&sent), Mentions::default(), "{typed:?}");
        }
    }

    #[test]
    fn no_mark_behind_a_mention_makes_a_text_of_it() {
        let id = AccountId(Uuid::from_u128(5));
        for marks in [
            "\u{338}",
            "\u{327}\u{338}",
            "\u{301}\u{338}!",
            "\u{34F}\u{338}",
        ] {
            let cleaned = clean(&format!("问 <@{id}>{marks}"));
            assert_eq!(mentions(&cleaned).accounts, [id], "{marks:?}");
            assert_eq!(clean(&cleaned), cleaned, "{marks:?}: cleaned once is clean");
        }
        assert_eq!(
            clean("1 >\u{338} 2"),
            "1 \u{226F} 2",
            "elsewhere it is one sign"
        );
    }

    #[test]
    fn a_person_mentioned_twice_counts_once() {
        let id = AccountId(Uuid::from_u128(5));
        let found = mentions(&format!("<@{id}> 你好 <@{id}> <@everyone> <@nobody>"));
        assert_eq!(found.accounts, [id]);
        assert!(found.everyone);
    }

    #[test]
    fn persons_member_groups_and_everyone_count_as_mentions_of_a_message() {
        let text = |groups: u128| {
            let groups =
                (0..groups).map(|no| format!("<@&{}>", MemberGroupId(Uuid::from_u128(no))));
            let one = format!("<@{}> <@everyone> ", AccountId(Uuid::from_u128(5)));
            one + &groups.collect::<String>()
        };
        assert_eq!(check_message(&text(48)), Ok(()));
        let many = Rejection::limit(Code::TooMany, limits::MENTIONS).of(Counted::Mentions);
        assert_eq!(check_message(&text(49)), Err(many));
    }

    #[test]
    fn a_message_or_name_that_shows_nothing_is_refused_as_empty() {
        for text in [
            "",
            " \u{200B}",
            "\u{200D}\u{200D}",
            "\u{3164}",
            "\u{2800}",
            "\u{202E}",
            "\u{FE0F}",
            "\u{301}",
        ] {
            for refused in [check_message(text), check_name(text)] {
                assert_eq!(refused.map_err(|no| no.code), Err(Code::Empty), "{text:?}");
            }
            assert_eq!(clean_introduction(text), "", "{text:?} introduces nobody");
        }
        for text in ["می\u{200C}خواهم", "👨\u{200D}👩\u{200D}👧"] {
            assert_eq!(check_message(text), Ok(()), "{text:?}");
            assert_eq!(check_name(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_turns_what_follows_it_is_refused() {
        for name in [
            "Bob\u{202E}gnp.ecila",
            "\u{2067}Bob",
            "Mark\u{A0}x",
            " Bob",
            "a\nb",
            "Mark\u{200B}",
        ] {
            let refused = check_name(name).map_err(|no| no.code);
            assert_eq!(refused, Err(Code::BadCharacters), "{name:?}");
        }
    }

    #[test]
    fn the_limit_of_a_name_counts_characters_as_a_person_does_and_then_bytes() {
        let family = "👨\u{200D}👩\u{200D}👧\u{200D}👦";
        let acute = "a\u{301}".repeat(60);
        let hangul: String = "\u{1112}\u{1161}\u{11AB}".repeat(60);
        for typed in [
            "名".repeat(60),
            "n".repeat(60),
            family.repeat(9),
            acute,
            hangul,
        ] {
            assert_eq!(check_name(&clean_name(&typed)), Ok(()), "{typed:?}");
        }
        let refused = |name: &str| check_name(name).expect_err(name);
        let over = refused(&"名".repeat(61));
        assert_eq!(over, Rejection::too_long(Counted::Characters, 60, 61));
        let heavy = refused(&family.repeat(10));
        assert_eq!(heavy, Rejection::too_long(Counted::Bytes, 240, 250));
        assert_eq!(check_introduction(&"字".repeat(1_000)), Ok(()));
        let long = check_introduction(&"字".repeat(1_001)).expect_err("one too many");
        assert_eq!(long, Rejection::too_long(Counted::Characters, 1_000, 1_001));
    }

    #[derive(serde::Deserialize)]
    struct Case {
        typed: String,
        name: String,
        characters: usize,
        bytes: usize,
    }

    /// The window's forms are held to the same cases.
    #[test]
    fn a_name_is_cleaned_and_counted_as_in_the_windows_forms() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("text/counted.json")).unwrap();
        for case in cases {
            let name = clean_name(&case.typed);
            assert_eq!(name, case.name, "{:?}", case.typed);
            assert_eq!(characters(&name), case.characters, "{:?}", case.typed);
            assert_eq!(name.len(), case.bytes, "{:?}", case.typed);
        }
    }

    #[test]
    fn names_that_look_alike_cannot_both_exist() {
        assert!(check_account_name("alice").is_ok());
        for name in ["Alice", "аlice", "alice ", "-alice", "a"] {
            assert!(check_account_name(name).is_err(), "{name:?} is refused");
        }
    }
}
