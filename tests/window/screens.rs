//! The screens in both languages, both themes, both sizes: nothing may stick out, and pictures are kept to be looked at.

use std::sync::Arc;

use serde_json::{Value, json};
use tulou_client::{Client, InMemory, action::Action, view::Stretch};

use crate::{
    corpus,
    driver::{Window, until},
    looks::{LOOKS, look, shown},
    person::{ESCAPE, named},
};

const SIZES: [(u32, u32); 2] = [(1280, 800), (940, 600)];
const PEOPLE: [(&str, &str); 3] = [("fawn", "林间鹿"), ("kestrel", "Kestrel"), ("ash", "阿澈")];

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_fits_in_both_languages_themes_and_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("me");
    let window = Window::start(&home).await;
    for (language, theme) in LOOKS {
        look(&window, language, theme).await;
        shown(&window, "first-start", language, theme).await;
    }
    window.host("夏至", "solstice", "星海玩家社群").await;
    look(&window, "en", "light").await;
    let account = window.ask("app_view", json!({})).await["accounts"][0]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let community = window.ask("app_view", json!({})).await["accounts"][0]["communities"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    shown(&window, "empty-community", "en", "light").await;
    look(&window, "zh-CN", "dark").await;
    shown(&window, "empty-community", "zh-CN", "dark").await;
    look(&window, "en", "light").await;
    let link = window.invite().await;

    let submit = async |action: Value| -> String {
        let told = window
            .ask("submit", json!({"account": account, "action": action}))
            .await;
        assert!(told["error"].is_null(), "{action} is taken: {told}");
        told["created"].as_str().unwrap_or_default().to_owned()
    };
    let mut talk = String::new();
    for (group, topics) in [
        ("公告", ["版本资讯", "活动与福利"]),
        ("组队大厅", ["招募队友", "攻略分享"]),
        ("管理", ["版主议事", "Events"]),
    ] {
        let group =
            submit(json!({"type": "createGroup", "community": community, "name": group})).await;
        for name in topics {
            let closed = name == "版主议事";
            let topic = submit(json!({"type": "createTopic", "community": community, "group": group, "name": name, "introduction": "写清区服、段位和时间 · 组队成功后请编辑原消息", "isClosed": closed})).await;
            if name == "招募队友" {
                talk = topic;
            }
        }
    }
    let moderators = submit(json!({"type": "createMemberGroup", "community": community, "name": "版主", "isShown": true, "hasTag": true})).await;
    let regulars = submit(json!({"type": "createMemberGroup", "community": community, "name": "Abyss regulars", "isShown": true, "hasTag": false})).await;
    for (permission, value) in [
        ("pin", true),
        ("recallOthers", true),
        ("mentionAll", true),
        ("joinVoice", false),
    ] {
        submit(json!({"type": "setAccess", "community": community, "place": {"level": "community"}, "memberGroup": moderators, "permission": permission, "value": value})).await;
    }

    let mut people = Vec::new();
    for (name, shown_as) in PEOPLE {
        let client = Client::open(folder.path().join(name), Arc::new(InMemory::default()))
            .await
            .unwrap();
        let key = client
            .register(&link, name, shown_as, "battery staple 马")
            .await
            .unwrap();
        client.join_link(&key, &link).await.unwrap();
        people.push((client, key));
    }
    for (n, (client, _)) in people.iter().enumerate() {
        let member = client.app_view().await.accounts[0].account_id.clone();
        let member_group = if n == 0 { &moderators } else { &regulars };
        until("the member group assigned", async || {
            let action = json!({"type": "assignMemberGroup", "community": community, "member": member, "memberGroup": member_group, "on": true});
            let told = window.ask("submit", json!({"account": account, "action": action})).await;
            told["error"].is_null().then_some(())
        })
        .await;
    }
    let mine = window.ask("app_view", json!({})).await["accounts"][0]["accountId"]
        .as_str()
        .unwrap()
        .to_owned();
    let lines = corpus::lines(12);
    let say = async |who: usize, text: &str, reply_to: Option<String>| -> String {
        let (client, key) = &people[who];
        until("the topic known", async || {
            client
                .timeline_view(key, &talk, Stretch::End { count: 5 })
                .await
                .ok()
        })
        .await;
        let action = Action::SendMessage {
            topic: talk.clone(),
            text: text.to_owned(),
            reply_to,
        };
        let id = client.submit(key, action).await.unwrap().unwrap();
        until("the line acknowledged", async || {
            let app = client.app_view().await;
            (app.accounts[0].waiting == 0).then_some(())
        })
        .await;
        id
    };
    for (n, line) in lines.iter().enumerate() {
        say(n % 3, line, None).await;
    }
    let first = say(
        0,
        "今晚九点星海深渊,缺一个奶妈和一个副坦,区服 `华东-3`,有意回复我。",
        None,
    )
    .await;
    say(
        1,
        "I can heal. 装备分 4120,上周通关过。 **Ready** at ~~nine~~ ||half past eight||.",
        Some(first.clone()),
    )
    .await;
    let wrong = say(2, "wrong topic", None).await;
    let (ash, ash_key) = &people[2];
    ash.submit(
        ash_key,
        Action::RecallMessage {
            topic: talk.clone(),
            message: wrong,
        },
    )
    .await
    .unwrap();
    for (client, key) in &people[1..] {
        let action = Action::React {
            topic: talk.clone(),
            message: first.clone(),
            key: "🙋".into(),
            on: true,
        };
        client.submit(key, action).await.unwrap();
    }
    let mention = say(2, &format!("<@{mine}> 上次的打法整理好了:\n1. P2 转阶段全员靠右\n2. 副坦先开减伤\n```rust\nlet healer = Position::of(2);\n```"), None).await;
    let (bob, bob_key) = &people[1];
    for topic in bob
        .tree_view(bob_key, &community)
        .await
        .unwrap()
        .groups
        .iter()
        .flat_map(|group| &group.topics)
    {
        if topic.name == "攻略分享" || topic.name == "活动与福利" {
            let action = Action::SendMessage {
                topic: topic.id.clone(),
                text: "周末活动更新了".into(),
                reply_to: None,
            };
            bob.submit(bob_key, action).await.unwrap();
        }
    }
    window.open_topic(&talk).await;
    window.say("收到,九点前上线,我玩副坦。").await;
    // Who writes is taken to the newest rows.
    window
        .find(&format!("[data-message-id=\"{mention}\"]"))
        .await;
    until("the numbers of the tree", async || {
        let told = window
            .ask(
                "tree_view",
                json!({"account": account, "community": community}),
            )
            .await;
        let topics: Vec<Value> = told["groups"]
            .as_array()?
            .iter()
            .flat_map(|group| group["topics"].as_array().cloned().unwrap_or_default())
            .collect();
        (topics
            .iter()
            .filter(|topic| topic["badge"]["unread"] != json!(0))
            .count()
            >= 2)
            .then_some(())
    })
    .await;
    window.close().await;

    for (width, height) in SIZES {
        let window = Window::start_sized(&home, width, height).await;
        // Who starts is taken to what is unread, which may be far above.
        window.to_newest().await;
        window
            .find(&format!("[data-message-id=\"{mention}\"]"))
            .await;
        let at = |name: &str| format!("{name}-{width}");
        for (language, theme) in LOOKS {
            look(&window, language, theme).await;
            shown(&window, &at("community"), language, theme).await;
            window
                .click(&format!(
                    "[data-message-id=\"{mention}\"] [data-testid=\"author\"]"
                ))
                .await;
            window.find(&named("person-why")).await;
            shown(&window, &at("person"), language, theme).await;
            window.click(&named("person-why")).await;
            let explained = "[data-testid=\"dialog-explain\"] td";
            window.find(explained).await;
            shown(&window, &at("explain"), language, theme).await;
            window.keys(&named("dialog-explain"), ESCAPE).await;
            window.gone(&named("dialog-explain")).await;
            window.click(&named("composer-emoji")).await;
            window.find(&named("emoji-search")).await;
            shown(&window, &at("emoji"), language, theme).await;
            window.keys(&named("emoji-search"), ESCAPE).await;
            window.gone(&named("emoji-picker")).await;
            window.click(&named("community-menu")).await;
            let settings = if language == "en" {
                "Community settings"
            } else {
                "社群设置"
            };
            window.choose(settings).await;
            window.find(&named("dialog-admin")).await;
            for page in ["access", "groups", "members", "invites", "overview"] {
                window.click(&named(&format!("page-{page}"))).await;
                if page == "access" {
                    window.find(&named("access-table")).await;
                }
                if page == "members" {
                    let row = "[data-testid=\"dialog-admin\"] [data-testid=\"member\"]";
                    window.find(row).await;
                }
                shown(&window, &at(&format!("admin-{page}")), language, theme).await;
            }
            window.keys(&named("sheet-close"), ESCAPE).await;
            window.gone(&named("dialog-admin")).await;
            window.click(&named("rail-settings")).await;
            window.find(&named("dialog-settings")).await;
            shown(&window, &at("settings"), language, theme).await;
            window.keys(&named("settings-text-size"), ESCAPE).await;
            window.gone(&named("dialog-settings")).await;
        }
        window.close().await;
    }
    for (client, _) in people {
        client.shutdown().await;
    }
}
