//! Texts that are as long as a message may be, and as hard to read as we could think of.

use super::TEXT_BYTES;

/// A text that is repeated until no message holds more.
fn full(part: &str) -> String {
    part.repeat(TEXT_BYTES / part.len())
}

fn many(part: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for n in 1.. {
        let next = part(n);
        if text.len() + next.len() > TEXT_BYTES {
            break;
        }
        text.push_str(&next);
    }
    text
}

pub fn texts() -> Vec<(&'static str, String)> {
    vec![
        ("quotations 200 deep", format!("{}x", "> ".repeat(200))),
        (
            "marks of quotations without end",
            format!("{}x", ">".repeat(16_000)),
        ),
        ("quotations without end", format!("{}x", "> ".repeat(8_000))),
        (
            "lists 180 deep",
            many(|n| format!("{}- a\n", " ".repeat(n * 2))),
        ),
        ("brackets", full("[")),
        ("brackets of links", full("[a](")),
        ("closing brackets", full("](a")),
        ("links that are no end", full("[a](b")),
        (
            "links in links",
            format!("{}{}", "[".repeat(8_000), "](a)".repeat(2_000)),
        ),
        ("stars that are not closed", full("*a **b ")),
        (
            "spans in spans",
            format!("{}a{}", "*a ".repeat(2_700), " a*".repeat(2_700)),
        ),
        ("stars", full("*")),
        ("stars around", format!("{0}a{0}", "*".repeat(8_000))),
        ("escaped stars", full("\\*a ")),
        (
            "escaped and others",
            format!("{}{}", full("\\*a ").split_at(8_000).0, "b* ".repeat(2_700)),
        ),
        ("underlines", full("_a_ ")),
        ("tildes", full("~~a ~~b")),
        ("bars", full("a||b ")),
        ("hidden", full("||a|| ")),
        ("code", full("`a` ")),
        ("backticks", full("`a")),
        ("rows of backticks", many(|n| format!("{}a", "`".repeat(n)))),
        ("fences", full("```a\nb\n")),
        ("fences that are closed behind", full("```a\nb```\n")),
        ("fences of tildes", full("~~~a\n")),
        (
            "longer and longer fences",
            many(|n| format!("{}a\n", "~".repeat(n + 2))),
        ),
        ("empty fences", full("```\n")),
        ("bare quotations", full(">\n")),
        ("items and gaps", full("- a\n\n")),
        ("items of one", full("- a\n1. b\n")),
        ("tables", full("|a|\n|-|\n")),
        (
            "rows of a table",
            format!("|a|\n|-|\n{}", "|a|\n".repeat(4_000)),
        ),
        ("cells", format!("{0}|\n{0}|", "|-".repeat(4_000))),
        ("line breaks", format!("a{}b", "\n".repeat(16_000))),
        ("short lines", full("1\n")),
        ("emoji", full("😀")),
        ("addresses", full("https://a.b/ ")),
        ("schemes", full("http://[")),
        ("beginnings", full("http://x")),
        ("www", full("www.")),
        ("mail", full("a@a.bc ")),
        ("signs of mail", full("a@")),
        ("mail without end", full("a.a@a.a")),
        (
            "brackets in an address",
            format!("https://a.b/{}", "(".repeat(16_000)),
        ),
        (
            "people",
            format!(
                "{}{}",
                "<@AAAAAAAAAAAAAAAAAAAABw> ".repeat(50),
                "字".repeat(4_700)
            ),
        ),
        ("halves of mentions", full("<@")),
        ("one word", full("a")),
        ("backslashes", full("\\")),
        ("marks of all kinds", full("*_~|`[<>#-\\!(")),
        ("headings", full("# a\n")),
        ("rules", full("\n---\n")),
        ("faces and backticks", full("(*´ω`*) (´-ω-`) ")),
        ("addresses in Chinese", full("看https://a.b/c的")),
        ("dates", full("2026. 11. 30 a\n")),
        ("source", full("    if a_b == *c:\n        return d[e]\n\n")),
        ("marks on letters", full("a\u{353}\u{351}\u{20dd}")),
    ]
}
