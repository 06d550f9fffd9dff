//! Answers that would be too long, and what is asked for twice.

use std::collections::BTreeSet;

use tulou_protocol::{MemberGroupId, question::Members, row::MemberGroup};

use super::*;
use crate::domain::Member;

const MEMBERS: usize = 80;

#[tokio::test]
async fn a_list_of_members_is_no_longer_than_an_answer_and_goes_on() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let groups: Vec<MemberGroupId> = std::iter::repeat_with(|| MemberGroupId(Uuid::now_v7()))
        .take(limits::MEMBER_GROUPS)
        .collect();
    let mut changes: Vec<Change> = Vec::new();
    for group in &groups {
        let body = MemberGroup {
            name: "组".to_owned(),
            rank: "80".to_owned(),
            shown: false,
            tagged: false,
            more: Default::default(),
        };
        changes.push(Change::Row {
            log: Log::Community(community),
            id: group.to_string(),
            body: body.into(),
        });
    }
    let mut accounts = BTreeSet::from([alice.account()]);
    for no in 0..MEMBERS {
        let account = account(&app, &format!("member-{no}")).await.account();
        accounts.insert(account);
        changes.push(Change::Member {
            community,
            member: Member {
                account,
                joined_at: app.now(),
                member_groups: groups.clone(),
                rev: Rev::ZERO,
            },
        });
    }
    let commit = Commit::of_server(alice.account(), app.now(), changes);
    app.store().commit(commit).await.unwrap();
    settled(&app).await;
    let ask = async |accounts: Vec<AccountId>, after| -> Members {
        let list = Question::MemberList {
            community,
            topic: None,
            seats_of: None,
            prefix: String::new(),
            accounts,
            after,
            limit: limits::MEMBERS_PAGE,
        };
        let Ok(Told::Members(page)) = app.ask(&alice.actor, list).await else {
            panic!("it is a list")
        };
        page
    };
    let named = |page: Members| -> Vec<AccountId> {
        let sections = page.sections.into_iter();
        let members = sections.flat_map(|section| section.members);
        members.map(|member| member.account).collect()
    };
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = ask(Vec::new(), after.take()).await;
        let bytes = serde_json::to_string(&page).unwrap().len();
        let one = 30 * limits::MEMBER_GROUPS;
        assert!(bytes <= limits::ANSWER_BYTES + one, "{bytes}");
        after.clone_from(&page.next);
        listed.extend(named(page));
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed.len(), accounts.len(), "each once");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), accounts);
    let twice = ask(vec![alice.account(); limits::MEMBERS_PAGE], None).await;
    assert_eq!(
        named(twice),
        [alice.account()],
        "and who is asked for twice"
    );
    app.close().await;
}
