//! What kind of character stands beside a mark.

use unicode_normalization::char::is_combining_mark;

/// A letter, a digit, or a mark on one.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

/// A letter or digit of a script that puts blanks between its words.
pub fn is_spaced_word(c: char) -> bool {
    is_word(c) && !is_unspaced(c)
}

/// Neither letter nor blank, and not of a script that goes without blanks.
pub fn is_spaced_sign(c: char) -> bool {
    !is_word(c) && !c.is_whitespace() && !is_unspaced(c)
}

/// Of a script that puts no blanks between words, as Chinese and Thai, or that writes small words together with the next,
/// as Arabic and Hebrew. Digits stand alone everywhere.
pub fn is_unspaced(c: char) -> bool {
    is_cjk(c)
        || (!c.is_numeric()
            && matches!(
                c,
                '\u{590}'..='\u{8ff}'
                    | '\u{e00}'..='\u{eff}'
                    | '\u{1000}'..='\u{109f}'
                    | '\u{1780}'..='\u{17ff}'
                    | '\u{fb1d}'..='\u{fdff}'
                    | '\u{fe70}'..='\u{fefe}'
            ))
}

/// Letters and punctuation of Chinese, Japanese and Korean, which put no blanks around a marked stretch. The quotation
/// marks, dashes and dots that they share with other scripts count as well.
pub fn is_cjk(c: char) -> bool {
    matches!(
        c,
        '\u{b7}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{2014}'..='\u{2015}'
            | '\u{2018}'..='\u{201f}'
            | '\u{2025}'..='\u{2026}'
            | '\u{2e80}'..='\u{a4cf}'
            | '\u{a960}'..='\u{a97f}'
            | '\u{ac00}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{fe10}'..='\u{fe1f}'
            | '\u{fe30}'..='\u{fe6f}'
            | '\u{ff00}'..='\u{ffef}'
            | '\u{1aff0}'..='\u{1b16f}'
            | '\u{1f200}'..='\u{1f2ff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

/// Characters that show nothing, or turn the direction of what follows.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || c.is_control()
}
