//! Backups of the server on this computer, and putting one in its place.

use std::path::{Path, PathBuf};

use tulou_client::view::{BackupPeek, BackupView, BackupsView};
use tulou_protocol::id::Millis;
use tulou_server::{
    Hosted,
    backup::{self, Backup, BackupError, Daily, Kind, Shelf},
};

use super::{Hosting, PORT, State, unkept, wish::Wish};
use crate::error::WindowError;

/// The folder with the backups, in the server's own.
const FOLDER: &str = "backups";

impl Hosting {
    /// Where backups lie.
    pub fn backups_folder(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }

    fn shelf(&self) -> Shelf {
        Shelf::in_folder(self.backups_folder())
    }

    /// The backups that there are.
    pub async fn backups(&self) -> Result<BackupsView, WindowError> {
        let shelf = self.shelf();
        let kept = blocking(move || shelf.list())
            .await?
            .map_err(|error| BackupError::File {
                path: self.backups_folder(),
                source: error,
            })?;
        let state = self.state.lock().await;
        let running = state.running.as_ref().map(Hosted::app);
        Ok(BackupsView {
            folder: self.backups_folder().to_string_lossy().into_owned(),
            kept: running.map_or(0, |app| {
                u32::try_from(app.config().backups_kept).unwrap_or(u32::MAX)
            }),
            failure: running
                .and_then(|app| app.backup_failure())
                .map(str::to_owned),
            backups: kept.into_iter().map(shown).collect(),
        })
    }

    /// Makes a backup now.
    pub async fn back_up(&self) -> Result<(), WindowError> {
        let app = {
            let state = self.state.lock().await;
            let hosted = state.running.as_ref().ok_or_else(super::not_hosting)?;
            hosted.app().clone()
        };
        Daily::new(app, self.shelf()).make(Kind::Manual).await?;
        (self.on_change)();
        Ok(())
    }

    /// What a file says of itself, before it takes anything's place.
    pub async fn peek_backup(&self, path: PathBuf) -> Result<BackupPeek, WindowError> {
        let opened = blocking(move || backup::open(&path)).await??;
        let manifest = opened.manifest();
        let here = self.state.lock().await.wish.clone();
        Ok(BackupPeek {
            server_name: manifest.server_name.clone(),
            made_at: manifest.made_at,
            accounts: manifest.accounts,
            communities: manifest.communities,
            replaces: here.as_ref().map(|wish| wish.name.clone()),
            is_same_server: here.is_some_and(|wish| wish.server == Some(manifest.server)),
        })
    }

    /// Puts the server of a backup in the place of the one on this computer, which is set aside, and starts it; its
    /// address here. If the backup cannot be used, everything is as it was.
    pub async fn restore(&self, path: PathBuf) -> Result<String, WindowError> {
        let opened = blocking(move || backup::open(&path)).await??;
        let mut state = self.state.lock().await;
        let before = state.wish.clone();
        if let Some(hosted) = state.running.take() {
            hosted.stop().await;
        }
        let folder = self.folder.clone();
        let manifest = opened.manifest().clone();
        let restored = blocking(move || opened.restore(&folder, now())).await?;
        if let Err(error) = restored {
            if let Some(before) = before {
                self.start(&mut state, before).await?;
            }
            return Err(error.into());
        }
        let kept = Wish::read(&self.folder).map_err(|error| unkept(&error))?;
        let wish = kept.unwrap_or(Wish {
            name: manifest.server_name,
            port: PORT,
            other_port: None,
            is_open: false,
            own_address: None,
            is_announced: true,
            server: Some(manifest.server),
        });
        self.start(&mut state, wish).await?;
        state.here().ok_or_else(super::not_hosting)
    }
}

impl State {
    /// Room on the disk of the server that runs.
    pub fn room(&self) -> (tulou_client::view::DiskView, Option<u64>) {
        use tulou_client::view::DiskView;
        let Some(hosted) = &self.running else {
            return (DiskView::Plenty, None);
        };
        let room = hosted.app().room();
        (DiskView::from(room.disk), room.free)
    }
}

