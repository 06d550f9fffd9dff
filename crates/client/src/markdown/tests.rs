#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "anything else fails the test"
)]

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::view::Inline;

fn read(text: &str) -> Vec<Block> {
    blocks(text, &Names::default())
}

fn text(text: &str) -> Inline {
    Inline::Text { text: text.into() }
}

fn paragraph(inlines: Vec<Inline>) -> Vec<Block> {
    vec![Block::Paragraph { inlines }]
}

#[test]
fn emphasis_becomes_a_tree() {
    assert_eq!(
        read("a **b *c*** ~~d~~ `e`"),
        paragraph(vec![
            text("a "),
            Inline::Bold {
                inlines: vec![
                    text("b "),
                    Inline::Italic {
                        inlines: vec![text("c")]
                    }
                ]
            },
            text(" "),
            Inline::Strike {
                inlines: vec![text("d")]
            },
            text(" "),
            Inline::Code { text: "e".into() },
        ])
    );
}

#[test]
fn a_line_break_that_was_typed_is_shown() {
    assert_eq!(
        read("你好\n世界"),
        paragraph(vec![text("你好"), Inline::Break, text("世界")])
    );
}

#[test]
fn html_is_text() {
    for html in [
        "<b>x</b>",
        "<script>alert(1)</script>",
        "a <img src=x onerror=y> b",
        "<!-- c -->",
    ] {
        assert_eq!(read(html), paragraph(vec![text(html)]), "{html}");
    }
}

#[test]
fn only_harmless_addresses_become_links() {
    let link = |href: &str, shown: &str| {
        paragraph(vec![Inline::Link {
            href: href.into(),
            inlines: vec![text(shown)],
        }])
    };
    assert_eq!(read("[a](https://x.org/b)"), link("https://x.org/b", "a"));
    assert_eq!(
        read("https://x.org/b?c=1"),
        link("https://x.org/b?c=1", "https://x.org/b?c=1")
    );
    assert_eq!(
        read("[a](javascript:alert)"),
        paragraph(vec![text("a (javascript:alert)")]),
        "what it leads to is shown, and leads nowhere"
    );
    assert_eq!(
        read("![a](https://x.org/p.png)"),
        paragraph(vec![
            text("a ("),
            Inline::Link {
                href: "https://x.org/p.png".into(),
                inlines: vec![text("https://x.org/p.png")],
            },
            text(")")
        ]),
        "pictures from elsewhere are not loaded"
    );
}

#[test]
fn an_address_ends_before_the_punctuation_of_its_sentence() {
    let found = |line: &str| match read(line).pop() {
        Some(Block::Paragraph { inlines }) => inlines.into_iter().find_map(|inline| match inline {
            Inline::Link { href, .. } => Some(href),
            _ => None,
        }),
        _ => None,
    };
    for (line, href) in [
        ("see https://x.org/a.", "https://x.org/a"),
        ("(https://x.org/a_(b))", "https://x.org/a_(b)"),
        ("请看https://x.org/甲。谢谢", "https://x.org/甲"),
        ("https://x.org/a，b", "https://x.org/a"),
    ] {
        assert_eq!(found(line).as_deref(), Some(href), "{line}");
    }
    assert_eq!(found("xhttps://y.org http:// https://"), None);
}

#[test]
fn bars_hide_what_stands_between_them() {
    assert_eq!(
        read("a ||b **c**|| d"),
        paragraph(vec![
            text("a "),
            Inline::Spoiler {
                inlines: vec![
                    text("b "),
                    Inline::Bold {
                        inlines: vec![text("c")]
                    }
                ]
            },
            text(" d"),
        ])
    );
    assert_eq!(read("a || b"), paragraph(vec![text("a || b")]));
    assert_eq!(read("a |||| b"), paragraph(vec![text("a |||| b")]));
    assert!(
        !excerpt("||secret||", &Names::default(), 50).contains("secret"),
        "a quotation gives nothing away"
    );
}

#[test]
fn a_mention_has_the_name_of_the_person() {
    let id = AccountId(Uuid::from_u128(5));
    let names = Names {
        me: Some(id),
        accounts: HashMap::from([(id, "小明")]),
        member_groups: HashMap::new(),
    };
    assert_eq!(
        blocks(&format!("hi <@{id}> <@everyone>"), &names),
        paragraph(vec![
            text("hi "),
            Inline::Mention {
                account: id.to_string(),
                name: "小明".into(),
                is_me: true,
            },
            text(" "),
            Inline::MentionEveryone,
        ])
    );
    assert_eq!(
        blocks(&format!("`<@{id}>`"), &names),
        paragraph(vec![Inline::Code {
            text: format!("<@{id}>")
        }]),
        "code is code"
    );
}

#[test]
fn blocks_nest_and_stop_nesting() {
    assert_eq!(
        read("> a\n\n1. b\n   - c\n\n```rs\nd\n```\n\n# e\n\n---"),
        vec![
            Block::Quote {
                blocks: paragraph(vec![text("a")])
            },
            Block::List {
                start: Some(1),
                items: vec![vec![
                    Block::Paragraph {
                        inlines: vec![text("b")]
                    },
                    Block::List {
                        start: None,
                        items: vec![paragraph(vec![text("c")])]
                    }
                ]]
            },
            Block::Code {
                language: "rs".into(),
                text: "d".into()
            },
            Block::Heading {
                level: 1,
                inlines: vec![text("e")]
            },
            Block::Rule,
        ]
    );
    let deep = format!("{}x", "> ".repeat(2_000));
    assert!(depth(&read(&deep)) <= DEPTH, "no tree is too deep to draw");
    assert!(
        excerpt(&deep, &Names::default(), 50).contains('x'),
        "and nothing is lost"
    );
}

#[test]
fn the_definition_of_a_link_does_not_vanish() {
    let shown = excerpt("[a]: https://x.org\n\n[a]", &Names::default(), 100);
    assert!(
        shown.contains("https://x.org") && shown.ends_with("[a]"),
        "{shown}"
    );
}

fn depth(blocks: &[Block]) -> usize {
    blocks
        .iter()
        .map(|block| match block {
            Block::Quote { blocks } => 1 + depth(blocks),
            Block::List { items, .. } => {
                1 + items.iter().map(|item| depth(item)).max().unwrap_or(0)
            }
            _ => 1,
        })
        .max()
        .unwrap_or(0)
}

proptest! {
    #[test]
    fn no_text_makes_it_fail(text in "([>*_`~|\\[\\]()#!<>@&/:. \\n-]|https?://|<@|everyone|\\|\\||\\PC){0,60}") {
        let _ = read(&text);
        let _ = excerpt(&text, &Names::default(), 20);
    }

    #[test]
    fn plain_words_survive(words in prop::collection::vec("[a-z\\u{4e00}-\\u{4eff}]{1,8}", 1..20)) {
        let line = words.join(" ");
        prop_assert_eq!(read(&line), paragraph(vec![text(&line)]));
    }

    #[test]
    fn letters_survive_whatever_surrounds_them(text in "([a-z]|[>*_`~\\[\\]()#!<>@/:. \\n-]){0,40}") {
        let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
        let shown = letters(&excerpt(&text, &Names::default(), 10_000));
        let typed = letters(&text);
        let fence = text.contains("```") || text.contains("~~~");
        prop_assert!(fence || shown == typed || text.contains("](") || text.contains('<'), "{} became {}", typed, shown);
    }
}
