//! Message text as a typed tree. The window renders components from it and never sees markup.

use serde::Serialize;
use specta::Type;

/// A block of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Block {
    /// Running text.
    Paragraph {
        /// Its parts.
        inlines: Vec<Inline>,
    },
    /// A heading, 1 to 3.
    Heading {
        /// 1 is the largest.
        level: u8,
        /// Its parts.
        inlines: Vec<Inline>,
    },
    /// A quotation.
    Quote {
        /// Its blocks.
        blocks: Vec<Block>,
    },
    /// A block of code.
    Code {
        /// The language named behind the fence, or empty.
        language: String,
        /// The code.
        text: String,
    },
    /// A list.
    List {
        /// The first number of a numbered list; none for bullets.
        start: Option<u32>,
        /// Its items.
        items: Vec<Vec<Block>>,
    },
    /// A horizontal line.
    Rule,
}

/// A part of running text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Inline {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// Bold.
    Bold {
        /// Its parts.
        inlines: Vec<Inline>,
    },
    /// Italic.
    Italic {
        /// Its parts.
        inlines: Vec<Inline>,
    },
    /// Struck through.
    Strike {
        /// Its parts.
        inlines: Vec<Inline>,
    },
    /// Hidden until clicked.
    Spoiler {
        /// Its parts.
        inlines: Vec<Inline>,
    },
    /// Code.
    Code {
        /// The code.
        text: String,
    },
    /// A link; `href` is http, https or mailto.
    Link {
        /// Where it leads.
        href: String,
        /// What it shows.
        inlines: Vec<Inline>,
    },
    /// A person.
    Mention {
        /// The account mentioned.
        account: String,
        /// The name to show, without `@`.
        name: String,
        /// It is me.
        is_me: bool,
    },
    /// Everyone.
    MentionEveryone,
    /// A member group.
    MentionGroup {
        /// The member group.
        member_group: String,
        /// The name to show, without `@`.
        name: String,
        /// I am in it.
        is_me: bool,
    },
    /// A line break.
    Break,
}
