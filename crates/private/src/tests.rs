use super::*;
use system::open_to_others;

/// A folder in one that nobody else may read: Wine takes the rights of the folder above over, whatever the list says.
fn somewhere() -> (tempfile::TempDir, std::path::PathBuf) {
    let above = tempfile::tempdir().unwrap();
    folder(above.path()).unwrap();
    let path = above.path().join("tulou");
    fs::create_dir(&path).unwrap();
    open_to_others(&path).unwrap();
    assert!(
        is_open_to_others(&path).unwrap(),
        "or the test would prove nothing"
    );
    (above, path)
}

#[test]
fn a_folder_that_all_may_read_is_for_nobody_else_then_and_what_is_made_in_it() {
    let (_above, path) = somewhere();
    folder(&path).unwrap();
    assert!(!is_open_to_others(&path).unwrap());
    fs::write(path.join("file"), "still mine").unwrap();
    assert_eq!(fs::read(path.join("file")).unwrap(), b"still mine");
    folder(&path).unwrap();
    assert!(!is_open_to_others(&path).unwrap(), "as it was");
}

#[test]
fn a_secret_is_for_nobody_else_whether_it_is_made_or_found() {
    let (above, _) = somewhere();
    let made = above.path().join("key");
    drop(create_new(&made).unwrap());
    assert!(!is_open_to_others(&made).unwrap());
    assert!(create_new(&made).is_err(), "there is one");

    let found = above.path().join("list");
    fs::write(&found, "old").unwrap();
    open_to_others(&found).unwrap();
    assert!(
        is_open_to_others(&found).unwrap(),
        "or the test would prove nothing"
    );
    file(&found).unwrap();
    assert!(!is_open_to_others(&found).unwrap());
    assert_eq!(fs::read(&found).unwrap(), b"old");
}
