//! The commands as the window's TypeScript sees them: `ui/src/bindings.ts` is made from here.

use tauri_specta::{Builder, collect_commands};

use crate::commands;

/// All commands of the window.
pub fn builder() -> Builder<tauri::Wry> {
    // What the window sends and what it gets have the same shape, so each type needs one name only.
    let builder = Builder::new().disable_serde_phases();
    builder.commands(collect_commands![
        commands::app_view,
        commands::set_settings,
        commands::set_place,
        commands::subscribe,
        commands::peek,
        commands::host,
        commands::let_others,
        commands::start_hosting,
        commands::relocate,
        commands::join,
        commands::join_community,
        commands::account::sign_in,
        commands::account::recover,
        commands::account::sign_out,
        commands::account::security_view,
        commands::account::change_password,
        commands::account::new_recovery_codes,
        commands::account::save_recovery_codes,
        commands::account::end_sessions,
        commands::account::delete_account,
        commands::account::remove_account,
        commands::account::server_accounts_view,
        commands::account::reset_account,
        commands::tree_view,
        commands::badges_view,
        commands::counts_view,
        commands::topics_view,
        commands::level_view,
        commands::timeline_view,
        commands::text_blocks,
        commands::enter_topic,
        commands::come_back,
        commands::leave_topic,
        commands::members_view,
        commands::many_view,
        commands::access_view,
        commands::rights_view,
        commands::seats_view,
        commands::explain,
        commands::person_view,
        commands::invites_view,
        commands::create_invite,
        commands::take_over_invite,
        commands::revoke_invite,
        commands::submit,
        commands::mark_read,
        commands::set_read,
        commands::save_draft,
        commands::save_edit,
        commands::outbox_retry,
        commands::outbox_discard,
        commands::open_link,
        commands::open_store_folder,
        commands::forget_aside,
        commands::forget_list_aside,
        commands::open_list_folder,
        commands::hurry,
        commands::ask_keyring,
        commands::backups::backups_view,
        commands::backups::back_up,
        commands::backups::open_backups,
        commands::backups::pick_backup,
        commands::backups::peek_backup,
        commands::backups::restore_backup,
        commands::backups::lost_messages,
        commands::backups::send_lost,
        commands::backups::discard_lost,
        commands::painted,
    ])
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn bindings_are_current() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/bindings.ts");
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("bindings.ts");
        super::builder()
            .export(specta_typescript::Typescript::default(), &made)
            .unwrap();
        let made = fs::read_to_string(made).unwrap();
        if std::env::var_os("UPDATE_BINDINGS").is_some() {
            fs::write(&kept, &made).unwrap();
        }
        assert!(
            fs::read_to_string(&kept).unwrap_or_default() == made,
            "ui/src/bindings.ts is stale; run: UPDATE_BINDINGS=1 cargo test -p tulou bindings"
        );
    }
}
