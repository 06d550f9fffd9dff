//! Circles of imports. Of what stands in a module, each part with all that is in it, imports go one way: whoever changes a part
//! has to know those that it stands on and no others. A parent and its own parts may know each other.
//!
//! * `modules`: a crate's modules, and what names in them mean
//! * `paths`: the paths that stand in a file
//!
//! A name is followed to the file that defines it, however often it is handed on. What a method of a value leads to is not
//! seen. The window's files are looked through by its bundler, see `ui/circles.ts`.

mod modules;
mod paths;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::repo;
use modules::{Crate, Place};

/// Which files of a part know which of another, and by what.
type Imports = BTreeMap<(Place, Place), BTreeSet<String>>;

/// Fails if there is a circle in one of the crates.
pub fn check() -> Result<()> {
    let mut found = Vec::new();
    for root in roots()? {
        let read = Crate::read(&root)?;
        let name = root.strip_prefix(repo::root()).unwrap_or(&root).display();
        found.extend(circles(&read).iter().map(|one| format!("{name}: {one}")));
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("files import each other:\n{}", found.join("\n"))
}

/// The first files of all crates.
fn roots() -> Result<Vec<PathBuf>> {
    let mut folders = vec![repo::root().join("src-tauri/src")];
    let crates = repo::root().join("crates");
    for entry in fs::read_dir(&crates).context("list the crates")? {
        folders.push(entry.context("list the crates")?.path().join("src"));
    }
    let files = folders
        .iter()
        .flat_map(|folder| ["lib.rs", "main.rs"].map(|file| folder.join(file)));
    let mut roots: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
    roots.sort();
    Ok(roots)
}

/// The circles of a crate, each as it is told.
fn circles(read: &Crate) -> Vec<String> {
    let imports = read.imports();
    let mut all = Vec::new();
    for parent in read.parents() {
        let parts = of_parts(&imports, &parent);
        for circle in among(&parts) {
            all.push(told(&imports, &parent, &circle));
        }
    }
    all
}

/// Which part of a module a place is in, if it is in one.
fn part(parent: &Place, place: &Place) -> Option<Place> {
    let is_within = place.len() > parent.len() && place.starts_with(parent);
    is_within.then(|| place[..=parent.len()].to_vec())
}

/// Both ends of an import as parts of a module, if they are in two of them.
fn ends(parent: &Place, (from, to): &(Place, Place)) -> Option<(Place, Place)> {
    let ends = (part(parent, from)?, part(parent, to)?);
    (ends.0 != ends.1).then_some(ends)
}

/// Which parts of a module import which.
fn of_parts(imports: &Imports, parent: &Place) -> BTreeMap<Place, BTreeSet<Place>> {
    let mut parts: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
    for (from, to) in imports.keys().filter_map(|import| ends(parent, import)) {
        parts.entry(from).or_default().insert(to);
    }
    parts
}

/// Those that lead to each other, together.
fn among(parts: &BTreeMap<Place, BTreeSet<Place>>) -> Vec<BTreeSet<Place>> {
    let reached: BTreeMap<&Place, BTreeSet<&Place>> = parts
        .keys()
        .map(|from| {
            let mut reached = BTreeSet::new();
            let mut next: Vec<&Place> = vec![from];
            while let Some(place) = next.pop() {
                let to = parts.get(place).into_iter().flatten();
                next.extend(to.filter(|to| reached.insert(*to)));
            }
            (from, reached)
        })
        .collect();
    let mut circles: Vec<BTreeSet<Place>> = Vec::new();
    for (from, to) in &reached {
        let leads_back = |place: &&&Place| reached.get(**place).is_some_and(|it| it.contains(from));
        let circle: BTreeSet<Place> = to
            .iter()
            .filter(leads_back)
            .map(|place| (*place).clone())
            .collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

fn told(imports: &Imports, parent: &Place, circle: &BTreeSet<Place>) -> String {
    let name = |place: &Place| place.join("/");
    let parts: Vec<String> = circle.iter().map(name).collect();
    let mut told = parts.join(", ");
    for (import, names) in imports {
        let is_of_it = ends(parent, import)
            .is_some_and(|(from, to)| circle.contains(&from) && circle.contains(&to));
        if is_of_it {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (from, to) = import;
            told += &format!("\n    {} → {}: {}", name(from), name(to), names.join(", "));
        }
    }
    told
}

/// A module's folder for its parts.
fn folder_of(file: &Path) -> PathBuf {
    let is_first = file
        .file_name()
        .is_some_and(|name| name == "lib.rs" || name == "main.rs" || name == "mod.rs");
    if is_first {
        file.parent().unwrap_or(file).to_owned()
    } else {
        file.with_extension("")
    }
}
