//! The plan of a run: what people and the world do, and when. A run follows from its plan alone, so that a plan that fails
//! can be saved, replayed, and made shorter.

use std::{fmt, str::FromStr};

use tulou_protocol::id::Millis;

use crate::chance::Chance;

/// One step. All chance in it and in the network until the next one follows from its dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How long after the step before.
    pub after: Millis,
    pub kind: Kind,
    pub dice: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The person at a client does something.
    Act(usize),
    /// A client's socket closes.
    Cut(usize),
    /// A client's socket is dead without being closed.
    Dead(usize),
    /// A client is signed out from elsewhere.
    Revoke(usize),
    /// A client's program ends at once.
    Crash(usize),
    /// The server ends at once, and is there again a little later.
    Restart,
    /// The server's store is copied.
    Backup,
    /// The server is restored from the last copy.
    Restore,
    /// The network loses, delays and reorders more or less from here on; the server is more or less busy.
    Weather,
    /// A client's clock is set to another time.
    ClientClock(usize),
    /// The server's clock is set to another time.
    ServerClock,
    /// Mentions and marks become old.
    Age,
    /// A server of a newer version writes a kind of row that nobody knows.
    Newer,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    /// Whose clients there are: account by account.
    pub clients: Vec<usize>,
    pub steps: Vec<Step>,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let clients = match chance.below(4) {
            0 => vec![0, 1],
            1 => vec![0, 0, 1],
            2 => vec![0, 1, 2],
            _ => vec![0, 0, 1, 2],
        };
        let has_restore = chance.one_in(6);
        let count = 120 + chance.below(200);
        let pace = *chance.pick(&[60, 400, 1_500]).unwrap_or(&400);
        let mut steps = Vec::new();
        for at in 0..count {
            let client = chance.below(clients.len() as u64) as usize;
            let kind = match chance.below(100) {
                0..=85 => Kind::Act(client),
                86..=89 => Kind::Cut(client),
                90 if chance.one_in(3) => Kind::Revoke(client),
                90 => Kind::Dead(client),
                91..=92 => Kind::Crash(client),
                93 => Kind::Restart,
                94..=96 => Kind::Weather,
                97 if chance.one_in(2) => Kind::ClientClock(client),
                97 | 98 => Kind::ServerClock,
                _ if chance.one_in(2) => Kind::Age,
                _ => Kind::Newer,
            };
            let kind = match at {
                _ if has_restore && at == count / 3 => Kind::Backup,
                _ if has_restore && at == count * 2 / 3 => Kind::Restore,
                _ => kind,
            };
            let wait = if chance.one_in(40) { 20_000 } else { pace };
            steps.push(Step {
                after: chance.between(1, wait),
                kind,
                dice: chance.next(),
            });
        }
        Self {
            seed,
            clients,
            steps,
        }
    }

    /// The plan made shorter while it still fails.
    pub fn shrunk(mut self, mut tries: u64, fails: impl Fn(&Self) -> bool) -> Self {
        let mut size = self.steps.len() / 2;
        while size > 0 && tries > 0 {
            let mut at = 0;
            while at < self.steps.len() && tries > 0 {
                tries -= 1;
                let mut shorter = self.clone();
                let end = (at + size).min(shorter.steps.len());
                let waited: Millis = shorter.steps.drain(at..end).map(|step| step.after).sum();
                if let Some(next) = shorter.steps.get_mut(at) {
                    next.after += waited;
                }
                if fails(&shorter) {
                    self = shorter;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        self
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}\nclients", self.seed)?;
        for account in &self.clients {
            write!(f, " {account}")?;
        }
        for Step { after, kind, dice } in &self.steps {
            let (name, client) = match kind {
                Kind::Act(client) => ("act", *client),
                Kind::Cut(client) => ("cut", *client),
                Kind::Dead(client) => ("dead", *client),
                Kind::Revoke(client) => ("revoke", *client),
                Kind::Crash(client) => ("crash", *client),
                Kind::ClientClock(client) => ("client-clock", *client),
                Kind::Restart => ("restart", 0),
                Kind::Backup => ("backup", 0),
                Kind::Restore => ("restore", 0),
                Kind::Weather => ("weather", 0),
                Kind::ServerClock => ("server-clock", 0),
                Kind::Age => ("age", 0),
                Kind::Newer => ("newer", 0),
            };
            write!(f, "\n{after} {name} {client} {dice}")?;
        }
        writeln!(f)
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut plan = Self {
            seed: 0,
            clients: vec![],
            steps: vec![],
        };
        for line in text.lines() {
            let bad = || format!("not a step: {line}");
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["seed", seed] => plan.seed = seed.parse().map_err(|_| bad())?,
                ["clients", accounts @ ..] => {
                    for account in accounts {
                        plan.clients.push(account.parse().map_err(|_| bad())?);
                    }
                }
                [after, name, client, dice] => {
                    let client: usize = client.parse().map_err(|_| bad())?;
                    let kind = match *name {
                        "act" => Kind::Act(client),
                        "cut" => Kind::Cut(client),
                        "dead" => Kind::Dead(client),
                        "revoke" => Kind::Revoke(client),
                        "crash" => Kind::Crash(client),
                        "client-clock" => Kind::ClientClock(client),
                        "restart" => Kind::Restart,
                        "backup" => Kind::Backup,
                        "restore" => Kind::Restore,
                        "weather" => Kind::Weather,
                        "server-clock" => Kind::ServerClock,
                        "age" => Kind::Age,
                        "newer" => Kind::Newer,
                        _ => return Err(bad()),
                    };
                    plan.steps.push(Step {
                        after: after.parse().map_err(|_| bad())?,
                        kind,
                        dice: dice.parse().map_err(|_| bad())?,
                    });
                }
                _ => return Err(bad()),
            }
        }
        Ok(plan)
    }
}
