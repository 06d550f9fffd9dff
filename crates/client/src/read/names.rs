//! Names of people and member groups, read for the views that show them.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{
    AccountId, Command, CommunityId, MemberGroupId, question::Member, text::mentions,
};

use crate::{
    markdown::{Names, short},
    shape::Shape,
    store::{StoreError, members, outbox, profiles},
    view::AuthorView,
};

/// The people whom a view names.
#[derive(Debug, Default)]
pub struct People {
    names: HashMap<AccountId, String>,
    members: HashMap<AccountId, Member>,
}

impl People {
    /// Reads the names of some people as a community knows them.
    pub fn load(
        db: &Connection,
        me: AccountId,
        community: Option<CommunityId>,
        accounts: &HashSet<AccountId>,
    ) -> Result<Self, StoreError> {
        let mut people = Self::default();
        if let Some(community) = community {
            people.members = members::some(db, community, accounts.iter().copied())?;
        }
        for (account, profile) in profiles::some(db, accounts.iter().copied())? {
            people.names.insert(account, profile.display_name);
        }
        if accounts.contains(&me)
            && let Some(name) = pending_name(&outbox::of_structure(db)?)
        {
            people.names.insert(me, name);
        }
        Ok(people)
    }

    /// The name to show.
    pub fn name(&self, account: AccountId) -> String {
        self.names
            .get(&account)
            .cloned()
            .or_else(|| {
                self.members
                    .get(&account)
                    .map(|member| member.display_name.clone())
            })
            .unwrap_or_else(|| short(&account.to_string()))
    }

    /// An author, with the tag of his highest shown member group.
    pub fn author(&self, account: AccountId, shape: Option<&Shape>) -> AuthorView {
        AuthorView {
            id: account.to_string(),
            name: self.name(account),
            tag: shape.and_then(|shape| {
                let groups: &[MemberGroupId] = if account == shape.viewer {
                    &shape.me.member_groups
                } else {
                    &self.members.get(&account)?.member_groups
                };
                shape
                    .member_groups
                    .iter()
                    .find(|group| group.is_shown && groups.contains(&group.id))
                    .map(|group| group.name.clone())
            }),
        }
    }

    /// The names for mentions in message texts.
    pub fn for_text<'a>(&'a self, me: AccountId, shape: Option<&'a Shape>) -> Names<'a> {
        let mut accounts: HashMap<AccountId, &str> = self
            .members
            .iter()
            .map(|(account, member)| (*account, member.display_name.as_str()))
            .collect();
        accounts.extend(
            self.names
                .iter()
                .map(|(account, name)| (*account, name.as_str())),
        );
        Names {
            me: Some(me),
            accounts,
            member_groups: shape
                .into_iter()
                .flat_map(|shape| {
                    shape.member_groups.iter().map(|group| {
                        let is_mine = shape.me.member_groups.contains(&group.id);
                        (group.id, (group.name.as_str(), is_mine))
                    })
                })
                .collect(),
        }
    }
}

/// Collects whom a text mentions.
pub fn mentioned(text: &str, into: &mut HashSet<AccountId>) {
    if text.contains("<@") {
        into.extend(mentions(text).accounts);
    }
}

/// My name as it will be when the outbox is through.
pub fn pending_name(outbox: &[OutboxEntry]) -> Option<String> {
    outbox
        .iter()
        .rev()
        .filter(|entry| !matches!(entry.state, OutboxState::Rejected(_)))
        .find_map(|entry| {
            if let Command::ProfileEdit { display_name } = &entry.command {
                Some(display_name.to.clone())
            } else {
                None
            }
        })
}
