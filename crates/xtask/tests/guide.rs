//! What `docs/adding.md` names is there: files by their paths, tests by their names.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guide() -> String {
    fs::read_to_string(root().join("docs/adding.md")).unwrap()
}

/// What stands between two marks.
fn between(text: &str, mark: char) -> Vec<&str> {
    text.lines()
        .flat_map(|line| line.split(mark).skip(1).step_by(2))
        .collect()
}

/// The sources below a folder, one after the other.
fn sources(folder: &Path, end: &str, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, end, into);
        } else if path.to_string_lossy().ends_with(end) {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_file_that_the_guide_names_is_there() {
    let guide = guide();
    let paths = between(&guide, '`').into_iter().filter(|word| {
        let is_path = word.contains('/') || word.contains(".md");
        is_path && !word.contains([' ', '=', '{'])
    });
    let paths: Vec<&str> = paths.collect();
    assert!(paths.len() > 60, "they are found: {}", paths.len());
    for path in paths {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn every_test_that_the_guide_names_is_there() {
    let mut rust = String::new();
    for folder in ["crates", "src-tauri/src"] {
        sources(&root().join(folder), ".rs", &mut rust);
    }
    let mut window = String::new();
    sources(&root().join("ui/src"), ".test.ts", &mut window);
    let guide = guide();
    let is_sentence = |word: &&str| {
        word.matches('_').count() > 1
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || "_0123456789".contains(c))
    };
    let named: Vec<&str> = between(&guide, '`')
        .into_iter()
        .filter(is_sentence)
        .collect();
    assert!(named.len() > 20, "they are found: {named:?}");
    for name in named {
        assert!(rust.contains(&format!("fn {name}(")), "{name}");
    }
    let quoted = guide.split('“').skip(1);
    let named: Vec<&str> = quoted.filter_map(|rest| rest.split('”').next()).collect();
    assert!(named.len() > 5, "they are found: {named:?}");
    for name in named.into_iter().filter(|name| name.contains(' ')) {
        let begin = name.trim_end_matches('…');
        assert!(window.contains(&format!("('{begin}")), "{name}");
    }
}
