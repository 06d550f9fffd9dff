//! What of a text can be seen, by Unicode's properties, and names as they are shown to others.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory,
        GeneralCategoryGroup, NoncharacterCodePoint, Script, VariationSelector, WhiteSpace,
    },
};
use unicode_normalization::UnicodeNormalization;

/// Nonspacing marks on one letter of a name; Unicode's security mechanisms (UTS #39) draw the line here, and no
/// language needs more.
const MARKS: usize = 4;
/// The black flag that a sequence of tags makes one of a region.
const FLAG: char = '\u{1F3F4}';
const TAGS: std::ops::RangeInclusive<char> = '\u{E0020}'..='\u{E007F}';

/// Whether nothing of a text can be seen: white space, fillers, joiners, marks without a letter to stand on.
#[must_use]
pub fn shows_nothing(text: &str) -> bool {
    !text.chars().any(is_seen)
}

/// Whether a character is seen when it stands alone.
fn is_seen(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic();
    }
    !is_blank(c)
        && !is_hidden(c)
        && !is_nonspacing(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// White space, or a character that is drawn as nothing but takes the room of one.
pub(super) fn is_blank(c: char) -> bool {
    // The empty pattern of Braille, and a note without head and stem.
    CodePointSetData::new::<WhiteSpace>().contains(c) || matches!(c, '\u{2800}' | '\u{1D159}')
}

/// A character that is not drawn.
fn is_hidden(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || c.is_control()
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
        // Marks of annotations, and what stands for an object that a text cannot hold.
        || matches!(c, '\u{FFF9}'..='\u{FFFC}')
}

/// No text holds a character that Unicode will never give a meaning.
pub(super) fn is_noncharacter(c: char) -> bool {
    CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
}

/// A mark that takes no room of its own.
fn is_nonspacing(kind: GeneralCategory) -> bool {
    GeneralCategoryGroup::NonspacingMark
        .union(GeneralCategoryGroup::EnclosingMark)
        .contains(kind)
}

/// A name without what cannot be seen in it: one line, single blanks, no characters that turn the direction, joiners and
/// selectors only where they change what is drawn, no towers of marks.
pub(super) fn name(typed: &str) -> String {
    let mut name: String = typed.nfc().collect();
    loop {
        let next: String = pass(&name).nfc().collect();
        if next == name {
            return name;
        }
        name = next;
    }
}

fn pass(name: &str) -> String {
    let kinds = CodePointMapData::<GeneralCategory>::new();
    let chars: Vec<char> = name.chars().collect();
    let mut kept = String::with_capacity(name.len());
    let mut marks = 0;
    let mut in_flag = false;
    for (at, &c) in chars.iter().enumerate() {
        let before = kept.chars().next_back();
        let is_tag = TAGS.contains(&c);
        let has_place = if c.is_ascii_graphic() {
            true
        } else if is_blank(c) {
            // Written below as the one blank that names have.
            before.is_some_and(|before| before != ' ')
        } else if c == '\u{200C}' || c == '\u{200D}' || c == '\u{180E}' {
            joins(c, &kept, chars.get(at + 1).copied())
        } else if is_tag {
            in_flag
        } else if CodePointSetData::new::<VariationSelector>().contains(c) {
            before.is_some_and(|before| selects(c, before))
        } else if is_hidden(c) {
            false
        } else if is_nonspacing(kinds.get(c)) {
            marks < MARKS && before.is_some_and(|before| before != ' ')
        } else {
            true
        };
        if !has_place {
            continue;
        }
        marks = if is_nonspacing(kinds.get(c))
            && !CodePointSetData::new::<VariationSelector>().contains(c)
        {
            marks + 1
        } else {
            0
        };
        in_flag =
            c == FLAG && ends_as_flag(&chars[at + 1..]) || in_flag && is_tag && c != '\u{E007F}';
        kept.push(if is_blank(c) { ' ' } else { c });
    }
    kept.truncate(kept.trim_end_matches(' ').len());
    kept
}

/// Whether tags with an end follow: those of a flag.
fn ends_as_flag(rest: &[char]) -> bool {
    let tags = rest.iter().take_while(|c| TAGS.contains(*c));
    tags.clone().count() > 1 && tags.into_iter().any(|c| *c == '\u{E007F}')
}

/// Whether a joiner changes what is drawn: between the parts of one picture, or in a script whose letters join.
fn joins(joiner: char, kept: &str, next: Option<char>) -> bool {
    let Some(next) = next else { return false };
    let pictures = CodePointSetData::new::<ExtendedPictographic>();
    let is_part = |c: char| {
        pictures.contains(c)
            || CodePointSetData::new::<EmojiModifier>().contains(c)
            || c == '\u{FE0F}'
    };
    let scripts = CodePointMapData::<Script>::new();
    let kinds = CodePointMapData::<GeneralCategory>::new();
    let letter = kept
        .chars()
        .rev()
        .find(|c| !is_nonspacing(kinds.get(*c)) || scripts.get(*c) != Script::Inherited);
    let script = letter.map(|c| scripts.get(c));
    if joiner == '\u{180E}' {
        return script == Some(Script::Mongolian) && scripts.get(next) == Script::Mongolian;
    }
    if joiner == '\u{200D}' && kept.chars().next_back().is_some_and(is_part) {
        return pictures.contains(next);
    }
    script.is_some_and(|script| script == scripts.get(next) && is_joining(script))
}

/// Scripts in which letters are joined or stacked, so that a joiner is part of the spelling.
fn is_joining(script: Script) -> bool {
    !matches!(
        script,
        Script::Common
            | Script::Inherited
            | Script::Unknown
            | Script::Latin
            | Script::Greek
            | Script::Cyrillic
            | Script::Armenian
            | Script::Georgian
            | Script::Hebrew
            | Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Bopomofo
            | Script::Hangul
    )
}

/// Whether a variation selector changes how the character before it is drawn.
fn selects(selector: char, before: char) -> bool {
    if CodePointSetData::new::<VariationSelector>().contains(before) {
        return false;
    }
    match selector {
        '\u{FE0E}' | '\u{FE0F}' => CodePointSetData::new::<Emoji>().contains(before),
        '\u{180B}'..='\u{180F}' => {
            CodePointMapData::<Script>::new().get(before) == Script::Mongolian
        }
        _ => {
            !matches!(
                CodePointMapData::<Script>::new().get(before),
                Script::Latin | Script::Greek | Script::Cyrillic
            ) && !before.is_ascii()
                && before != ' '
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each shows nothing by itself (case 13).
    const NOTHING: [&str; 26] = [
        "",
        " ",
        "\u{A0}",
        "\u{3000}",
        "\u{200B}",
        "\u{200D}\u{200D}",
        "\u{2060}",
        "\u{FEFF}",
        "\u{3164}",
        "\u{2800}",
        "\u{115F}\u{1160}",
        "\u{FFA0}",
        "\u{AD}",
        "\u{180E}",
        "\u{E0020}",
        "\u{E0061}\u{E007F}",
        "\u{202E}",
        "\u{2067}\u{2069}",
        "\u{FE0F}",
        "\u{E0100}",
        "\u{300}\u{301}",
        "\u{20DD}",
        "\u{17B4}",
        "\u{1D159}",
        "\u{FFF9}\u{FFFC}",
        "\u{FDD0}",
    ];

    #[test]
    fn what_shows_nothing_is_known_as_such() {
        for text in NOTHING {
            assert!(shows_nothing(text), "{text:?} shows nothing");
            assert!(shows_nothing(&format!(" {text}\n{text}")), "{text:?} twice");
            assert_eq!(name(text), "", "{text:?} is no name");
            assert!(
                !shows_nothing(&format!("{text}。")),
                "{text:?} and a full stop"
            );
        }
    }

    #[test]
    fn whatever_is_drawn_shows_something() {
        for text in [
            "a", "。", "ー", "·", "-", "<", "⠁", "👍", "ㅤ한", "ा", "\u{E000}", "\u{FFFD}", "٪",
            "\u{6DD}",
        ] {
            assert!(!shows_nothing(text), "{text:?} is drawn");
        }
    }

    #[test]
    fn joiners_and_selectors_stay_where_they_change_what_is_drawn() {
        for kept in [
            "می\u{200C}خواهم",
            "ක්\u{200D}ෂ",
            "न्\u{200D}",
            "👨\u{200D}👩\u{200D}👧",
            "👩🏻\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏿",
            "🏳\u{FE0F}\u{200D}🌈",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "1\u{FE0F}\u{20E3}",
            "ᠬᠠᠷ\u{180E}ᠠ",
            "葛\u{E0100}城",
            "Ann Lee",
            "शर्मा",
            "שָׁלוֹם",
            "Nguyễn Văn Ă",
        ] {
            let cleaned = name(kept);
            let expected = if kept == "न्\u{200D}" {
                "न्"
            } else {
                kept
            };
            let expected: String = expected.nfc().collect();
            assert_eq!(cleaned, expected, "{kept:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_goes_from_a_name() {
        for (typed, name_of) in [
            ("Mark\u{200B}", "Mark"),
            ("Ma\u{200D}rk", "Mark"),
            ("Mark\u{A0}", "Mark"),
            ("管\u{200C}理员", "管理员"),
            ("Mark\u{FE0F}", "Mark"),
            ("Bob\u{202E}gnp.ecila", "Bobgnp.ecila"),
            ("\u{2067}Bob", "Bob"),
            ("\u{200F}Bob\u{61C}", "Bob"),
            ("张\u{3000}\u{3000}三", "张 三"),
            ("a\tb\nc", "a b c"),
            ("x\u{2800}", "x"),
            ("🏴\u{E0067}", "🏴"),
            ("\u{301}a", "a"),
            ("a \u{301}b", "a b"),
            ("ㅤ이름", "이름"),
        ] {
            assert_eq!(name(typed), name_of, "{typed:?}");
        }
    }

    #[test]
    fn a_tower_of_marks_ends_at_the_fourth() {
        let tower = format!("Z{}", "\u{353}\u{351}".repeat(60));
        let nonspacing = name(&tower).chars().count() - 1;
        assert_eq!(nonspacing, MARKS, "as much as any language needs");
    }

    proptest! {
        #[test]
        fn a_cleaned_name_stays_as_it_is(typed in "(\\PC|[\u{200C}\u{200D}\u{FE0F}\u{300}\u{34F}\u{E0067}\u{E007F}🏴👩❤ک्न ]){0,24}") {
            let cleaned = name(&typed);
            prop_assert_eq!(&name(&cleaned), &cleaned);
            prop_assert!(cleaned.is_empty() || !shows_nothing(&cleaned), "{:?}", cleaned);
        }
    }
}
