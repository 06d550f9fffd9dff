//! What a message shows, on one line.

use tulou_protocol::markup;

use super::{Names, WIDTH, build};
use crate::view::{Block, Inline, LinkKind};

/// What stands for everyone: the window has a word for it in its own language.
const EVERYONE: &str = "<@everyone>";

/// The text on one line, without markup, cut to `limit` characters. What is hidden stays hidden; `<@everyone>` stands
/// for the window's word.
#[must_use]
pub fn excerpt(text: &str, names: &Names<'_>, limit: usize) -> String {
    // Each character may stand on a line of its own.
    let room = limit.saturating_mul(WIDTH);
    let (blocks, is_cut) = build::blocks(text, &markup::read(text), names, room);
    let mut line = String::new();
    plain(&blocks, &mut line);
    let mut line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        Some((at, _)) => {
            // The word for everyone is not cut in two.
            let whole = line[..at]
                .rfind('<')
                .filter(|from| line[*from..].starts_with(EVERYONE) && from + EVERYONE.len() > at);
            line.truncate(whole.unwrap_or(at));
            line.push('…');
        }
        None if is_cut => line.push('…'),
        None => {}
    }
    line
}

fn plain(blocks: &[Block], line: &mut String) {
    for block in blocks {
        match block {
            Block::Paragraph { inlines, .. }
            | Block::Heading { inlines, .. }
            | Block::Code { inlines, .. } => all(inlines, line),
            Block::Quote { blocks } => {
                line.push_str("> ");
                plain(blocks, line);
            }
            Block::List { items, .. } => {
                for item in items {
                    line.push_str(match item.value {
                        Some(_) => &item.mark,
                        None => "•",
                    });
                    line.push(' ');
                    plain(&item.blocks, line);
                }
            }
            Block::Table { rows } => {
                for cell in rows.iter().flatten() {
                    all(cell, line);
                    line.push_str(" | ");
                }
            }
            Block::Rule => line.push('—'),
            Block::Gap { .. } => {}
        }
        line.push(' ');
    }
}

fn all(inlines: &[Inline], line: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { text } => line.push_str(text),
            Inline::Bold { inlines }
            | Inline::Italic { inlines }
            | Inline::Strike { inlines }
            | Inline::Code { inlines } => all(inlines, line),
            Inline::Link { target, inlines } => {
                all(inlines, line);
                if target.is_named && target.kind != LinkKind::Invite {
                    line.push_str(&format!(" ({})", target.place));
                }
            }
            Inline::Spoiler { .. } => line.push_str("▒▒▒"),
            Inline::Mention { name, .. } | Inline::MentionGroup { name, .. } => {
                line.push('@');
                line.push_str(name);
            }
            Inline::Name { name: Some(name) } => {
                line.push('@');
                line.push_str(name);
            }
            Inline::MentionEveryone | Inline::Name { name: None } => line.push_str(EVERYONE),
        }
    }
}
