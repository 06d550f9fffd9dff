//! From the parser's events to blocks.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Tag};

use super::{DEPTH, Names, inline};
use crate::view::{Block, Inline};

/// What is being built: a container with what it holds so far.
enum Frame {
    /// Paragraph, heading, or anything else whose content is running text.
    Text(Leaf, Vec<Inline>),
    /// Code, with its language.
    Code(String, String),
    /// Quotation or item of a list.
    Blocks(Vec<Block>, Vec<Inline>),
    /// A list.
    List(Option<u32>, Vec<Vec<Block>>),
    /// Emphasis within running text.
    Span(Span, Vec<Inline>),
}

enum Leaf {
    Paragraph,
    Heading(u8),
}

enum Span {
    Bold,
    Italic,
    Strike,
    Link(String),
    /// An unsafe link, or a picture: its text only, and where it led.
    Flat(String),
}

/// Blocks from events. What is nested too deep is added to the container that is open.
pub(super) fn blocks<'a>(events: impl Iterator<Item = Event<'a>>, names: &Names<'_>) -> Vec<Block> {
    let mut builder = Builder {
        stack: vec![Frame::Blocks(Vec::new(), Vec::new())],
        skipped: 0,
        text: String::new(),
    };
    for event in events {
        builder.take(event);
    }
    let blocks = builder.finish();
    inline::refine(blocks, names)
}

struct Builder {
    stack: Vec<Frame>,
    /// Open containers that were not made because they are too deep.
    skipped: usize,
    /// Adjacent pieces of plain text.
    text: String,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text);
            }
            Event::Code(text) => self.inline(Inline::Code {
                text: text.into_string(),
            }),
            Event::SoftBreak | Event::HardBreak => self.inline(Inline::Break),
            Event::Rule => {
                self.flush();
                self.block(Block::Rule);
            }
            Event::TaskListMarker(is_done) => self.text(if is_done { "[x] " } else { "[ ] " }),
            Event::Start(tag) => self.open(tag),
            Event::End(_) => self.close(),
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        self.flush();
        if self.skipped > 0 || self.stack.len() >= DEPTH {
            self.skipped += 1;
            return;
        }
        self.stack.push(match tag {
            Tag::Heading { level, .. } => Frame::Text(
                Leaf::Heading(match level {
                    HeadingLevel::H1 => 1,
                    HeadingLevel::H2 => 2,
                    HeadingLevel::H3 | HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => 3,
                }),
                Vec::new(),
            ),
            Tag::BlockQuote(_) | Tag::Item => Frame::Blocks(Vec::new(), Vec::new()),
            Tag::CodeBlock(kind) => Frame::Code(language(kind), String::new()),
            Tag::List(start) => Frame::List(
                start.map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
                Vec::new(),
            ),
            Tag::Emphasis => Frame::Span(Span::Italic, Vec::new()),
            Tag::Strong => Frame::Span(Span::Bold, Vec::new()),
            Tag::Strikethrough => Frame::Span(Span::Strike, Vec::new()),
            Tag::Link { dest_url, .. } if inline::is_harmless(&dest_url) => {
                Frame::Span(Span::Link(dest_url.into_string()), Vec::new())
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                Frame::Span(Span::Flat(dest_url.into_string()), Vec::new())
            }
            Tag::Paragraph
            | Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Table(_)
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => Frame::Text(Leaf::Paragraph, Vec::new()),
        });
    }

    fn close(&mut self) {
        self.flush();
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let Some(frame) = self.stack.pop() else {
            return;
        };
        match frame {
            Frame::Text(Leaf::Paragraph, inlines) => self.paragraph(inlines),
            Frame::Text(Leaf::Heading(level), inlines) => {
                self.block(Block::Heading { level, inlines });
            }
            Frame::Code(language, text) => self.block(Block::Code {
                language,
                text: text.strip_suffix('\n').unwrap_or(&text).to_owned(),
            }),
            Frame::Blocks(blocks, loose) => {
                let blocks = with_loose(blocks, loose);
                match self.stack.last_mut() {
                    Some(Frame::List(_, items)) => items.push(blocks),
                    _ => self.block(Block::Quote { blocks }),
                }
            }
            Frame::List(start, items) => self.block(Block::List { start, items }),
            Frame::Span(span, inlines) => match span {
                Span::Bold => self.inline(Inline::Bold { inlines }),
                Span::Italic => self.inline(Inline::Italic { inlines }),
                Span::Strike => self.inline(Inline::Strike { inlines }),
                Span::Link(href) => self.inline(Inline::Link { href, inlines }),
                Span::Flat(url) => {
                    let is_empty = inlines.is_empty();
                    for part in inlines {
                        self.inline(part);
                    }
                    if !url.is_empty() {
                        let text = if is_empty { url } else { format!(" ({url})") };
                        self.inline(Inline::Text { text });
                    }
                }
            },
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(Frame::Code(_, code)) = self.stack.last_mut() {
            code.push_str(text);
        } else {
            self.text.push_str(text);
        }
    }

    fn flush(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.push(Inline::Break);
            }
            if !line.is_empty() {
                self.push(Inline::Text {
                    text: line.to_owned(),
                });
            }
        }
    }

    fn inline(&mut self, inline: Inline) {
        self.flush();
        self.push(inline);
    }

    fn push(&mut self, inline: Inline) {
        match self.stack.last_mut() {
            Some(Frame::Text(_, inlines) | Frame::Span(_, inlines) | Frame::Blocks(_, inlines)) => {
                inlines.push(inline)
            }
            Some(Frame::Code(_, code)) => plain_inline(&inline, code),
            Some(Frame::List(_, items)) => {
                items.push(vec![Block::Paragraph {
                    inlines: vec![inline],
                }]);
            }
            None => {}
        }
    }

    fn paragraph(&mut self, mut inlines: Vec<Inline>) {
        // HTML blocks end with a line break of their own.
        while inlines.last() == Some(&Inline::Break) {
            inlines.pop();
        }
        if !inlines.is_empty() {
            self.block(Block::Paragraph { inlines });
        }
    }

    fn block(&mut self, block: Block) {
        for frame in self.stack.iter_mut().rev() {
            match frame {
                Frame::Blocks(blocks, loose) => {
                    if !loose.is_empty() {
                        let inlines = std::mem::take(loose);
                        blocks.push(Block::Paragraph { inlines });
                    }
                    blocks.push(block);
                    return;
                }
                Frame::List(_, items) => {
                    items.push(vec![block]);
                    return;
                }
                Frame::Text(..) | Frame::Code(..) | Frame::Span(..) => {}
            }
        }
    }

    fn finish(mut self) -> Vec<Block> {
        self.flush();
        while self.stack.len() > 1 {
            self.close();
        }
        match self.stack.pop() {
            Some(Frame::Blocks(blocks, loose)) => with_loose(blocks, loose),
            _ => Vec::new(),
        }
    }
}

