//! The window's commands about accounts: signing in and out, passwords, codes, sessions, and what the server's
//! administrator does. What carries a secret goes to the server at once or not at all.

use std::{fs, io::Write, path::Path};

use tauri::{AppHandle, Manager, State};
use tulou_client::view::{MessagesThen, ResetView, SecurityView, ServerAccountsView};

use super::Answer;
use crate::{app::App, error::WindowError};

/// Signs an account in again.
#[tauri::command]
#[specta::specta]
pub async fn sign_in(app: State<'_, App>, account: String, password: String) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .sign_in_again(&account, &password)
        .await?)
}

/// Sets a new password for an account of this computer with a code, and signs in.
#[tauri::command]
#[specta::specta]
pub async fn recover(
    app: State<'_, App>,
    account: String,
    code: String,
    password: String,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .recover(&account, &code, &password)
        .await?)
}

/// Signs an account out.
#[tauri::command]
#[specta::specta]
pub async fn sign_out(app: State<'_, App>, account: String) -> Answer<()> {
    Ok(app.client().await?.sign_out(&account).await?)
}

/// What guards an account.
#[tauri::command]
#[specta::specta]
pub async fn security_view(app: State<'_, App>, account: String) -> Answer<SecurityView> {
    Ok(app.client().await?.security_view(&account).await?)
}

/// Changes the password of an account. Its other sessions end.
#[tauri::command]
#[specta::specta]
pub async fn change_password(
    app: State<'_, App>,
    account: String,
    password: String,
    new_password: String,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .change_password(&account, &password, &new_password)
        .await?)
}

/// Makes new recovery codes; those before are of no use any more.
#[tauri::command]
#[specta::specta]
pub async fn new_recovery_codes(
    app: State<'_, App>,
    account: String,
    password: String,
) -> Answer<Vec<String>> {
    Ok(app
        .client()
        .await?
        .new_recovery_codes(&account, &password)
        .await?)
}

/// Writes recovery codes into a file of the person's downloads; where it is.
#[tauri::command]
#[specta::specta]
pub async fn save_recovery_codes(
    handle: AppHandle,
    account_name: String,
    text: String,
) -> Answer<String> {
    let folder = handle
        .path()
        .download_dir()
        .or_else(|_| handle.path().home_dir())
        .map_err(|error| unsaved(&error))?;
    tauri::async_runtime::spawn_blocking(move || write_codes(&folder, &account_name, &text))
        .await
        .map_err(|error| unsaved(&error))?
        .map_err(|error| unsaved(&error))
}

/// Ends another session of an account, or all others.
#[tauri::command]
#[specta::specta]
pub async fn end_sessions(
    app: State<'_, App>,
    account: String,
    session: Option<String>,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .end_sessions(&account, session.as_deref())
        .await?)
}

/// Deletes an account on its server, and what this computer holds of it.
#[tauri::command]
#[specta::specta]
pub async fn delete_account(
    app: State<'_, App>,
    account: String,
    password: String,
    messages: MessagesThen,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .delete_account(&account, &password, messages)
        .await?)
}

/// Removes an account from this computer. On its server it stays.
#[tauri::command]
#[specta::specta]
pub async fn remove_account(app: State<'_, App>, account: String) -> Answer<()> {
    Ok(app.client().await?.remove_account(&account).await?)
}

/// Accounts of the server that an account administrates, by name, from after one on.
#[tauri::command]
#[specta::specta]
pub async fn server_accounts_view(
    app: State<'_, App>,
    account: String,
    search: String,
    after: String,
) -> Answer<ServerAccountsView> {
    Ok(app
        .client()
        .await?
        .server_accounts_view(&account, &search, &after)
        .await?)
}

/// Sets somebody's account back, as the server's administrator; a code that sets a new password.
#[tauri::command]
#[specta::specta]
pub async fn reset_account(
    app: State<'_, App>,
    account: String,
    whose: String,
) -> Answer<ResetView> {
    Ok(app.client().await?.reset_account(&account, &whose).await?)
}

/// Writes a file that nobody else can read, under a name that is free.
fn write_codes(folder: &Path, account_name: &str, text: &str) -> std::io::Result<String> {
    fs::create_dir_all(folder)?;
    let name: String = account_name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .collect();
    let mut number = 1;
    loop {
        let file = match number {
            1 => format!("tulou-{name}.txt"),
            _ => format!("tulou-{name}-{number}.txt"),
        };
        let path = folder.join(file);
        match tulou_private::create_new(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                return Ok(path.display().to_string());
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn unsaved(error: &dyn std::error::Error) -> WindowError {
    WindowError {
        code: "storage".to_owned(),
        message: format!("save recovery codes: {error}"),
        rejection: None,
        about: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_saved_for_nobody_else_and_over_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let downloads = folder.path().join("Downloads");
        let first = write_codes(&downloads, "alice", "one").unwrap();
        let second = write_codes(&downloads, "alice", "two").unwrap();
        assert!(first.ends_with("tulou-alice.txt"), "{first}");
        assert!(second.ends_with("tulou-alice-2.txt"), "{second}");
        assert_eq!(fs::read_to_string(&first).unwrap(), "one");
        assert_eq!(fs::read_to_string(&second).unwrap(), "two");
        let outside = write_codes(&downloads, "../../etc/x", "three").unwrap();
        let parent = Path::new(&outside).parent().unwrap();
        assert_eq!(parent, downloads, "a name leads nowhere else");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&first).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "only the person reads it");
        }
    }
}
