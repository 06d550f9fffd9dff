//! Who wrote the messages of a push, a page, an answer to `log.sync`, and which rev his profile has: so a reader knows whose
//! profile he holds is out of date. Most profiles are as they were made, and of those nothing is said.

use crate::{
    id::{AccountId, Rev},
    row::{Body, Message, Row},
};

/// The rev of a profile that is as it was made.
pub const FIRST: Rev = Rev(1);

/// Whether the rev of an author's profile is said.
#[must_use]
pub fn is_said((_, rev): &(AccountId, Rev)) -> bool {
    *rev != FIRST
}

/// All authors that rows come with, each with the rev of his profile: as said, or else the first.
#[must_use]
pub fn of(rows: &[Row], said: Vec<(AccountId, Rev)>) -> Vec<(AccountId, Rev)> {
    let mut authors = said;
    for row in rows {
        if let Body::Message(Message {
            content: Some(content),
            ..
        }) = &row.body
            && !authors.iter().any(|(known, _)| *known == content.author)
        {
            authors.push((content.author, FIRST));
        }
    }
    authors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{MessageId, Seq},
        row::{Content, More},
    };

    fn by(author: AccountId) -> Row {
        let content = Content {
            author,
            sent_at: 1,
            written_at: None,
            text: "a".into(),
            reply_to: None,
            edited_at: None,
            recalled_by: None,
            more: More::new(),
        };
        Row {
            id: MessageId::from_bytes([1; 16]).to_string(),
            rev: Rev(5),
            body: Message {
                seq: Seq(5),
                content: Some(content),
                content_rev: Rev(5),
                marks: None,
                marks_rev: Rev::ZERO,
                more: More::new(),
            }
            .into(),
        }
    }

    #[test]
    fn what_is_not_said_of_an_author_is_known_from_the_rows() {
        let [alice, bob, carol] = [1, 2, 3].map(|n| AccountId::from_bytes([n; 16]));
        let all = vec![(alice, Rev(7)), (bob, FIRST)];
        let said: Vec<_> = all.iter().copied().filter(is_said).collect();
        assert_eq!(said, [(alice, Rev(7))], "bob's is as it was made");
        let rows = [by(alice), by(bob), by(bob)];
        assert_eq!(of(&rows, said), all, "and nothing is lost by that");
        let about_others = vec![(carol, Rev(2))];
        assert_eq!(
            of(&[], about_others.clone()),
            about_others,
            "an author of what is not among the rows stays"
        );
    }
}
