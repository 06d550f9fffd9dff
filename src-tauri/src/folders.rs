//! The folder in which everything of the person lives: accounts, history, settings, a hosted server.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// Names another folder than the system's; used by tests and for a second, separate Tulou.
const HOME_VARIABLE: &str = "TULOU_HOME";

/// The app's identifier, as in `tauri.conf.json`.
const IDENTIFIER: &str = "app.tulou.desktop";

/// Where what belongs to the person lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    folder: PathBuf,
    is_default: bool,
}

impl Folders {
    /// `TULOU_HOME`, or the system's folder for what programs keep for a person.
    pub fn of_this_person() -> Self {
        match std::env::var_os(HOME_VARIABLE).filter(|folder| !folder.is_empty()) {
            Some(folder) => Self {
                folder: PathBuf::from(folder),
                is_default: false,
            },
            None => Self {
                folder: directories::ProjectDirs::from("app", "Tulou", "Tulou").map_or_else(
                    || PathBuf::from("tulou"),
                    |dirs| dirs.data_dir().to_path_buf(),
                ),
                is_default: true,
            },
        }
    }

    /// Everything of a person in a folder.
    #[cfg(test)]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            is_default: false,
        }
    }

    /// Where the client keeps accounts, history and settings.
    pub fn client(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Where the hosted server keeps everything.
    pub fn server(&self) -> PathBuf {
        self.folder.join("server")
    }

    /// Where the window's place and size are kept.
    pub fn window_state(&self) -> PathBuf {
        self.folder.join("window.json")
    }

    /// Where the web view keeps what it wants to keep.
    pub fn web_view(&self) -> PathBuf {
        self.folder.join("webview")
    }

    /// The name under which a second start finds the first. One Tulou runs per folder.
    pub fn instance_id(&self) -> String {
        if self.is_default {
            return IDENTIFIER.to_owned();
        }
        let mut hasher = DefaultHasher::new();
        absolute(&self.folder).hash(&mut hasher);
        format!("{IDENTIFIER}.home{:016x}", hasher.finish())
    }
}

fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(folder: &str) -> Folders {
        Folders {
            folder: folder.into(),
            is_default: false,
        }
    }

    #[test]
    fn two_folders_run_side_by_side() {
        assert_ne!(at("/tmp/a").instance_id(), at("/tmp/b").instance_id());
        assert_eq!(
            at("/tmp/a").instance_id(),
            at("/tmp/a").instance_id(),
            "a second start has to find the first"
        );
    }

    #[test]
    fn the_hosted_server_lives_inside_the_folder() {
        assert!(at("/tmp/a").server().starts_with("/tmp/a"));
    }
}
