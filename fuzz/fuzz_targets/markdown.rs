//! Message texts: what goes into the dialect comes out of its tree, soon; the tree that the window shows is of bounded
//! depth, a line of it of bounded length, and a long text is shown in part.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use tulou_protocol::markup;

use client::{
    markdown::{Names, blocks, excerpt, folded},
    view,
};

/// The client's own files: nothing else of it needs to be built.
#[path = "../../crates/client/src"]
#[expect(dead_code, reason = "the client uses the rest of it")]
mod client {
    pub mod markdown;
    pub mod view {
        mod text;
        pub use text::*;
    }
}

/// As nested as a tree of components can be without trouble.
const DEPTH: usize = 100;

/// Far more than any message takes, also in a program that is watched and on a computer that is busy.
const LONG: Duration = Duration::from_secs(2);

fuzz_target!(|text: &str| {
    let begin = Instant::now();
    let read = markup::read(text);
    assert!(begin.elapsed() < LONG, "took {:?}", begin.elapsed());
    let mut at = 0;
    for piece in markup::pieces(&read) {
        assert_eq!(piece.start, at, "a piece begins where the one before ends");
        at = piece.end;
    }
    assert_eq!(at, text.len(), "the last piece ends with the text");

    let names = Names::default();
    let tree = serde_json::to_string(&blocks(text, &names)).expect("a tree can be written");
    let mut depth: usize = 0;
    let mut deepest = 0;
    let mut is_text = false;
    let mut bytes = tree.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if is_text => drop(bytes.next()),
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => depth += 1,
            b']' | b'}' if !is_text => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    assert!(deepest <= DEPTH, "{deepest} deep");
    let part = serde_json::to_string(&folded(text, &names).0).expect("a tree can be written");
    assert!(part.len() < 300_000, "{} bytes for the window", part.len());
    let line = excerpt(text, &names, 80);
    assert!(
        line.chars().count() <= 81 && !line.contains('\n'),
        "{line:?}"
    );
});
