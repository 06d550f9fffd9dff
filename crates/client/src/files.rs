//! The settings and the list of accounts, as files: small, written whole, replaced in one step.

mod list;

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use list::{List, ListAside};

use crate::{
    error::Error,
    view::{Place, Settings, Theme},
};

/// The file of what the person set.
const SETTINGS: &str = "settings.json";

/// What the person set on this computer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Settings.
    pub settings: Settings,
    /// Where the window was.
    pub last_place: Option<Place>,
}

/// How what Tulou keeps in the folder is called: the lists, the stores, the window's place, the web view's, a hosted server.
const OWN: [&str; 5] = ["accounts", "settings", "window", "webview", "server"];

/// The folder of a client.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens or makes the folder, readable for nobody else. One in which other things lie, too, may be shared on purpose and
    /// stays as it is; what is written into it is private all the same.
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        let accounts = path.join("accounts");
        fs::create_dir_all(&accounts).map_err(Error::file(&accounts))?;
        if !has_others(&path) {
            close(&path);
        }
        close(&accounts);
        Ok(Self(path))
    }

    /// The store of an account.
    pub fn store(&self, key: &str) -> PathBuf {
        self.0.join("accounts").join(format!("{key}.sqlite"))
    }

    /// What the person set.
    pub fn preferences(&self) -> Preferences {
        preferences(&self.0)
    }

    /// Keeps what the person set.
    pub fn keep_preferences(&self, preferences: &Preferences) -> Result<(), Error> {
        write(&self.0.join(SETTINGS), preferences)
    }
}

/// Whether something lies in a folder that is not Tulou's.
fn has_others(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.map(|entry| entry.file_name()).any(|name| {
        let name = name.to_string_lossy();
        !OWN.iter().any(|own| {
            // Beside a file stand the one that takes its place, and those that were set aside.
            let rest = name.strip_prefix(own);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    })
}

/// Not every disk knows whose a folder is; that is no reason not to start.
fn close(folder: &Path) {
    if let Err(error) = tulou_private::folder(folder) {
        tracing::warn!(folder = %folder.display(), "others may read it: {error}");
    }
}

/// The theme that the person set, read without opening a client: a window has its colour before anything is drawn in it.
pub fn theme_of(folder: &Path) -> Theme {
    preferences(folder).settings.theme
}

/// What the person set, read without opening a client: whether there is a window at all is known before.
pub fn settings_of(folder: &Path) -> Settings {
    preferences(folder).settings
}

/// Settings that cannot be read are no reason not to start. Each is read by itself: one that only a newer program knows,
/// or that an older one did not have, takes no other along.
fn preferences(folder: &Path) -> Preferences {
    let found = read::<Value>(&folder.join(SETTINGS)).unwrap_or_else(|error| {
        tracing::warn!("the settings are set back: {error}");
        Value::Null
    });
    let mut understood = Preferences::default();
    for place in ["/settings", ""] {
        let fields = found.pointer(place).and_then(Value::as_object);
        for (name, value) in fields.into_iter().flatten() {
            match with(&understood, place, name, value) {
                Ok(with) => understood = with,
                // Its fields were taken one by one.
                Err(_) if name == "settings" => {}
                Err(error) => tracing::warn!("the setting {name} is set back: {error}"),
            }
        }
    }
    understood
}

fn with(
    preferences: &Preferences,
    place: &str,
    name: &str,
    value: &Value,
) -> serde_json::Result<Preferences> {
    let mut with = serde_json::to_value(preferences)?;
    if let Some(Value::Object(fields)) = with.pointer_mut(place) {
        fields.insert(name.to_owned(), value.clone());
    }
    serde_json::from_value(with)
}

/// What a file holds. A folder in its place is not a lack of rights, as which Windows tells it.
fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        if path.is_dir() {
            std::io::ErrorKind::IsADirectory.into()
        } else {
            error
        }
    })
}

fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, Error> {
    match bytes_of(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| Error::file(path)(std::io::Error::other(error))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(Error::file(path)(error)),
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let attempt = || -> std::io::Result<()> {
        let bytes = serde_json::to_vec_pretty(value).map_err(std::io::Error::other)?;
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        if let Err(error) = tulou_private::file(&beside) {
            tracing::warn!(file = %beside.display(), "others may read it: {error}");
        }
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    attempt().map_err(Error::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_there_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let files = Folder::open(folder.path().to_owned()).unwrap();
        assert_eq!(files.list(0), List::default(), "the first start");
        let mut preferences = files.preferences();
        preferences.settings.text_size = 120;
        files.keep_preferences(&preferences).unwrap();
        assert_eq!(files.preferences(), preferences);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_folder_of_a_client_also_if_it_was_there() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap();
        Folder::open(folder.path().to_owned()).unwrap();
        for path in [folder.path().to_owned(), folder.path().join("accounts")] {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", path.display());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_in_which_other_things_lie_stays_as_it_is_and_what_is_written_into_it_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap();
        fs::write(folder.path().join("a-letter"), "to everybody").unwrap();
        let mode = |name: &str| {
            let found = fs::metadata(folder.path().join(name)).unwrap();
            found.permissions().mode() & 0o777
        };
        // Also at the second start, when its own things lie there, too.
        for _ in 0..2 {
            let files = Folder::open(folder.path().to_owned()).unwrap();
            files.keep_preferences(&files.preferences()).unwrap();
            assert_eq!(mode(""), 0o755, "it is shared");
            assert_eq!((mode("accounts"), mode(SETTINGS)), (0o700, 0o600));
        }
        fs::remove_file(folder.path().join("a-letter")).unwrap();
        Folder::open(folder.path().to_owned()).unwrap();
        assert_eq!(mode(""), 0o700, "there is nothing but what is its own");
    }

    #[test]
    fn settings_that_cannot_be_read_do_not_keep_the_program_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let files = Folder::open(folder.path().to_owned()).unwrap();
        fs::write(folder.path().join("settings.json"), "{").unwrap();
        assert_eq!(files.preferences(), Preferences::default());
    }

    #[test]
    fn a_setting_that_is_not_known_or_not_there_takes_no_other_along() {
        let folder = tempfile::tempdir().unwrap();
        let files = Folder::open(folder.path().to_owned()).unwrap();
        let place = Place {
            account: "a".to_owned(),
            community: None,
            topic: None,
        };
        let kept = serde_json::json!({
            "settings": {"theme": "sepia", "textSize": 130, "density": "compact", "collapsed": ["g"]},
            "last_place": place,
        });
        fs::write(folder.path().join(SETTINGS), kept.to_string()).unwrap();
        let found = files.preferences();
        assert_eq!(found.settings.theme, Theme::System, "nobody knows this one");
        assert_eq!(found.settings.text_size, 130);
        assert_eq!(found.settings.collapsed, ["g"]);
        assert!(
            found.settings.shows_members,
            "as at the first start: it is not there"
        );
        assert_eq!(found.last_place, Some(place));
    }
}
