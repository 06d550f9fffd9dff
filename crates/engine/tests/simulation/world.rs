//! Clients, a server and a network in virtual time.

use std::collections::BTreeMap;

use tulou_engine::Input;
use tulou_protocol::{
    AccountId, Body, ClientFrame, Epoch, Log, ServerFrame, id::Millis, push::Pushed,
};

use crate::{
    acts::Known,
    chance::Chance,
    client::{Client, Wish},
    habits::Habit,
    memory::{Commit, Memory},
    oracle::Oracle,
    plan::{Kind, Plan, Step},
    server::Server,
    weather::Weather,
};

/// Calm is long enough for what was lost before it to be asked for.
const CALM_MS: Millis = 700_000;
/// And then for what is held to be looked through.
const REST_MS: Millis = 200_000;

enum Event {
    /// A client's socket opens, or not.
    Opened(usize, u64),
    ToServer(u64, ClientFrame),
    ToClient(u64, ServerFrame),
    /// A client notices that its socket is closed.
    Closed(usize, u64),
    /// A crashed client is started.
    Start(usize),
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
    /// What the server's clock says, less what the world's says.
    server_clock: Millis,
    pub clients: Vec<Client>,
    accounts: Vec<AccountId>,
    /// Open or opening connections, by number.
    connections: BTreeMap<u64, Connection>,
    /// The connection that a client uses.
    current: Vec<Option<u64>>,
    /// The connection of each client's driver, which may be cut already without its knowing.
    held: Vec<Option<u64>>,
    next_connection: u64,
    events: BTreeMap<(Millis, u64), Event>,
    next_event: u64,
    backup: Option<(Memory, Oracle)>,
    pub was_restored: bool,
}

/// Runs a plan; panics where something is not as it must be.
pub fn run(plan: &Plan) {
    let mut world = World::new(plan);
    for step in &plan.steps {
        world.step(step);
    }
    world.rest(plan.seed);
    world.check();
}

impl World {
    fn new(plan: &Plan) -> Self {
        let mut chance = Chance::new(plan.seed ^ 0xacc0);
        let count = plan.clients.iter().max().map_or(0, |last| last + 1);
        let accounts: Vec<AccountId> = (0..count).map(|_| AccountId(chance.uuid())).collect();
        let server = Server::new(Epoch(chance.uuid()), &accounts);
        let clients: Vec<Client> = plan
            .clients
            .iter()
            .enumerate()
            .map(|(number, at)| Client::new(number, accounts[*at]))
            .collect();
        let mut world = Self {
            now: 1_700_000_000_000,
            current: vec![None; clients.len()],
            held: vec![None; clients.len()],
            chance,
            server,
            is_server_up: true,
            server_clock: 0,
            clients,
            accounts,
            connections: BTreeMap::new(),
            next_connection: 1,
            events: BTreeMap::new(),
            next_event: 0,
            backup: None,
            was_restored: false,
        };
        for client in 0..world.clients.len() {
            world.clients[client].chance = Chance::new(plan.seed ^ client as u64);
            world.clients[client].habit = Habit::of(plan.seed);
            world.at(0, Event::Start(client));
        }
        world.at(1_000, Event::Digest);
        world.at(30_000, Event::Heartbeat);
        world
    }

    fn at(&mut self, delay: Millis, event: Event) {
        self.next_event += 1;
        self.events
            .insert((self.now + delay, self.next_event), event);
    }

