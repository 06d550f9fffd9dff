//! What must hold when everything is at rest.

use tulou_engine::{LinkState, TopicHead};
use tulou_protocol::{Body, Log, TopicId};

use crate::{
    client::Client,
    clock::{timeless, timeless_message},
    store::Rows,
    world::World,
};

impl World {
    pub fn check(&self) {
        for account in self.server.oracle.accounts.keys() {
            self.server
                .oracle
                .check_account(*account, &self.server.memory);
        }
        for (at, client) in self.clients.iter().enumerate() {
            assert_eq!(
                client.link,
                Some(LinkState::Synced),
                "client {at} is complete: {:?}",
                client.engine
            );
            assert!(
                client.tickets.is_empty(),
                "every asker of client {at} was told"
            );
            self.check_outbox(at, client);
            self.check_logs(at, client);
            self.check_topics(at, client);
            self.check_changed(at, client);
            if !self.was_restored {
                self.check_sent(at, client);
            }
        }
    }

    /// Each command became exactly one change or one rejection, or the person dropped it.
    fn check_outbox(&self, at: usize, client: &Client) {
        assert!(
            client.store.outbox.is_empty(),
            "client {at}: the outbox is empty: {:?}",
            client.store.outbox
        );
        for id in &client.given {
            let is_done = client.done.contains(id);
            let is_dropped = client.dropped.contains(id);
            assert!(is_done || is_dropped, "client {at}: {id} has no end");
        }
    }

    fn check_logs(&self, at: usize, client: &Client) {
        let memory = &self.server.memory;
        let has_gone_back = self.server.has_gone_back;
        let present = |rows: Option<&Rows>| -> Rows {
            rows.into_iter()
                .flatten()
                .filter(|(_, row)| !matches!(row.body, Body::Deleted(_)))
                .map(|(key, row)| match has_gone_back {
                    true => (key.clone(), timeless(row)),
                    false => (key.clone(), row.clone()),
                })
                .collect()
        };
        let account = Log::Account(client.account);
        let server = &memory.accounts[&client.account];
        same(
            &present(client.store.rows.get(&account)),
            &present(Some(&server.rows)),
            &format!("client {at}: the account's rows"),
        );
        assert_eq!(
            client.store.cursors[&account].0, server.rev,
            "client {at}: the account's cursor"
        );
        let oracle = &self.server.oracle;
        let mine = memory.communities_of(client.account);
        let mut shown = client.store.communities();
        shown.sort_unstable();
        assert_eq!(shown, mine, "client {at}: the communities");
        for community in mine {
            let log = Log::Community(community);
            same(
                &present(client.store.rows.get(&log)),
                &present(Some(&oracle.seen_rows(client.account, community, memory))),
                &format!("client {at}: the rows of {log}"),
            );
            assert_eq!(
                client.store.cursors[&log].0, memory.communities[&community].structure.rev,
                "client {at}: the cursor of {log}"
            );
        }
        for log in client.store.rows.keys() {
            if let Log::Community(community) = log {
                assert!(
                    client.store.communities().contains(community),
                    "client {at}: {log} was left"
                );
            }
        }
        for (author, row) in &client.store.profiles {
            assert!(
                row.rev <= memory.profile_rev(*author),
                "profiles come from the server"
            );
        }
        assert!(
            client.store.lacking.is_empty(),
            "client {at}: profiles that rows name are held: {:?}",
            client.store.lacking
        );
    }

    fn check_topics(&self, at: usize, client: &Client) {
        let oracle = &self.server.oracle;
        let seen: Vec<TopicId> = client
            .store
            .topics()
            .into_iter()
            .map(|(_, topic)| topic)
            .collect();
        for (topic, messages) in &client.store.messages {
            assert!(
                messages.is_empty() || oracle.sees_topic(client.account, *topic),
                "client {at}: nothing is kept of {topic}, which may not be seen"
            );
        }
        for topic in seen {
            let log = &self.server.memory.topics[&topic];
            let head = client.store.heads.get(&topic).cloned().unwrap_or_default();
            // What moved while a clock was set right that is ahead again is told when it moves the next time.
            let is_untold = self.server.has_gone_back && head.rev < log.rev;
            if !is_untold {
                assert_eq!(
                    (head.seq, head.rev),
                    (log.head(), log.rev),
                    "client {at}: the head of {topic}"
                );
                assert_eq!(
                    head.wide_mentions,
                    log.wide(),
                    "client {at}: mentions of all in {topic}"
                );
                self.check_unread(at, client, topic, &head);
            }
            let islands = client
                .store
                .islands
                .get(&topic)
                .cloned()
                .unwrap_or_default();
            let messages = client.store.messages.get(&topic);
            for (seq, (id, message)) in messages.into_iter().flatten() {
                let sent = &log.messages[seq.0 as usize - 1];
                assert!(
                    oracle.reads(client.account, topic, sent.content().sent_at),
                    "client {at}: message {seq} of {topic} may not be read"
                );
                assert_eq!(
                    *id,
                    sent.id.to_string(),
                    "client {at}: message {seq} of {topic}"
                );
                let times = |message| match self.server.has_gone_back {
                    true => timeless_message(message),
                    false => message.clone(),
                };
                assert_eq!(
                    times(message),
                    times(&sent.message),
                    "client {at}: message {seq} of {topic}"
                );
                assert!(
                    client.store.profiles.contains_key(&sent.content().author),
                    "client {at}: the author of message {seq} of {topic} has a name"
                );
            }
            let last = log.messages.last().map(|sent| sent.content().sent_at);
            let may_read = last.is_some_and(|sent_at| oracle.reads(client.account, topic, sent_at));
            if client.shown.contains(&topic) && may_read {
                assert_eq!(
                    islands.last().map(|island| island.to),
                    Some(log.head()),
                    "client {at}: the tail of {topic} is held"
                );
                assert!(
                    islands.iter().all(|island| island.rev >= log.rev),
                    "client {at}: {topic} is live: {islands:?}"
                );
            }
        }
    }

