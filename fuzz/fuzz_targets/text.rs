//! Texts and names: taken apart without a loss, cleaned once and for all, and then accepted unless they are too much.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tulou_protocol::{
    Code, limits,
    mention::{self, Piece},
    text,
};

fuzz_target!(|written: &str| {
    let mut again = String::new();
    for piece in mention::pieces(written) {
        match piece {
            Piece::Text(plain) => again.push_str(plain),
            Piece::Account(id) => again.push_str(&format!("<@{id}>")),
            Piece::MemberGroup(id) => again.push_str(&format!("<@&{id}>")),
            Piece::Everyone => again.push_str("<@everyone>"),
        }
    }
    // Ids may be written in capitals.
    assert_eq!(again.to_lowercase(), written.to_lowercase());

    let clean = text::clean(written);
    assert_eq!(text::clean(&clean), clean, "cleaning comes to an end");
    match text::check_message(&clean).map_err(|rejection| rejection.code) {
        Ok(()) => assert!(clean.len() <= limits::TEXT_BYTES),
        Err(Code::Empty) => assert!(text::shows_nothing(&clean), "{clean:?}"),
        Err(Code::TooLong) => assert!(clean.len() > limits::TEXT_BYTES),
        Err(Code::TooMany) => {
            assert!(text::mentions(&clean).accounts.len() > limits::MENTIONS);
        }
        Err(other) => panic!("{other:?} for {clean:?}"),
    }

    let name = text::clean_name(written);
    assert_eq!(text::clean_name(&name), name);
    match text::check_name(&name).map_err(|rejection| rejection.code) {
        Ok(()) => assert!(name.len() <= limits::NAME_BYTES),
        Err(Code::Empty) => assert!(name.is_empty(), "{name:?}"),
        Err(Code::TooLong) => assert!(
            name.len() > limits::NAME_BYTES || text::characters(&name) > limits::NAME_CHARACTERS
        ),
        Err(other) => panic!("{other:?} for {name:?}"),
    }
    // What nobody cleaned is answered, too.
    let _ = text::check_message(written);
    let _ = text::check_name(written);
    let _ = text::check_introduction(written);
    let _ = text::check_position(written);
    if let Ok(key) = text::reaction(written) {
        assert_eq!(text::reaction(key), Ok(key), "a key is its own");
    }
});
