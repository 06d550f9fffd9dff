//! Invite links: which make room for others, and who is named by them.

use super::*;

fn link(no: usize, by: AccountId, max_uses: Option<u32>) -> Invite {
    Invite {
        code: format!("code{no:08}"),
        expires_at: None,
        max_uses,
        uses: 0,
        came: Vec::new(),
        by,
        lapsed: false,
        created_at: no as Millis,
    }
}

impl Bench {
    async fn links(&self, links: impl Iterator<Item = Invite>) {
        let made = links.map(|link| self.store.create_invite(self.community, link, Vec::new()));
        for made in futures_util::future::join_all(made).await {
            assert_eq!(made.unwrap(), Inviting::Made);
        }
    }

    async fn codes(&self) -> Vec<String> {
        let invites = self.store.invites(self.community).await.unwrap();
        invites.into_iter().map(|invite| invite.code).collect()
    }

    /// Makes an account by a link.
    async fn registers(&self, name: &str, code: &str) -> Result<AccountId, Code> {
        let account = NewAccount {
            id: AccountId(Uuid::now_v7()),
            name: name.to_owned(),
            display_name: name.to_owned(),
            password: "hash".to_owned(),
            codes: Vec::new(),
            unless_first: None,
            invite: Some(code.to_owned()),
            now: 1_000_000,
        };
        self.store.create_account(account).await.unwrap()
    }
}

#[tokio::test]
async fn links_that_nobody_may_come_by_make_room_and_those_that_somebody_has_a_place_of_last() {
    let bench = bench().await;
    let most = limits::INVITES;
    // The oldest is used up, but carol has still to join by it; the next is used up, and the third is of nobody any more.
    let one = |no| link(no, bench.alice, Some(1));
    bench.links([one(1), one(2)].into_iter()).await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    bench.commit(bob, Vec::new(), vec![bench.joins(bob)]).await;
    bench.links(std::iter::once(link(3, bob, None))).await;
    let usual = |no| link(no, bench.alice, None);
    bench.links((4..=most).map(usual)).await;
    let new = |no: usize, idle: Vec<AccountId>| {
        let community = bench.community;
        bench.store.create_invite(community, usual(no), idle)
    };
    let made = new(most + 1, Vec::new()).await.unwrap();
    assert_eq!(made, Inviting::TooMany, "all may be used");

    assert!(bench.registers("carol", &one(1).code).await.is_ok());
    let dave = bench.registers("dave", &one(2).code).await.unwrap();
    let no = bench.registers("erin", &one(2).code).await;
    assert_eq!(no, Err(Code::InviteInvalid), "it is dave's");
    let joins = vec![
        bench.joins(dave),
        Change::InviteUsed {
            community: bench.community,
            code: one(2).code,
        },
    ];
    let joined = bench.commit(dave, Vec::new(), joins).await;
    assert!(matches!(joined, Outcome::Done(_)), "{joined:?}");
    for (goes, idle) in [(2, vec![]), (3, vec![bob]), (1, vec![])] {
        assert!(bench.codes().await.contains(&one(goes).code), "{goes}");
        let made = new(most + 1 + goes, idle).await.unwrap();
        assert_eq!(made, Inviting::Made, "{goes}");
        let left = bench.codes().await;
        assert!(!left.contains(&one(goes).code), "{goes}");
        assert_eq!(left.len(), most, "and no other");
    }
    let made = new(most + 5, Vec::new()).await.unwrap();
    assert_eq!(made, Inviting::TooMany);
}

#[tokio::test]
async fn a_place_that_is_kept_goes_with_the_member_also_if_he_came_without_it() {
    let bench = bench().await;
    let one = link(1, bench.alice, Some(1));
    bench.links(std::iter::once(one.clone())).await;
    let carol = bench.registers("carol", &one.code).await.unwrap();
    let leads = || bench.store.invite(one.code.clone(), Some(carol), 1);
    assert!(leads().await.unwrap().is_some());
    bench
        .commit(carol, Vec::new(), vec![bench.joins(carol)])
        .await;
    let gone = Change::MemberGone {
        community: bench.community,
        account: carol,
    };
    bench.commit(bench.alice, Vec::new(), vec![gone]).await;
    assert_eq!(leads().await.unwrap(), None, "it would lead her back");
}

#[tokio::test]
async fn who_came_by_a_link_is_named_for_as_long_as_he_is_a_member() {
    let bench = bench().await;
    let some = limits::INVITE_CAME + 2;
    bench
        .links(std::iter::once(link(1, bench.alice, None)))
        .await;
    let mut came = Vec::new();
    for no in 0..some {
        let account = AccountId(Uuid::now_v7());
        bench.account(account, &format!("guest{no}")).await;
        let Change::Member {
            community,
            mut member,
        } = bench.joins(account)
        else {
            panic!("it is a member")
        };
        member.joined_at = no as Millis;
        let joins = vec![
            Change::Member { community, member },
            Change::InviteUsed {
                community,
                code: link(1, account, None).code,
            },
        ];
        bench.commit(account, Vec::new(), joins).await;
        came.insert(0, account);
    }
    let named = async || {
        bench
            .store
            .invites(bench.community)
            .await
            .unwrap()
            .remove(0)
    };
    assert_eq!(
        named().await.came,
        came[..limits::INVITE_CAME],
        "the latest"
    );
    let leaves = Change::MemberGone {
        community: bench.community,
        account: came[0],
    };
    bench.commit(came[0], Vec::new(), vec![leaves]).await;
    let back = vec![bench.joins(came[0])];
    bench.commit(came[0], Vec::new(), back).await;
    let link = named().await;
    assert_eq!(
        link.came,
        came[1..=limits::INVITE_CAME],
        "he came otherwise"
    );
    assert_eq!(link.uses as usize, some);
}

#[tokio::test]
async fn who_is_removed_before_his_link_is_written_makes_none_and_takes_none_over() {
    let bench = bench().await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    bench.commit(bob, Vec::new(), vec![bench.joins(bob)]).await;
    let one = link(1, bench.alice, None);
    bench.links(std::iter::once(one.clone())).await;
    let (community, account) = (bench.community, bob);
    let gone = Change::MemberGone { community, account };
    // All three wait to be written, in this order.
    let gone = Commit::of_server(bench.alice, 1, vec![gone]);
    let removed = bench.store.commit(gone);
    let taken = bench
        .store
        .take_over_invite(community, one.code.clone(), bob);
    let made = bench
        .store
        .create_invite(community, link(2, bob, None), Vec::new());
    let (removed, taken, made) = tokio::join!(removed, taken, made);
    assert!(matches!(removed, Ok(Outcome::Done(_))), "{removed:?}");
    assert_eq!(taken.unwrap(), None);
    assert_eq!(made.unwrap(), Inviting::NoMember);
    let links = bench.store.invites(community).await.unwrap();
    assert_eq!(links, [one], "it is alice's, and the only one");
}
