//! Backups of the server on this computer, and what a restored server has lost.

use std::path::PathBuf;

use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt;
use tulou_client::view::{BackupPeek, BackupsView, LostMessage};

use super::Answer;
use crate::app::App;

/// The backups of the server on this computer.
#[tauri::command]
#[specta::specta]
pub async fn backups_view(app: State<'_, App>) -> Answer<BackupsView> {
    app.hosting.backups().await
}

/// Makes a backup of the server on this computer now.
#[tauri::command]
#[specta::specta]
pub async fn back_up(app: State<'_, App>) -> Answer<()> {
    app.hosting.back_up().await
}

/// Shows the folder with the backups.
#[tauri::command]
#[specta::specta]
pub fn open_backups(app: State<'_, App>) -> Answer<()> {
    Ok(app.controller.open_folder(&app.hosting.backups_folder())?)
}

/// Has the person choose a backup in the system's own dialog; none if that was closed.
#[tauri::command]
#[specta::specta]
pub async fn pick_backup(handle: AppHandle, title: String) -> Answer<Option<String>> {
    let (answer, chosen) = tokio::sync::oneshot::channel();
    handle
        .dialog()
        .file()
        .set_title(title)
        .add_filter("Tulou", &[tulou_server::backup::EXTENSION])
        .pick_file(|file| drop(answer.send(file)));
    // The dialog may go with its window.
    let file = chosen.await.ok().flatten();
    Ok(file
        .and_then(|file| file.into_path().ok())
        .map(|path| path.to_string_lossy().into_owned()))
}

/// What a backup says of itself.
#[tauri::command]
#[specta::specta]
pub async fn peek_backup(app: State<'_, App>, path: String) -> Answer<BackupPeek> {
    app.client().await?;
    app.hosting.peek_backup(PathBuf::from(path)).await
}

/// Puts the server of a backup in the place of the one on this computer, which is set aside; its address here.
#[tauri::command]
#[specta::specta]
pub async fn restore_backup(app: State<'_, App>, path: String) -> Answer<String> {
    app.restore(PathBuf::from(path)).await
}

/// My messages in a topic that the server does not have any more.
#[tauri::command]
#[specta::specta]
pub async fn lost_messages(
    app: State<'_, App>,
    account: String,
    topic: String,
) -> Answer<Vec<LostMessage>> {
    Ok(app.client().await?.lost_messages(&account, &topic).await?)
}

/// Sends messages again that the server does not have any more: one of a topic, or all of it.
#[tauri::command]
#[specta::specta]
pub async fn send_lost(
    app: State<'_, App>,
    account: String,
    topic: String,
    message: Option<String>,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .send_lost(&account, &topic, message.as_deref())
        .await?)
}

/// Gives messages up that the server does not have any more: one of a topic, or all of it.
#[tauri::command]
#[specta::specta]
pub async fn discard_lost(
    app: State<'_, App>,
    account: String,
    topic: String,
    message: Option<String>,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .discard_lost(&account, &topic, message.as_deref())
        .await?)
}
