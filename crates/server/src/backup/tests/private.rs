//! What others on the computer see of a backup.

use super::*;

/// A folder that others may look into. Under Windows those are the roots of disks; the system's own folder for what is
/// temporary lies in the profile.
fn open_folder() -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o755));
    }
    let made = if cfg!(windows) {
        builder.tempdir_in("C:\\")
    } else {
        builder.tempdir()
    };
    let made = made.unwrap();
    assert!(
        tulou_private::is_open_to_others(made.path()).unwrap(),
        "or the tests would prove nothing"
    );
    made
}

#[cfg_attr(
    windows,
    ignore = "Wine gives what is made in an open folder the rights of that one"
)]
#[test]
fn nobody_else_looks_in_while_a_backup_is_made() {
    let beside = open_folder();
    let temporary = make::temporary_in(beside.path()).unwrap();
    assert!(
        !tulou_private::is_open_to_others(temporary.path()).unwrap(),
        "the whole store lies in it, in plain"
    );
}

#[cfg_attr(
    windows,
    ignore = "Wine gives what is made in an open folder the rights of that one"
)]
#[tokio::test]
async fn nobody_else_reads_a_backup_wherever_it_lies() {
    let bench = Bench::new();
    let store = bench.server("server");
    let beside = open_folder();
    let to = beside.path().join("backup");
    make(&bench.source("server"), &to).unwrap();
    assert!(!tulou_private::is_open_to_others(&to).unwrap());
    drop(store);
}
