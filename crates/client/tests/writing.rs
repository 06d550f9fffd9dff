//! What is being written, what was meant, what was read: two devices of one person, and somebody else, against a server.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use stage::{Person, Stage};
use tulou_client::{
    Viewer,
    action::Action,
    view::{DraftView, EditInput, LevelPlace, MessageView, Stretch},
};

impl Person {
    async fn row(&self, topic: &str, message: &str) -> Option<MessageView> {
        let view = self.timeline(topic).await;
        view.rows.into_iter().find(|row| row.id == message)
    }

    /// Waits until the server's row of a message says this.
    async fn until_says(&self, topic: &str, message: &str, text: &str) {
        self.until("the message says it", async || {
            let row = self.row(topic, message).await?;
            (row.text == text && !row.has_pending_change).then_some(())
        })
        .await;
    }

    async fn edit(&self, topic: &str, message: &str, from: &str, text: &str) {
        self.act(Action::EditMessage {
            topic: topic.into(),
            message: message.into(),
            from: from.into(),
            text: text.into(),
        })
        .await;
    }

    async fn recall(&self, topic: &str, message: &str) {
        self.act(Action::RecallMessage {
            topic: topic.into(),
            message: message.into(),
        })
        .await;
    }

    async fn has_failed(&self, community: &str) -> bool {
        self.tree(community).await.groups[0].topics[0].has_failed
    }

    async fn mentions(&self, community: &str) -> u32 {
        self.tree(community).await.groups[0].topics[0]
            .badge
            .mentions
    }
}

