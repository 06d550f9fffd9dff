//! Clients, a server and a network in virtual time.

use std::collections::BTreeMap;

use tulou_engine::Input;
use tulou_protocol::{AccountId, Body, ClientFrame, Epoch, Log, ServerFrame, id::Millis};

use crate::{
    acts::Known,
    chance::Chance,
    client::Client,
    habits::Habit,
    memory::{Commit, Memory},
    oracle::Oracle,
    plan::{Kind, Plan, Step},
    room::Room,
    server::Server,
    weather::Weather,
};

/// Calm is long enough for what was lost before it to be asked for.
pub const CALM_MS: Millis = 700_000;
/// And then for what is held to be looked through.
const REST_MS: Millis = 200_000;

pub enum Event {
    /// A client's socket opens, or not.
    Opened(usize, u64),
    ToServer(u64, ClientFrame),
    ToClient(u64, ServerFrame),
    /// A client notices that its socket is closed.
    Closed(usize, u64),
    /// A crashed client is started.
    Start(usize),
    /// A session is over.
    Ends(usize, u64),
    /// The person at a client signs in again.
    SignIn(usize),
    Digest,
    Heartbeat,
    /// The server is there again.
    ServerUp,
}

pub struct Connection {
    pub client: usize,
    pub account: AccountId,
    pub to_server_at: Millis,
    pub to_client_at: Millis,
}

pub struct World {
    pub now: Millis,
    pub chance: Chance,
    pub server: Server,
    pub is_server_up: bool,
    /// What the server's clock says, less what the world's says.
    pub server_clock: Millis,
    pub clients: Vec<Client>,
    pub accounts: Vec<AccountId>,
    /// Open or opening connections, by number.
    pub connections: BTreeMap<u64, Connection>,
    /// The connection that a client uses.
    pub current: Vec<Option<u64>>,
    /// The connection of each client's driver, which may be cut already without its knowing.
    pub held: Vec<Option<u64>>,
    pub next_connection: u64,
    pub events: BTreeMap<(Millis, u64), Event>,
    pub next_event: u64,
    pub backup: Option<(Memory, Oracle)>,
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
    pub fn new(plan: &Plan) -> Self {
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
        let room = Room::of(Habit::of(plan.seed));
        world.server.memory.room = room;
        world.server.oracle.room = room;
        // In some runs answers with heads are tiny.
        world.server.page_of_heads = match plan.seed % 3 {
            0 => 1,
            1 => 3,
            _ => usize::MAX,
        };
        for client in 0..world.clients.len() {
            world.clients[client].chance = Chance::new(plan.seed ^ client as u64);
            world.clients[client].habit = Habit::of(plan.seed);
            let account = plan.clients[client];
            world.clients[client].borrows = !plan.clients[..client].contains(&account);
            world.at(0, Event::Start(client));
        }
        world.at(1_000, Event::Digest);
        world.at(30_000, Event::Heartbeat);
        world
    }

    pub fn at(&mut self, delay: Millis, event: Event) {
        self.next_event += 1;
        self.events
            .insert((self.now + delay, self.next_event), event);
    }

    pub fn step(&mut self, step: &Step) {
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
            Kind::Revoke(client) => self.revoke(client),
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
                self.clients[client].lose_time();
            }
            Kind::ServerClock => {
                self.server_clock += match self.server.leaps.last() {
                    Some(leap) if self.chance.one_in(2) => -leap.by,
                    _ => self.another_time(),
                };
                self.server.set_clock(self.now + self.server_clock);
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

    pub fn another_time(&mut self) -> Millis {
        let hour = 3_600_000;
        *self
            .chance
            .pick(&[-hour, -hour, -60_000, 60_000, hour, 31 * 24 * hour])
            .unwrap()
    }

    /// What was written since the copy is gone; the store says so by another epoch.
    pub fn restore(&mut self) {
        let Some((memory, oracle)) = self.backup.take() else {
            return;
        };
        self.server.memory = memory;
        self.server.earlier = None;
        self.server.oracle = oracle;
        self.server.memory.epoch = Epoch(self.chance.uuid());
        self.restart_server();
        self.was_restored = true;
    }

    /// Nothing goes wrong any more, and nobody does anything; then what waits for people is settled.
    pub fn rest(&mut self, seed: u64) {
        self.chance = Chance::new(seed ^ 0xca15);
        self.server.weather = Weather::CALM;
        for (at, client) in self.clients.iter_mut().enumerate() {
            client.may_crash = false;
            client.chance = Chance::new(seed ^ 0x4e57 ^ at as u64);
        }
        for client in 0..self.clients.len() {
            if !self.clients[client].store.raw.is_empty() {
                self.clients[client].crash();
                self.lose_process(client);
            }
        }
        let end = self.now + CALM_MS;
        self.until(end);
        for client in 0..self.clients.len() {
            self.clients[client].check_waiting();
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

    pub fn until(&mut self, end: Millis) {
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

    pub fn take(&mut self, event: Event) {
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
            Event::Ends(client, connection) => self.end(client, connection),
            Event::SignIn(client) => self.sign_in(client),
            Event::ServerUp => self.is_server_up = true,
        }
    }
}
