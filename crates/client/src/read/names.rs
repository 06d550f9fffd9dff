//! Names of people and member groups, read for the views that show them.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{
    AccountId, Command, MemberGroupId, Permissions,
    mention::{Piece, pieces},
    permission::Place,
    question::Member,
    text::shows_nothing,
};

use crate::{
    lookalike,
    markdown::{Names, short},
    shape::Shape,
    store::{StoreError, members, outbox, profiles},
    view::{AuthorView, Mark, MentionedView},
};

/// The people whom a view names.
#[derive(Debug, Default)]
pub struct People {
    names: HashMap<AccountId, String>,
    account_names: HashMap<AccountId, String>,
    members: HashMap<AccountId, Member>,
    alike: HashSet<AccountId>,
}

impl People {
    /// Reads the names of some people as a community knows them.
    pub fn load(
        db: &Connection,
        me: AccountId,
        shape: Option<&Shape>,
        accounts: &HashSet<AccountId>,
    ) -> Result<Self, StoreError> {
        let mut people = Self::default();
        if let Some(shape) = shape {
            people.members = members::some(db, shape.id, accounts.iter().copied())?;
        }
        for (account, member) in &people.members {
            let name = or_account_name(&member.display_name, &member.account_name);
            people.names.insert(*account, name.to_owned());
            people
                .account_names
                .insert(*account, member.account_name.clone());
        }
        for (account, profile) in profiles::some(db, accounts.iter().copied())? {
            let name = or_account_name(&profile.display_name, &profile.account_name);
            people.names.insert(account, name.to_owned());
            people.account_names.insert(account, profile.account_name);
        }
        if accounts.contains(&me)
            && let Some(name) = pending_name(&outbox::of_structure(db)?)
        {
            people.names.insert(me, name);
        }
        let named = people
            .names
            .iter()
            .map(|(account, name)| (*account, name.as_str()));
        people.alike = lookalike::among(named, shape);
        Ok(people)
    }

    /// The name to show.
    pub fn name(&self, account: AccountId) -> String {
        self.known(account)
            .unwrap_or_else(|| short(&account.to_string()))
    }

    /// The name, if it is known.
    pub fn known(&self, account: AccountId) -> Option<String> {
        self.names.get(&account).cloned()
    }

    /// An author, with the tag of his highest member group that has one.
    pub fn author(&self, account: AccountId, shape: Option<&Shape>) -> AuthorView {
        AuthorView {
            id: account.to_string(),
            name: self.name(account),
            account_name: self
                .alike
                .contains(&account)
                .then(|| self.account_names.get(&account).cloned())
                .flatten(),
            mark: shape.and_then(|shape| mark(shape, account, self.groups(account, shape))),
            tag: shape.and_then(|shape| {
                let groups = self.groups(account, shape);
                shape
                    .member_groups
                    .iter()
                    .find(|group| group.has_tag && groups.contains(&group.id))
                    .map(|group| group.name.clone())
            }),
        }
    }

    fn groups<'a>(&'a self, account: AccountId, shape: &'a Shape) -> &'a [MemberGroupId] {
        if account == shape.viewer {
            return &shape.me.member_groups;
        }
        self.members
            .get(&account)
            .map_or(&[], |member| &member.member_groups)
    }

    /// The names for mentions in message texts.
    pub fn for_text<'a>(&'a self, me: AccountId, shape: Option<&'a Shape>) -> Names<'a> {
        let accounts = self
            .names
            .iter()
            .map(|(account, name)| (*account, name.as_str()))
            .collect();
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

/// What marks a person in a community.
pub fn mark(shape: &Shape, account: AccountId, member_groups: &[MemberGroupId]) -> Option<Mark> {
    if account == shape.owner {
        return Some(Mark::Owner);
    }
    let held = shape.of(false, member_groups, Place::Community, true);
    held.permissions
        .contains(Permissions::KICK)
        .then_some(Mark::Staff)
}

/// The name to show; the account's where it shows nothing. A deleted account has neither.
pub fn or_account_name<'a>(display_name: &'a str, account_name: &'a str) -> &'a str {
    if shows_nothing(display_name) {
        account_name
    } else {
        display_name
    }
}

/// Collects who is named in a text; in code nobody is called, but the name is shown.
pub fn mentioned(text: &str, into: &mut HashSet<AccountId>) {
    if !text.contains("<@") {
        return;
    }
    into.extend(pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Account(account) => Some(account),
        Piece::Text(_) | Piece::MemberGroup(_) | Piece::Everyone => None,
    }));
}

/// The names of those whom some texts mention, each once, wherever in the text that is.
pub fn mentioned_views<'a>(
    texts: impl Iterator<Item = &'a str>,
    people: &People,
    group: impl Fn(MemberGroupId) -> Option<String>,
) -> Vec<MentionedView> {
    let mut views: Vec<MentionedView> = Vec::new();
    let mut seen = HashSet::new();
    for piece in texts.filter(|text| text.contains("<@")).flat_map(pieces) {
        let (id, name) = match piece {
            Piece::Text(_) => continue,
            Piece::Account(account) => (account.to_string(), people.known(account)),
            Piece::MemberGroup(id) => (format!("&{id}"), group(id)),
            Piece::Everyone => ("everyone".to_owned(), None),
        };
        if seen.insert(id.clone()) {
            views.push(MentionedView { id, name });
        }
    }
    views
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

#[cfg(test)]
mod tests;
