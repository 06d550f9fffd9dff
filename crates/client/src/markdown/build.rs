//! From the tree of the dialect to the tree of the window, as far as there is room.

use tulou_protocol::{
    markup::{self, BlockKind, Doubt, InlineKind, Kind, Span, Target},
    mention::Mention,
};

use super::{Names, WIDTH, lang, short};
use crate::view::{Block, Inline, Item, LinkDoubt, LinkKind, LinkView};

/// How much of a line a character takes.
pub fn width(c: char) -> usize {
    match c {
        '\0'..='\u{10ff}' => 1,
        '\u{fdfd}' => 8,
        _ => 2,
    }
}

/// The blocks that fit into so much room, and whether that left something out.
pub fn blocks(
    text: &str,
    tree: &[markup::Block],
    names: &Names<'_>,
    room: usize,
) -> (Vec<Block>, bool) {
    let mut builder = Builder {
        text,
        names,
        room,
        used: 0,
        is_cut: false,
    };
    let blocks = builder.blocks(tree);
    (blocks, builder.is_cut)
}

struct Builder<'a> {
    text: &'a str,
    names: &'a Names<'a>,
    /// [`WIDTH`] is a line.
    room: usize,
    used: usize,
    is_cut: bool,
}

impl Builder<'_> {
    fn blocks(&mut self, tree: &[markup::Block]) -> Vec<Block> {
        let mut blocks = Vec::with_capacity(tree.len());
        for block in tree {
            if !matches!(block.what, BlockKind::Mark) && self.is_full() {
                break;
            }
            blocks.extend(self.block(block));
        }
        blocks
    }

    /// Whether something is left out from here on.
    fn is_full(&mut self) -> bool {
        self.is_cut |= self.used >= self.room;
        self.is_cut
    }

    fn next_line(&mut self) {
        self.used = (self.used / WIDTH + 1) * WIDTH;
    }

    fn block(&mut self, block: &markup::Block) -> Option<Block> {
        Some(match &block.what {
            BlockKind::Mark => return None,
            BlockKind::Gap(lines) => {
                let lines = (*lines).min((self.room - self.used).div_ceil(WIDTH));
                self.used += lines * WIDTH;
                Block::Gap {
                    lines: u32::try_from(lines).unwrap_or(u32::MAX),
                }
            }
            BlockKind::Paragraph(inlines) => {
                let inlines = self.lines(inlines);
                Block::Paragraph {
                    lang: lang::of(&inlines),
                    inlines,
                }
            }
            BlockKind::Heading { level, inlines } => {
                let inlines = self.lines(inlines);
                Block::Heading {
                    level: *level,
                    lang: lang::of(&inlines),
                    inlines,
                }
            }
            BlockKind::Quote(blocks) => Block::Quote {
                blocks: self.blocks(blocks),
            },
            BlockKind::Code { language, inlines } => Block::Code {
                language: self.text[language.clone()].to_owned(),
                inlines: self.code(inlines),
            },
            BlockKind::List { is_numbered, items } => Block::List {
                is_numbered: *is_numbered,
                items: self.items(items),
            },
            BlockKind::Table(rows) => Block::Table {
                rows: self.rows(rows),
            },
            BlockKind::Rule => {
                self.next_line();
                Block::Rule
            }
        })
    }

    fn items(&mut self, tree: &[markup::Item]) -> Vec<Item> {
        let mut items = Vec::with_capacity(tree.len());
        for item in tree {
            if self.is_full() {
                break;
            }
            let mark = &self.text[item.mark.clone()];
            items.push(Item {
                mark: mark.to_owned(),
                value: mark.trim_end_matches(['.', ')']).parse().ok(),
                blocks: self.blocks(&item.blocks),
            });
        }
        items
    }

    fn rows(&mut self, tree: &[Vec<markup::Cell>]) -> Vec<Vec<Vec<Inline>>> {
        let mut rows = Vec::with_capacity(tree.len());
        for row in tree {
            if self.is_full() {
                break;
            }
            rows.push(row.iter().map(|cell| self.inlines(&cell.inlines)).collect());
            self.next_line();
        }
        rows
    }

    /// Each line of code is one on the screen, however long.
    fn code(&mut self, tree: &[markup::Inline]) -> Vec<Inline> {
        let mut inlines = Vec::new();
        for inline in tree {
            if !matches!(inline.what, InlineKind::Mark) && self.is_full() {
                break;
            }
            if matches!(inline.what, InlineKind::Break) {
                self.next_line();
                if self.is_full() {
                    break;
                }
            }
            let used = self.used;
            self.inline(inline, &mut inlines);
            let is_line_full = self.used / WIDTH > used / WIDTH;
            if is_line_full && !self.is_cut {
                self.used = used / WIDTH * WIDTH + WIDTH - 1;
            }
        }
        self.next_line();
        inlines
    }

    fn lines(&mut self, tree: &[markup::Inline]) -> Vec<Inline> {
        let inlines = self.inlines(tree);
        self.next_line();
        inlines
    }

    fn inlines(&mut self, tree: &[markup::Inline]) -> Vec<Inline> {
        let mut inlines = Vec::new();
        for inline in tree {
            if !matches!(inline.what, InlineKind::Mark) && self.is_full() {
                break;
            }
            self.inline(inline, &mut inlines);
        }
        inlines
    }

    fn inline(&mut self, inline: &markup::Inline, into: &mut Vec<Inline>) {
        let typed = &self.text[inline.range.clone()];
        match &inline.what {
            InlineKind::Mark => {}
            InlineKind::Text => self.add(typed, into),
            InlineKind::Break => {
                self.next_line();
                push_text("\n", into);
            }
            InlineKind::Span(span, inlines) => {
                let inlines = self.inlines(inlines);
                if let Span::Link(target) = span
                    && target.is_named
                {
                    // Where it leads is said beside it.
                    self.used += target.place.len() + 1;
                }
                into.push(match span {
                    Span::Bold => Inline::Bold { inlines },
                    Span::Italic => Inline::Italic { inlines },
                    Span::Strike => Inline::Strike { inlines },
                    Span::Spoiler => Inline::Spoiler { inlines },
                    Span::Link(target) => Inline::Link {
                        target: link(target),
                        inlines,
                    },
                });
            }
            InlineKind::Code(inlines) => {
                // It has room around it.
                self.used += 2;
                into.push(Inline::Code {
                    inlines: self.inlines(inlines),
                });
            }
            InlineKind::Address(target) => {
                let mut inlines = Vec::new();
                self.add(typed, &mut inlines);
                into.push(Inline::Link {
                    target: link(target),
                    inlines,
                });
            }
            InlineKind::Mention(mention) => {
                self.used += 10;
                into.push(self.mention(*mention));
            }
            InlineKind::Name(mention) => {
                self.used += 10;
                into.push(Inline::Name {
                    name: self.names.of(*mention),
                });
            }
        }
    }

    /// As much of a text as there is room for.
    fn add(&mut self, text: &str, into: &mut Vec<Inline>) {
        for (at, c) in text.char_indices() {
            if self.used >= self.room {
                self.is_cut = true;
                push_text(text[..at].trim_end(), into);
                return;
            }
            self.used += width(c);
        }
        push_text(text, into);
    }

    fn mention(&self, mention: Mention) -> Inline {
        match mention {
            Mention::Account(id) => Inline::Mention {
                account: id.to_string(),
                name: self
                    .names
                    .of(mention)
                    .unwrap_or_else(|| short(&id.to_string())),
                is_me: self.names.me == Some(id),
            },
            Mention::MemberGroup(id) => Inline::MentionGroup {
                member_group: id.to_string(),
                name: self
                    .names
                    .of(mention)
                    .unwrap_or_else(|| short(&id.to_string())),
                is_me: self
                    .names
                    .member_groups
                    .get(&id)
                    .is_some_and(|(_, is_me)| *is_me),
            },
            Mention::Everyone => Inline::MentionEveryone,
        }
    }
}

/// Adjacent texts are one.
fn push_text(text: &str, into: &mut Vec<Inline>) {
    match into.last_mut() {
        _ if text.is_empty() => {}
        Some(Inline::Text { text: before }) => before.push_str(text),
        _ => into.push(Inline::Text {
            text: text.to_owned(),
        }),
    }
}

fn link(target: &Target) -> LinkView {
    LinkView {
        href: target.href.clone(),
        kind: match target.kind {
            Kind::Web => LinkKind::Web,
            Kind::Mail => LinkKind::Mail,
            Kind::Invite => LinkKind::Invite,
        },
        place: target.place.clone(),
        is_named: target.is_named,
        doubts: target
            .doubts
            .iter()
            .map(|doubt| match doubt {
                Doubt::OtherText => LinkDoubt::OtherText,
                Doubt::UserInfo => LinkDoubt::UserInfo,
                Doubt::Lookalike => LinkDoubt::Lookalike,
                Doubt::Hidden => LinkDoubt::Hidden,
            })
            .collect(),
    }
}
