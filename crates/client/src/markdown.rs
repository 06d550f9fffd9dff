//! Message text as a typed tree: Markdown, spoilers, mentions, bare addresses. Never HTML: what looks like it is text.

mod build;
mod inline;

use std::collections::HashMap;

use pulldown_cmark::{Options, Parser};
use tulou_protocol::{AccountId, MemberGroupId};

pub(crate) use self::inline::short;
use crate::view::Block;

/// How deep blocks and emphasis may nest; what is deeper is shown flat.
const DEPTH: usize = 12;

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

/// Reads a message text.
#[must_use]
pub fn blocks(text: &str, names: &Names<'_>) -> Vec<Block> {
    let options = Options::ENABLE_STRIKETHROUGH;
    let parser = Parser::new_ext(text, options);
    // A definition of a link would vanish from the text. With a bar before it, it stays.
    let mut definitions: Vec<usize> = parser
        .reference_definitions()
        .iter()
        .map(|(_, definition)| definition.span.start)
        .collect();
    if definitions.is_empty() {
        return build::blocks(parser, names);
    }
    definitions.sort_unstable();
    let mut escaped = String::with_capacity(text.len() + definitions.len());
    let mut from = 0;
    for at in definitions {
        escaped.push_str(&text[from..at]);
        escaped.push('\\');
        from = at;
    }
    escaped.push_str(&text[from..]);
    build::blocks(Parser::new_ext(&escaped, options), names)
}

/// The text on one line, without markup, cut to `limit` characters.
#[must_use]
pub fn excerpt(text: &str, names: &Names<'_>, limit: usize) -> String {
    let mut line = String::new();
    for block in blocks(text, names) {
        if line.chars().count() > limit {
            break;
        }
        build::plain(&block, &mut line);
    }
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
