use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn link() -> InviteLink {
    InviteLink {
        code: Some("a8Kd-2".into()),
        server: Some(ServerId(Uuid::from_u128(
            0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
        ))),
        addresses: vec![
            "wss://192.168.1.20:4780".into(),
            "wss://[2001:db8::7]:4780".into(),
            "wss://chat.example.org".into(),
        ],
        key: Some(Fingerprint::of(b"a key")),
    }
}

/// Of a server with an authority's certificate.
fn keyless() -> InviteLink {
    InviteLink {
        addresses: vec!["wss://chat.example.org".into()],
        key: None,
        ..link()
    }
}

fn addresses(text: &str) -> Result<Vec<String>, NotALink> {
    InviteLink::parse(text).map(|link| link.addresses)
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn a_link_reads_back() {
    for link in [
        link(),
        keyless(),
        InviteLink::at("ws://127.0.0.1:4780".into()),
    ] {
        assert_eq!(
            InviteLink::parse(&link.to_text()),
            Ok(link),
            "what is handed on is what arrives"
        );
    }
}

#[test]
fn a_link_is_found_in_whatever_was_pasted() {
    for link in [link(), keyless()] {
        let l = link.to_text();
        let at =
            |column: usize, between: &str| format!("{}{between}{}", &l[..column], &l[column..]);
        let pasted = [
            format!("<{l}>"),
            format!("「{l}」"),
            format!("『{l}』"),
            format!("“{l}”"),
            format!("‘{l}’"),
            format!("«{l}»"),
            format!("（{l}）"),
            format!("【{l}】"),
            format!("[{l}]"),
            format!("({l})"),
            format!("`{l}`"),
            format!("**{l}**"),
            format!("_{l}_"),
            format!("[join us]({l})"),
            format!("<a href=\"{l}\">{l}</a>"),
            format!("{l}。"),
            format!("{l}."),
            format!("{l}, please"),
            format!("{l})"),
            format!("{l}!"),
            format!("\"{l}\""),
            format!("'{l}'"),
            format!("邀请链接：{l} 快来"),
            format!("邀请链接：{l}快来"),
            format!("Come here: {l} and say hello. See https://example.org/ too."),
            l.replace('&', "&amp;"),
            l.replace('&', "&amp;amp;"),
            escaped(&l),
            escaped(&escaped(&l)),
            format!("https://mail.example/redirect?url={}&sig=1", escaped(&l)),
            at(76, "\n "),
            at(76, "\r\n\t"),
            at(76, "\n> "),
            at(40, "\n"),
            at(l.find("&server").unwrap(), "\n  "),
            at(l.len() - 1, " "),
            format!("{l}\u{200b}"),
            format!("\u{feff}{l}"),
            format!("\u{202a}{l}\u{202c}"),
            at(20, "\u{ad}"),
            at(30, "\u{2060}"),
            format!("  \n{l}\n\n-- \nKestrel"),
            format!("{l}\nsee you there"),
            format!("TULOU://JOIN/{}", &l["tulou://join/".len()..]),
            l.replace("tulou://join", "tulou:join"),
            l.replace("tulou://join", "tulou:/join"),
            l.replace("tulou://join", "tulou:///join"),
            l.replace("at=", "AT=").replace("server=", "Server="),
            l.replace('?', "%3F"),
            format!("tulou://join/old {l}"),
        ];
        for text in pasted {
            assert_eq!(InviteLink::parse(&text).as_ref(), Ok(&link), "{text}");
        }
    }
}

#[test]
fn a_link_that_was_cut_off_says_where() {
    for l in [link().to_text(), keyless().to_text()] {
        let is_whole_enough = |end: usize| l[..end].ends_with(&link().key.unwrap().to_string());
        for end in 1..l.len() {
            if is_whole_enough(end) || end < "tulou:".len() {
                continue;
            }
            let cut = &l[..end];
            let why = InviteLink::parse(cut).unwrap_err();
            assert!(matches!(why, NotALink::CutOff(_)), "{cut}: {why:?}");
        }
        let after = |part: &str| l.find(part).unwrap() + part.len();
        for (end, part) in [
            (after("tulou://jo"), START),
            (after("join/a8"), JOIN),
            (after("?at=wss"), AT),
            (after("server=ASNF"), SERVER),
            (l.len() - 1, SERVER),
        ] {
            assert_eq!(
                InviteLink::parse(&l[..end]),
                Err(NotALink::CutOff(part)),
                "{end}"
            );
        }
    }
    let l = link().to_text();
    let end = l.find("key=").unwrap() + 10;
    assert_eq!(InviteLink::parse(&l[..end]), Err(NotALink::CutOff(KEY)));
    assert_eq!(
        InviteLink::parse(&l[20..]),
        Err(NotALink::Headless),
        "the beginning was not copied"
    );
    let damaged = l.replacen("key=", "key=!", 1);
    assert_eq!(InviteLink::parse(&damaged), Err(NotALink::Damaged(KEY)));
}

#[test]
fn an_address_is_found_in_whatever_was_pasted() {
    let chat = "wss://chat.example.org:4780";
    for (text, read) in [
        ("chat.example.org", "wss://chat.example.org"),
        ("CHAT.Example.ORG:4780", chat),
        (" chat.example.org:4780\n", chat),
        ("<chat.example.org:4780>", chat),
        ("「chat.example.org:4780」", chat),
        ("chat.example.org:4780。", chat),
        ("服务器：chat.example.org:4780 快来", chat),
        ("服务器在chat.example.org:4780快来", chat),
        ("the server is at chat.example.org:4780, come", chat),
        ("(https://chat.example.org:4780)", chat),
        ("看https://chat.example.org:4780/快来", chat),
        ("https://chat.example.org/", "wss://chat.example.org"),
        ("HTTPS://chat.example.org:443", "wss://chat.example.org"),
        ("https%3A%2F%2Fchat.example.org%3A4780", chat),
        (
            "https://土楼.example:4780",
            "wss://xn--uds404b.example:4780",
        ),
        ("127.0.0.1:4780", "ws://127.0.0.1:4780"),
        ("localhost:4780", "ws://localhost:4780"),
        ("http://localhost:4780", "ws://localhost:4780"),
        ("wss://127.0.0.1:4780", "wss://127.0.0.1:4780"),
        ("[::1]:4780", "ws://[::1]:4780"),
        ("::1", "ws://[::1]"),
        ("::1:4780", "ws://[::1]:4780"),
        ("2001:db8::7", "wss://[2001:db8::7]"),
        ("[2001:db8::7]", "wss://[2001:db8::7]"),
        ("[2001:db8::7]:4780", "wss://[2001:db8::7]:4780"),
        ("wss://2001:db8::7", "wss://[2001:db8::7]"),
        ("at [2001:db8::7]:4780.", "wss://[2001:db8::7]:4780"),
        ("192.168.1.5", "wss://192.168.1.5"),
        // As a Chinese keyboard writes colons, dots, and letters of full width.
        ("chat.example.org：4780", chat),
        ("服务器：chat.example.org：4780，快来", chat),
        ("chat。example。org：4780", chat),
        ("ｃｈａｔ．ｅｘａｍｐｌｅ．ｏｒｇ：４７８０", chat),
        ("192。168。1。5：4780", "wss://192.168.1.5:4780"),
        ("[2001:db8::7]：4780", "wss://[2001:db8::7]:4780"),
        ("地址：chat.example.org。来玩", "wss://chat.example.org"),
        ("my-server", "wss://my-server"),
    ] {
        assert_eq!(addresses(text), Ok(vec![read.to_owned()]), "{text}");
    }
}

#[test]
fn what_is_wrong_with_an_address_is_named() {
    let host = |text: &str| NotALink::Host(text.into());
    for (text, why) in [
        ("", NotALink::Nothing),
        (" \u{200b}\n", NotALink::Nothing),
        ("come and join us", NotALink::Nothing),
        ("快来", NotALink::Nothing),
        (
            "https://chat.example.org/chat/",
            NotALink::Path("/chat/".into()),
        ),
        (
            "chat.example.org/sub/path",
            NotALink::Path("/sub/path".into()),
        ),
        ("wss://chat.example.org?x=1", NotALink::Path("?x=1".into())),
        (
            "join at https://chat.example.org/chat now",
            NotALink::Path("/chat".into()),
        ),
        (
            "chat.example.org:",
            NotALink::NoPort("chat.example.org:".into()),
        ),
        ("chat.example.org:99999", NotALink::Port("99999".into())),
        ("chat.example.org:0", NotALink::Port("0".into())),
        ("chat.example.org:http", NotALink::Port("http".into())),
        ("http://192.168.1.5:4780", NotALink::Unencrypted),
        ("ws://192.168.1.7:4780", NotALink::Unencrypted),
        ("ftp://chat.example.org", NotALink::Scheme("ftp://".into())),
        ("[::1", host("[::1")),
        ("fe80::1%eth0", host("fe80::1%eth0")),
        ("0.0.0.0:4780", host("0.0.0.0")),
        ("[::]:4780", host("[::]")),
        ("wss://", host("")),
        ("[_04780", host("_04780")),
        ("wss://chat.example-", host("chat.example-")),
        ("wss://a b", NotALink::Nothing),
    ] {
        let read = InviteLink::parse(text);
        if text == "wss://a b" {
            assert_eq!(
                read,
                Ok(InviteLink::at("wss://a".into())),
                "the address ends there"
            );
            continue;
        }
        assert_eq!(read, Err(why), "{text}");
    }
    assert_eq!(
        InviteLink::parse(&"x".repeat(70_000)),
        Err(NotALink::TooLong)
    );
    let l = keyless().to_text();
    let padded = l.replacen("server=", &format!("more={}&server=", "x".repeat(5_000)), 1);
    assert_eq!(InviteLink::parse(&padded), Err(NotALink::TooLong));
}

#[test]
fn what_was_pasted_is_not_repeated_at_length() {
    let letters = "x".repeat(3_000);
    for text in [
        format!("https://chat.example.org/{letters}"),
        format!("{letters}://chat.example.org"),
        format!("chat.example.org:{letters}"),
        format!("wss://{letters}"),
        format!("wss://{letters}:"),
    ] {
        let why = InviteLink::parse(&text).unwrap_err();
        let about = why.about().unwrap();
        assert!(about.chars().count() <= 81, "{}", about.len());
        assert!(about.ends_with('…'), "it is seen that there is more");
        assert!(why.to_string().len() < 1_000, "nor in a log");
    }
}

#[test]
fn each_cause_has_a_code_of_its_own() {
    let text = String::new;
    let causes = [
        NotALink::Nothing,
        NotALink::TooLong,
        NotALink::CutOff(AT),
        NotALink::Headless,
        NotALink::Damaged(AT),
        NotALink::NoPort(text()),
        NotALink::Port(text()),
        NotALink::Path(text()),
        NotALink::Host(text()),
        NotALink::Scheme(text()),
        NotALink::Unencrypted,
    ];
    let codes: std::collections::HashSet<_> = causes.iter().map(NotALink::code).collect();
    assert_eq!(codes.len(), causes.len());
}

#[test]
fn a_link_that_could_not_be_handed_on_is_refused() {
    let label = format!("{}.", "a".repeat(63));
    let long = format!("{}example", label.repeat(4));
    assert!(
        matches!(address(&long), Err(NotALink::Host(_))),
        "no name is so long"
    );
    let host = format!("{}ex", label.repeat(3));
    let at = format!("at=wss://{host}&");
    let text = |count| {
        let server = link().server.unwrap();
        format!("tulou://join/?{}server={server}", at.repeat(count))
    };
    let link = InviteLink::parse(&text(4)).unwrap();
    assert_eq!(InviteLink::parse(&link.to_text()), Ok(link));
    // Escaped, the signs of an address are three each.
    assert!(text(19).len() < MAX_BYTES);
    assert_eq!(
        InviteLink::parse(&text(19)).map(|link| link.addresses.len()),
        Ok(MAX_ADDRESSES)
    );
}

#[test]
fn an_address_with_the_dot_of_the_root_is_the_one_without() {
    for text in ["wss://chat.example.org./", "chat.example.org.:443"] {
        assert_eq!(addresses(text), Ok(vec!["wss://chat.example.org".into()]));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_fail_in_another_way(
        text in "(tulou://join/|tulou:|ws://|\\?at=|server=ASNFZ4mrze8BI0VniavN7w|&|%3A|%|\n |\\PC){0,16}",
    ) {
        if let Ok(link) = InviteLink::parse(&text) {
            prop_assert_eq!(InviteLink::parse(&link.to_text()), Ok(link), "an accepted link reads back");
        }
    }

    #[test]
    fn a_link_is_found_between_any_words(before in "[^&=:%]{0,40}", after in "[^a-zA-Z0-9&=%:/]{0,40}") {
        let text = format!("{before} {} {after}", link().to_text());
        prop_assert_eq!(InviteLink::parse(&text), Ok(link()));
    }
}
