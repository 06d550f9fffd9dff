//! Profiles of authors: rows name their revs; what is newer than held is asked for.

use std::collections::BTreeMap;

use tulou_protocol::{
    AccountId, Question, Rev,
    frame::{Refusal, Response},
    question::Profiles as Told,
};

use crate::{
    engine::{Asked, Engine},
    io::Change,
};

/// Profiles in a request.
const BATCH: usize = 200;
/// Profiles that wait to be asked for; what is beyond is named again by later rows.
const WANTED: usize = 5_000;

/// What is held and what is wanted.
#[derive(Debug, Default)]
pub struct Profiles {
    held: BTreeMap<AccountId, Rev>,
    wanted: BTreeMap<AccountId, Rev>,
    is_asking: bool,
}

impl Profiles {
    pub(crate) fn new(held: BTreeMap<AccountId, Rev>) -> Self {
        Self {
            held,
            ..Self::default()
        }
    }

    /// The next rows or pages name what is still wanted; what was asked is wanted again.
    pub(crate) fn lose_link(&mut self) {
        self.is_asking = false;
    }

    pub(crate) fn forget(&mut self) {
        self.held.clear();
        self.wanted.clear();
    }
}

impl Engine {
    pub(crate) fn want_profiles(&mut self, authors: Vec<(AccountId, Rev)>) {
        for (author, rev) in authors {
            let is_held = self
                .profiles
                .held
                .get(&author)
                .is_some_and(|held| *held >= rev);
            let has_room = self.profiles.wanted.len() < WANTED;
            if !is_held && (has_room || self.profiles.wanted.contains_key(&author)) {
                let wanted = self.profiles.wanted.entry(author).or_default();
                *wanted = rev.max(*wanted);
            }
        }
    }

    pub(crate) fn pump_profiles(&mut self) {
        if self.profiles.is_asking || self.profiles.wanted.is_empty() {
            return;
        }
        self.profiles.is_asking = true;
        let wanted: Vec<(AccountId, Rev)> = self
            .profiles
            .wanted
            .iter()
            .take(BATCH)
            .map(|(author, rev)| (*author, *rev))
            .collect();
        let accounts = wanted.iter().map(|(author, _)| *author).collect();
        self.ask(Asked::Profiles(wanted), Question::ProfileList { accounts });
    }

    pub(crate) fn take_profiles(&mut self, asked: Vec<(AccountId, Rev)>, response: Response) {
        self.profiles.is_asking = false;
        let rows = match response.into_result::<Told>() {
            Ok(told) => told.rows,
            Err(refusal) => {
                self.question_refused(&refusal);
                if matches!(refusal, Refusal::Busy(_)) {
                    return;
                }
                Vec::new()
            }
        };
        // Those that the server leaves out are not asked for again until a newer rev is named.
        for (author, rev) in asked {
            self.profiles.held.insert(author, rev);
            if self
                .profiles
                .wanted
                .get(&author)
                .is_some_and(|wanted| *wanted <= rev)
            {
                self.profiles.wanted.remove(&author);
            }
        }
        for row in &rows {
            if let Ok(author) = row.id.parse::<AccountId>() {
                let held = self.profiles.held.entry(author).or_default();
                *held = row.rev.max(*held);
                if self
                    .profiles
                    .wanted
                    .get(&author)
                    .is_some_and(|wanted| *wanted <= row.rev)
                {
                    self.profiles.wanted.remove(&author);
                }
            }
        }
        if !rows.is_empty() {
            self.out.apply(Change::Profiles(rows));
        }
    }
}
