//! Message texts as the window shows them: any text becomes a tree of bounded depth, and a line of bounded length.

#![no_main]

use libfuzzer_sys::fuzz_target;

use client::{
    markdown::{Names, blocks, excerpt},
    view,
};

/// The client's own files: nothing else of it needs to be built.
#[path = "../../crates/client/src"]
#[expect(unused_imports, reason = "the client uses the rest of it")]
mod client {
    pub mod markdown;
    pub mod view {
        mod text;
        pub use text::{Block, Inline};
    }
}

/// As nested as a tree of components can be without trouble.
const DEPTH: usize = 100;

fuzz_target!(|text: &str| {
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
    let line = excerpt(text, &names, 80);
    assert!(
        line.chars().count() <= 81 && !line.contains('\n'),
        "{line:?}"
    );
});
