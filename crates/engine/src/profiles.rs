//! Profiles of authors: rows name their revs; what is newer than held is asked for. What is lacking is noted in the
//! transaction of the rows that name it: if the program ends before the answer, nothing else may ever name it again.

use std::collections::BTreeMap;

use tulou_protocol::{
    AccountId, Question, Rev,
    frame::{Refusal, Response},
    question::Profiles as Told,
};

use crate::{
    io::Write,
    questions::{Asked, Questions},
    turn::Turn,
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
    pub fn new(held: BTreeMap<AccountId, Rev>, lacking: BTreeMap<AccountId, Rev>) -> Self {
        Self {
            held,
            wanted: lacking,
            is_asking: false,
        }
    }

    /// What was asked and not answered is still wanted.
    pub fn lose_link(&mut self) {
        self.is_asking = false;
    }

    pub fn forget(&mut self) {
        self.held.clear();
        self.wanted.clear();
    }

    /// Rows name these authors, with the revs of their profiles.
    pub fn want(&mut self, authors: Vec<(AccountId, Rev)>, turn: &mut Turn) {
        for (author, rev) in authors {
            let is_held = self.held.get(&author).is_some_and(|held| *held >= rev);
            let before = self.wanted.get(&author).copied();
            let has_room = before.is_some() || self.wanted.len() < WANTED;
            if !is_held && has_room && before.is_none_or(|before| before < rev) {
                self.wanted.insert(author, rev);
                turn.apply(Write::Lacking(author, Some(rev)));
            }
        }
    }

    /// The profile is wanted no more, if it was wanted as of `rev` at most.
    fn end_want(&mut self, author: AccountId, rev: Rev) -> bool {
        let is_met = self
            .wanted
            .get(&author)
            .is_some_and(|wanted| *wanted <= rev);
        if is_met {
            self.wanted.remove(&author);
        }
        is_met
    }

    pub fn pump(&mut self, questions: &mut Questions, turn: &mut Turn) {
        if self.is_asking || self.wanted.is_empty() {
            return;
        }
        self.is_asking = true;
        let wanted: Vec<(AccountId, Rev)> = self
            .wanted
            .iter()
            .take(BATCH)
            .map(|(author, rev)| (*author, *rev))
            .collect();
        let accounts = wanted.iter().map(|(author, _)| *author).collect();
        let list = Question::ProfileList { accounts };
        questions.ask(Asked::Profiles(wanted), list, turn);
    }

    /// The answer, or why there is none.
    pub fn take(
        &mut self,
        asked: Vec<(AccountId, Rev)>,
        response: Response,
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        self.is_asking = false;
        let rows = match response.into_result::<Told>() {
            Ok(told) => told.rows,
            Err(refusal) => {
                if !matches!(refusal, Refusal::Busy(_)) {
                    // Not asked for again on this start; the next may meet a server that understands.
                    for (author, rev) in asked {
                        self.held.insert(author, rev);
                        self.end_want(author, rev);
                    }
                }
                return Err(refusal);
            }
        };
        // Those that the server leaves out are not asked for again until a newer rev is named.
        let told: Vec<(AccountId, Rev)> = rows
            .iter()
            .filter_map(|row| Some((row.id.parse().ok()?, row.rev)))
            .collect();
        for (author, rev) in asked.into_iter().chain(told) {
            let held = self.held.entry(author).or_default();
            *held = rev.max(*held);
            if self.end_want(author, rev) {
                turn.apply(Write::Lacking(author, None));
            }
        }
        if !rows.is_empty() {
            turn.apply(Write::Profiles(rows));
        }
        Ok(())
    }
}
