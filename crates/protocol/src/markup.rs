//! The dialect that messages are written in, as a tree.
//!
//! A message is chat, not a document: what was typed is what is read. `docs/text.md` has the rules, each with what is
//! typed and what is shown. Every piece of the tree knows its range of the text, the pieces of a range follow each other
//! without a gap, and what is not shown is a piece, too ([`BlockKind::Mark`], [`InlineKind::Mark`]): in order they give the typed
//! text back. Reading takes time in proportion to the text, whatever stands in it, and no tree is deeper than
//! [`DEPTH`] blocks with [`DEPTH`] spans in them: what is nested deeper is text.
//!
//! The server asks this tree who is mentioned ([`crate::text::mentions`]), the client shows it.

mod address;
mod block;
mod inline;
mod letter;
mod line;
mod runs;
mod target;

use std::ops::Range;

pub use self::target::{Doubt, Kind, Target};
use crate::mention::Mention;

/// How deep blocks nest, and spans in a block.
pub const DEPTH: usize = 12;

/// A part of a message that stands on lines of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it stands in the text.
    pub range: Range<usize>,
    /// What it is.
    pub what: BlockKind,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockKind {
    /// Not shown: the mark of a quotation, of an item, the end of a line between two blocks.
    Mark,
    /// So many empty lines.
    Gap(usize),
    /// Lines of text.
    Paragraph(Vec<Inline>),
    /// `# ` to `### `.
    Heading {
        /// 1 to 3; 1 is the largest.
        level: u8,
        /// The line.
        inlines: Vec<Inline>,
    },
    /// `> `.
    Quote(Vec<Block>),
    /// Between fences; [`InlineKind::Break`] is the end of a line.
    Code {
        /// Behind the opening fence.
        language: Range<usize>,
        /// Text, mentions as names, and marks.
        inlines: Vec<Inline>,
    },
    /// `- `, `* ` or `1. `.
    List {
        /// Its items have numbers.
        is_numbered: bool,
        /// The items.
        items: Vec<Item>,
    },
    /// Lines between `|`, a line of dashes below the first.
    Table(Vec<Vec<Cell>>),
    /// A line across.
    Rule,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// With its mark, to where the next one begins.
    pub range: Range<usize>,
    /// Its mark, without the blank behind it: `-`, `3.`, `07)`.
    pub mark: Range<usize>,
    /// Its content.
    pub blocks: Vec<Block>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// With the bars and blanks before it.
    pub range: Range<usize>,
    /// Its content.
    pub inlines: Vec<Inline>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// Where it stands in the text.
    pub range: Range<usize>,
    /// What it is.
    pub what: InlineKind,
}

/// What a part of a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InlineKind {
    /// Not shown: stars, brackets, a backslash that kept something from being markup.
    Mark,
    /// As typed.
    Text,
    /// The end of a line, with what stands before the content of the next.
    Break,
    /// Bold, italic, struck, hidden, or a link.
    Span(Span, Vec<Inline>),
    /// `` `…` ``: text, mentions as names, and marks.
    Code(Vec<Inline>),
    /// An address that stands in the text by itself.
    Address(Box<Target>),
    /// Somebody is called.
    Mention(Mention),
    /// The mark of a mention in code, or behind a backslash: its name is shown, nobody is called.
    Name(Mention),
}

/// What a span does to its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// `**…**`
    Bold,
    /// `*…*` or `_…_`
    Italic,
    /// `~~…~~`
    Strike,
    /// `||…||`
    Spoiler,
    /// `[…](…)`
    Link(Box<Target>),
}

/// Reads a text. Its pieces cover it from the first byte to the last.
#[must_use]
pub fn read(text: &str) -> Vec<Block> {
    block::read(text)
}

/// The ranges of a tree's innermost pieces, in order, each beginning where the one before ends: together the text.
#[must_use]
pub fn pieces(blocks: &[Block]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    for block in blocks {
        match &block.what {
            BlockKind::Mark | BlockKind::Gap(_) | BlockKind::Rule => all.push(block.range.clone()),
            BlockKind::Paragraph(inlines)
            | BlockKind::Heading { inlines, .. }
            | BlockKind::Code { inlines, .. } => pieces_in(inlines, &mut all),
            BlockKind::Quote(blocks) => all.extend(pieces(blocks)),
            BlockKind::List { items, .. } => {
                all.extend(items.iter().flat_map(|item| pieces(&item.blocks)));
            }
            BlockKind::Table(rows) => {
                for cell in rows.iter().flatten() {
                    pieces_in(&cell.inlines, &mut all);
                }
            }
        }
    }
    all
}

fn pieces_in(inlines: &[Inline], all: &mut Vec<Range<usize>>) {
    for inline in inlines {
        match &inline.what {
            InlineKind::Span(_, inlines) | InlineKind::Code(inlines) => pieces_in(inlines, all),
            InlineKind::Mark
            | InlineKind::Text
            | InlineKind::Break
            | InlineKind::Address(_)
            | InlineKind::Mention(_)
            | InlineKind::Name(_) => all.push(inline.range.clone()),
        }
    }
}

/// Every mention that calls, in order; those that stand for a name only are left out.
pub(crate) fn called(blocks: &[Block], found: &mut impl FnMut(Mention)) {
    for block in blocks {
        match &block.what {
            BlockKind::Mark | BlockKind::Gap(_) | BlockKind::Code { .. } | BlockKind::Rule => {}
            BlockKind::Paragraph(inlines) | BlockKind::Heading { inlines, .. } => {
                called_in(inlines, found);
            }
            BlockKind::Quote(blocks) => called(blocks, found),
            BlockKind::List { items, .. } => {
                items.iter().for_each(|item| called(&item.blocks, found));
            }
            BlockKind::Table(rows) => {
                for cell in rows.iter().flatten() {
                    called_in(&cell.inlines, found);
                }
            }
        }
    }
}

fn called_in(inlines: &[Inline], found: &mut impl FnMut(Mention)) {
    for inline in inlines {
        match &inline.what {
            InlineKind::Mark
            | InlineKind::Text
            | InlineKind::Break
            | InlineKind::Code(_)
            | InlineKind::Address(_)
            | InlineKind::Name(_) => {}
            InlineKind::Span(_, inlines) => called_in(inlines, found),
            InlineKind::Mention(mention) => found(*mention),
        }
    }
}

/// Puts marks where the parts of a range leave a gap.
fn tiled(range: Range<usize>, parts: Vec<Block>) -> Vec<Block> {
    let mark = |range| Block {
        range,
        what: BlockKind::Mark,
    };
    filled(range, parts, |part| part.range.clone(), mark)
}

fn tiled_inlines(range: Range<usize>, parts: Vec<Inline>) -> Vec<Inline> {
    let mark = |range| Inline {
        range,
        what: InlineKind::Mark,
    };
    filled(range, parts, |part| part.range.clone(), mark)
}

fn filled<T>(
    range: Range<usize>,
    parts: Vec<T>,
    of: impl Fn(&T) -> Range<usize>,
    mark: impl Fn(Range<usize>) -> T,
) -> Vec<T> {
    let mut all = Vec::with_capacity(parts.len() + 2);
    let mut at = range.start;
    for part in parts {
        let Range { start, end } = of(&part);
        if at < start {
            all.push(mark(at..start));
        }
        all.push(part);
        at = end;
    }
    if at < range.end {
        all.push(mark(at..range.end));
    }
    all
}

#[cfg(test)]
mod tests;
