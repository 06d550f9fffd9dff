//! The bot of the documentation against a real server, through a network that is cut, and killed without warning: it answers
//! each message that mentions it once, and goes on where it was.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../client/tests/talk/stage.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod stage;

use std::{
    path::Path,
    process::{Child, Command},
};

use stage::{Person, Stage};
use tulou_client::{
    action::Action,
    view::{AccessPlace, MembersPart, MessageView},
};
use tulou_crash::{Proxy, proxy::Weather};
use tulou_protocol::invite::InviteLink;

/// Debian's own, for which its packages are.
const PYTHON: &str = "/usr/bin/python3";

/// The bot's program; it ends with the value.
struct Bot(Child);

impl Bot {
    fn start(proxy: &Proxy, code: &str) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bot.py");
        let here = format!("http://{}", proxy.address());
        let child = Command::new(PYTHON)
            .arg(program)
            .args([&here, "echo", "correct horse", code])
            .spawn();
        Self(child.unwrap_or_else(|no| panic!("{PYTHON}: {no}; run: cargo xtask setup")))
    }

    /// Ends it without warning.
    fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the bot wrote, as somebody sees it.
async fn answers(person: &Person, topic: &str, bot: &str) -> Vec<MessageView> {
    let mut rows = person.timeline(topic).await.rows;
    rows.retain(|row| row.author.id == bot);
    rows
}

async fn is_answered(person: &Person, topic: &str, bot: &str, message: &str) {
    let what = format!("{message} is answered");
    person
        .until(&what, async || {
            let answers = answers(person, topic, bot).await;
            let is_to = |row: &MessageView| row.reply.as_ref().is_some_and(|to| to.id == message);
            answers.iter().any(is_to).then_some(())
        })
        .await;
}

/// A code for one to join with.
async fn invite(alice: &Person, community: &str) -> String {
    let invite = alice
        .client
        .create_invite(&alice.account, community, Some(3_600), Some(1))
        .await
        .unwrap();
    InviteLink::parse(&invite.link).unwrap().code.unwrap()
}

/// The account of the bot, once it has joined.
async fn joined(alice: &Person, community: &str) -> String {
    alice
        .until("the bot is a member", async || {
            let found = alice
                .client
                .members_view(
                    &alice.account,
                    community,
                    None,
                    MembersPart::first("echo", 10),
                )
                .await
                .unwrap();
            let members = found.sections.into_iter().flat_map(|of| of.members);
            members.map(|member| member.id).next()
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_bot_may_not_do_stops_it_nowhere_else() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let silent = alice
        .act(Action::CreateTopic {
            community: community.clone(),
            group: alice.tree(&community).await.groups[0].id.clone(),
            name: "公告".into(),
            introduction: String::new(),
            is_closed: false,
        })
        .await
        .unwrap();
    alice
        .act(Action::SetAccess {
            community: community.clone(),
            place: AccessPlace::Topic { id: silent.clone() },
            member_group: "everyone".into(),
            permission: "speak".into(),
            value: Some(false),
        })
        .await;
    alice.enter(&topic).await;
    alice.settled().await;
    let code = invite(&alice, &community).await;
    let proxy = Proxy::start(stage.server().address(), 2).await.unwrap();
    let mut bot = Bot::start(&proxy, &code);
    let id = joined(&alice, &community).await;
    let mention = format!("<@{id}>");

    // Where it may not speak it is silent, and it answers elsewhere, also when it begins anew.
    alice.say(&silent, &format!("{mention}?")).await;
    let message = alice.say(&topic, &format!("a lone ` and {mention}")).await;
    is_answered(&alice, &topic, &id, &message).await;
    bot.kill();
    bot = Bot::start(&proxy, &code);
    let message = alice.say(&topic, &format!("{mention} again")).await;
    is_answered(&alice, &topic, &id, &message).await;

    // What it reads is deleted.
    alice.say(&silent, &format!("{mention}, farewell")).await;
    alice
        .act(Action::DeleteTopic {
            community: community.clone(),
            topic: silent,
        })
        .await;
    let message = alice.say(&topic, &format!("{mention}, still?")).await;
    is_answered(&alice, &topic, &id, &message).await;

    // The server is not there when it starts, and comes back.
    alice.settled().await;
    stage.stop_server().await;
    let message = alice.say(&topic, &format!("{mention} in the dark")).await;
    bot.kill();
    bot = Bot::start(&proxy, &code);
    stage.start_server().await;
    is_answered(&alice, &topic, &id, &message).await;
    assert!(bot.runs());
    drop(bot);
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_of_the_documentation_answers_each_mention_once_whatever_is_cut() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let before = alice.say(&topic, "before anybody came").await;
    let code = invite(&alice, &community).await;
    let proxy = Proxy::start(stage.server().address(), 1).await.unwrap();

    let bot = Bot::start(&proxy, &code);
    let id = joined(&alice, &community).await;
    let mention = format!("<@{id}>");
    let mut called = Vec::new();
    for no in 0..3 {
        alice.say(&topic, &format!("not to it: {no}")).await;
        alice.say(&topic, &format!("in code: `{mention}`")).await;
        let message = alice.say(&topic, &format!("{mention} {no}?")).await;
        is_answered(&alice, &topic, &id, &message).await;
        called.push(message);
        // It may or may not have heard that its answer was taken.
        proxy.cut();
    }

    // What is said while nothing gets through is answered when the link is there again.
    proxy.set(Weather {
        stalls: true,
        ..Weather::default()
    });
    let message = alice
        .say(&topic, &format!("do you hear me, {mention}?"))
        .await;
    called.push(message.clone());
    proxy.cut();
    proxy.set(Weather::default());
    is_answered(&alice, &topic, &id, &message).await;

    // It is killed; another one goes on where it was.
    bot.kill();
    let message = alice.say(&topic, &format!("{mention}, still there?")).await;
    called.push(message.clone());
    let mut bot = Bot::start(&proxy, &code);
    is_answered(&alice, &topic, &id, &message).await;

    // It has read everything, its own answers too.
    let echo = stage.sign_in("echo", "echo").await;
    echo.until("nothing is unread for it", async || {
        let tree = echo.client.tree_view(&echo.account, &community).await;
        let unread = tree.ok()?.groups[0].topics[0].badge.unread;
        (unread == 0).then_some(())
    })
    .await;
    // Its session is ended elsewhere: it has a name and a password.
    let ended = echo.client.end_sessions(&echo.account, None).await;
    ended.unwrap();
    let message = alice.say(&topic, &format!("{mention}, who are you?")).await;
    called.push(message.clone());
    is_answered(&alice, &topic, &id, &message).await;
    assert!(bot.runs(), "nothing was refused");
    alice.settled().await;
    let to: Vec<String> = answers(&alice, &topic, &id)
        .await
        .into_iter()
        .filter_map(|row| row.reply.map(|to| to.id))
        .collect();
    assert_eq!(to, called, "each once, in order, and nothing else");
    assert!(!called.contains(&before));
    drop(bot);
    stage.end([alice, echo]).await;
}
