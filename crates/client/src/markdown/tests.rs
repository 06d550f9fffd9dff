#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "anything else fails the test"
)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::view::{Inline, Lang, LinkDoubt};

fn read(text: &str) -> Vec<Block> {
    blocks(text, &Names::default())
}

fn line(text: &str) -> String {
    excerpt(text, &Names::default(), 120)
}

fn text(text: &str) -> Inline {
    Inline::Text { text: text.into() }
}

fn names() -> Names<'static> {
    Names {
        me: Some(person()),
        accounts: HashMap::from([(person(), "小明")]),
        member_groups: HashMap::new(),
    }
}

fn person() -> AccountId {
    AccountId(Uuid::from_u128(5))
}

#[test]
fn emphasis_becomes_a_tree() {
    assert_eq!(
        read("a **b *c*** ~~d~~ `e`"),
        [Block::Paragraph {
            lang: Some(Lang::English),
            inlines: vec![
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
                Inline::Code {
                    inlines: vec![text("e")]
                },
            ]
        }]
    );
}

#[test]
fn lines_of_text_are_one_text() {
    let [Block::Paragraph { inlines, .. }] = &read("1\n".repeat(200).trim_end())[..] else {
        panic!("one paragraph");
    };
    assert_eq!(inlines.len(), 1, "few elements, however many lines");
}

#[test]
fn a_mention_has_the_name_of_the_person_in_code_too() {
    let id = person();
    assert_eq!(
        blocks(&format!("<@{id}> `<@{id}>`"), &names()),
        [Block::Paragraph {
            lang: None,
            inlines: vec![
                Inline::Mention {
                    account: id.to_string(),
                    name: "小明".into(),
                    is_me: true,
                },
                text(" "),
                Inline::Code {
                    inlines: vec![Inline::Name {
                        name: Some("小明".into())
                    }]
                },
            ]
        }]
    );
}

#[test]
fn what_is_copied_is_what_was_typed() {
    let id = person();
    let sent = format!("> **hi** <@{id}>\n`<@{id}>` &amp; \\* <@everyone>");
    assert_eq!(
        typed(&sent, &names()),
        "> **hi** @小明\n`@小明` &amp; \\* @everyone"
    );
}

#[test]
fn the_letters_of_a_paragraph_tell_its_language() {
    let lang = |text: &str| match read(text).pop() {
        Some(Block::Paragraph { lang, .. }) => lang,
        other => panic!("{other:?} is no paragraph"),
    };
    for (text, expected) in [
        ("I don’t know", Some(Lang::English)),
        ("我不知道 don’t", Some(Lang::Chinese)),
        ("これは重要です", Some(Lang::Japanese)),
        ("鲜の每日果汁今天买一送一活动", Some(Lang::Chinese)),
        ("마크다운을 사용하세요", Some(Lang::Korean)),
        ("Schöne Grüße", Some(Lang::Latin)),
        ("Привет, мир", None),
        ("123 👍 `code` https://x.example", None),
        ("看 `code`", Some(Lang::Chinese)),
    ] {
        assert_eq!(lang(text), expected, "{text}");
    }
}

#[test]
fn an_excerpt_shows_what_the_message_shows() {
    for (text, expected) in [
        ("3. 同意\n7. 不同意", "3. 同意 7. 不同意"),
        ("- a\n- b", "• a • b"),
        ("> 周六开会吗？\n不开", "> 周六开会吗？ 不开"),
        ("a ||secret|| b", "a ▒▒▒ b"),
        ("**注意：**正文", "注意：正文"),
        ("-", "-"),
        (">", ">"),
        ("```", "```"),
        ("***", "***"),
        ("||||", "||||"),
        ("a\n\n\nb", "a b"),
        ("```rs\nfn a() {}\n```", "fn a() {}"),
        ("<@everyone> hi", "<@everyone> hi"),
        ("[here](https://evil.example/x)", "here (evil.example)"),
        (
            "| a || b |\n|---|---|---|\n| c || d |",
            "a | | b | c | | d |",
        ),
    ] {
        assert_eq!(line(text), expected, "{text:?}");
    }
    assert_eq!(excerpt("一二三四", &Names::default(), 3), "一二三…");
    assert_eq!(
        excerpt("12 <@everyone>", &Names::default(), 8),
        "12 …",
        "the mark of everyone is whole or not there"
    );
}

#[test]
fn a_link_that_may_lie_says_why() {
    let doubts = |text: &str| match read(text).pop() {
        Some(Block::Paragraph { inlines, .. }) => inlines
            .into_iter()
            .find_map(|inline| match inline {
                Inline::Link { target, .. } => Some((target.place, target.doubts)),
                _ => None,
            })
            .unwrap_or_default(),
        other => panic!("{other:?} is no paragraph"),
    };
    assert_eq!(
        doubts("[https://bank.example](https://evil.example/login)"),
        ("evil.example".to_owned(), vec![LinkDoubt::OtherText])
    );
    assert_eq!(
        doubts("https://www.аррӏе.com"),
        (
            "www.xn--80ak6aa92e.com".to_owned(),
            vec![LinkDoubt::Lookalike]
        )
    );
    assert_eq!(
        doubts("https://bank.example@evil.example/"),
        ("evil.example".to_owned(), vec![LinkDoubt::UserInfo])
    );
    assert_eq!(
        doubts("https://bank.example.evil.example/"),
        ("bank.example.evil.example".to_owned(), vec![]),
        "an address that is what it shows opens at once"
    );
}

