//! Two people, a server, and a network that misbehaves, as programs of their own that are killed without warning: in the
//! end each message is there once, and both see the same.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "shared/points.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod points;
#[path = "shared/programs.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod programs;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use points::Chance;
use programs::{Person, Server, until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tulou_crash::{Proxy, proxy::Weather};

/// What people do from one rest to the next.
const DEEDS: u64 = 100;
/// Rests in an ordinary run; a long one has twenty times as many.
const RESTS: u64 = 4;

struct Story {
    _folder: TempDir,
    server: Server,
    proxy: Proxy,
    people: [Person; 2],
    community: String,
    topic: String,
    /// Messages that were said to be durable, by author; and those of which nobody heard anything.
    said: [Vec<String>; 2],
    recalled: BTreeSet<String>,
    /// What each message says, as was said to be durable last.
    texts: BTreeMap<String, String>,
    killed: u64,
}

impl Story {
    async fn begin(seed: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("server");
        let mut server = Server::start(&data, "127.0.0.1:0".parse().unwrap()).await;
        let proxy = Proxy::start(server.address, seed).await.unwrap();
        let mut alice = Person::start(folder.path().join("alice")).await;
        let mut bob = Person::start(folder.path().join("bob")).await;
        let link = format!("ws://{}", proxy.address());
        // The server names the network's address as its own, so that nobody finds a way around it.
        server.is_reached_at(&link);
        server.restart().await;
        alice.ask(json!(["register", link, "alice"])).await.unwrap();
        let action =
            json!({"type": "createCommunity", "name": "星海", "group": "大厅", "topic": "闲聊"});
        let community = alice.ask(json!(["do", action])).await.unwrap();
        let community = community.as_str().unwrap().to_owned();
        let topic = alice.ask(json!(["topic", community])).await.unwrap();
        let topic = topic.as_str().unwrap().to_owned();
        alice.settled().await;
        let invite = alice.ask(json!(["invite", community])).await.unwrap();
        bob.ask(json!(["register", invite, "bob"])).await.unwrap();
        bob.ask(json!(["join", invite])).await.unwrap();
        let mut story = Self {
            _folder: folder,
            server,
            proxy,
            people: [alice, bob],
            community,
            topic,
            said: Default::default(),
            recalled: BTreeSet::new(),
            texts: BTreeMap::new(),
            killed: 0,
        };
        for who in 0..2 {
            story.enter(who).await;
        }
        story
    }

    /// Shows the topic to a person whose client has just started.
    async fn enter(&mut self, who: usize) {
        let wish = json!(["enter", self.topic]);
        self.people[who].ask(wish).await.unwrap();
    }

    async fn act(&mut self, who: usize, mut action: Value) -> Result<Value, String> {
        action["topic"] = json!(self.topic);
        self.people[who].ask(json!(["do", action])).await
    }

    /// Whether it was taken; the only reason not to is that the message has not come (back) to that person yet.
    async fn takes(&mut self, who: usize, action: Value) -> bool {
        let taken = self.act(who, action).await;
        if let Err(code) = &taken {
            assert_eq!(code, "not_found");
        }
        taken.is_ok()
    }

    /// One of the two does something.
    async fn deed(&mut self, no: u64, chance: &mut Chance) {
        let who = usize::try_from(chance.below(2)).unwrap();
        let mine = self.said[who].len();
        let some = |chance: &mut Chance, of: &[String]| -> Option<(usize, String)> {
            let at =
                usize::try_from(chance.below(u64::try_from(of.len().max(1)).unwrap())).unwrap();
            of.get(at).cloned().map(|id| (at, id))
        };
        match chance.below(10) {
            0..=5 => {
                let words = usize::try_from(chance.below(60)).unwrap();
                let text = format!("{no} 说 {}", "话 ".repeat(words));
                let action = json!({"type": "sendMessage", "text": text, "replyTo": null});
                // Nothing but a full disk may refuse it.
                let id = self.act(who, action).await.unwrap();
                let id = id.as_str().unwrap().to_owned();
                self.said[who].push(id.clone());
                self.texts.insert(id, text.trim().to_owned());
            }
            6 => {
                // Every seventh is only ever recalled, so that nobody changes what is gone.
                if let Some((at, id)) = some(chance, &self.said[who])
                    && at % 7 != 0
                {
                    let text = format!("{no} 改");
                    let action = json!({"type": "editMessage", "message": id, "from": self.texts[&id], "text": text});
                    if self.takes(who, action).await {
                        self.texts.insert(id, text);
                    }
                }
            }
            7 => {
                if let Some((at, id)) = some(chance, &self.said[who][..mine])
                    && at % 7 == 0
                {
                    let action = json!({"type": "recallMessage", "message": id});
                    if self.takes(who, action).await {
                        self.recalled.insert(id);
                    }
                }
            }
            _ => {
                if let Some((at, id)) = some(chance, &self.said[1 - who])
                    && at % 7 != 0
                {
                    let on = chance.below(3) > 0;
                    let action = json!({"type": "react", "message": id, "key": "🔥", "on": on});
                    self.takes(who, action).await;
                }
            }
        }
    }

    /// Something breaks, or mends.
    async fn mishap(&mut self, chance: &mut Chance) {
        match chance.below(12) {
            0 => self.proxy.cut(),
            1 => self.proxy.set(Weather {
                stalls: true,
                ..Weather::default()
            }),
            2..=4 => self.proxy.set(Weather {
                delay: Duration::from_millis(chance.below(30)),
                halves: chance.below(2) == 0,
                cuts: [0.0, 0.02, 0.1][usize::try_from(chance.below(3)).unwrap()],
                stalls: false,
            }),
            5..=7 => {
                self.proxy.set(Weather::default());
                for person in &mut self.people {
                    person.ask(json!(["hurry"])).await.unwrap();
                }
            }
            8..=9 => {
                self.server.kill().await;
                self.server.restart().await;
                self.killed += 1;
            }
            _ => {
                let who = usize::try_from(chance.below(2)).unwrap();
                self.people[who].kill().await;
                self.people[who].restart().await;
                self.enter(who).await;
                self.killed += 1;
            }
        }
    }

    /// All is well again: both see each message once, and the same.
    async fn rest(&mut self) {
        self.proxy.set(Weather {
            halves: true,
            ..Weather::default()
        });
        self.proxy.cut();
        for person in &mut self.people {
            person.settled().await;
        }
        let topic = json!(["rows", self.topic]);
        let [alice, bob] = &mut self.people;
        let shown = until("both see the same", async || {
            let mine = alice.ask(topic.clone()).await.unwrap();
            let theirs = bob.ask(topic.clone()).await.unwrap();
            // What lies before the newest rows may have to be fetched first; asking for it has it fetched.
            let is_complete = mine["rows"][0]["seq"] == 1;
            if mine == theirs && mine["pending"] == 0 && is_complete {
                Ok(mine)
            } else {
                Err(format!("{mine:#}\n{theirs:#}"))
            }
        })
        .await;
        let rows = shown["rows"].as_array().unwrap();
        for (row, seq) in rows.iter().zip(1..) {
            assert_eq!(row["seq"], seq, "no place is left out: {row}");
        }
        let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        for id in self.said.iter().flatten() {
            let times = ids.iter().filter(|held| *held == id).count();
            // A message that was recalled before it was sent was never there.
            let is_enough = times == 1 || (times == 0 && self.recalled.contains(id));
            assert!(is_enough, "{id} was durable and is there {times} times");
        }
        let said: BTreeSet<&str> = self.said.iter().flatten().map(String::as_str).collect();
        for row in rows {
            let id = row["id"].as_str().unwrap();
            assert!(said.contains(id), "nobody said {row}");
            assert!(
                !self.recalled.contains(id) || row["isRecalled"] == true,
                "{row} was recalled"
            );
            let is_recalled = row["isRecalled"] == true;
            assert!(
                is_recalled || row["text"] == self.texts[id],
                "{row} should say {}",
                self.texts[id]
            );
        }
        println!(
            "at rest: {} messages, {} programs killed so far, community {}",
            rows.len(),
            self.killed,
            self.community
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_cuts_stalls_and_kills_each_message_is_there_once_and_both_see_the_same() {
    let seed = points::seed();
    let rests = if points::is_long() { 20 * RESTS } else { RESTS };
    let mut chance = Chance::new(seed);
    let mut story = Story::begin(seed).await;
    for rest in 0..rests {
        for no in 0..DEEDS {
            story.deed(rest * DEEDS + no, &mut chance).await;
            if chance.below(5) == 0 {
                story.mishap(&mut chance).await;
            }
        }
        story.rest().await;
    }
    assert!(story.killed > 0, "nothing was killed");
}
