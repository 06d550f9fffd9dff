//! The tables of `docs/protocol.md`, written from the source so that they cannot say anything else: methods, kinds of
//! rows, rights, codes, limits. Each stands between two comments that name it; `UPDATE_OPENRPC=1` writes them anew.

use std::{fmt::Write, path::Path};

use schemars::{JsonSchema, SchemaGenerator};

use crate::{Code, command, openrpc, permission::KEYS, push, question};

/// A text of the documentation, in Markdown for those who have no rustdoc: links to names become the names.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("[`") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let Some((name, after)) = after[2..].split_once("`]") else {
            break;
        };
        // What is linked to by another name keeps only the words.
        let after = match after.strip_prefix('(') {
            Some(link) => link.split_once(')').map_or("", |(_, after)| after),
            None => after,
        };
        let name = name.rsplit("::").next().unwrap_or(name);
        let _ = write!(out, "`{name}`");
        rest = after;
    }
    out.push_str(rest);
    out.replace('\n', " ").replace('|', "\\|")
}

/// The documented lines of a source file: what is said above each line that begins so.
fn documented<'a>(source: &'a str, begin: &'a str) -> Vec<(String, &'a str)> {
    let mut said = String::new();
    let mut found = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(text);
        } else if let Some(rest) = line.strip_prefix(begin) {
            found.push((std::mem::take(&mut said), rest));
        } else if !line.starts_with("#[") {
            said.clear();
        }
    }
    found
}

