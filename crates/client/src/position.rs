//! Places among siblings: fractional keys of ASCII digits and letters, ordered as text. Between any two different keys
//! there is another, so that moving one thing changes one row.

use tulou_protocol::limits;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits that a key at either end counts in: appending a million times does not make keys longer.
const COARSE: usize = 4;

/// A key between two neighbours; an absent one is the end. If no key fits between them (they are equal, out of order,
/// or written by somebody who left no room), the answer comes after the first as closely as possible.
#[must_use]
pub fn between(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (None, None) => "V".to_owned(),
        (Some(before), None) => behind(before),
        (None, Some(after)) => ahead(after),
        (Some(before), Some(after)) => {
            middle(before, after).unwrap_or_else(|| format!("{before}V"))
        }
    }
}

fn behind(key: &str) -> String {
    step(key, 1)
        .filter(|next| next.as_str() > key)
        .or_else(|| middle_open(key))
        .unwrap_or_else(|| format!("{key}V"))
}

fn ahead(key: &str) -> String {
    step(key, -1)
        .filter(|next| next.as_str() < key)
        .or_else(|| middle("", key))
        .unwrap_or_else(|| key.to_owned())
}

/// The key one coarse step away; none at the ends.
fn step(key: &str, by: i64) -> Option<String> {
    let number = (0..COARSE).try_fold(0_i64, |number, at| {
        let digit = key
            .as_bytes()
            .get(at)
            .map_or(Some(0), |byte| digit(*byte))?;
        Some(number * 62 + i64::try_from(digit).ok()?)
    })?;
    let mut next = number + by;
    if next <= 0 || next >= 62_i64.pow(u32::try_from(COARSE).ok()?) {
        return None;
    }
    let mut digits = [0_u8; COARSE];
    for place in digits.iter_mut().rev() {
        *place = DIGITS[usize::try_from(next % 62).ok()?];
        next /= 62;
    }
    let mut text = String::from_utf8(digits.to_vec()).ok()?;
    // A key that ends in the least digit would leave no room right before it.
    if text.ends_with('0') {
        text.push('V');
    }
    Some(text)
}

fn middle_open(before: &str) -> Option<String> {
    search(before, None)
}

fn middle(before: &str, after: &str) -> Option<String> {
    if before >= after {
        return None;
    }
    search(before, Some(after))
}

fn search(before: &str, after: Option<&str>) -> Option<String> {
    let mut bound = after.map(str::as_bytes);
    let mut key = String::new();
    for at in 0..=limits::POSITION_BYTES {
        let low = before
            .as_bytes()
            .get(at)
            .map_or(Some(0), |byte| digit(*byte))?;
        let high = match bound {
            Some(bytes) => digit(*bytes.get(at)?)?,
            None => DIGITS.len(),
        };
        if high < low {
            return None;
        }
        if high - low > 1 {
            key.push(char::from(DIGITS[low + (high - low) / 2]));
            return Some(key);
        }
        if high > low {
            bound = None;
        }
        key.push(char::from(DIGITS[low]));
    }
    None
}

fn digit(byte: u8) -> Option<usize> {
    DIGITS.binary_search(&byte).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tulou_protocol::text::check_position;

    use super::*;

    #[test]
    fn ten_thousand_things_can_be_put_at_either_end() {
        let mut last = "80".to_owned();
        let mut first = last.clone();
        for _ in 0..10_000 {
            let next = between(Some(&last), None);
            assert!(next > last, "{next} comes after {last}");
            last = next;
            let next = between(None, Some(&first));
            assert!(next < first, "{next} comes before {first}");
            first = next;
        }
        assert!(
            check_position(&last).is_ok() && check_position(&first).is_ok(),
            "and stay short"
        );
        assert!(last.len() < 8 && first.len() < 8);
    }

    #[test]
    fn a_pair_without_room_gives_a_key_anyway() {
        assert_eq!(between(Some("8"), Some("80")), "8V");
        assert_eq!(between(Some("b"), Some("a")), "bV");
    }

    proptest! {
        #[test]
        fn moving_about_keeps_the_order(moves in prop::collection::vec((0_usize..40, 0_usize..40), 1..200)) {
            let mut keys: Vec<String> = Vec::new();
            for (_, to) in moves {
                let to = to.min(keys.len());
                let before = to.checked_sub(1).map(|at| keys[at].clone());
                let key = between(before.as_deref(), keys.get(to).map(String::as_str));
                prop_assert!(check_position(&key).is_ok(), "{} is a position", key);
                keys.insert(to, key);
                prop_assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", keys);
            }
        }
    }
}
