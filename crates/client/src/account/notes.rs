//! Which views a change makes stale.

use rusqlite::Connection as Db;
use tulou_protocol::{Command, CommunityId, TopicId};

use super::Account;
use crate::{
    error::Error,
    store::{
        StoreError, Touched, meta,
        places::{community_of, memberships},
    },
    view::Change,
};

impl Account {
    /// Puts up notes for what a batch touched.
    pub fn note(&self, touched: &Touched) -> Result<(), StoreError> {
        let notes = self.store.read(|db| {
            if touched.has_account
                && let Some(greeting) = meta::greeting(db)?
            {
                self.set_server_name(&greeting.server_name);
            }
            self.notes(db, touched)
        })?;
        self.board.put_up(notes);
        Ok(())
    }

    /// Puts up notes for a command that went into the outbox, changed in it, or left it.
    pub fn note_command(&self, command: &Command) -> Result<(), Error> {
        Ok(self.note(&Touched::by(command))?)
    }

    fn notes(&self, db: &Db, touched: &Touched) -> Result<Vec<Change>, StoreError> {
        let account = || self.key.clone();
        let tree = |community: CommunityId| Change::Tree {
            account: account(),
            community: community.to_string(),
        };
        let mut numbers = Vec::with_capacity(touched.numbers.len());
        for topic in &touched.numbers {
            numbers.push((*topic, community_of(db, *topic)?));
        }
        {
            let mut views = self.views();
            for community in &touched.structures {
                views.drop_shape(*community);
            }
            if touched.has_account {
                views.drop_tallies();
                views.dropped += 1;
            }
            for (topic, community) in &numbers {
                if let Some(community) = community {
                    views.move_number(*community, *topic);
                }
            }
        }
        let shown = self.on_screen();
        let mut notes = Vec::new();
        notes.extend(touched.timelines.iter().map(|topic| self.timeline(*topic)));
        for (topic, community) in numbers {
            notes.push(match community {
                Some(community) => Change::Badge {
                    account: account(),
                    community: community.to_string(),
                    topic: topic.to_string(),
                },
                None => Change::App,
            });
            if shown.contains(&topic) {
                notes.push(self.timeline(topic));
            }
        }
        for community in &touched.structures {
            notes.push(Change::App);
            notes.push(tree(*community));
            let community = community.to_string();
            notes.push(Change::Members {
                account: account(),
                community: community.clone(),
            });
            notes.push(Change::Access {
                account: account(),
                community,
            });
        }
        for community in &touched.counts {
            notes.push(Change::Counts {
                account: account(),
                community: community.to_string(),
            });
        }
        if touched.has_profiles || !touched.structures.is_empty() {
            notes.extend(shown.iter().map(|topic| self.timeline(*topic)));
        }
        if touched.has_account {
            for community in memberships(db, self.id)? {
                notes.push(tree(community));
            }
        }
        if touched.has_account || touched.has_outbox || touched.has_profiles {
            notes.push(Change::App);
        }
        Ok(notes)
    }

    pub(super) fn timeline(&self, topic: TopicId) -> Change {
        Change::Timeline {
            account: self.key.clone(),
            topic: topic.to_string(),
        }
    }

    /// A draft was stored; whether that shows elsewhere than in its topic.
    pub fn note_draft(&self, topic: TopicId, is_shown: bool) -> Result<(), StoreError> {
        if !is_shown {
            return Ok(());
        }
        let mut touched = Touched::default();
        touched.numbers.insert(topic);
        self.note(&touched)?;
        // What is being written where nothing can be opened is shown with the account.
        self.board.put_up([Change::App]);
        Ok(())
    }

    /// What every shown topic has in common changed: tags beside names, what the server asks to wait with.
    pub fn note_shown(&self) {
        let notes: Vec<Change> = self
            .on_screen()
            .into_iter()
            .map(|topic| self.timeline(topic))
            .collect();
        self.board.put_up(notes);
    }
}
