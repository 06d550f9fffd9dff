//! What must hold when everything is at rest.

use tulou_engine::{LinkState, OutboxState};
use tulou_protocol::{Body, Log, Rev, Seq, TopicId};

use crate::{client::Client, store::Rows, world::World};

impl World {
    pub fn check(&self) {
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
            if !self.was_restored {
                self.check_sent(at, client);
            }
        }
    }

    fn check_outbox(&self, at: usize, client: &Client) {
        for entry in client.store.outbox.values() {
            assert!(
                matches!(entry.state, OutboxState::Rejected(_)),
                "client {at}: {entry:?} has no answer"
            );
        }
        for id in &client.given {
            let is_refused = client.store.outbox.values().any(|entry| entry.id == *id);
            assert!(
                client.dropped.contains(id) != is_refused,
                "client {at}: {id} was done or refused, and not both"
            );
        }
    }

    fn check_logs(&self, at: usize, client: &Client) {
        let state = &self.server.state;
        let present = |rows: Option<&Rows>| -> Rows {
            rows.into_iter()
                .flatten()
                .filter(|(_, row)| !matches!(row.body, Body::Deleted(_)))
                .map(|(key, row)| (key.clone(), row.clone()))
                .collect()
        };
        let account = Log::Account(client.account);
        let server = &state.accounts[&client.account];
        assert_eq!(
            present(client.store.rows.get(&account)),
            present(Some(&server.rows)),
            "client {at}: the account's rows"
        );
        assert_eq!(
            client.store.cursors[&account].0, server.rev,
            "client {at}: the account's cursor"
        );
        for community in client.store.communities() {
            let log = Log::Community(community);
            assert_eq!(
                present(client.store.rows.get(&log)),
                state.seen_rows(client.account, community),
                "client {at}: the rows of {log}"
            );
            assert_eq!(
                client.store.cursors[&log].0,
                state.communities[&community].0.rev
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
            let rows = &state.accounts[author].rows;
            assert!(
                row.rev <= rows[&("profile".to_owned(), author.to_string())].rev,
                "profiles come from the server"
            );
        }
    }

    fn check_topics(&self, at: usize, client: &Client) {
        let state = &self.server.state;
        let seen: Vec<TopicId> = client
            .store
            .topics()
            .into_iter()
            .map(|(_, topic)| topic)
            .collect();
        for topic in client
            .store
            .messages
            .iter()
            .filter(|(_, messages)| !messages.is_empty())
            .map(|(topic, _)| topic)
        {
            assert!(
                seen.contains(topic),
                "client {at}: nothing is kept of {topic}, which may not be seen"
            );
        }
        for topic in seen {
            let log = &state.topics[&topic];
            let head = client.store.heads.get(&topic).cloned().unwrap_or_default();
            assert_eq!(
                (head.seq, head.rev),
                (log.head(), log.rev),
                "client {at}: the head of {topic}"
            );
            self.check_unread(at, client, topic, head.seq);
            let floor = state.floor(client.account, topic);
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
                    *seq >= floor,
                    "client {at}: message {seq} of {topic} may not be read"
                );
                assert_eq!(
                    *id,
                    sent.id.to_string(),
                    "client {at}: message {seq} of {topic}"
                );
                assert_eq!(
                    *message, sent.message,
                    "client {at}: message {seq} of {topic}"
                );
                assert!(sent.created_rev > Rev::ZERO);
            }
            if client.shown.contains(&topic) && log.head() >= floor {
                let last = islands.last().map(|island| island.to);
                assert_eq!(
                    last.unwrap_or(Seq::ZERO),
                    log.head(),
                    "client {at}: the tail of {topic} is held"
                );
                assert!(
                    islands.iter().all(|island| island.rev >= log.rev),
                    "client {at}: {topic} is live: {islands:?}"
                );
            }
        }
    }

    fn check_unread(&self, at: usize, client: &Client, topic: TopicId, head: Seq) {
        let rows = client.store.rows.get(&Log::Account(client.account));
        let row = rows.and_then(|rows| rows.get(&("cursor".to_owned(), topic.to_string())));
        let Some(Body::Cursor(cursor)) = row.map(|row| &row.body) else {
            return;
        };
        let unread = self.server.state.topics[&topic]
            .messages
            .iter()
            .filter(|sent| sent.message.seq > cursor.seq)
            .filter(|sent| {
                sent.message
                    .content
                    .as_ref()
                    .is_some_and(|content| content.author != client.account)
            })
            .count() as u64;
        assert_eq!(
            head.0 - cursor.seq.0 - cursor.own,
            unread,
            "client {at}: unread of {topic}"
        );
    }

    /// Each message is there once, in the order of sending, with the text last given to it.
    fn check_sent(&self, at: usize, client: &Client) {
        for (topic, sent) in &client.sent {
            let Some(log) = self.server.state.topics.get(topic) else {
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
                assert!(*place >= last, "client {at}: messages keep their order");
                last = *place;
                let content = log.messages[*place].message.content.as_ref().unwrap();
                if let Some(text) = client.replaced.get(message)
                    && !client.withdrawn.contains(message)
                    && !self
                        .clients
                        .iter()
                        .any(|other| other.edited.contains(message))
                    && content.recalled_by.is_none()
                    && !client
                        .store
                        .outbox
                        .values()
                        .any(|entry| format!("{entry:?}").contains(&message.to_string()))
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
