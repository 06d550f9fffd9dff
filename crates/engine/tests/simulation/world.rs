//! Clients, a server and a network in virtual time.

use std::collections::BTreeMap;

use tulou_engine::Input;
use tulou_protocol::{AccountId, ClientFrame, CommunityId, ServerFrame, id::Millis};

use crate::{
    chance::Chance,
    client::{Client, Wish},
    model::State,
    server::Server,
};

enum Event {
    /// A client's socket opens, or not.
    Opened(usize, u64),
    ToServer(u64, ClientFrame),
    ToClient(u64, ServerFrame),
    /// A client notices that its socket is closed.
    Closed(usize),
    /// A crashed client is started.
    Start(usize),
    Act,
    Trouble,
    Digest,
    Heartbeat,
    /// The server is there again.
    ServerUp,
}

struct Connection {
    client: usize,
    account: AccountId,
    to_server_at: Millis,
    to_client_at: Millis,
}

pub struct World {
    now: Millis,
    chance: Chance,
    pub server: Server,
    is_server_up: bool,
    pub clients: Vec<Client>,
    /// Open or opening connections, by number.
    connections: BTreeMap<u64, Connection>,
    /// The connection that a client uses.
    current: Vec<Option<u64>>,
    next_connection: u64,
    events: BTreeMap<(Millis, u64), Event>,
    next_event: u64,
    is_calm: bool,
    backup: Option<State>,
    pub was_restored: bool,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let accounts: Vec<AccountId> = (0..2).map(|_| AccountId(chance.uuid())).collect();
        let server = Server::new(Chance::new(chance.next()), &accounts);
        let clients: Vec<Client> = [0, 0, 1]
            .into_iter()
            .enumerate()
            .map(|(number, at): (usize, usize)| {
                Client::new(number, accounts[at], Chance::new(chance.next()))
            })
            .collect();
        let mut world = Self {
            now: 1_000_000,
            current: vec![None; clients.len()],
            chance,
            server,
            is_server_up: true,
            clients,
            connections: BTreeMap::new(),
            next_connection: 1,
            events: BTreeMap::new(),
            next_event: 0,
            is_calm: false,
            backup: None,
            was_restored: false,
        };
        for client in 0..world.clients.len() {
            world.at(0, Event::Start(client));
        }
        world.at(10, Event::Act);
        world.at(5_000, Event::Trouble);
        world.at(1_000, Event::Digest);
        world.at(30_000, Event::Heartbeat);
        world
    }

    fn at(&mut self, delay: Millis, event: Event) {
        self.next_event += 1;
        self.events
            .insert((self.now + delay, self.next_event), event);
    }

    /// Faults and people for a while, then calm; then everything must agree.
    pub fn run(&mut self, restore: bool) {
        let end = self.now + self.chance.between(60_000, 240_000);
        if restore {
            let at = self.now + 30_000;
            self.until(at);
            self.backup = Some(self.server.state.clone());
        }
        self.until(end);
        if let Some(mut backup) = self.backup.take() {
            self.was_restored = true;
            backup.epoch = tulou_protocol::Epoch(self.chance.uuid());
            self.server.state = backup;
            self.restart_server();
            let end = self.now + 60_000;
            self.until(end);
        }
        self.calm();
        let end = self.now + 1_800_000;
        self.until(end);
        for _ in 0..400 {
            for client in 0..self.clients.len() {
                let wishes = self.clients[client].settle_refused(self.now);
                self.perform(client, wishes);
            }
            let end = self.now + 2_000;
            self.until(end);
            let is_settled = |client: &Client| client.store.outbox.is_empty();
            if self.clients.iter().all(is_settled) {
                break;
            }
        }
        let end = self.now + 1_200_000;
        self.until(end);
        self.check();
    }

    fn calm(&mut self) {
        self.is_calm = true;
        self.server.is_calm = true;
        for client in &mut self.clients {
            client.calm();
        }
    }

    fn until(&mut self, end: Millis) {
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let deadline = self
                .clients
                .iter()
                .enumerate()
                .filter_map(|(at, client)| Some((client.engine.as_ref()?.deadline()?, at)))
                .min();
            let next = event
                .unwrap_or(Millis::MAX)
                .min(deadline.map_or(Millis::MAX, |(at, _)| at));
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            self.server.now = self.now;
            match deadline {
                Some((at, client)) if event.is_none_or(|event| at < event) => {
                    // A driver is never earlier than its timer.
                    let before = self.clients[client]
                        .engine
                        .as_ref()
                        .and_then(tulou_engine::Engine::deadline);
                    self.input(client, Input::Tick);
                    let after = self.clients[client]
                        .engine
                        .as_ref()
                        .and_then(tulou_engine::Engine::deadline);
                    assert!(
                        after.is_none_or(|after| after > self.now || Some(after) != before),
                        "the clock stands still at {}: {:?} {:?}",
                        self.now,
                        after,
                        self.clients[client].engine
                    );
                }
                _ => {
                    let (_, event) = self.events.pop_first().unwrap();
                    self.take(event);
                }
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Opened(client, connection) => {
                if self.current[client] != Some(connection) {
                    return;
                }
                if self.is_server_up && (self.is_calm || !self.chance.one_in(4)) {
                    self.input(client, Input::LinkUp);
                } else {
                    self.connections.remove(&connection);
                    self.current[client] = None;
                    self.input(client, Input::LinkDown);
                }
            }
            Event::ToServer(connection, frame) => {
                let Some(account) = self.connections.get(&connection).map(|open| open.account)
                else {
                    return;
                };
                if self.is_server_up {
                    self.server.take(connection, account, frame);
                    self.deliver();
                }
            }
            Event::ToClient(connection, frame) => {
                if let Some(client) = self.connections.get(&connection).map(|open| open.client) {
                    self.input(client, Input::Frame(frame));
                }
            }
            Event::Closed(client) => self.input(client, Input::LinkDown),
            Event::Start(client) => {
                let wishes = self.clients[client].start(self.now);
                self.perform(client, wishes);
            }
            Event::Act => {
                if !self.is_calm {
                    let client = self.chance.below(self.clients.len() as u64) as usize;
                    let communities: Vec<CommunityId> =
                        self.server.state.communities.keys().copied().collect();
                    let wishes = self.clients[client].act(&communities, self.now);
                    self.perform(client, wishes);
                    let wait = self.chance.between(1, 600);
                    self.at(wait, Event::Act);
                }
            }
            Event::Trouble => {
                if !self.is_calm {
                    self.trouble();
                    let wait = self.chance.between(1_000, 20_000);
                    self.at(wait, Event::Trouble);
                }
            }
            Event::Digest => {
                self.server.send_digests();
                self.deliver();
                self.at(1_000, Event::Digest);
            }
            Event::Heartbeat => {
                self.server.send_heartbeats();
                self.deliver();
                self.at(30_000, Event::Heartbeat);
            }
            Event::ServerUp => self.is_server_up = true,
        }
    }

    fn trouble(&mut self) {
        let client = self.chance.below(self.clients.len() as u64) as usize;
        match self.chance.below(8) {
            0..=2 => self.cut(client),
            3 => {
                // A link that is dead without being closed: nothing comes or goes.
                if let Some(connection) = self.current[client] {
                    self.connections.remove(&connection);
                    self.server.sessions.remove(&connection);
                }
            }
            4 => {
                self.clients[client].crash();
                self.lose_process(client);
            }
            5 => {
                self.restart_server();
                self.is_server_up = false;
                let wait = self.chance.between(1, 20_000);
                self.at(wait, Event::ServerUp);
            }
            _ => {
                self.server.change_rights();
                self.deliver();
            }
        }
    }

    fn cut(&mut self, client: usize) {
        if let Some(connection) = self.current[client].take() {
            self.connections.remove(&connection);
            self.server.sessions.remove(&connection);
            let wait = self.chance.between(1, 3_000);
            self.at(wait, Event::Closed(client));
        }
    }

    fn restart_server(&mut self) {
        self.server.sessions.clear();
        for client in 0..self.clients.len() {
            self.cut(client);
        }
    }

    fn lose_process(&mut self, client: usize) {
        if let Some(connection) = self.current[client].take() {
            self.connections.remove(&connection);
            self.server.sessions.remove(&connection);
        }
        self.events.retain(
            |_, event| !matches!(event, Event::Closed(at) | Event::Start(at) if *at == client),
        );
        let wait = self.chance.between(1, 15_000);
        self.at(wait, Event::Start(client));
    }

    fn input(&mut self, client: usize, input: Input) {
        let wishes = self.clients[client].input(input, self.now);
        self.perform(client, wishes);
    }

    fn perform(&mut self, client: usize, wishes: Vec<Wish>) {
        for wish in wishes {
            match wish {
                Wish::Connect => {
                    let connection = self.next_connection;
                    self.next_connection += 1;
                    self.connections.insert(
                        connection,
                        Connection {
                            client,
                            account: self.clients[client].account,
                            to_server_at: self.now,
                            to_client_at: self.now,
                        },
                    );
                    self.current[client] = Some(connection);
                    let wait = self.chance.between(1, 300);
                    self.at(wait, Event::Opened(client, connection));
                }
                Wish::Disconnect => {
                    if let Some(connection) = self.current[client].take() {
                        self.connections.remove(&connection);
                        self.server.sessions.remove(&connection);
                    }
                    self.at(1, Event::Closed(client));
                }
                Wish::Send(frame) => {
                    let Some(connection) = self.current[client] else {
                        continue;
                    };
                    let wait = self.latency();
                    let Some(open) = self.connections.get_mut(&connection) else {
                        continue;
                    };
                    let at = open.to_server_at.max(self.now + wait);
                    open.to_server_at = at;
                    // What is said crosses the wire as text.
                    let text = frame.to_text().unwrap();
                    let read = ClientFrame::parse(&text)
                        .unwrap()
                        .into_iter()
                        .map(Result::unwrap)
                        .collect();
                    assert_eq!(ClientFrame(read), frame, "the frame reads back");
                    self.at(at - self.now, Event::ToServer(connection, frame));
                }
            }
        }
        if self.clients[client].engine.is_none() {
            self.lose_process(client);
        }
    }

    fn latency(&mut self) -> Millis {
        if !self.is_calm && self.chance.one_in(10) {
            self.chance.between(200, 4_000)
        } else {
            self.chance.between(1, 60)
        }
    }

    /// The server's frames set out: in order, but pushes may be lost or late.
    fn deliver(&mut self) {
        for (connection, frame, may_be_lost) in std::mem::take(&mut self.server.outgoing) {
            let is_shaky = may_be_lost && !self.is_calm;
            if is_shaky && self.chance.one_in(10) {
                continue;
            }
            let wait = self.latency();
            let is_late = is_shaky && self.chance.one_in(6);
            let extra = if is_late {
                self.chance.between(1, 1_500)
            } else {
                0
            };
            let Some(open) = self.connections.get_mut(&connection) else {
                continue;
            };
            let at = open.to_client_at.max(self.now + wait);
            if !is_late {
                open.to_client_at = at;
            }
            self.at(at + extra - self.now, Event::ToClient(connection, frame));
        }
    }
}