#[test]
fn a_long_message_is_shown_in_part() {
    let lines = |blocks: &[Block]| -> usize {
        blocks
            .iter()
            .map(|block| match block {
                Block::Paragraph { inlines, .. } => inlines
                    .iter()
                    .map(|inline| match inline {
                        Inline::Text { text } => text
                            .split('\n')
                            .map(|line| {
                                line.chars()
                                    .map(build::width)
                                    .sum::<usize>()
                                    .div_ceil(WIDTH)
                                    .max(1)
                            })
                            .sum(),
                        _ => 1,
                    })
                    .sum(),
                Block::Gap { lines } => *lines as usize,
                _ => 1,
            })
            .sum()
    };
    for (name, long) in [
        ("lines", "1\n".repeat(8_000)),
        ("empty lines", format!("a{}b", "\n".repeat(16_000))),
        ("emoji", "😀".repeat(4_000)),
        ("a word", "a".repeat(16_384)),
        ("items", "- a\n".repeat(4_000)),
        ("quotations", "> a\n".repeat(4_000)),
        ("code", format!("```\n{}", "a\n".repeat(8_000))),
    ] {
        let (blocks, is_cut) = folded(&long, &Names::default());
        assert!(is_cut, "{name} are folded");
        assert!(
            lines(&blocks) <= FOLDED_LINES + 1,
            "{name}: {}",
            lines(&blocks)
        );
        let json = serde_json::to_string(&blocks).expect("a tree can be written");
        assert!(
            json.len() < 20_000,
            "{name}: {} bytes for the window",
            json.len()
        );
    }
    for short in ["a", "字\n字", &"a ".repeat(700), &"1\n".repeat(27)] {
        let (blocks, is_cut) = folded(short, &Names::default());
        assert!(!is_cut && blocks == read(short), "a short one is whole");
    }
    let link = format!(
        "{} [a](https://x.example/{})",
        "a ".repeat(100),
        "x".repeat(1_900)
    );
    let (_, is_cut) = folded(&link.repeat(2), &Names::default());
    assert!(!is_cut, "what is not shown takes no room");
}

#[test]
fn deep_messages_stay_shallow_and_lose_nothing() {
    for deep in [
        format!("{}x", "> ".repeat(2_000)),
        format!("{}x", "- ".repeat(2_000)),
        format!("{}x{}", "*a ".repeat(2_000), " a*".repeat(2_000)),
    ] {
        let json = serde_json::to_string(&read(&deep)).expect("a tree can be written");
        let mut depth = 0_usize;
        let mut deepest = 0;
        for byte in json.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        assert!(deepest < 100, "{deepest} deep");
        assert!(json.contains('x'), "nothing is lost");
    }
}

#[test]
fn no_message_takes_long_to_show() {
    for part in [
        "`a` ",
        "https://a.b/ ",
        "*a **b ",
        "||a|| ",
        "<@",
        "[a](b",
        "- a\n",
        "1\n",
        "|a|\n|-|\n",
    ] {
        let text = part.repeat(16_384 / part.len());
        // The quickest of some: others work on this computer, too.
        let took = (0..3)
            .map(|_| {
                let begin = Instant::now();
                let _ = folded(&text, &Names::default());
                let _ = line(&text);
                begin.elapsed()
            })
            .min()
            .unwrap_or_default();
        assert!(
            took < Duration::from_secs(1),
            "{part:?}: {took:?} in a program that is not optimised"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_fail(text in "([>*_`~|\\[\\]()#!<>@&/:. \\n-]|https?://|<@|everyone|\\|\\||\\PC){0,60}", limit in 1_usize..40) {
        let _ = read(&text);
        let line = excerpt(&text, &Names::default(), limit);
        prop_assert!(line.chars().count() <= limit + 1 && !line.contains('\n'));
    }

    #[test]
    fn letters_survive_whatever_surrounds_them(text in "([a-z]|[>*_~\\[\\]()#!<>@/:. \\n-]){0,40}") {
        let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
        let shown = letters(&excerpt(&text, &Names::default(), 10_000));
        prop_assert_eq!(shown, letters(&text));
    }
}

#[test]
fn whether_a_message_is_folded_is_decided_by_its_text_alone() {
    let mention = format!("<@{}>", person());
    for (text, is_long) in [
        (format!("{mention}\n").repeat(27), false),
        (format!("{mention}\n").repeat(40), true),
        (mention.repeat(50), false),
        (
            format!("```\n{}```", format!("{mention}\n").repeat(40)),
            true,
        ),
        ("字".repeat(1_000), false),
        ("字".repeat(1_500), true),
    ] {
        let stranger = folded(&text, &Names::default());
        let known = folded(&text, &names());
        assert_eq!((stranger.1, known.1), (is_long, is_long), "{text:?}");
        assert_eq!(
            stranger.0.len(),
            known.0.len(),
            "a name that comes later changes no height"
        );
    }
}
