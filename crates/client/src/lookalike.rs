//! Names that look alike: told apart where they are shown, never forbidden.
//!
//! Two names look alike when they have the same skeleton (UTS #39) after case, width and everything that is no letter or
//! digit is taken away. Compared are the names that a view shows, the names of the community's member groups, and the
//! words that stand for an office: so the cost is that of what is shown, whatever the number of members. What a name is
//! compared by is kept, since a view that is read again names the same people.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use tulou_protocol::AccountId;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use crate::shape::Shape;

/// What the window calls those who have a say, and what people take for it.
const TITLES: [&str; 15] = [
    "群主",
    "管理员",
    "管理員",
    "超级管理员",
    "系统",
    "系统管理员",
    "官方",
    "owner",
    "admin",
    "administrator",
    "moderator",
    "mod",
    "system",
    "Tulou",
    "土楼",
];

static OFFICES: LazyLock<HashSet<String>> =
    LazyLock::new(|| TITLES.into_iter().flat_map(keys).collect());

/// So many names are kept at most: more than a member list compares at a time.
const KEPT: usize = 8_192;

/// Names with what they are compared by.
static LOOKED_AT: LazyLock<Mutex<HashMap<Box<str>, Keys>>> = LazyLock::new(Mutex::default);

/// What a name is compared by.
type Keys = Arc<[String]>;

/// Those whose name looks like the name of another, of a member group, or of an office.
pub fn among<'a>(
    named: impl IntoIterator<Item = (AccountId, &'a str)>,
    shape: Option<&Shape>,
) -> HashSet<AccountId> {
    let groups = shape
        .into_iter()
        .flat_map(|shape| shape.member_groups.iter())
        .map(|group| (None, group.name.as_str()));
    let named = named
        .into_iter()
        .map(|(account, name)| (Some(account), name));
    let compared: Vec<(Option<AccountId>, Keys)> = groups
        .chain(named)
        .map(|(whose, name)| (whose, kept_keys(name)))
        .collect();
    let mut held: HashMap<&str, Option<AccountId>> = HashMap::with_capacity(compared.len() * 2);
    let mut alike = HashSet::new();
    for (whose, keys) in &compared {
        for key in keys.iter().map(String::as_str) {
            let Some(account) = *whose else {
                held.insert(key, None);
                continue;
            };
            match held.get(key) {
                _ if OFFICES.contains(key) => {
                    alike.insert(account);
                }
                Some(Some(other)) if *other == account => {}
                Some(other) => {
                    alike.insert(account);
                    alike.extend(*other);
                }
                None => {
                    held.insert(key, Some(account));
                }
            }
        }
    }
    alike
}

/// What a name is compared by, kept for the next time that it is shown.
fn kept_keys(name: &str) -> Keys {
    let looked_at = || LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(keys) = looked_at().get(name) {
        return Arc::clone(keys);
    }
    // Looked at without the lock: all accounts share it.
    let found: Keys = keys(name).collect();
    let mut kept = looked_at();
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(name.into(), Arc::clone(&found));
    found
}

/// What a name is compared by. Small letters look like others than large ones do, so there are two ways to look.
fn keys(name: &str) -> impl Iterator<Item = String> {
    let wide: String = name.nfkc().collect();
    let as_written: String = skeleton(&wide).collect();
    [wide, as_written]
        .into_iter()
        .map(|text| {
            let small = text.to_lowercase();
            let folded = skeleton(&small).collect::<String>().to_lowercase();
            let letters: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
            if letters.is_empty() { folded } else { letters }
        })
        .filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn account(n: usize) -> AccountId {
        AccountId(Uuid::from_u128(n as u128 + 1))
    }

    fn alike(names: &[&str]) -> Vec<usize> {
        let named = names
            .iter()
            .enumerate()
            .map(|(at, name)| (account(at), *name));
        let found = among(named, None);
        (0..names.len())
            .filter(|at| found.contains(&account(*at)))
            .collect()
    }

    #[test]
    fn names_that_look_alike_are_known_and_both_stand_out() {
        for other in [
            "Mark",
            "Маrk",
            "Мark",
            "MARK",
            "Ｍａｒｋ",
            "𝐌ark",
            "Mark\u{200B}",
            "Mark\u{A0}",
            "Mark ✓",
            "M a r k",
            "Rnark",
        ] {
            assert_eq!(alike(&["Mark", other, "Anna"]), [0, 1], "{other:?}");
        }
        assert_eq!(alike(&["INFO", "info"]), [0, 1]);
        assert_eq!(alike(&["小明", "小明"]), [0, 1]);
        assert_eq!(
            alike(&["管理⽐", "管理比"]),
            [0, 1],
            "a radical for a letter"
        );
        assert_eq!(alike(&["paypal", "раураl"]), [0, 1]);
        assert_eq!(alike(&["admin", "аdmin", "Anna"]), [0, 1]);
        assert_eq!(alike(&["✓✓", "✓✓"]), [0, 1], "nothing but signs");
    }

    #[test]
    fn a_name_that_poses_as_an_office_stands_out() {
        assert_eq!(
            alike(&["管理员", "管理員", "Αdmin", "Moderator ✓", "Anna"]),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn other_names_are_left_alone() {
        let names = [
            "Ann",
            "Anna",
            "Ann Lee",
            "小明",
            "小红",
            "Дмитрий",
            "✓",
            "👍",
            "",
        ];
        assert_eq!(alike(&names), [0; 0], "each is itself");
    }
}
