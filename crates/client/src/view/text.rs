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
    /// Running text; `\n` is a line break.
    Paragraph {
        /// The language of its letters, where they tell it.
        lang: Option<Lang>,
        /// Its parts.
        inlines: Vec<Inline>,
    },
    /// A heading, 1 to 3.
    Heading {
        /// 1 is the largest.
        level: u8,
        /// The language of its letters, where they tell it.
        lang: Option<Lang>,
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
        /// Texts and names.
        inlines: Vec<Inline>,
    },
    /// A list.
    List {
        /// Its items have numbers.
        is_numbered: bool,
        /// Its items.
        items: Vec<Item>,
    },
    /// A table; its first row is the head.
    Table {
        /// The cells of each row; rows need not be of one length.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// Empty lines.
    Gap {
        /// How many.
        lines: u32,
    },
    /// A horizontal line.
    Rule,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// What was typed before it: `-`, `3.`, `07)`.
    pub mark: String,
    /// Its number.
    pub value: Option<u32>,
    /// Its blocks.
    pub blocks: Vec<Block>,
}

/// A language that letters tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
pub enum Lang {
    /// Chinese characters.
    #[serde(rename = "zh")]
    Chinese,
    /// Kana.
    #[serde(rename = "ja")]
    Japanese,
    /// Hangul.
    #[serde(rename = "ko")]
    Korean,
    /// Latin letters without marks.
    #[serde(rename = "en")]
    English,
    /// Other Latin letters.
    #[serde(rename = "und-Latn")]
    Latin,
}

/// A part of running text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Inline {
    /// Plain text; `\n` is a line break.
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
        /// Texts and names.
        inlines: Vec<Inline>,
    },
    /// A link.
    Link {
        /// Where it leads.
        target: LinkView,
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
    /// A mention in code: a name, nobody is called.
    Name {
        /// The name to show, without `@`; none for everyone.
        name: Option<String>,
    },
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LinkView {
    /// The address; `http`, `https`, `mailto` or `tulou`.
    pub href: String,
    /// What opens it.
    pub kind: LinkKind,
    /// The host as the network knows it, or the mail address; empty for an invite.
    pub place: String,
    /// Its text does not show the place.
    pub is_named: bool,
    /// Why it might not lead where it seems to: asked about before it opens.
    pub doubts: Vec<LinkDoubt>,
}

/// What opens a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum LinkKind {
    /// The browser.
    Web,
    /// The mail program.
    Mail,
    /// The window: an invite.
    Invite,
}

/// Why a link might not lead where it seems to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum LinkDoubt {
    /// Its text is another address, or looks like a mention.
    OtherText,
    /// A name stands before the host and looks like one.
    UserInfo,
    /// The host is written with letters that look like others.
    Lookalike,
    /// It holds characters that show nothing.
    Hidden,
}
