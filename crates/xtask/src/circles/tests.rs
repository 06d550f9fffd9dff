//! Circles that are made on purpose.

use std::fs;

use super::*;

/// The circles of a crate of these files.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    circles(&Crate::read(&folder.path().join("lib.rs")).unwrap())
}

#[test]
fn two_files_that_import_each_other_are_found_with_what_they_import() {
    let found = circles_of(&[
        ("lib.rs", "mod hen; mod egg; mod nest;"),
        ("hen.rs", "use crate::egg::Egg; pub struct Hen(Egg);"),
        (
            "egg.rs",
            "use crate::{hen::Hen, nest}; pub struct Egg(Hen, nest::Nest);",
        ),
        ("nest.rs", "pub struct Nest;"),
    ]);
    assert_eq!(found, ["egg, hen\n    egg → hen: Hen\n    hen → egg: Egg"]);
}

#[test]
fn a_circle_over_three_is_one() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "use super::*; pub fn b() { c::c() }"),
        ("c.rs", "pub fn c() { assert!(super::a::a() == ()) }"),
    ]);
    assert_eq!(found, ["a, b, c\n    a → b: b\n    b → c: c\n    c → a: a"]);
}

#[test]
fn a_parent_and_its_parts_may_know_each_other() {
    let found = circles_of(&[
        (
            "lib.rs",
            "mod house; pub struct Door; pub use house::House;",
        ),
        (
            "house.rs",
            "mod room; mod stair; use room::Room; use crate::Door; pub struct House(Room, Door);",
        ),
        (
            "house/room.rs",
            "use super::{House, stair::Stair}; pub struct Room(House, Stair);",
        ),
        (
            "house/stair.rs",
            "use crate::House; pub struct Stair(House);",
        ),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_name_that_is_handed_on_is_followed_to_the_file_that_defines_it() {
    let found = circles_of(&[
        (
            "lib.rs",
            "mod house; mod tree; pub use house::*; pub use tree::leaf as green;",
        ),
        ("house.rs", "mod room; pub use room::{Room as Chamber};"),
        (
            "house/room.rs",
            "pub struct Room; fn looks() { crate::green() }",
        ),
        ("tree.rs", "use super::Chamber; pub fn leaf(_: Chamber) {}"),
    ]);
    assert_eq!(
        found,
        ["house, tree\n    house/room → tree: green\n    tree → house/room: Chamber"]
    );
}

#[test]
fn parts_stand_for_all_that_is_in_them() {
    let found = circles_of(&[
        ("lib.rs", "mod hub; mod presence;"),
        ("hub.rs", "mod digest; pub struct Hub;"),
        (
            "hub/digest.rs",
            "use crate::presence::Presence; fn counts(_: Presence) {}",
        ),
        (
            "presence.rs",
            "use crate::hub::Hub; pub struct Presence(Hub);",
        ),
    ]);
    assert_eq!(
        found,
        ["hub, presence\n    hub/digest → presence: Presence\n    presence → hub: Hub"]
    );
}

#[test]
fn tests_may_know_everything() {
    let found = circles_of(&[
        ("lib.rs", "mod hen; mod egg;"),
        ("hen.rs", "use crate::egg::Egg; pub struct Hen(Egg);"),
        (
            "egg.rs",
            "pub struct Egg; #[cfg(test)] use crate::hen; #[cfg(test)] mod tests { use crate::hen::Hen; }",
        ),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_module_that_is_not_found_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lib.rs");
    fs::write(&root, "mod gone;").unwrap();
    let Err(error) = Crate::read(&root) else {
        panic!("it is not there")
    };
    assert!(error.to_string().contains("gone.rs"), "{error}");
}