    fn step(&mut self, step: &Step) {
        let end = self.now + step.after;
        self.until(end);
        self.chance = Chance::new(step.dice);
        self.server.chance = Chance::new(step.dice ^ 0x5e4);
        match step.kind {
            Kind::Act(client) => {
                let known = Known {
                    communities: self.server.memory.communities.keys().copied().collect(),
                    accounts: self.accounts.clone(),
                };
                self.clients[client].chance = Chance::new(step.dice ^ 0xac7);
                let wishes = self.clients[client].act(&known, self.now);
                self.perform(client, wishes);
            }
            Kind::Cut(client) => self.cut(client),
            Kind::Dead(client) => {
                if let Some(connection) = self.current[client] {
                    self.connections.remove(&connection);
                    self.server.detach(connection);
                }
            }
            Kind::Crash(client) => {
                self.clients[client].crash();
                self.lose_process(client);
            }
            Kind::Restart => {
                self.restart_server();
                self.is_server_up = false;
                let wait = self.chance.between(1, 20_000);
                self.at(wait, Event::ServerUp);
            }
            Kind::Backup => {
                self.backup = Some((self.server.memory.clone(), self.server.oracle.clone()));
            }
            Kind::Restore => self.restore(),
            Kind::Weather => self.server.weather = Weather::new(&mut self.chance),
            Kind::ClientClock(client) => {
                let by = self.another_time();
                self.clients[client].clock += by;
                self.clients[client].let_go_of_order(self.now);
            }
            Kind::ServerClock => {
                self.server_clock += self.another_time();
                self.server.wall = self.now + self.server_clock;
            }
            Kind::Age => {
                let account = *self.chance.pick(&self.accounts).unwrap();
                self.server.age(account);
                self.deliver();
            }
            Kind::Newer => {
                let account = *self.chance.pick(&self.accounts).unwrap();
                let kind = format!("newer_{}", self.chance.below(3));
                let value = serde_json::json!({"said": self.chance.below(100)});
                let now = self.server.now();
                let mut commit = Commit::new(now);
                let body = Body::Unknown(kind, value);
                let log = Log::Account(account);
                self.server
                    .memory
                    .put(&mut commit, log, "thing".into(), body);
                self.server.publish(0, None, &[], &commit.logs);
                self.deliver();
            }
        }
    }

    fn another_time(&mut self) -> Millis {
        let hour = 3_600_000;
        *self
            .chance
            .pick(&[-hour, -hour, -60_000, 60_000, hour, 31 * 24 * hour])
            .unwrap()
    }

    /// What was written since the copy is gone; the store says so by another epoch.
    fn restore(&mut self) {
        let Some((memory, oracle)) = self.backup.take() else {
            return;
        };
        self.server.memory = memory;
        self.server.oracle = oracle;
        self.server.memory.epoch = Epoch(self.chance.uuid());
        self.restart_server();
        self.was_restored = true;
    }

    /// Nothing goes wrong any more, and nobody does anything; then what waits for people is settled.
    fn rest(&mut self, seed: u64) {
        self.chance = Chance::new(seed ^ 0xca15);
        self.server.weather = Weather::CALM;
        for (at, client) in self.clients.iter_mut().enumerate() {
            client.may_crash = false;
            client.chance = Chance::new(seed ^ 0x4e57 ^ at as u64);
        }
        let end = self.now + CALM_MS;
        self.until(end);
        for client in 0..self.clients.len() {
            self.clients[client].check_waiting(self.now);
            while let Some(wishes) = self.clients[client].finish_upload(self.now) {
                self.perform(client, wishes);
            }
        }
        for _ in 0..200 {
            for client in 0..self.clients.len() {
                while let Some(wishes) = self.clients[client].settle_refused(self.now) {
                    self.perform(client, wishes);
                }
            }
            let end = self.now + 2_000;
            self.until(end);
            let is_settled = |client: &Client| client.store.outbox.is_empty();
            if self.clients.iter().all(is_settled) {
                break;
            }
        }
        let end = self.now + REST_MS;
        self.until(end);
    }

