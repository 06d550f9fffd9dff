//! Invite links as they are told: no more of them than an answer holds.

use tulou_protocol::{limits, question::Invite};

/// A link in an answer is no longer than this, but for the accounts that came by it.
const LINK_BYTES: usize = 192;
/// Such an account: an id in quotes, and a comma.
const CAME_BYTES: usize = 25;
/// What there is around the links.
const REST_BYTES: usize = 100;

/// Where there are too many for an answer ([`limits::ANSWER_BYTES`]), it is not said of the last ones who came by them.
pub(super) fn fit(invites: &mut [Invite]) {
    let links = REST_BYTES + invites.len() * LINK_BYTES;
    let mut left = limits::ANSWER_BYTES.saturating_sub(links);
    for invite in invites {
        invite.came.truncate(left / CAME_BYTES);
        left -= invite.came.len() * CAME_BYTES;
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::{
        AccountId,
        question::{Invites, Told},
    };
    use uuid::Uuid;

    use super::*;

    fn many(links: usize) -> Vec<Invite> {
        let account = AccountId(Uuid::from_u128(u128::MAX));
        let link = Invite {
            code: "x".repeat(12),
            expires_at: Some(i64::MAX),
            max_uses: Some(u32::MAX),
            uses: u32::MAX,
            came: vec![account; limits::INVITE_CAME],
            by: account,
            lapsed: true,
            created_at: i64::MAX,
        };
        vec![link; links]
    }

    #[test]
    fn the_links_of_a_community_are_no_longer_than_an_answer() {
        let mut invites = many(limits::INVITES);
        fit(&mut invites);
        let came: Vec<usize> = invites.iter().map(|link| link.came.len()).collect();
        assert_eq!(came[..100], [limits::INVITE_CAME; 100], "of the newest");
        assert!(came.is_sorted_by(|one, next| one >= next));
        let told = Told::Invites(Invites { invites });
        let bytes = serde_json::to_string(&told).unwrap().len();
        assert!(bytes <= limits::ANSWER_BYTES, "{bytes}");
    }

    #[test]
    fn of_a_few_links_all_is_said() {
        let mut invites = many(200);
        fit(&mut invites);
        assert_eq!(invites, many(200));
    }
}
