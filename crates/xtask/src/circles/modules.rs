//! A crate's modules, and what names in them mean.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of syntax are many, and more may come"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use syn::{Attribute, Expr, ExprLit, Item, ItemMod, Lit, UseTree};

use super::{Imports, folder_of, paths};

/// Where a module is: the names that lead to it from the crate's root.
pub type Place = Vec<String>;

/// The modules of a crate that are no tests.
pub struct Crate {
    modules: BTreeMap<Place, Module>,
}

/// What stands in a module.
#[derive(Default)]
struct Module {
    /// The names that it defines.
    defined: BTreeSet<String>,
    /// Its parts that are modules.
    parts: BTreeSet<String>,
    /// What it has from others, by the name that it has here.
    brought: Vec<(Option<String>, Vec<String>)>,
    /// The paths that stand in it.
    paths: BTreeSet<Vec<String>>,
}

/// What a path leads to.
enum Meaning {
    Module(Place),
    /// Something that this module defines.
    DefinedIn(Place),
}

impl Crate {
    /// Reads a crate from its first file on.
    pub fn read(root: &Path) -> Result<Self> {
        let mut read = Self {
            modules: BTreeMap::new(),
        };
        read.file(Vec::new(), root)?;
        Ok(read)
    }

    /// All modules that have parts.
    pub fn parents(&self) -> Vec<Place> {
        let has_parts = |(_, module): &(&Place, &Module)| !module.parts.is_empty();
        let parents = self.modules.iter().filter(has_parts);
        parents.map(|(place, _)| place.clone()).collect()
    }

    /// Which module uses which other's names.
    pub fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (place, module) in &self.modules {
            for path in &module.paths {
                if let Some(Meaning::DefinedIn(to)) =
                    self.meaning(place, path, &mut BTreeSet::new())
                    && to != *place
                {
                    let names = imports.entry((place.clone(), to)).or_default();
                    names.extend(path.last().cloned());
                }
            }
        }
        imports
    }

    fn file(&mut self, place: Place, file: &Path) -> Result<()> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let read = syn::parse_file(&text).with_context(|| format!("parse {}", file.display()))?;
        self.items(place, read.items, &folder_of(file))
    }

    fn items(&mut self, place: Place, items: Vec<Item>, folder: &Path) -> Result<()> {
        let mut module = Module::default();
        for item in items {
            if is_test(paths::attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(part) => {
                    module.parts.insert(part.ident.to_string());
                    self.part(&place, part, folder)?;
                }
                Item::Use(brings) => {
                    let mut brought = Vec::new();
                    bring(&brings.tree, Vec::new(), &mut brought);
                    if brings.leading_colon.is_none() {
                        module
                            .paths
                            .extend(brought.iter().map(|(_, path)| path.clone()));
                        module.brought.append(&mut brought);
                    }
                }
                other => {
                    module.defined.extend(paths::name(&other));
                    module.paths.extend(paths::of(&other));
                }
            }
        }
        // Each system may have a module of the same name.
        let known = self.modules.entry(place).or_default();
        known.defined.append(&mut module.defined);
        known.parts.append(&mut module.parts);
        known.brought.append(&mut module.brought);
        known.paths.append(&mut module.paths);
        Ok(())
    }

    fn part(&mut self, parent: &Place, part: ItemMod, folder: &Path) -> Result<()> {
        let name = part.ident.to_string();
        let place: Place = parent.iter().cloned().chain([name.clone()]).collect();
        if let Some((_, items)) = part.content {
            return self.items(place, items, &folder.join(name));
        }
        if let Some(path) = part.attrs.iter().find_map(path_of) {
            return self.file(place, &folder.join(path));
        }
        let files: [PathBuf; 2] = [
            folder.join(format!("{name}.rs")),
            folder.join(&name).join("mod.rs"),
        ];
        let Some(file) = files.iter().find(|file| file.exists()) else {
            bail!("{} is not there", files[0].display());
        };
        self.file(place, file)
    }

    /// What a path means where it stands.
    fn meaning(
        &self,
        at: &Place,
        path: &[String],
        asked: &mut BTreeSet<(Place, String)>,
    ) -> Option<Meaning> {
        let (first, mut rest) = path.split_first()?;
        let mut meaning = match first.as_str() {
            "crate" => Meaning::Module(Vec::new()),
            "self" => Meaning::Module(at.clone()),
            "super" => Meaning::Module(at[..at.len().checked_sub(1)?].to_vec()),
            name => self.named(at, name, rest.is_empty(), asked)?,
        };
        while let Some((name, after)) = rest.split_first() {
            let Meaning::Module(place) = &meaning else {
                // What belongs to a type stands where the type does, as far as names say.
                break;
            };
            meaning = match name.as_str() {
                "super" => Meaning::Module(place[..place.len().checked_sub(1)?].to_vec()),
                name => self.named(place, name, after.is_empty(), asked)?,
            };
            rest = after;
        }
        Some(meaning)
    }

    /// What a name means in a module. A module and a function may have the same one.
    fn named(
        &self,
        place: &Place,
        name: &str,
        is_last: bool,
        asked: &mut BTreeSet<(Place, String)>,
    ) -> Option<Meaning> {
        if !asked.insert((place.clone(), name.to_owned())) {
            return None;
        }
        let module = self.modules.get(place)?;
        let part = module.parts.contains(name).then(|| {
            let part = place.iter().cloned().chain([name.to_owned()]);
            Meaning::Module(part.collect())
        });
        let is_defined = module.defined.contains(name);
        let defined = is_defined.then(|| Meaning::DefinedIn(place.clone()));
        let own = if is_last {
            defined.or(part)
        } else {
            part.or(defined)
        };
        if own.is_some() {
            return own;
        }
        let mut brought: Vec<_> = module.brought.iter().collect();
        // What is named goes before what comes with everything.
        brought.sort_by_key(|(as_name, _)| as_name.is_none());
        brought
            .into_iter()
            .find_map(|(as_name, path)| match as_name {
                Some(as_name) if as_name == name => self.meaning(place, path, asked),
                Some(_) => None,
                None => match self.meaning(place, path, asked)? {
                    Meaning::Module(of) => self.named(&of, name, is_last, asked),
                    Meaning::DefinedIn(_) => None,
                },
            })
    }
}

/// Whether something is there for tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// The file that a module is in, if it is said.
fn path_of(attribute: &Attribute) -> Option<String> {
    let said = attribute.meta.require_name_value().ok()?;
    match &said.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(path),
            ..
        }) if said.path.is_ident("path") => Some(path.value()),
        _ => None,
    }
}

/// What a `use` brings: each name with its path; none for everything that is there.
fn bring(tree: &UseTree, before: Vec<String>, all: &mut Vec<(Option<String>, Vec<String>)>) {
    let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect();
    match tree {
        UseTree::Path(path) => bring(&path.tree, with(&path.ident), all),
        UseTree::Name(name) if name.ident == "self" => all.push((before.last().cloned(), before)),
        UseTree::Name(name) => all.push((Some(name.ident.to_string()), with(&name.ident))),
        UseTree::Rename(renamed) => {
            let path = if renamed.ident == "self" {
                before
            } else {
                with(&renamed.ident)
            };
            all.push((Some(renamed.rename.to_string()), path));
        }
        UseTree::Glob(_) => all.push((None, before)),
        UseTree::Group(group) => {
            for tree in &group.items {
                bring(tree, before.clone(), all);
            }
        }
    }
}