/// `16_384` as `16,384`; what is no number stays as it is.
fn number(text: &str) -> String {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The value of a constant as it stands in the source: a number, a product of numbers, a range.
fn value(source: &str) -> String {
    if let Some((from, to)) = source.split_once("..=") {
        return format!("{} to {}", value(from), value(to));
    }
    let product = source
        .split('*')
        .map(|factor| factor.trim().replace('_', "").parse::<u64>().ok())
        .try_fold(1, |product, factor| Some(product * factor?));
    number(&product.map_or_else(|| source.to_owned(), |product| product.to_string()))
}

fn limits() -> String {
    let source = include_str!("limits.rs");
    let mut table = String::from("| limit | value | of what |\n|---|---|---|\n");
    for (said, rest) in documented(source, "pub const ") {
        let (name, rest) = rest.split_once(':').expect("a constant has a type");
        let (_, worth) = rest.split_once(" = ").expect("and a value");
        let worth = value(worth.trim_end_matches(';'));
        let _ = writeln!(table, "| `{name}` | {worth} | {} |", plain(&said));
    }
    let defaults = serde_json::to_value(crate::limits::Limits::default()).unwrap();
    for (said, rest) in documented(source, "pub ") {
        let Some((name, _)) = rest.split_once(": ").filter(|_| rest.ends_with(',')) else {
            continue;
        };
        let worth = number(&defaults[name].to_string());
        let _ = writeln!(
            table,
            "| `limits.{name}` | {worth} | {} The operator may change it. |",
            plain(&said)
        );
    }
    table
}

fn permissions() -> String {
    let source = include_str!("permission.rs");
    let mut table = String::from("| bit | number | name | allows to |\n|---|---|---|---|\n");
    for (said, rest) in documented(source, "const ") {
        let Some((name, _)) = rest.split_once(" = ") else {
            continue;
        };
        let Some((_, bit)) = crate::Permissions::all()
            .iter_names()
            .find(|(known, _)| *known == name)
        else {
            continue;
        };
        let key = KEYS.iter().find(|(known, _)| *known == bit);
        let key = key.expect("every right has a key").1;
        let _ = writeln!(
            table,
            "| {} | {} | `{key}` | {} |",
            bit.bits().trailing_zeros(),
            bit.bits(),
            plain(&said).to_lowercase().trim_end_matches('.')
        );
    }
    table
}

fn codes() -> String {
    let schema = Code::json_schema(&mut SchemaGenerator::default()).to_value();
    let mut table = String::from("| code | when, and what to do |\n|---|---|\n");
    for variant in schema["oneOf"].as_array().expect("one of the codes") {
        let code = variant["const"].as_str().expect("a code");
        let said = variant["description"].as_str().unwrap_or_default();
        let _ = writeln!(table, "| `{code}` | {} |", plain(said));
    }
    table
}

fn kinds() -> String {
    let source = include_str!("row.rs");
    let (_, source) = source.split_once("\nbodies! {").expect("the kinds");
    let source = source.split("\n}").next().unwrap_or_default();
    let mut table = String::from("| kind | what, and the row's id |\n|---|---|\n");
    for (said, rest) in documented(source, "\"") {
        let kind = rest.split('"').next().unwrap_or_default();
        let _ = writeln!(table, "| `{kind}` | {} |", plain(&said));
    }
    table
}

fn methods(names: &[&str]) -> String {
    let document = openrpc::document();
    let mut table = String::from("| method | what |\n|---|---|\n");
    for name in names {
        let methods = document["methods"].as_array().into_iter().flatten();
        let said = methods
            .filter(|method| method["name"] == *name)
            .find_map(|method| method["description"].as_str());
        let _ = writeln!(table, "| `{name}` | {} |", plain(said.unwrap_or_default()));
    }
    table
}

/// The text with the tables in it.
fn filled(text: &str) -> String {
    let tables = [
        ("commands", methods(command::METHODS)),
        ("questions", methods(question::METHODS)),
        ("pushes", methods(push::METHODS)),
        ("kinds", kinds()),
        ("permissions", permissions()),
        ("codes", codes()),
        ("limits", limits()),
    ];
    let mut text = text.to_owned();
    for (name, table) in tables {
        let (begin, end) = (
            format!("<!-- {name} -->\n"),
            format!("<!-- end of {name} -->"),
        );
        let from = text.find(&begin).expect(&begin) + begin.len();
        let to = from + text[from..].find(&end).expect(&end);
        text.replace_range(from..to, &format!("\n{table}\n"));
    }
    text
}

#[test]
fn the_tables_in_the_docs_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let kept = std::fs::read_to_string(&path).unwrap();
    let fresh = filled(&kept);
    if std::env::var_os("UPDATE_OPENRPC").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    assert!(
        kept == fresh,
        "docs/protocol.md is stale, run: UPDATE_OPENRPC=1 cargo test -p tulou-protocol --lib current"
    );
}

#[test]
fn every_table_has_everything_that_the_code_has() {
    let count = |table: &str| table.lines().count() - 2;
    assert_eq!(count(&permissions()), KEYS.len());
    let mut generator = SchemaGenerator::default();
    assert_eq!(count(&kinds()), crate::row::schemas(&mut generator).len());
    let constants = include_str!("limits.rs").matches("pub const ").count();
    let changeable = serde_json::to_value(crate::limits::Limits::default()).unwrap();
    let changeable = changeable.as_object().map_or(0, |limits| limits.len());
    assert_eq!(count(&limits()), constants + changeable);
    let tables = [
        methods(command::METHODS),
        methods(question::METHODS),
        methods(push::METHODS),
        kinds(),
        permissions(),
        codes(),
        limits(),
    ];
    for line in tables.iter().flat_map(|table| table.lines()) {
        assert!(!line.contains("|  |"), "nothing is said in: {line}");
        assert!(!line.contains("](") && !line.contains("[`"), "{line}");
    }
}

#[test]
fn values_are_those_of_the_source() {
    assert_eq!(value("16_384"), "16,384");
    assert_eq!(value("2 * 60 * 1_000"), "120,000");
    assert_eq!(value("8..=1_000"), "8 to 1,000");
    assert_eq!(
        plain("See [`crate::limits::PAGE`] and [`Link`](x::Link), a | b."),
        "See `PAGE` and `Link`, a \\| b."
    );
}
