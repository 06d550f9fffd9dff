//! Builds the window's configuration into the program.

use std::{fs, path::Path};

/// Shown when the program was built before its window.
const PLACEHOLDER: &str = "<!doctype html><meta charset=\"utf-8\"><title>Tulou</title>\
    <p>The window is not built. Run: <code>npm --prefix ui run build</code></p>";

fn main() {
    // With `tauri/custom-protocol` the macro `generate_context!` needs ui/dist to exist. The placeholder lets plain
    // cargo commands work before npm has run; the UI's own build empties the folder first.
    let index = Path::new("ui/dist/index.html");
    if !index.exists() {
        let folder = index.parent().expect("a path with a folder");
        fs::create_dir_all(folder).expect("ui/dist can be created");
        fs::write(index, PLACEHOLDER).expect("ui/dist/index.html can be written");
    }
    println!("cargo:rerun-if-changed=ui/dist/index.html");
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    tauri_build::try_build(
        tauri_build::Attributes::new()
            .capabilities_path_pattern("./src-tauri/capabilities/**/*.json"),
    )
    .expect("tauri.conf.json and the capabilities are valid");
}
