//! What is typed and what is shown, in a form that a person can read: `golden.txt`.

use std::{fmt::Write, path::Path};

use super::*;

const ID: &str = "AAAAAAAAAAAAAAAAAAAABw";

/// `⏎` is a line break, `⇥` a tab, `@7` somebody's id, `␣` a blank that shows nothing, `⮌` turns the direction, `⧸` strikes
/// through what stands before it.
fn typed(line: &str) -> String {
    line.replace('⏎', "\n")
        .replace('⇥', "\t")
        .replace('␣', "\u{200b}")
        .replace('⮌', "\u{202e}")
        .replace("@7", &format!("@{ID}"))
        .replace("@&7", &format!("@&{ID}"))
        .replace('⧸', "\u{338}")
}

#[test]
fn what_is_typed_is_shown_as_the_golden_file_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/markup/tests/golden.txt");
    let golden = std::fs::read_to_string(&path).unwrap();
    let mut written = String::new();
    let mut lines = 0;
    for line in golden.lines() {
        let text = line.split("  ⇒  ").next().unwrap();
        if text.starts_with("%") || text.is_empty() {
            writeln!(written, "{line}").unwrap();
            continue;
        }
        lines += 1;
        let mut text = typed(text);
        if text.contains('\u{338}') {
            text = crate::text::clean(&text);
        }
        holds(&text);
        let line = line.split("  ⇒  ").next().unwrap();
        writeln!(written, "{line}  ⇒  {}", shown(&text)).unwrap();
    }
    assert!(lines >= 200, "only {lines} lines");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, written).unwrap();
        return;
    }
    for (shown, expected) in written.lines().zip(golden.lines()) {
        assert_eq!(
            shown, expected,
            "UPDATE_GOLDEN=1 writes the file anew; read what changed"
        );
    }
}

fn shown(text: &str) -> String {
    let mut out = String::new();
    blocks(text, &read(text), &mut out);
    out.replace('\n', "⏎")
        .replace('\t', "⇥")
        .replace('\u{200b}', "␣")
        .replace('\u{202e}', "⮌")
        .replace('\u{34f}', "")
        .replace('\u{338}', "⧸")
        .replace(ID, "7")
}

fn blocks(text: &str, all: &[Block], out: &mut String) {
    let mut is_first = true;
    for block in all {
        if matches!(block.what, BlockKind::Mark) {
            continue;
        }
        if !is_first {
            out.push(' ');
        }
        is_first = false;
        match &block.what {
            BlockKind::Mark => {}
            BlockKind::Gap(count) => write!(out, "⟨gap {count}⟩").unwrap(),
            BlockKind::Paragraph(all) => inlines(text, all, out),
            BlockKind::Heading {
                level,
                inlines: all,
            } => {
                write!(out, "⟨h{level} ").unwrap();
                inlines(text, all, out);
                out.push('⟩');
            }
            BlockKind::Quote(inner) => {
                out.push_str("⟨quote ");
                blocks(text, inner, out);
                out.push('⟩');
            }
            BlockKind::Code {
                language,
                inlines: all,
            } => {
                write!(out, "⟨code {}:", &text[language.clone()]).unwrap();
                inlines(text, all, out);
                out.push('⟩');
            }
            BlockKind::List { items, .. } => {
                for item in items {
                    write!(out, "⟨{} ", &text[item.mark.clone()]).unwrap();
                    blocks(text, &item.blocks, out);
                    out.push('⟩');
                }
            }
            BlockKind::Table(rows) => {
                out.push_str("⟨table");
                for row in rows {
                    out.push_str(" ⟨");
                    for (at, cell) in row.iter().enumerate() {
                        if at > 0 {
                            out.push('¦');
                        }
                        inlines(text, &cell.inlines, out);
                    }
                    out.push('⟩');
                }
                out.push('⟩');
            }
            BlockKind::Rule => out.push_str("⟨rule⟩"),
        }
    }
}

fn inlines(text: &str, all: &[Inline], out: &mut String) {
    for inline in all {
        let typed = &text[inline.range.clone()];
        match &inline.what {
            InlineKind::Mark => {}
            InlineKind::Text => out.push_str(typed),
            InlineKind::Break => out.push('\n'),
            InlineKind::Code(inner) => {
                out.push_str("⟨code ");
                inlines(text, inner, out);
                out.push('⟩');
            }
            InlineKind::Address(target) => {
                if target.href == typed {
                    write!(out, "⟨link {typed}{}⟩", doubts(target)).unwrap();
                } else {
                    write!(out, "⟨link {typed} → {}{}⟩", target.href, doubts(target)).unwrap();
                }
            }
            InlineKind::Mention(_) => write!(out, "⟨call {}⟩", &typed[1..typed.len() - 1]).unwrap(),
            InlineKind::Name(_) => out.push_str(&typed[1..typed.len() - 1]),
            InlineKind::Span(span, inner) => {
                out.push_str(match span {
                    Span::Bold => "⟨b ",
                    Span::Italic => "⟨i ",
                    Span::Strike => "⟨s ",
                    Span::Spoiler => "⟨hidden ",
                    Span::Link(_) => "⟨link ",
                });
                inlines(text, inner, out);
                if let Span::Link(target) = span {
                    write!(out, " → {}{}", target.href, doubts(target)).unwrap();
                }
                out.push('⟩');
            }
        }
    }
}

fn doubts(target: &Target) -> String {
    let mut said = String::new();
    if !target.href.contains(&target.place) {
        write!(said, " at {}", target.place).unwrap();
    }
    if target.is_named {
        said.push_str(" named");
    }
    for doubt in &target.doubts {
        write!(said, " {doubt:?}!").unwrap();
    }
    said
}
