//! What Markdown does not know: mentions, spoilers and bare addresses in running text.

use tulou_protocol::text::{Piece, pieces};

use super::Names;
use crate::view::{Block, Inline};

/// Whether a link may be opened from a message.
pub(super) fn is_harmless(url: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    }) && !url.chars().any(char::is_control)
}

/// Finds mentions, spoilers and addresses in all running text.
pub(super) fn refine(blocks: Vec<Block>, names: &Names<'_>) -> Vec<Block> {
    blocks
        .into_iter()
        .map(|block| match block {
            Block::Paragraph { inlines } => Block::Paragraph {
                inlines: spoilers(running(inlines, names, false)),
            },
            Block::Heading { level, inlines } => Block::Heading {
                level,
                inlines: spoilers(running(inlines, names, false)),
            },
            Block::Quote { blocks } => Block::Quote {
                blocks: refine(blocks, names),
            },
            Block::List { start, items } => Block::List {
                start,
                items: items.into_iter().map(|item| refine(item, names)).collect(),
            },
            Block::Code { .. } | Block::Rule => block,
        })
        .collect()
}

fn running(inlines: Vec<Inline>, names: &Names<'_>, is_in_link: bool) -> Vec<Inline> {
    let mut found = Vec::new();
    for inline in joined(inlines) {
        match inline {
            Inline::Text { text } => words(&text, names, is_in_link, &mut found),
            Inline::Bold { inlines } => found.push(Inline::Bold {
                inlines: running(inlines, names, is_in_link),
            }),
            Inline::Italic { inlines } => found.push(Inline::Italic {
                inlines: running(inlines, names, is_in_link),
            }),
            Inline::Strike { inlines } => found.push(Inline::Strike {
                inlines: running(inlines, names, is_in_link),
            }),
            Inline::Link { href, inlines } => {
                let inlines = running(inlines, names, true);
                found.push(if inlines.is_empty() {
                    Inline::Link {
                        inlines: vec![Inline::Text { text: href.clone() }],
                        href,
                    }
                } else {
                    Inline::Link { href, inlines }
                });
            }
            Inline::Spoiler { .. }
            | Inline::Code { .. }
            | Inline::Mention { .. }
            | Inline::MentionEveryone
            | Inline::MentionGroup { .. }
            | Inline::Break => found.push(inline),
        }
    }
    found
}

/// Adjacent texts as one: a mention may have been cut where the parser looked for markup.
fn joined(inlines: Vec<Inline>) -> Vec<Inline> {
    let mut all: Vec<Inline> = Vec::with_capacity(inlines.len());
    for inline in inlines {
        match (all.last_mut(), inline) {
            (Some(Inline::Text { text }), Inline::Text { text: more }) => text.push_str(&more),
            (_, inline) => all.push(inline),
        }
    }
    all
}

fn words(text: &str, names: &Names<'_>, is_in_link: bool, found: &mut Vec<Inline>) {
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) if is_in_link => found.push(Inline::Text {
                text: text.to_owned(),
            }),
            Piece::Text(text) => addresses(text, found),
            Piece::Account(account) => found.push(Inline::Mention {
                account: account.to_string(),
                name: names
                    .accounts
                    .get(&account)
                    .map_or_else(|| short(&account.to_string()), |name| (*name).to_owned()),
                is_me: names.me == Some(account),
            }),
            Piece::MemberGroup(group) => {
                let known = names.member_groups.get(&group);
                found.push(Inline::MentionGroup {
                    member_group: group.to_string(),
                    name: known
                        .map_or_else(|| short(&group.to_string()), |(name, _)| (*name).to_owned()),
                    is_me: known.is_some_and(|(_, is_me)| *is_me),
                });
            }
            Piece::Everyone => found.push(Inline::MentionEveryone),
        }
    }
}

/// What stands for somebody whose name is not known.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

/// Bare `http://` and `https://` addresses become links.
fn addresses(text: &str, found: &mut Vec<Inline>) {
    let mut rest = text;
    while let Some(start) = next_address(rest) {
        let url_len = rest[start..]
            .find(|c: char| {
                c.is_whitespace()
                    || c.is_control()
                    || matches!(
                        c,
                        '<' | '>'
                            | '"'
                            | '|'
                            | '`'
                            | '，'
                            | '。'
                            | '、'
                            | '；'
                            | '！'
                            | '？'
                            | '（'
                            | '）'
                            | '「'
                            | '」'
                            | '《'
                            | '》'
                            | '“'
                            | '”'
                    )
            })
            .unwrap_or(rest.len() - start);
        let url = trimmed(&rest[start..start + url_len]);
        if start > 0 {
            found.push(Inline::Text {
                text: rest[..start].to_owned(),
            });
        }
        found.push(Inline::Link {
            href: url.to_owned(),
            inlines: vec![Inline::Text {
                text: url.to_owned(),
            }],
        });
        rest = &rest[start + url.len()..];
    }
    if !rest.is_empty() {
        found.push(Inline::Text {
            text: rest.to_owned(),
        });
    }
}

/// Where the next address begins that has something behind its scheme.
fn next_address(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find("http").map(|at| from + at) {
        let rest = &text[at..];
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| rest.starts_with(scheme));
        let is_word_before = text[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_ascii_alphanumeric());
        if let Some(scheme) = scheme
            && !is_word_before
            && rest[scheme.len()..]
                .chars()
                .next()
                .is_some_and(|c| c.is_alphanumeric() || c == '[')
        {
            return Some(at);
        }
        from = at + 4;
    }
    None
}

/// An address without the punctuation of the sentence around it.
fn trimmed(url: &str) -> &str {
    let mut url = url;
    loop {
        let Some(last) = url.chars().next_back() else {
            return url;
        };
        let is_loose = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => true,
            ')' => url.matches(')').count() > url.matches('(').count(),
            ']' => url.matches(']').count() > url.matches('[').count(),
            _ => false,
        };
        if !is_loose || url.len() <= "https://x".len() {
            return url;
        }
        url = &url[..url.len() - last.len_utf8()];
    }
}

/// `||…||` in running text hides what stands between, whatever it is.
fn spoilers(inlines: Vec<Inline>) -> Vec<Inline> {
    let mut parts: Vec<Option<Inline>> = Vec::new();
    for inline in inlines {
        let Inline::Text { text } = inline else {
            parts.push(Some(inline));
            continue;
        };
        for (at, piece) in text.split("||").enumerate() {
            if at > 0 {
                parts.push(None);
            }
            if !piece.is_empty() {
                parts.push(Some(Inline::Text {
                    text: piece.to_owned(),
                }));
            }
        }
    }
    let bars = parts.iter().filter(|part| part.is_none()).count();
    let mut pairs = bars / 2;
    let mut found: Vec<Inline> = Vec::new();
    let mut hidden: Option<Vec<Inline>> = None;
    for part in parts {
        match (part, hidden.take()) {
            (Some(inline), Some(mut inside)) => {
                inside.push(inline);
                hidden = Some(inside);
            }
            (Some(inline), None) => found.push(inline),
            (None, Some(inside)) if inside.is_empty() => found.push(Inline::Text {
                text: "||||".to_owned(),
            }),
            (None, Some(inlines)) => found.push(Inline::Spoiler { inlines }),
            (None, None) if pairs > 0 => {
                pairs -= 1;
                hidden = Some(Vec::new());
            }
            (None, None) => found.push(Inline::Text {
                text: "||".to_owned(),
            }),
        }
    }
    joined(found)
}
