//! Which language the letters of a paragraph tell: fonts and screen readers go by it.

use crate::view::{Inline, Lang};

#[derive(Default)]
struct Letters {
    han: usize,
    kana: usize,
    hangul: usize,
    plain: usize,
    latin: usize,
    others: usize,
}

/// The language of running text. Code and addresses say nothing about it.
pub fn of(inlines: &[Inline]) -> Option<Lang> {
    let mut letters = Letters::default();
    letters.count(inlines);
    let Letters {
        han,
        kana,
        hangul,
        plain,
        latin,
        others,
    } = letters;
    if hangul > 0 && hangul >= kana + han {
        Some(Lang::Korean)
    } else if kana > 0 && kana * 5 >= han {
        Some(Lang::Japanese)
    } else if han > 0 {
        Some(Lang::Chinese)
    } else if others > plain + latin {
        None
    } else if latin > 0 {
        Some(Lang::Latin)
    } else {
        (plain > 0).then_some(Lang::English)
    }
}

impl Letters {
    fn count(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Text { text } => text.chars().for_each(|c| self.letter(c)),
                Inline::Bold { inlines }
                | Inline::Italic { inlines }
                | Inline::Strike { inlines }
                | Inline::Spoiler { inlines } => self.count(inlines),
                Inline::Link { target, inlines } if target.is_named => self.count(inlines),
                Inline::Link { .. }
                | Inline::Code { .. }
                | Inline::Mention { .. }
                | Inline::MentionEveryone
                | Inline::MentionGroup { .. }
                | Inline::Name { .. } => {}
            }
        }
    }

    fn letter(&mut self, c: char) {
        match c {
            'a'..='z' | 'A'..='Z' => self.plain += 1,
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => self.latin += 1,
            '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => {
                self.kana += usize::from(!matches!(c, '\u{30fb}' | '\u{30fc}'));
            }
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
                self.han += 1;
            }
            '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}' => {
                self.hangul += 1;
            }
            _ => self.others += usize::from(!c.is_ascii() && c.is_alphabetic()),
        }
    }
}
