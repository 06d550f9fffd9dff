//! A list of who may, as Windows writes it.

/// Whoever owns what is there: its maker, also one whom another computer of a share knows by another number.
const OWNER: &str = "S-1-3-4";

/// Those whom nobody named one by one: everyone, who signed in, users, guests and what else a disk's root lets in.
const BROAD: [&str; 13] = [
    "WD", "AU", "BU", "BG", "PU", "IU", "NU", "SU", "AN", "LG", "DU", "DG", "CG",
];
/// The same by numbers: who has no letters, and who has some that not every Windows writes.
const BROAD_NUMBERS: [&str; 13] = [
    "S-1-1-0",
    "S-1-2-0",
    "S-1-2-1",
    "S-1-5-2",
    "S-1-5-3",
    "S-1-5-4",
    "S-1-5-7",
    "S-1-5-11",
    "S-1-5-15",
    "S-1-5-113",
    "S-1-5-32-545",
    "S-1-5-32-546",
    "S-1-5-32-547",
];
/// How the numbers of a domain's own users and guests end.
const BROAD_OF_A_DOMAIN: [&str; 2] = ["-513", "-514"];

/// Protected from the folder above (`P`); the person, the owner, the system and its administrators may do everything (`FA`).
pub fn private(person: &str, inheritance: &str) -> String {
    ["SY", "BA", OWNER, person]
        .map(|who| format!("(A;{inheritance};FA;;;{who})"))
        .into_iter()
        .fold("D:P".to_owned(), |list, one| list + &one)
}

/// Whether a list lets in more than who was named in it one by one. Where there is none everybody may.
pub fn is_open(list: &str) -> bool {
    let Some(entries) = list.strip_prefix("D:") else {
        return true;
    };
    if entries.contains("NO_ACCESS_CONTROL") {
        return true;
    }
    entries.split('(').skip(1).any(|entry| {
        let mut fields = entry.split(';');
        // Allowed, allowed under a condition, allowed for an object.
        let is_allowed = matches!(fields.next(), Some("A" | "XA" | "OA"));
        let who = fields.nth(4).unwrap_or("").trim_end_matches(')');
        is_allowed && is_broad(who)
    })
}

fn is_broad(who: &str) -> bool {
    BROAD.contains(&who)
        || BROAD_NUMBERS.contains(&who)
        || who.starts_with("S-1-5-21-") && BROAD_OF_A_DOMAIN.iter().any(|end| who.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_names_everybody_one_by_one_is_left_to_them() {
        for list in [
            // A service's, which an administrator comes to.
            "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;LS)",
            // The profile's, taken over by what is made in it.
            "D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;FA;;;S-1-5-21-1-2-3-1001)",
            // Of the built-in administrator, whom Windows abbreviates.
            "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)(A;;FA;;;LA)",
            "D:P(D;;FA;;;WD)(A;;FA;;;SY)",
            "D:P",
            &private("S-1-5-21-1-2-3-1001", "OICI"),
        ] {
            assert!(!is_open(list), "{list}");
        }
    }

    #[test]
    fn a_list_that_lets_in_who_was_not_named_is_open() {
        for who in BROAD
            .iter()
            .chain(&BROAD_NUMBERS)
            .chain(&["S-1-5-21-1-2-3-513", "S-1-5-21-1-2-3-514"])
        {
            for list in [
                format!("D:P(A;;FA;;;SY)(A;;FR;;;{who})"),
                // Only for what is made in it.
                format!("D:AI(A;OICIIOID;GR;;;{who})(A;ID;FA;;;SY)"),
                format!("D:(XA;;FX;;;{who};(Exists Title))"),
            ] {
                assert!(is_open(&list), "{list}");
            }
        }
        assert!(is_open("D:NO_ACCESS_CONTROL"), "a list that is none");
        assert!(is_open("D:PNO_ACCESS_CONTROL"));
        assert!(is_open(""), "no list");
    }

    /// On a share of another computer the person has another number there, and an administrator makes what a service reads.
    #[test]
    fn who_owns_what_is_private_may_read_it_whoever_he_is() {
        let list = private("S-1-5-21-1-2-3-1001", "OICI");
        assert_eq!(
            list,
            "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-3-4)(A;OICI;FA;;;S-1-5-21-1-2-3-1001)"
        );
    }
}
