//! Recovery codes: sixteen letters and digits that set a new password once. They are written in groups, in an alphabet
//! without letters that are taken for others, and read whatever the case and the groups.

/// Letters and digits of a code: no I, L, O and U.
pub const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters and digits in a code: 80 random bits.
pub const LETTERS: usize = 16;
/// Letters and digits in a group.
const GROUP: usize = 4;

/// A code from random bytes, as people read it: `ABCD-EFGH-JKMN-PQRS`. Only five bits of each byte count.
#[must_use]
pub fn written(random: [u8; LETTERS]) -> String {
    let letters = random.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    letters
        .chunks(GROUP)
        .map(String::from_iter)
        .collect::<Vec<_>>()
        .join("-")
}

/// A code as it was typed, in the one form that is compared; none if it cannot be one. What people take for each other
/// counts as the same: O and 0, I, L and 1.
#[must_use]
pub fn normal(typed: &str) -> Option<String> {
    let mut normal = String::with_capacity(LETTERS);
    for letter in typed.chars() {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter if letter.is_whitespace() || matches!(letter, '-' | '–' | '—' | '_') => {
                continue;
            }
            letter => letter,
        };
        let is_known = u8::try_from(letter).is_ok_and(|letter| ALPHABET.contains(&letter));
        if !is_known || normal.len() == LETTERS {
            return None;
        }
        normal.push(letter);
    }
    (normal.len() == LETTERS).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = written([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 27, 28, 29, 30, 31]);
        assert_eq!(code, "0123-4567-89AV-WXYZ");
        let normal_code = Some("0123456789AVWXYZ".to_owned());
        for typed in [
            "0123-4567-89AV-WXYZ",
            " o123 4567 89av wxyz\n",
            "Ol23456789aVwxYz",
            "OI23–4567–89AV–WXYZ",
        ] {
            assert_eq!(normal(typed), normal_code, "{typed:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for typed in [
            "",
            "0123-4567-89AV-WXY",
            "0123-4567-89AV-WXYZ-0",
            "U123-4567-89AV-WXYZ",
            "０123-4567-89AV-WXYZ",
        ] {
            assert_eq!(normal(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn every_random_byte_gives_a_letter() {
        for byte in 0..=u8::MAX {
            assert!(normal(&written([byte; LETTERS])).is_some(), "{byte}");
        }
    }
}