/// Alice has edited her message without a link, and her other device did something with it before the edit arrived.
async fn overtaken(
    stage: &mut Stage,
    alice: Person,
    topic: &str,
    message: &str,
    meanwhile: impl AsyncFnOnce(&Person),
) -> (Person, Person) {
    let other = stage.sign_in("alice-2", "alice").await;
    other
        .until("her message is there, too", async || {
            other.has(topic, message).await.then_some(())
        })
        .await;
    stage.stop_server().await;
    alice.edit(topic, message, "helo", "hello").await;
    let asleep = alice.vanish();
    stage.start_server().await;
    other.settled().await;
    meanwhile(&other).await;
    other.settled().await;
    (asleep.wake().await, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_a_message_that_was_recalled_elsewhere_is_shown_and_can_be_given_up_for_good() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let message = alice.say(&topic, "helo").await;
    alice.until_says(&topic, &message, "helo").await;
    let recall = async |other: &Person| other.recall(&topic, &message).await;
    let (alice, other) = overtaken(&mut stage, alice, &topic, &message, recall).await;

    alice.enter(&topic).await;
    let refused = alice
        .until("the edit is refused", async || {
            let row = alice.row(&topic, &message).await?;
            row.recalled.is_some().then_some(row.refused).flatten()
        })
        .await;
    assert_eq!(refused.text.as_deref(), Some("hello"), "nothing is lost");
    assert_eq!(refused.rejection.code, "gone");
    assert!(alice.has_failed(&community).await, "and it is said where");
    alice
        .client
        .outbox_discard(&alice.account, &refused.command)
        .await
        .unwrap();
    assert!(!alice.has_failed(&community).await);
    let alice = alice.crash().await;
    assert!(!alice.has_failed(&community).await, "nor after a restart");
    let row = alice.row(&topic, &message).await.unwrap();
    assert_eq!(row.refused, None);
    stage.end([alice, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_met_another_shows_both_and_the_person_decides() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let message = alice.say(&topic, "helo").await;
    alice.until_says(&topic, &message, "helo").await;
    let change = async |other: &Person| other.edit(&topic, &message, "helo", "theirs").await;
    let (alice, other) = overtaken(&mut stage, alice, &topic, &message, change).await;

    alice.enter(&topic).await;
    let row = alice
        .until("the edit is refused", async || {
            let row = alice.row(&topic, &message).await?;
            // What another device wrote stays; its row comes beside the refusal.
            (row.refused.is_some() && row.text == "theirs").then_some(row)
        })
        .await;
    let refused = row.refused.unwrap();
    assert_eq!(refused.text.as_deref(), Some("hello"));
    assert_eq!(refused.rejection.code, "changed_meanwhile");
    alice
        .client
        .outbox_retry(&alice.account, &refused.command)
        .await
        .unwrap();
    alice.until_says(&topic, &message, "hello").await;
    other.until_says(&topic, &message, "hello").await;
    assert!(!alice.has_failed(&community).await);
    stage.end([alice, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_changed_before_its_answer_and_edited_elsewhere_shows_both_and_the_person_decides()
 {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let other = stage.sign_in("alice-2", "alice").await;
    other.settled().await;
    stage.stop_server().await;
    let message = alice.say(&topic, "helo").await;
    let asleep = alice.sleep().await;
    let copied = asleep.copied_to(stage.folder_of("copy"));
    stage.start_server().await;
    // The message gets there, and its answer to nobody who remembers it.
    let sent = copied.wake().await;
    sent.settled().await;
    sent.client.shutdown().await;
    other.enter(&topic).await;
    other.until_says(&topic, &message, "helo").await;
    other.edit(&topic, &message, "helo", "theirs").await;
    other.settled().await;
    stage.stop_server().await;
    let alice = asleep.wake().await;
    alice.edit(&topic, &message, "helo", "hello").await;
    stage.start_server().await;

    alice.enter(&topic).await;
    let refused = alice
        .until("her change is refused", async || {
            let row = alice.row(&topic, &message).await?;
            (row.text == "theirs").then_some(row.refused).flatten()
        })
        .await;
    assert_eq!(refused.text.as_deref(), Some("hello"), "nothing is lost");
    assert_eq!(refused.rejection.code, "changed_meanwhile");
    assert!(alice.has_failed(&community).await, "and it is said where");
    alice
        .client
        .outbox_retry(&alice.account, &refused.command)
        .await
        .unwrap();
    other.until_says(&topic, &message, "hello").await;
    stage.end([alice, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_in_progress_outlives_a_crash_and_knows_what_the_message_says_meanwhile() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let other = stage.sign_in("alice-2", "alice").await;
    let message = alice.say(&topic, "helo").await;
    alice.until_says(&topic, &message, "helo").await;
    let edit = EditInput {
        base: "helo".into(),
        text: "hello".into(),
    };
    alice
        .client
        .save_edit(&alice.account, &topic, &message, Some(edit))
        .await
        .unwrap();
    let has_draft = alice.tree(&community).await.groups[0].topics[0].has_draft;
    assert!(has_draft, "the tree says so, as of any draft");
    let alice = alice.crash().await;
    alice.enter(&topic).await;
    other.enter(&topic).await;
    other.until_says(&topic, &message, "helo").await;
    other.edit(&topic, &message, "helo", "theirs").await;
    alice
        .until("the other device's edit is there", async || {
            let edit = alice.timeline(&topic).await.edits.pop()?;
            (edit.now.as_deref() == Some("theirs")).then_some(())
        })
        .await;
    let edits = alice.timeline(&topic).await.edits;
    assert_eq!((&*edits[0].base, &*edits[0].text), ("helo", "hello"));
    let late = Action::EditMessage {
        topic: topic.clone(),
        message: message.clone(),
        from: "helo".into(),
        text: "hello".into(),
    };
    let refused = alice.client.submit(&alice.account, late).await;
    assert!(refused.is_err(), "nothing is overwritten silently");
    alice.edit(&topic, &message, "theirs", "hello").await;
    other.until_says(&topic, &message, "hello").await;
    assert!(alice.timeline(&topic).await.edits.is_empty(), "it is over");
    stage.end([alice, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_never_comes_after_the_message_that_it_became() {
    let stage = Stage::with_messages_per_10s(1_000).await;
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    for number in 0..40 {
        let text = format!("line {number}");
        let draft = DraftView {
            text: text.clone(),
            reply_to: None,
        };
        let (kept, _) = tokio::join!(
            alice.client.save_draft(&alice.account, &topic, draft),
            alice.say(&topic, &text)
        );
        kept.unwrap();
        let view = alice.timeline(&topic).await;
        assert_eq!(view.draft.text, "", "of {text}");
    }
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mention_that_an_edit_adds_to_what_was_read_counts_until_it_is_seen_on_any_device() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    let other = stage.sign_in("bob-2", "bob").await;
    let message = alice.say(&topic, "who comes?").await;
    bob.enter(&topic).await;
    bob.until_says(&topic, &message, "who comes?").await;
    let head = bob.timeline(&topic).await.head;
    bob.act(Action::Advance {
        topic: topic.clone(),
        seq: head,
    })
    .await;
    let to = format!("who comes? <@{}>", bob.id().await);
    alice.edit(&topic, &message, "who comes?", &to).await;
    for device in [&bob, &other] {
        device
            .until("the mention counts", async || {
                (device.mentions(&community).await == 1).then_some(())
            })
            .await;
    }
    let view = bob.timeline(&topic).await;
    assert_eq!(view.unread, 0, "no message is new");
    assert_eq!(
        view.new_mentions,
        std::slice::from_ref(&message),
        "the window leads to it"
    );
    bob.act(Action::SeeMention {
        topic: topic.clone(),
        message: message.clone(),
    })
    .await;
    assert_eq!(bob.mentions(&community).await, 0, "at once");
    other
        .until("it was seen on the other device", async || {
            (other.mentions(&community).await == 0).then_some(())
        })
        .await;
    bob.settled().await;
    assert!(bob.timeline(&topic).await.new_mentions.is_empty());
    stage.end([alice, bob, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marking_as_read_sees_the_mentions_that_edits_added_and_taking_that_back_makes_them_count_again()
 {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    let other = stage.sign_in("bob-2", "bob").await;
    let heard = async |count: u32| {
        other
            .until("the other device counts them", async || {
                (other.mentions(&community).await == count).then_some(())
            })
            .await;
    };
    let read = alice.say(&topic, "read").await;
    bob.until_says(&topic, &read, "read").await;
    bob.enter(&topic).await;
    bob.act(Action::Advance {
        topic: topic.clone(),
        seq: bob.timeline(&topic).await.head,
    })
    .await;
    let unread = alice.say(&topic, "unread").await;
    let called = async |message: &str, text: &str, count: u32| {
        let to = format!("{text} <@{}>", bob.id().await);
        alice.edit(&topic, message, text, &to).await;
        bob.until("the mention counts", async || {
            (bob.mentions(&community).await == count).then_some(())
        })
        .await;
    };
    called(&read, "read", 1).await;
    called(&unread, "unread", 2).await;
    assert_eq!(
        bob.timeline(&topic).await.new_mentions,
        [read.clone(), unread.clone()],
        "whoever reads past it has seen it, so the window knows of both"
    );

    bob.until("his account says that he is in", async || {
        let app = bob.client.app_view().await;
        (!app.accounts[0].communities.is_empty()).then_some(())
    })
    .await;
    let key = bob.client.app_view().await.accounts[0].key.clone();
    let marks = bob.client.mark_read(&key, LevelPlace::Global).await;
    let marks = marks.unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(bob.mentions(&community).await, 0);
    assert!(bob.timeline(&topic).await.new_mentions.is_empty());
    heard(0).await;
    bob.client.set_read(&key, marks).await.unwrap();
    let counts = bob.mentions(&community).await;
    assert_eq!(counts, 2, "at once");
    // What was unread, and what was read before its mention.
    heard(2).await;
    assert_eq!(
        bob.timeline(&topic).await.new_mentions,
        [read.clone(), unread.clone()],
        "the window leads to both again"
    );

    bob.client
        .mark_read(&key, LevelPlace::Global)
        .await
        .unwrap();
    bob.settled().await;
    let again = alice.say(&topic, "again").await;
    bob.until_says(&topic, &again, "again").await;
    bob.client
        .mark_read(&key, LevelPlace::Global)
        .await
        .unwrap();
    called(&again, "again", 1).await;
    let place = LevelPlace::Topic {
        community: community.clone(),
        topic: topic.clone(),
    };
    let marks = bob.client.mark_read(&key, place).await.unwrap();
    assert_eq!(marks.len(), 1, "something was marked there");
    assert_eq!(bob.mentions(&community).await, 0, "but it is seen");
    assert_eq!(marks[0].seq, None, "nothing else was marked");
    heard(0).await;
    bob.client.set_read(&key, marks).await.unwrap();
    heard(1).await;
    assert_eq!(bob.timeline(&topic).await.unread, 0, "of what is read");
    stage.end([alice, bob, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_finds_the_divider_before_what_came_meanwhile() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let mut bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let read = alice.say(&topic, "read").await;
    bob.until_says(&topic, &read, "read").await;
    let seq = bob.row(&topic, &read).await.unwrap().seq.unwrap();
    bob.act(Action::Advance {
        topic: topic.clone(),
        seq,
    })
    .await;
    let missed = alice.say(&topic, "missed").await;
    bob.until_says(&topic, &missed, "missed").await;
    assert_eq!(bob.timeline(&topic).await.first_unread, None, "he is away");
    bob.viewer.come_back(&bob.account, &topic).await.unwrap();
    assert_eq!(bob.timeline(&topic).await.first_unread, Some(seq + 1));
    // The window is destroyed: nothing is on the screen, and a new one enters anew.
    bob.act(Action::Advance {
        topic: topic.clone(),
        seq: seq + 1,
    })
    .await;
    bob.viewer = bob.client.viewer();
    bob.enter(&topic).await;
    assert_eq!(bob.timeline(&topic).await.first_unread, None, "all is read");
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_window_has_its_own_divider_and_what_one_marks_unread_none_of_them_reads() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let said = alice.say(&topic, "news").await;
    bob.until_says(&topic, &said, "news").await;
    let seq = bob.row(&topic, &said).await.unwrap().seq.unwrap();
    let other = bob.client.viewer();
    other.enter_topic(&bob.account, &topic).await.unwrap();
    let divider = async |viewer: &Viewer| {
        let end = Stretch::End { count: 50 };
        let view = viewer.timeline_view(&bob.account, &topic, end).await;
        view.unwrap().first_unread
    };
    assert_eq!(divider(&bob.viewer).await, None, "he saw it come");
    assert_eq!(divider(&other).await, Some(seq), "it came before this one");
    let unread = async || bob.tree(&community).await.groups[0].badge.unread;
    let advance = async |viewer: &Viewer| {
        let topic = topic.clone();
        let read = Action::Advance { topic, seq };
        viewer.submit(&bob.account, read).await.unwrap();
    };
    advance(&other).await;
    assert_eq!(unread().await, 0, "read in one is read");
    assert_eq!(divider(&other).await, Some(seq), "and its divider stays");

    bob.act(Action::MarkUnread {
        topic: topic.clone(),
        seq: Some(seq),
    })
    .await;
    advance(&other).await;
    advance(&bob.viewer).await;
    assert_eq!(unread().await, 1, "also in a window that did not mark it");
    // A window that is destroyed tells nobody that it leaves.
    drop(other);
    let anew = bob.client.viewer();
    anew.enter_topic(&bob.account, &topic).await.unwrap();
    assert_eq!(divider(&anew).await, Some(seq), "it entered now");
    advance(&anew).await;
    assert_eq!(unread().await, 0, "and knows nothing of an old set-back");
    drop(anew);
    stage.end([alice, bob]).await;
}
