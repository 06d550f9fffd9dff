//! Keys of reactions: one for each picture.

use icu_properties::{
    CodePointSetData,
    props::{Emoji, EmojiModifier, EmojiPresentation},
};

use crate::rejection::{Code, Rejection};

/// The key of a reaction: the emoji as Unicode recommends writing it (RGI, fully qualified), so that one picture is
/// one key however it was typed. What chooses between text and picture (U+FE0E, U+FE0F) counts for nothing.
///
/// # Errors
/// `empty`, `not_an_emoji`.
pub fn reaction(typed: &str) -> Result<&'static str, Rejection> {
    if typed.is_empty() {
        return Err(Code::Empty.into());
    }
    let qualified = qualified(typed);
    emojis::get(&qualified)
        .map(emojis::Emoji::as_str)
        .filter(|found| *found == qualified)
        .ok_or_else(|| Code::NotAnEmoji.into())
}

/// U+FE0F behind each character that would be text without it, and nowhere else.
fn qualified(typed: &str) -> String {
    let is_bare = |c: &char| !matches!(c, '\u{FE0E}' | '\u{FE0F}');
    let mut chars = typed.chars().filter(is_bare).peekable();
    let mut qualified = String::with_capacity(typed.len() + 6);
    while let Some(c) = chars.next() {
        qualified.push(c);
        let has_tone = chars
            .peek()
            .is_some_and(|next| CodePointSetData::new::<EmojiModifier>().contains(*next));
        let is_text = CodePointSetData::new::<Emoji>().contains(c)
            && !CodePointSetData::new::<EmojiPresentation>().contains(c);
        if is_text && !has_tone {
            qualified.push('\u{FE0F}');
        }
    }
    qualified
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static str> {
        emojis::iter().flat_map(|emoji| {
            let toned = emoji.skin_tones().into_iter().flatten();
            std::iter::once(emoji)
                .chain(toned)
                .map(emojis::Emoji::as_str)
        })
    }

    #[test]
    fn every_emoji_is_a_reaction_and_its_own_key() {
        assert!(all().count() > 3_700, "all of them are there");
        for emoji in all() {
            assert_eq!(reaction(emoji), Ok(emoji));
        }
    }

    #[test]
    fn one_picture_is_one_key_however_it_is_written() {
        for emoji in all() {
            let bare: String = emoji.chars().filter(|c| *c != '\u{FE0F}').collect();
            for written in [format!("{emoji}\u{FE0F}"), format!("{bare}\u{FE0E}"), bare] {
                assert_eq!(reaction(&written), Ok(emoji), "{written:?}");
            }
        }
        assert_eq!(reaction("\u{2764}"), Ok("\u{2764}\u{FE0F}"));
        assert_eq!(reaction("👍\u{FE0F}"), Ok("👍"));
        assert_eq!(reaction("1\u{20E3}"), Ok("1\u{FE0F}\u{20E3}"));
        assert_ne!(reaction("👍🏽"), reaction("👍"), "another picture");
    }

    #[test]
    fn nothing_else_is_a_reaction() {
        for typed in [
            "中文",
            "ok",
            "1",
            "#",
            "\u{202E}",
            "\u{200D}",
            "\u{FE0F}",
            "👍👍",
            "👍 ",
            "🏽",
            "🇩",
            "👨\u{200D}👍",
            "\u{E0067}",
            "@",
            "†",
        ] {
            let refused = reaction(typed).expect_err(typed);
            assert_eq!(refused.code, Code::NotAnEmoji, "{typed:?}");
        }
        assert_eq!(reaction("").expect_err("nothing").code, Code::Empty);
    }
}
