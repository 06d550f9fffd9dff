//! What a command costs whoever gave it: by what was written for it, not only by the request.

use tulou_protocol::command::Edit;

use super::*;

fn rename(from: &str, to: &str) -> Commanded {
    Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::ProfileEdit {
            display_name: Edit {
                from: from.to_owned(),
                to: to.to_owned(),
            },
        },
    }
}

#[tokio::test]
async fn an_account_takes_so_many_names_in_a_minute_and_others_wait_for_nobody() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let bob = account(&app, "bob").await;
    let mut name = "alice".to_owned();
    let mut taken = 0;
    let busy = loop {
        let next = format!("alice {taken}");
        let begun = app.begin(alice.actor.clone(), rename(&name, &next)).await;
        match begun.await {
            Ok(_) => {
                taken += 1;
                name = next;
            }
            Err(Refusal::Busy(busy)) => break busy,
            Err(other) => panic!("{other:?}"),
        }
        assert!(taken < 20, "as many as she likes");
    };
    assert!(taken >= 10, "{taken} times at once");
    assert!((1..=6_000).contains(&busy.retry_after_ms), "{busy:?}");
    let begun = app.begin(bob.actor.clone(), rename("bob", "Bob")).await;
    begun.await.unwrap();
    app.close().await;
}

#[tokio::test]
async fn what_is_written_in_many_lists_is_paid_for_by_whose_name_it_is() {
    const LISTS: usize = 150;
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let bob = account(&app, "bob").await;
    for _ in 0..LISTS {
        found(&app, &alice).await;
    }
    for (who, name) in [(&alice, "alice"), (&bob, "bob")] {
        let begun = app.begin(who.actor.clone(), rename(name, "Somebody")).await;
        begun.await.unwrap();
    }
    let now = app.uptime_ms();
    let left = |who: &Arc<Line>| {
        let bucket = app.rates().accounts.of(who.account(), now);
        (0..).take_while(|_| bucket.take(now).is_ok()).count()
    };
    let (of_alice, of_bob) = (left(&alice), left(&bob));
    assert!(
        of_alice + 3 < of_bob,
        "{of_alice} requests are left to her, and {of_bob} to who is in no list"
    );
    app.close().await;
}
