//! The network between clients and server: connections, what is on its way, what is lost.

use crate::world::*;
use crate::{client::Wish, weather::Weather};
use tulou_engine::Input;
use tulou_protocol::{ClientFrame, ServerFrame, push::Pushed};

impl World {
    pub fn cut(&mut self, client: usize) {
        if let Some(connection) = self.current[client].take() {
            self.connections.remove(&connection);
            self.server.detach(connection);
            let wait = self.chance.between(1, 3_000);
            self.at(wait, Event::Closed(client, connection));
        }
    }

    pub fn restart_server(&mut self) {
        self.server.restart();
        for client in 0..self.clients.len() {
            self.cut(client);
        }
    }

    pub fn lose_process(&mut self, client: usize) {
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

    pub fn input(&mut self, client: usize, input: Input) {
        let wishes = self.clients[client].input(input, self.now);
        self.perform(client, wishes);
    }

    pub fn perform(&mut self, client: usize, wishes: Vec<Wish>) {
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
        self.look_at_link(client);
    }

    pub fn send(&mut self, client: usize, frame: ClientFrame) {
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
    pub fn deliver(&mut self) {
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