fn shown(kept: Backup) -> BackupView {
    BackupView {
        name: file_name(&kept.path),
        path: kept.path.to_string_lossy().into_owned(),
        made_at: kept.made_at,
        bytes: kept.bytes,
        is_daily: kept.kind == Kind::Daily,
        is_readable: kept.manifest.is_some(),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn now() -> Millis {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| {
            Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
        })
}

/// Does something that reads or writes files, off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WindowError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| WindowError {
            code: "internal".to_owned(),
            message: format!("work with a backup: {error}"),
            rejection: None,
            about: None,
        })
}

impl From<BackupError> for WindowError {
    fn from(error: BackupError) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            rejection: None,
            about: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use tulou_server::Config;

    use super::*;

    fn in_folder(folder: &Path) -> Hosting {
        Hosting::in_folder(folder.to_owned(), Arc::new(|| {}))
    }

    #[tokio::test]
    async fn a_server_moves_to_another_computer_by_one_file() {
        let home = tempfile::tempdir().unwrap();
        let here = in_folder(&home.path().join("here"));
        here.begin("A house", false).await.unwrap();
        here.back_up().await.unwrap();
        let view = here.backups().await.unwrap();
        assert_eq!(view.backups.len(), 1, "it is shown");
        assert!(view.backups[0].bytes > 0 && view.backups[0].is_readable);
        assert!(!view.backups[0].is_daily, "a person asked for it");
        let server = here.server().await;
        let file = PathBuf::from(&view.backups[0].path);
        here.end().await;

        let there = in_folder(&home.path().join("there"));
        let peek = there.peek_backup(file.clone()).await.unwrap();
        assert_eq!(
            (peek.server_name.as_str(), peek.replaces),
            ("A house", None),
            "nothing is hosted there"
        );
        there.restore(file).await.unwrap();
        assert_eq!(there.server().await, server, "it is the same server");
        there.end().await;
        let again = in_folder(&home.path().join("there"));
        again.resume().await.unwrap();
        assert_eq!(again.server().await, server, "at every start from here on");
        again.end().await;
    }

    #[tokio::test]
    async fn a_backup_that_cannot_be_used_leaves_the_server_running() {
        let home = tempfile::tempdir().unwrap();
        let hosting = in_folder(&home.path().join("server"));
        hosting.begin("A house", false).await.unwrap();
        let server = hosting.server().await;
        let no_backup = home.path().join("x.tulou-backup");
        fs::write(&no_backup, "no backup").unwrap();
        let refused = hosting.restore(no_backup).await.unwrap_err();
        assert_eq!(refused.code, "not_a_backup");
        hosting.back_up().await.unwrap();
        let whole = PathBuf::from(&hosting.backups().await.unwrap().backups[0].path);
        let bytes = fs::read(&whole).unwrap();
        let half = home.path().join("half.tulou-backup");
        fs::write(&half, &bytes[..bytes.len() - 9]).unwrap();
        let refused = hosting.restore(half).await.unwrap_err();
        assert_eq!(refused.code, "backup_damaged");
        assert_eq!(hosting.server().await, server);
        assert!(hosting.address().await.is_some(), "it runs as before");
        hosting.end().await;
    }

    #[tokio::test]
    async fn a_backup_of_a_server_elsewhere_can_be_hosted_here() {
        let home = tempfile::tempdir().unwrap();
        let mut settings = Config {
            data: home.path().join("elsewhere"),
            name: "Elsewhere".into(),
            ..Config::default()
        };
        settings.listen.set_port(0);
        let hosted = Hosted::start(settings.clone()).await.unwrap();
        let server = hosted.server();
        let file = home.path().join("a.tulou-backup");
        let source = backup::Source {
            folder: settings.data.clone(),
            settings,
            now: 1,
        };
        let to = file.clone();
        blocking(move || backup::make(&source, &to))
            .await
            .unwrap()
            .unwrap();
        hosted.stop().await;
        let hosting = in_folder(&home.path().join("here"));
        hosting.restore(file).await.unwrap();
        assert_eq!(hosting.server().await, Some(server));
        hosting.end().await;
    }
}
