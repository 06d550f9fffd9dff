use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::{limits::TEXT_BYTES, text::mentions};

mod golden;
mod worst;

/// Every piece in order, deepest first; panics where one does not begin at the end of the one before.
fn pieces(text: &str) -> Vec<(Range<usize>, bool)> {
    let mut all = Vec::new();
    of_blocks(&read(text), 0..text.len(), 0, &mut all);
    all
}

fn of_blocks(
    blocks: &[Block],
    range: Range<usize>,
    depth: usize,
    into: &mut Vec<(Range<usize>, bool)>,
) {
    assert!(depth <= DEPTH, "blocks nest {depth} deep");
    covers(blocks.iter().map(|block| &block.range), range);
    for block in blocks {
        let range = block.range.clone();
        match &block.what {
            BlockKind::Mark => into.push((range, false)),
            BlockKind::Gap(_) => into.push((range, false)),
            BlockKind::Rule => into.push((range, true)),
            BlockKind::Paragraph(inlines) | BlockKind::Heading { inlines, .. } => {
                of_inlines(inlines, range, 0, into);
            }
            BlockKind::Quote(blocks) => of_blocks(blocks, range, depth + 1, into),
            BlockKind::Code { language, inlines } => {
                assert!(range.start <= language.start && language.end <= range.end);
                let from = into.len();
                of_inlines(inlines, range, 0, into);
                // The language is shown as a label.
                for piece in &mut into[from..] {
                    piece.1 |= piece.0.start <= language.start && language.end <= piece.0.end;
                }
            }
            BlockKind::List { items, .. } => {
                covers(items.iter().map(|item| &item.range), range);
                for item in items {
                    of_blocks(&item.blocks, item.range.clone(), depth + 1, into);
                }
            }
            BlockKind::Table(rows) => {
                covers(rows.iter().flatten().map(|cell| &cell.range), range);
                for cell in rows.iter().flatten() {
                    of_inlines(&cell.inlines, cell.range.clone(), 0, into);
                }
            }
        }
    }
}

fn of_inlines(
    inlines: &[Inline],
    range: Range<usize>,
    depth: usize,
    into: &mut Vec<(Range<usize>, bool)>,
) {
    assert!(depth <= DEPTH, "spans nest {depth} deep");
    covers(inlines.iter().map(|inline| &inline.range), range);
    for inline in inlines {
        let range = inline.range.clone();
        match &inline.what {
            InlineKind::Mark | InlineKind::Break => into.push((range, false)),
            InlineKind::Text
            | InlineKind::Address(_)
            | InlineKind::Mention(_)
            | InlineKind::Name(_) => into.push((range, true)),
            InlineKind::Code(inlines) => of_inlines(inlines, range, depth, into),
            InlineKind::Span(span, inlines) => {
                of_inlines(inlines, range, depth + 1, into);
                if matches!(span, Span::Link(_))
                    && let Some(last) = into.last_mut()
                {
                    // Where it leads is shown when it is asked for.
                    last.1 = true;
                }
            }
        }
    }
}

fn covers<'a>(parts: impl Iterator<Item = &'a Range<usize>>, whole: Range<usize>) {
    let mut at = whole.start;
    for part in parts {
        assert_eq!(part.start, at, "a part begins where the one before ends");
        assert!(part.end >= part.start);
        at = part.end;
    }
    assert_eq!(at, whole.end, "the last part ends where the whole does");
}

fn holds(text: &str) {
    let pieces = pieces(text);
    let again: String = pieces
        .iter()
        .map(|(range, _)| &text[range.clone()])
        .collect();
    assert_eq!(again, text, "what goes in comes out");
    let ranges: Vec<_> = pieces.iter().map(|(range, _)| range.clone()).collect();
    assert_eq!(super::pieces(&read(text)), ranges);
    for (range, is_shown) in pieces {
        let hidden = &text[range];
        assert!(
            is_shown
                || hidden
                    .chars()
                    .all(|c| c.is_whitespace() || "*_~|`[]<>#-:\\.)0123456789".contains(c)),
            "{hidden:?} of {text:?} is not shown, and no mark"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_goes_in_comes_out_and_nothing_but_marks_is_hidden(
        text in "([>*_`~|\\[\\]()#!<>@&/:. \\n\\\\-]|https?://|www\\.|<@everyone>|\\|\\||\\]\\(https://a\\.b\\)|\n\n|```|\n- |\n1\\. |\n> |\n    |\n\\||[a-z0-9。，「」的]|\\PC){0,60}"
    ) {
        holds(&text);
    }
}

#[test]
fn who_is_named_in_code_or_behind_a_backslash_is_not_called() {
    let id = "AAAAAAAAAAAAAAAAAAAABw";
    let calls = |text: &str| {
        let found = mentions(
            &text
                .replace("@7", &format!("@{id}"))
                .replace("@&7", &format!("@&{id}")),
        );
        (
            found.accounts.len(),
            found.member_groups.len(),
            found.everyone,
        )
    };
    for quiet in [
        "`<@everyone>`",
        "``a ` <@7>``",
        "```\n<@7> <@&7>\n```",
        "```rs\n<@everyone>",
        "> ```\n> <@7>\n> ```",
        "- ```\n  <@7>\n  ```",
        "~~~\n<@7>\n~~~",
        "\\<@7>",
        "| a | b |\n|---|---|\n| `<@7>` | b |",
    ] {
        assert_eq!(calls(quiet), (0, 0, false), "{quiet:?} calls nobody");
    }
    for loud in [
        "<@7>",
        "**<@7>**",
        "    <@7>",
        "`a` <@7> `b`",
        "||<@7>||",
        "> <@7>",
        "- a\n  - <@7>",
        "`<@7>",
        "\\\\<@x> <@7>",
    ] {
        assert_eq!(calls(loud), (1, 0, false), "{loud:?} calls one");
    }
    assert_eq!(calls("<@everyone> <@&7>"), (0, 1, true));
}

#[test]
fn no_message_takes_long_to_read() {
    for (name, text) in worst::texts() {
        assert!(text.len() <= TEXT_BYTES, "{name} can be sent");
        holds(&text);
        // The quickest of some: others work on this computer, too.
        let took = (0..3)
            .map(|_| {
                let begin = Instant::now();
                let _ = read(&text);
                begin.elapsed()
            })
            .min()
            .unwrap();
        assert!(
            took < Duration::from_millis(600),
            "{name} took {took:?} in a program that is not optimised"
        );
    }
}
