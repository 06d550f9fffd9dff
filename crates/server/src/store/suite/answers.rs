//! What an answer holds, and that one commit that cannot be written spoils no other.

use super::*;

#[tokio::test]
async fn an_answer_holds_what_is_the_authors_and_nothing_of_others() {
    let bench = bench().await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    let mention = |account: AccountId| Change::Row {
        log: Log::Account(account),
        id: tulou_protocol::GroupId(Uuid::now_v7()).to_string(),
        body: Mention {
            topic: bench.topic,
            seq: Seq(1),
            sent_at: 1,
            by_edit: false,
            more: Default::default(),
        }
        .into(),
    };
    for is_apart in [false, true] {
        let commit = Commit {
            account: bench.alice,
            command: CommandId(Uuid::now_v7()),
            origin: Origin::SERVER,
            is_apart,
            now: 10,
            expects: Vec::new(),
            changes: vec![
                bench.community_row("围楼"),
                mention(bench.alice),
                mention(bob),
            ],
        };
        let Outcome::Done(committed) = bench.store.commit(commit).await.unwrap() else {
            panic!("nothing is in its way")
        };
        assert_eq!(committed.logs.len(), 3, "all of it is written");
        let holds = |log: Log| committed.answer.contains(&format!(r#""log":"{log}""#));
        assert!(holds(Log::Account(bench.alice)), "his own log");
        assert!(!holds(Log::Account(bob)), "not that of somebody else");
        assert_eq!(
            holds(Log::Community(bench.community)),
            !is_apart,
            "the home log, unless he may not see all of it"
        );
    }
}

#[tokio::test]
async fn of_what_nobody_commanded_no_answer_is_kept() {
    let bench = bench().await;
    let (of_server, commanded) = (CommandId(Uuid::now_v7()), CommandId(Uuid::now_v7()));
    let fades = Change::Fades {
        account: bench.alice,
        kind: "mention".to_owned(),
        id: "1:2".to_owned(),
        rev: Rev(1),
    };
    for (command, change) in [(of_server, fades), (commanded, bench.community_row("围楼"))] {
        let outcome = bench
            .commit_as(command, bench.alice, 10, Vec::new(), vec![change])
            .await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    let kept = async |command| bench.store.answer(bench.alice, command).await.unwrap();
    assert_eq!(kept(of_server).await, None);
    assert!(kept(commanded).await.is_some());
}

#[tokio::test]
async fn a_commit_that_cannot_be_written_spoils_no_other() {
    let bench = bench().await;
    let missing = || bench.edited(MessageId(Uuid::now_v7()), Seq(1_000), "there is no such");
    let pending: Vec<_> = (0..120)
        .map(|n| {
            let is_bad = n % 40 == 20;
            let change = if is_bad {
                missing()
            } else {
                bench.sent(MessageId(Uuid::now_v7()), "x")
            };
            let commit = Commit {
                account: bench.alice,
                command: CommandId(Uuid::now_v7()),
                origin: Origin::SERVER,
                is_apart: false,
                now: 10,
                expects: Vec::new(),
                changes: vec![change],
            };
            (is_bad, bench.store.commit(commit))
        })
        .collect();
    for (is_bad, pending) in pending {
        let outcome = pending.await;
        assert_eq!(
            matches!(outcome, Ok(Outcome::Done(_))),
            !is_bad,
            "{outcome:?}"
        );
    }
    let rows = bench.page(PageAt::End, 200).await;
    assert_eq!(
        rows,
        (1..=117).collect::<Vec<_>>(),
        "each of the others once"
    );
}

#[tokio::test]
async fn no_stored_answer_keeps_the_text_of_what_was_recalled() {
    let bench = bench().await;
    let message = MessageId(Uuid::now_v7());
    let (send, edit) = (CommandId(Uuid::now_v7()), CommandId(Uuid::now_v7()));
    let (wrote, changed) = (
        bench.sent(message, "secret"),
        bench.edited(message, Seq(1), "secret, too"),
    );
    for (command, change) in [(send, wrote), (edit, changed)] {
        let done = bench
            .commit_as(command, bench.alice, 10, Vec::new(), vec![change])
            .await;
        assert!(matches!(done, Outcome::Done(_)), "{done:?}");
        let stored = bench.store.answer(bench.alice, command).await.unwrap();
        assert!(
            stored.unwrap().contains("secret"),
            "it is what was answered"
        );
    }
    let Change::Content(mut contents) = bench.edited(message, Seq(1), "") else {
        unreachable!("an edit is of the content")
    };
    contents.content.recalled_by = Some(bench.alice);
    let recall = Change::Content(contents);
    let done = bench.commit(bench.alice, Vec::new(), vec![recall]).await;
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    for command in [send, edit] {
        let answer = bench.store.answer(bench.alice, command).await.unwrap();
        let answer: tulou_protocol::Answer = serde_json::from_str(&answer.unwrap()).unwrap();
        let [push] = &answer.pushes[..] else {
            panic!("{answer:?}")
        };
        assert_eq!(push.log, Log::Topic(bench.topic));
        let Body::Message(row) = &push.rows[0].body else {
            panic!("{push:?}")
        };
        let content = row.content.as_ref().unwrap();
        assert_eq!(content.text, "", "nothing of it is kept");
        assert_eq!(content.recalled_by, Some(bench.alice), "and it is told why");
        assert!(push.prev < push.rev, "it is a push like others: {push:?}");
    }
}
