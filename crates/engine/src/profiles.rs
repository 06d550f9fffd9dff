//! Profiles of authors: rows name their revs; what is newer than held is asked for. What is lacking is noted in the
//! transaction of the rows that name it: if the program ends before the answer, nothing else may ever name it again.

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
    pub(crate) fn new(held: BTreeMap<AccountId, Rev>, lacking: BTreeMap<AccountId, Rev>) -> Self {
        Self {
            held,
            wanted: lacking,
            is_asking: false,
        }
    }

    /// What was asked and not answered is still wanted.
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
                let before = self.profiles.wanted.get(&author).copied();
                if before.is_none_or(|before| before < rev) {
                    self.profiles.wanted.insert(author, rev);
                    self.out.apply(Change::Lacking(author, Some(rev)));
                }
            }
        }
    }

    /// The profile is wanted no more, if it was wanted as of `rev` at most.
    fn end_want(&mut self, author: AccountId, rev: Rev) -> bool {
        let wanted = &mut self.profiles.wanted;
        let is_met = wanted.get(&author).is_some_and(|wanted| *wanted <= rev);
        if is_met {
            wanted.remove(&author);
        }
        is_met
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
                if !matches!(refusal, Refusal::Busy(_)) {
                    // Not asked for again on this start; the next may meet a server that understands.
                    for (author, rev) in asked {
                        self.profiles.held.insert(author, rev);
                        self.end_want(author, rev);
                    }
                }
                return;
            }
        };
        // Those that the server leaves out are not asked for again until a newer rev is named.
        let told: Vec<(AccountId, Rev)> = rows
            .iter()
            .filter_map(|row| Some((row.id.parse().ok()?, row.rev)))
            .collect();
        for (author, rev) in asked.into_iter().chain(told) {
            let held = self.profiles.held.entry(author).or_default();
            *held = rev.max(*held);
            if self.end_want(author, rev) {
                self.out.apply(Change::Lacking(author, None));
            }
        }
        if !rows.is_empty() {
            self.out.apply(Change::Profiles(rows));
        }
    }
}
