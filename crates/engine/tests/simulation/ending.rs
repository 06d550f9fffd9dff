//! Sessions that end: a token is not accepted any more, and what waits behind it is not done, until its person signs in.

use tulou_engine::LinkState;
use tulou_protocol::{Code, frame::Refusal};

use crate::{
    server::Server,
    world::{Event, World},
};

/// By then a session is over, whether or not it asked for more.
const SOON_MS: u64 = 5_000;

impl Server {
    pub fn signed_out() -> Refusal {
        Refusal::Rejected(Code::SignedOut.into())
    }

    /// Nothing more is done or told for a connection.
    pub fn end(&mut self, connection: u64) {
        if self.sessions.contains_key(&connection) {
            self.detach(connection);
            self.ended.insert(connection);
        }
        self.ends.remove(&connection);
    }

    /// A command of a connection was worked on, which may have been its last one.
    pub fn worked_for(&mut self, connection: u64) {
        if let Some(left) = self.ends.get_mut(&connection) {
            *left -= 1;
            if *left == 0 {
                self.end(connection);
            }
        }
    }
}

impl World {
    /// A device is signed out from elsewhere, before or among commands that wait.
    pub fn revoke(&mut self, client: usize) {
        let token = self.clients[client].token.clone();
        self.server.revoked.insert(token);
        let Some(connection) = self.current[client] else {
            return;
        };
        let left = self.chance.below(5);
        if left == 0 || !self.server.sessions.contains_key(&connection) {
            self.end(client, connection);
            return;
        }
        self.server.ends.insert(connection, left);
        let wait = self.chance.between(1, SOON_MS as i64);
        self.at(wait, Event::Ends(client, connection));
    }

    /// The server closes the socket of a session that is over.
    pub fn end(&mut self, client: usize, connection: u64) {
        if self.current[client] == Some(connection) {
            self.server.end(connection);
            self.cut(client);
        }
    }

    /// Whoever is signed out signs in, sooner or later.
    pub fn look_at_link(&mut self, client: usize) {
        let is_out = matches!(self.clients[client].link, Some(LinkState::SignedOut(_)));
        if is_out && !std::mem::replace(&mut self.clients[client].is_signing_in, is_out) {
            let wait = self.chance.between(1, 20_000);
            self.at(wait, Event::SignIn(client));
        }
    }

    /// The engine begins again with another token.
    pub fn sign_in(&mut self, client: usize) {
        self.clients[client].sign_in();
        self.lose_process(client);
    }
}
