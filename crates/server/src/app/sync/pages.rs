//! How much of what is to be told goes into one answer.

use std::sync::Arc;

use tulou_protocol::{Rev, Row, limits};

/// A row as it is sent.
pub type Encoded = Arc<str>;

/// Encodes a row.
pub fn encode(row: &Row) -> Encoded {
    // No row is one that cannot be written as JSON.
    serde_json::to_string(row).unwrap_or_default().into()
}

/// The part of what is to be told that goes into an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<Encoded>,
    /// The rev of the last row that was looked at.
    pub rev: Rev,
    /// There is nothing else.
    pub is_whole: bool,
}

/// Takes rows, in the order of rev, for which there is room: one at least. Rows of one rev are not parted. One that is not
/// told takes no room.
pub fn cut(rows: impl Iterator<Item = (Rev, Option<Encoded>)>, bytes: usize) -> Page {
    let mut page = Page {
        rows: Vec::new(),
        rev: Rev::ZERO,
        is_whole: true,
    };
    let mut taken = 0;
    for (rev, row) in rows {
        let size = row.as_ref().map_or(0, |row| row.len() + 1);
        let is_full = taken + size > bytes || page.rows.len() >= limits::SYNC_ROWS;
        if is_full && !page.rows.is_empty() && rev > page.rev {
            page.is_whole = false;
            break;
        }
        taken += size;
        page.rev = rev;
        page.rows.extend(row);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(revs: &[u64]) -> impl Iterator<Item = (Rev, Option<Encoded>)> {
        revs.iter().map(|rev| (Rev(*rev), Some("123456789".into())))
    }

    #[test]
    fn a_page_has_as_many_rows_as_there_is_room_for_and_one_at_least() {
        let page = cut(rows(&[1, 2, 3]), 25);
        assert_eq!(
            (page.rows.len(), page.rev, page.is_whole),
            (2, Rev(2), false)
        );
        let page = cut(rows(&[1, 2, 3]), 30);
        assert_eq!(
            (page.rows.len(), page.rev, page.is_whole),
            (3, Rev(3), true)
        );
        let page = cut(rows(&[5, 6]), 0);
        assert_eq!(
            (page.rows.len(), page.rev, page.is_whole),
            (1, Rev(5), false)
        );
    }

    #[test]
    fn rows_of_one_rev_come_together() {
        let page = cut(rows(&[1, 2, 2, 2, 3]), 15);
        assert_eq!((page.rows.len(), page.rev), (1, Rev(1)));
        let page = cut(rows(&[2, 2, 2, 3]), 15);
        assert_eq!(
            (page.rows.len(), page.rev, page.is_whole),
            (3, Rev(2), false),
            "who asks from there on has all of it"
        );
    }

    #[test]
    fn what_is_not_told_is_covered_and_takes_no_room() {
        let rows = [
            (Rev(1), None),
            (Rev(2), Some("123456789".into())),
            (Rev(3), None),
        ];
        let page = cut(rows.into_iter(), 10);
        assert_eq!(
            (page.rows.len(), page.rev, page.is_whole),
            (1, Rev(3), true)
        );
    }
}
