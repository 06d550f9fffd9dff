//! Lists of members.

use super::*;

#[tokio::test]
async fn members_are_listed_by_name_in_slices_of_any_size() {
    let bench = bench().await;
    let mut named = vec![(bench.alice, "alice")];
    for name in ["Zoe", "bob", "Bert", "äpfel", "carol"] {
        let id = AccountId(Uuid::now_v7());
        bench.account(id, &name.to_lowercase()).await;
        bench.commit(id, Vec::new(), vec![bench.joins(id)]).await;
        named.push((id, name));
    }
    let keepers = MemberGroupId(Uuid::now_v7());
    for (id, _) in &named[1..3] {
        let Change::Member {
            community,
            mut member,
        } = bench.joins(*id)
        else {
            panic!("it is a member")
        };
        member.member_groups = vec![keepers];
        let change = Change::Member { community, member };
        bench.commit(*id, Vec::new(), vec![change]).await;
    }
    for (id, name) in &named {
        bench.rename(*id, name).await;
    }
    for limit in [1, 2, 100] {
        let all = bench.listed(SliceOf::Community, limit).await;
        assert_eq!(all, ["alice", "Bert", "bob", "carol", "Zoe", "äpfel"]);
        let some = bench.listed(SliceOf::Display("b".into()), limit).await;
        assert_eq!(some, ["Bert", "bob"], "by a prefix");
        let some = bench.listed(SliceOf::MemberGroup(keepers), limit).await;
        assert_eq!(some, ["bob", "Zoe"], "by a member group");
    }
    let count = bench
        .store
        .count_in_member_groups(bench.community, vec![keepers]);
    assert_eq!(count.await.unwrap(), [2]);
    bench.rename(named[1].0, "Adam").await;
    let some = bench.listed(SliceOf::MemberGroup(keepers), 100).await;
    assert_eq!(some, ["Adam", "bob"], "a new name has a new place");
    let leaves = Change::MemberGone {
        community: bench.community,
        account: named[2].0,
    };
    bench.commit(named[2].0, Vec::new(), vec![leaves]).await;
    let some = bench.listed(SliceOf::MemberGroup(keepers), 100).await;
    assert_eq!(some, ["Adam"], "who left is not listed");
    let these = SliceOf::These(vec![named[1].0, named[2].0, named[4].0]);
    let some = bench.listed(these, 100).await;
    assert_eq!(some, ["Adam", "äpfel"], "of those asked for, the members");
}

#[tokio::test]
async fn a_member_group_that_is_deleted_leaves_no_row_behind() {
    let bench = bench().await;
    let (ends, stays) = (MemberGroupId(Uuid::now_v7()), MemberGroupId(Uuid::now_v7()));
    let mut accounts = Vec::new();
    for no in 0..5 {
        let id = AccountId(Uuid::now_v7());
        bench.account(id, &format!("guest{no}")).await;
        let Change::Member {
            community,
            mut member,
        } = bench.joins(id)
        else {
            panic!("it is a member")
        };
        member.member_groups = vec![ends, stays];
        let change = Change::Member { community, member };
        bench.commit(id, Vec::new(), vec![change]).await;
        accounts.push(id);
    }
    let deleted = Change::Row {
        log: Log::Community(bench.community),
        id: ends.to_string(),
        body: Body::Deleted("member_group".to_owned()),
    };
    bench.commit(bench.alice, Vec::new(), vec![deleted]).await;
    // In steps, however many are in it.
    while bench.store.sweep(2).await.unwrap() {}
    let counts = bench
        .store
        .count_in_member_groups(bench.community, vec![ends, stays]);
    assert_eq!(counts.await.unwrap(), [0, 5]);
    let members = bench.store.members(bench.community, accounts);
    for member in members.await.unwrap() {
        assert_eq!(member.member_groups, [stays], "no id stays with anybody");
    }
}

impl Bench {
    async fn rename(&self, account: AccountId, name: &str) {
        let named = Change::Named {
            account,
            display_name: name.to_owned(),
        };
        self.commit(account, Vec::new(), vec![named]).await;
    }

    /// Names, slice by slice.
    async fn listed(&self, of: SliceOf, limit: usize) -> Vec<String> {
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let slice = MemberSlice {
                of: of.clone(),
                after,
                limit,
            };
            let listed = self
                .store
                .list_members(self.community, slice)
                .await
                .unwrap();
            names.extend(listed.iter().map(|listed| listed.display_name.clone()));
            match listed.last() {
                Some(last) if listed.len() == limit => {
                    after = Some((last.key.clone(), last.member.account));
                }
                Some(_) | None => return names,
            }
        }
    }
}
