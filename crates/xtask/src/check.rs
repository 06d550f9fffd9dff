//! The quick checks, each with the command that mends it.

use anyhow::Result;

use crate::{
    circles, policy, repo, setup,
    step::{Remedy, Steps},
    systems::{self, System},
};

/// For which systems.
#[derive(clap::Args)]
pub struct Arguments {
    /// Instead of the checks for this system: whether everything compiles for Windows, tests too.
    #[arg(long)]
    windows: bool,
    /// Instead of the checks for this system: whether everything compiles for macOS, tests too.
    #[arg(long)]
    macos: bool,
}

/// Takes all checks; whether they passed.
pub fn check(arguments: &Arguments) -> Result<bool> {
    let mut steps = Steps::default();
    if arguments.windows || arguments.macos {
        for (is_wanted, system) in [
            (arguments.windows, System::Windows),
            (arguments.macos, System::MacOs),
        ] {
            if is_wanted {
                systems::check(system, &mut steps);
            }
        }
        return Ok(steps.finish());
    }
    setup::setup(setup::Scope::Build)?;
    all(&mut steps);
    generated(&mut steps);
    Ok(steps.finish())
}

/// Formatting, lints, docs and dependencies.
pub fn all(steps: &mut Steps) {
    steps.run(
        "rust format",
        repo::cargo(&["fmt", "--all", "--check"]),
        Some("cargo fmt --all"),
    );
    steps.run(
        "fuzz format",
        repo::cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]),
        Some("cargo fmt --manifest-path fuzz/Cargo.toml"),
    );
    steps.run(
        "ui lint",
        repo::npm(&["run", "--silent", "lint"]),
        Some("npm --prefix ui run format (and see the messages of eslint)"),
    );
    steps.run("ui types", repo::npm(&["run", "--silent", "check"]), None);
    steps.take(
        "dependencies",
        Remedy::Mend(
            "see deny.toml, the policy; `cargo tree --invert NAME` shows who needs a package",
        ),
        policy::check,
    );
    steps.take(
        "circles",
        Remedy::Mend(
            "moving what both files need into a third one, or to the one that stands below",
        ),
        circles::check,
    );
    steps.run(
        "rust lints",
        repo::cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--test",
            "*",
            "--features",
            "tauri/custom-protocol",
            "--",
            "--deny",
            "warnings",
        ]),
        Some("cargo clippy --workspace --all-targets --test '*' --features tauri/custom-protocol --fix --allow-dirty"),
    );
    let mut doc = repo::cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--features",
        "tauri/custom-protocol",
    ]);
    doc.env("RUSTDOCFLAGS", "--deny warnings");
    steps.run("rust docs", doc, None);
}

/// Files that are generated from the code and kept in the repository.
fn generated(steps: &mut Steps) {
    steps.run(
        "generated files",
        repo::cargo(&[
            "test",
            "--quiet",
            "--workspace",
            "--lib",
            "--features",
            "tauri/custom-protocol",
            "current",
        ]),
        Some("UPDATE_BINDINGS=1 UPDATE_OPENRPC=1 cargo test --workspace --lib --features tauri/custom-protocol current"),
    );
}