    fn until(&mut self, end: Millis) {
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let deadline = self
                .clients
                .iter()
                .enumerate()
                .filter_map(|(at, client)| Some((client.deadline()?, at)))
                .min();
            let next = event
                .unwrap_or(Millis::MAX)
                .min(deadline.map_or(Millis::MAX, |(at, _)| at));
            if next > end {
                self.now = end;
                self.server.wall = self.now + self.server_clock;
                return;
            }
            self.now = self.now.max(next);
            self.server.wall = self.now + self.server_clock;
            match deadline {
                Some((at, client)) if event.is_none_or(|event| at < event) => {
                    // A driver is never earlier than its timer.
                    let before = self.clients[client].deadline();
                    self.input(client, Input::Tick);
                    let after = self.clients[client].deadline();
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
                let is_closed = Weather::happens(self.server.weather.closed, &mut self.chance);
                if self.is_server_up && !is_closed {
                    self.input(client, Input::LinkUp);
                } else {
                    self.connections.remove(&connection);
                    self.current[client] = None;
                    self.held[client] = None;
                    self.input(client, Input::LinkDown);
                }
            }
            Event::ToServer(connection, frame) => {
                let account = self.connections.get(&connection).map(|open| open.account);
                if let Some(account) = account.filter(|_| self.is_server_up) {
                    self.server.take(connection, account, frame);
                    self.deliver();
                }
            }
            Event::ToClient(connection, frame) => {
                if let Some(client) = self.connections.get(&connection).map(|open| open.client) {
                    self.input(client, Input::Frame(frame));
                }
            }
            Event::Closed(client, connection) => {
                // What became of a link that the client let go of since is nothing to it.
                if self.held[client] == Some(connection) {
                    self.held[client] = None;
                    self.input(client, Input::LinkDown);
                }
            }
            Event::Start(client) => {
                let wishes = self.clients[client].start(self.now);
                self.perform(client, wishes);
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

    fn cut(&mut self, client: usize) {
        if let Some(connection) = self.current[client].take() {
            self.connections.remove(&connection);
            self.server.detach(connection);
            let wait = self.chance.between(1, 3_000);
            self.at(wait, Event::Closed(client, connection));
        }
    }

    fn restart_server(&mut self) {
        self.server.restart();
        for client in 0..self.clients.len() {
            self.cut(client);
        }
    }

    fn lose_process(&mut self, client: usize) {
        if let Some(connection) = self.current[client].take() {
            self.connections.remove(&connection);
            self.server.detach(connection);
        }
        self.held[client] = None;
        self.events.retain(
            |_, event| !matches!(event, Event::Closed(at, _) | Event::Start(at) if *at == client),
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
                    self.held[client] = Some(connection);
                    let wait = self.chance.between(1, 300);
                    self.at(wait, Event::Opened(client, connection));
                }
                Wish::Disconnect => {
                    if let Some(connection) = self.current[client].take() {
                        self.connections.remove(&connection);
                        self.server.detach(connection);
                    }
                    if let Some(connection) = self.held[client] {
                        self.at(1, Event::Closed(client, connection));
                    }
                }
                Wish::Send(frame) => self.send(client, frame),
            }
        }
        if self.clients[client].engine.is_none() {
            self.lose_process(client);
        }
    }

    fn send(&mut self, client: usize, frame: ClientFrame) {
        let wait = self.server.weather.latency(&mut self.chance);
        let Some(connection) = self.current[client] else {
            return;
        };
        let Some(open) = self.connections.get_mut(&connection) else {
            return;
        };
        let at = open.to_server_at.max(self.now + wait);
        open.to_server_at = at;
        self.at(at - self.now, Event::ToServer(connection, frame));
    }

    /// The server's frames set out: in order, but pushes may be lost or late. Two of one log may be merged.
    fn deliver(&mut self) {
        let mut waiting: Vec<(u64, ServerFrame, bool)> = Vec::new();
        for (connection, frame, may_be_lost) in std::mem::take(&mut self.server.outgoing) {
            let last = waiting.iter_mut().rev().find(|(to, ..)| *to == connection);
            if let (
                ServerFrame::Pushed(Pushed::Push(next)),
                Some((_, ServerFrame::Pushed(Pushed::Push(push)), _)),
            ) = (&frame, last)
                && (push.log, push.rev) == (next.log, next.prev)
                && self.chance.one_in(2)
            {
                push.rev = next.rev;
                push.rows.extend(next.rows.iter().cloned());
                push.authors.extend(next.authors.iter().copied());
                continue;
            }
            waiting.push((connection, frame, may_be_lost));
        }
        let weather = self.server.weather;
        for (connection, frame, may_be_lost) in waiting {
            if may_be_lost && Weather::happens(weather.loss, &mut self.chance) {
                continue;
            }
            let wait = weather.latency(&mut self.chance);
            let is_late = may_be_lost && Weather::happens(weather.late, &mut self.chance);
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
