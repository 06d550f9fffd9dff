//! Message text as the window shows it: the tree of [`tulou_protocol::markup`], with names for its mentions.

mod build;
mod excerpt;
mod lang;

use std::collections::HashMap;

use tulou_protocol::{
    AccountId, MemberGroupId, markup,
    mention::{Mention, Piece, pieces},
};

pub use self::excerpt::excerpt;
use crate::view::Block;

/// A message with more lines is folded.
const LINES: usize = 28;
/// So many lines of it are shown then.
const FOLDED_LINES: usize = 18;
/// Narrow letters to a line; wide ones count twice.
const WIDTH: usize = 100;

/// Names for the mentions in a text.
#[derive(Debug, Default)]
pub struct Names<'a> {
    /// Who looks.
    pub me: Option<AccountId>,
    /// Names of people.
    pub accounts: HashMap<AccountId, &'a str>,
    /// Names of member groups, and whether the viewer is in it.
    pub member_groups: HashMap<MemberGroupId, (&'a str, bool)>,
}

impl Names<'_> {
    /// What a mention stands for; none for everyone.
    fn of(&self, mention: Mention) -> Option<String> {
        match mention {
            Mention::Account(id) => Some(match self.accounts.get(&id) {
                Some(name) => (*name).to_owned(),
                None => short(&id.to_string()),
            }),
            Mention::MemberGroup(id) => Some(match self.member_groups.get(&id) {
                Some((name, _)) => (*name).to_owned(),
                None => short(&id.to_string()),
            }),
            Mention::Everyone => None,
        }
    }
}

/// What stands for somebody whose name is not known.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

/// Reads a message text.
#[must_use]
pub fn blocks(text: &str, names: &Names<'_>) -> Vec<Block> {
    build::blocks(text, &markup::read(text), names, usize::MAX).0
}

/// Reads a message text that is to stand among others: of a long one the beginning, and whether that is all.
///
/// What is shown is decided from the text alone, so a row has its height from the start.
#[must_use]
pub fn folded(text: &str, names: &Names<'_>) -> (Vec<Block>, bool) {
    let lines = text.split('\n').map(|line| {
        let width: usize = line.chars().map(build::width).sum();
        width.div_ceil(WIDTH).max(1)
    });
    let is_long = lines.sum::<usize>() > LINES;
    let limit = if is_long {
        FOLDED_LINES * WIDTH
    } else {
        usize::MAX
    };
    build::blocks(text, &markup::read(text), names, limit)
}

/// A text as it was typed: mentions as `@` and the name. This is what copying gives.
#[must_use]
pub fn typed(text: &str, names: &Names<'_>) -> String {
    let mut typed = String::with_capacity(text.len());
    for piece in pieces(text) {
        let mention = match piece {
            Piece::Text(text) => {
                typed.push_str(text);
                continue;
            }
            Piece::Account(id) => Mention::Account(id),
            Piece::MemberGroup(id) => Mention::MemberGroup(id),
            Piece::Everyone => Mention::Everyone,
        };
        typed.push('@');
        typed.push_str(&names.of(mention).unwrap_or_else(|| "everyone".to_owned()));
    }
    typed
}

#[cfg(test)]
mod tests;