    /// What the window shows as unread, counted from scratch: of others, after the cursor, or since I am here.
    fn check_unread(&self, at: usize, client: &Client, topic: TopicId, head: &TopicHead) {
        let rows = client.store.rows.get(&Log::Account(client.account));
        let row = rows.and_then(|rows| rows.get(&("cursor".to_owned(), topic.to_string())));
        let read = head
            .read
            .unwrap_or_else(|| panic!("client {at}: what is read of {topic} is not known"));
        let (seq, own) = match row.map(|row| (&row.body, row.rev)) {
            Some((Body::Cursor(held), rev)) if !read.holds_over(rev) || held.seq >= read.seq => {
                (held.seq, held.own)
            }
            _ => (read.seq, read.own),
        };
        let oracle = &self.server.oracle;
        let stands = oracle.stands(client.account, topic);
        assert_eq!(
            head.seq.0 - seq.0 - own,
            oracle.after(client.account, topic, stands).1,
            "client {at}: unread of {topic}"
        );
    }

    /// What the person changed about a message on its way is what the server was sent, or an edit made up for it: whatever
    /// another device did meanwhile, he hears of it.
    fn check_changed(&self, at: usize, client: &Client) {
        for (message, text) in &client.replaced {
            let is_given_up =
                client.withdrawn.contains(message) || client.failed.contains(&message.to_string());
            let topics = self.server.oracle.topics.values();
            let sent = topics
                .flat_map(|topic| &topic.messages)
                .find(|sent| sent.id == *message && sent.author == client.account);
            if let Some(sent) = sent
                && !is_given_up
            {
                assert!(
                    sent.first_text == *text || client.made_up.contains(&(*message, text.clone())),
                    "client {at}: {message} was changed to {text}, and nothing was made of that"
                );
            }
        }
    }

    /// Each message is there once, in the order of sending, with the text last given to it.
    fn check_sent(&self, at: usize, client: &Client) {
        for id in &client.done {
            let is_one = self.server.oracle.accepted.contains(&(client.account, *id));
            assert!(
                is_one || client.dropped.contains(id) || self.server.idle.contains(id),
                "client {at}: {id} became a change"
            );
        }
        for (topic, sent) in &client.sent {
            let Some(log) = self.server.memory.topics.get(topic) else {
                continue;
            };
            let mut last = 0;
            for message in sent {
                let places: Vec<usize> = (0..log.messages.len())
                    .filter(|at| log.messages[*at].id == *message)
                    .collect();
                assert!(places.len() <= 1, "client {at}: {message} is there once");
                let Some(place) = places.first() else {
                    continue;
                };
                if !self.server.refused.contains(message) {
                    assert!(*place >= last, "client {at}: messages keep their order");
                    last = *place;
                }
                let content = log.messages[*place].content();
                let is_settled = !client.failed.contains(&message.to_string());
                assert!(
                    !client.discarded.contains(message)
                        || content.recalled_by.is_some()
                        || !is_settled,
                    "client {at}: {message} was given up"
                );
                if let Some(text) = client.replaced.get(message)
                    && !client.withdrawn.contains(message)
                    && !self
                        .clients
                        .iter()
                        .any(|other| other.edited.contains(message))
                    && content.recalled_by.is_none()
                    && is_settled
                {
                    assert_eq!(
                        content.text, *text,
                        "client {at}: {message} has the text last given"
                    );
                }
            }
        }
    }
}

/// Rows are the same; says which are not.
fn same(held: &Rows, there: &Rows, what: &str) {
    for key in held.keys().chain(there.keys()) {
        assert_eq!(held.get(key), there.get(key), "{what}: {key:?}");
    }
}