fn with_loose(mut blocks: Vec<Block>, loose: Vec<Inline>) -> Vec<Block> {
    if !loose.is_empty() {
        blocks.push(Block::Paragraph { inlines: loose });
    }
    blocks
}

fn language(kind: CodeBlockKind<'_>) -> String {
    let info: CowStr<'_> = match kind {
        CodeBlockKind::Fenced(info) => info,
        CodeBlockKind::Indented => return String::new(),
    };
    info.split_whitespace()
        .next()
        .unwrap_or_default()
        .chars()
        .take(32)
        .collect()
}

/// Adds a block's text without markup, a space after it.
pub(super) fn plain(block: &Block, line: &mut String) {
    match block {
        Block::Paragraph { inlines } | Block::Heading { inlines, .. } => {
            inlines.iter().for_each(|inline| plain_inline(inline, line));
        }
        Block::Quote { blocks } => blocks.iter().for_each(|block| plain(block, line)),
        Block::Code { text, .. } => line.push_str(text),
        Block::List { items, .. } => items.iter().flatten().for_each(|block| plain(block, line)),
        Block::Rule => {}
    }
    line.push(' ');
}

fn plain_inline(inline: &Inline, line: &mut String) {
    match inline {
        Inline::Text { text } | Inline::Code { text } => line.push_str(text),
        Inline::Bold { inlines }
        | Inline::Italic { inlines }
        | Inline::Strike { inlines }
        | Inline::Link { inlines, .. } => {
            inlines.iter().for_each(|inline| plain_inline(inline, line));
        }
        // An excerpt must not give away what is hidden.
        Inline::Spoiler { .. } => line.push('▒'),
        Inline::Mention { name, .. } | Inline::MentionGroup { name, .. } => {
            line.push('@');
            line.push_str(name);
        }
        Inline::MentionEveryone => line.push_str("@everyone"),
        Inline::Break => line.push(' '),
    }
}
