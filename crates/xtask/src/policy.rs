//! What may be depended on: licences, sources and bans, read from `deny.toml` and checked against `cargo metadata`.
//!
//! The file keeps to what `cargo deny check` understands too. The check is made here because that program takes
//! longer to build than everything it would look at.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::repo;

/// `deny.toml`.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

/// A licence that one package alone may have.
#[derive(Deserialize)]
struct Exception {
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// None for the packages of this repository.
    source: Option<String>,
}

/// Checks every package that is locked.
pub fn check() -> Result<()> {
    let text = std::fs::read_to_string(repo::root().join("deny.toml")).context("read deny.toml")?;
    let policy: Policy = toml::from_str(&text).context("read deny.toml")?;
    let metadata = repo::output(repo::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--locked",
    ]))?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).context("read what cargo metadata says")?;
    let wrong = wrongs(&policy, &metadata.packages)?;
    if wrong.is_empty() {
        println!("    {} packages looked at", metadata.packages.len());
        return Ok(());
    }
    bail!("{}", wrong.into_iter().collect::<Vec<_>>().join("\n    "))
}

fn wrongs(policy: &Policy, packages: &[Package]) -> Result<BTreeSet<String>> {
    let mut wrong = BTreeSet::new();
    let mut verdicts = BTreeMap::new();
    for package in packages {
        let name = format!("{} {}", package.name, package.version);
        if let Some(ban) = policy.bans.deny.iter().find(|ban| ban.name == package.name) {
            wrong.insert(format!("{name} is banned: {}", ban.reason));
        }
        let Some(source) = &package.source else {
            continue;
        };
        let is_known = policy
            .sources
            .allow_registry
            .iter()
            .any(|registry| source.strip_prefix("registry+") == Some(registry));
        if !is_known {
            wrong.insert(format!("{name} comes from {source}"));
        }
        let Some(licence) = &package.license else {
            wrong.insert(format!("{name} names no licence"));
            continue;
        };
        let exceptions: Vec<&str> = policy
            .licenses
            .exceptions
            .iter()
            .filter(|exception| exception.name == package.name)
            .flat_map(|exception| exception.allow.iter().map(String::as_str))
            .collect();
        let is_allowed = match verdicts.get(licence) {
            Some(true) => true,
            _ => is_allowed(licence, &policy.licenses.allow, &exceptions)
                .with_context(|| format!("read the licence of {name}"))?,
        };
        if exceptions.is_empty() {
            verdicts.insert(licence.clone(), is_allowed);
        }
        if !is_allowed {
            wrong.insert(format!("{name} is under {licence}"));
        }
    }
    Ok(wrong)
}

fn is_allowed(licence: &str, allowed: &[String], exceptions: &[&str]) -> Result<bool> {
    let expression = Expression::parse_mode(licence, ParseMode::LAX)
        .with_context(|| format!("understand `{licence}`"))?;
    Ok(expression.evaluate(|requirement| {
        // Whoever may take a licence, or a later one, may take this one.
        let requirement = requirement.to_string();
        let requirement = requirement.trim_end_matches('+').to_owned();
        allowed.contains(&requirement) || exceptions.contains(&requirement.as_str())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        toml::from_str(
            r#"
            [licenses]
            allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
            exceptions = [{ name = "webpki-roots", allow = ["CDLA-Permissive-2.0"] }]
            [bans]
            deny = [{ name = "openssl-sys", reason = "TLS is rustls" }]
            [sources]
            allow-registry = ["https://github.com/rust-lang/crates.io-index"]
            "#,
        )
        .unwrap()
    }

    fn package(name: &str, license: Option<&str>) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            license: license.map(str::to_owned),
            source: Some("registry+https://github.com/rust-lang/crates.io-index".into()),
        }
    }

    fn wrongs_of(package: Package) -> Vec<String> {
        wrongs(&policy(), &[package]).unwrap().into_iter().collect()
    }

    #[test]
    fn one_allowed_licence_of_a_choice_is_enough() {
        assert!(wrongs_of(package("a", Some("GPL-3.0 OR MIT"))).is_empty());
        assert!(
            wrongs_of(package("a", Some("MIT/Apache-2.0"))).is_empty(),
            "the old way to write OR"
        );
        assert_eq!(
            wrongs_of(package("a", Some("GPL-3.0 AND MIT"))),
            ["a 1.0.0 is under GPL-3.0 AND MIT"]
        );
        assert_eq!(wrongs_of(package("a", None)), ["a 1.0.0 names no licence"]);
    }

    #[test]
    fn an_exception_is_for_one_package_alone() {
        assert!(wrongs_of(package("webpki-roots", Some("CDLA-Permissive-2.0"))).is_empty());
        assert!(!wrongs_of(package("other", Some("CDLA-Permissive-2.0"))).is_empty());
    }

    #[test]
    fn bans_and_foreign_sources_are_found() {
        assert_eq!(
            wrongs_of(package("openssl-sys", Some("MIT"))),
            ["openssl-sys 1.0.0 is banned: TLS is rustls"]
        );
        let mut foreign = package("a", Some("MIT"));
        foreign.source = Some("git+https://example.org/a".into());
        assert_eq!(
            wrongs_of(foreign),
            ["a 1.0.0 comes from git+https://example.org/a"]
        );
    }

    #[test]
    fn own_packages_need_no_source() {
        let mut own = package("tulou", Some("MIT"));
        own.source = None;
        assert!(wrongs_of(own).is_empty());
    }
}
