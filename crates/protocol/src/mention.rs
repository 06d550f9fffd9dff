//! Mentions as they are written in a text: `<@id>` (a person), `<@&id>` (a member group) and `<@everyone>`.

use crate::id::{AccountId, ID_LETTERS, MemberGroupId};

/// A mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mention {
    /// A person.
    Account(AccountId),
    /// A member group.
    MemberGroup(MemberGroupId),
    /// Everyone.
    Everyone,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// A person.
    Account(AccountId),
    /// A member group.
    MemberGroup(MemberGroupId),
    /// Everyone.
    Everyone,
}

/// Splits a text at its mentions, those in code too. Nothing is lost: what is no mention is text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find("<@") {
        let start = at + found;
        let Some((mention, end)) = mention_at(text, start) else {
            at = start + 2;
            continue;
        };
        if plain_from < start {
            pieces.push(Piece::Text(&text[plain_from..start]));
        }
        pieces.push(match mention {
            Mention::Account(id) => Piece::Account(id),
            Mention::MemberGroup(id) => Piece::MemberGroup(id),
            Mention::Everyone => Piece::Everyone,
        });
        plain_from = end;
        at = end;
    }
    if plain_from < text.len() {
        pieces.push(Piece::Text(&text[plain_from..]));
    }
    pieces
}

/// The mention whose `<` stands at a place, and where it ends.
#[must_use]
pub fn mention_at(text: &str, at: usize) -> Option<(Mention, usize)> {
    let inner = at + text[at..].starts_with("<@").then_some(2)?;
    // Looking no further than an id is long keeps this linear.
    let end = text.as_bytes()[inner..]
        .iter()
        .take(ID_LETTERS + 2)
        .position(|byte| *byte == b'>')
        .map(|n| inner + n)?;
    let name = &text[inner..end];
    let mention = if name == "everyone" {
        Mention::Everyone
    } else if let Some(id) = name.strip_prefix('&') {
        Mention::MemberGroup(id.parse().ok()?)
    } else {
        Mention::Account(name.parse().ok()?)
    };
    Some((mention, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_pieces_of_a_text_are_the_text(text in "(<@|>|&|everyone|[A-Za-z0-9_-]{21}[AQgw]|\\PC){0,30}") {
            let joined: String = pieces(&text).iter().map(|piece| match piece {
                Piece::Text(text) => (*text).to_owned(),
                Piece::Account(id) => format!("<@{id}>"),
                Piece::MemberGroup(id) => format!("<@&{id}>"),
                Piece::Everyone => "<@everyone>".to_owned(),
            }).collect();
            prop_assert_eq!(joined, text);
        }
    }

    #[test]
    fn an_id_that_is_written_otherwise_is_text() {
        let id = AccountId::from_bytes([7; 16]);
        let written = format!("<@{id}>");
        assert_eq!(
            mention_at(&written, 0),
            Some((Mention::Account(id), written.len()))
        );
        for text in [
            format!("<@{}>", id.0),
            format!("<@ {id}>"),
            format!("<@{id}"),
            format!("<@{id}==>"),
            "<@>".to_owned(),
        ] {
            assert_eq!(mention_at(&text, 0), None, "{text}");
        }
    }
}
