//! A kind of files with a folder of its own joins: it is packed, checked, unpacked and exchanged like the others.

use std::io::Read;

use super::*;
use crate::backup::{
    kinds::{FileKind, KINDS, Origin},
    make::make_of,
    open::open_of,
    swap::finish_of,
};

const PICTURES: FileKind = FileKind {
    folder: "pictures",
    is_secret: false,
    most_bytes: 2 << 20,
    origin: Origin::Lying(|name| name.ends_with(".webp")),
};
const WITH_PICTURES: &[FileKind] = &[KINDS[0], KINDS[1], PICTURES, KINDS[2]];

/// A server that is not running, with two pictures and other things in their folder.
async fn gallery(bench: &Bench, name: &str) -> ServerId {
    let store = bench.server(name);
    let server = store.identity().server;
    store.close().await.unwrap();
    drop(store);
    let folder = bench.at(name);
    fs::write(folder.join("server.key"), format!("the key of {name}")).unwrap();
    let pictures = folder.join("pictures");
    fs::create_dir_all(pictures.join("ab")).unwrap();
    fs::write(pictures.join("one.webp"), format!("one of {name}")).unwrap();
    // Larger than what is small beside the store.
    fs::write(pictures.join("ab/two.webp"), two(name)).unwrap();
    fs::write(pictures.join("ab/three.webp"), vec![3; (2 << 20) + 1]).unwrap();
    fs::write(pictures.join(".four.webp"), "being written").unwrap();
    fs::write(pictures.join("five.part"), "another name").unwrap();
    server
}

fn two(name: &str) -> Vec<u8> {
    name.bytes().cycle().take(2 << 20).collect()
}

/// Whether the folder holds the pictures and the key of that gallery.
fn is_of(folder: &Path, name: &str) -> bool {
    let read = |file: &str| fs::read(folder.join(file)).unwrap_or_default();
    read("pictures/one.webp") == format!("one of {name}").into_bytes()
        && read("pictures/ab/two.webp") == two(name)
        && read("server.key") == format!("the key of {name}").into_bytes()
}

fn make_one(bench: &Bench, name: &str) -> PathBuf {
    let path = bench.at(&format!("{name}.tulou-backup"));
    make_of(WITH_PICTURES, &bench.source(name), &path).unwrap();
    path
}

async fn id_of(folder: &Path) -> ServerId {
    let store = place::open(folder, Arc::new(Nowhere)).unwrap();
    let server = store.identity().server;
    store.close().await.unwrap();
    server
}

/// An entry of an archive: its name, its mode and what is in it.
type Entry = (String, u32, Vec<u8>);

/// What is in a backup after its manifest.
fn entries(path: &Path) -> Vec<Entry> {
    let unpacker = zstd::Decoder::new(fs::File::open(path).unwrap()).unwrap();
    let mut archive = tar::Archive::new(unpacker);
    let read = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        (name, entry.header().mode().unwrap(), bytes)
    });
    read.skip(1).collect()
}

/// Writes a backup of which every name is taken as it stands.
fn write_by_hand(path: &Path, manifest: &Manifest, entries: &[Entry]) {
    let packer = zstd::Encoder::new(fs::File::create(path).unwrap(), 1).unwrap();
    let mut archive = tar::Builder::new(packer);
    let described = (
        MANIFEST.to_owned(),
        0o600,
        serde_json::to_vec(manifest).unwrap(),
    );
    for (name, mode, bytes) in std::iter::once(&described).chain(entries) {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_cksum();
        archive.append(&header, &bytes[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &copy);
        } else {
            fs::copy(entry.path(), copy).unwrap();
        }
    }
}

#[tokio::test]
async fn files_in_a_folder_of_their_own_come_back_with_the_server() {
    let bench = Bench::new();
    let server = gallery(&bench, "server").await;
    // A name that means something else on another system is not the server's, and stops nothing.
    #[cfg(unix)]
    fs::write(bench.at("server/notes: old.txt"), "notes").unwrap();
    let path = make_one(&bench, "server");
    let packed: Vec<(String, u32)> = entries(&path)
        .into_iter()
        .map(|(name, mode, _)| (name, mode))
        .collect();
    let expected = [
        ("tulou.sqlite", 0o600),
        ("server.key", 0o600),
        ("pictures/ab/two.webp", 0o644),
        ("pictures/one.webp", 0o644),
        ("settings.toml", 0o600),
    ];
    assert_eq!(
        packed,
        expected.map(|(name, mode)| (name.to_owned(), mode)),
        "what is too large, has another name or is being written is not of the kind"
    );
    let there = bench.at("there");
    let opened = open_of(WITH_PICTURES, &path).unwrap();
    opened.restore(&there, NOW).unwrap();
    assert_eq!(id_of(&there).await, server);
    assert!(is_of(&there, "server"), "the pictures are there");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = fs::metadata(there.join("server.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600, "the key is secret");
    }
}

#[tokio::test]
async fn a_folder_of_files_gives_way_as_a_whole() {
    let bench = Bench::new();
    let server = gallery(&bench, "server").await;
    let was = gallery(&bench, "other").await;
    let path = make_one(&bench, "server");
    let other = bench.at("other");
    let opened = open_of(WITH_PICTURES, &path).unwrap();
    let aside = opened.restore(&other, NOW).unwrap().set_aside.unwrap();
    assert!(is_of(&other, "server"));
    assert!(
        !other.join("pictures/ab/three.webp").exists(),
        "nothing of the other server's is left among them"
    );
    assert!(is_of(&aside, "other"), "they are set aside");
    assert!(aside.join("pictures/ab/three.webp").exists());
    assert_eq!((id_of(&other).await, id_of(&aside).await), (server, was));
}

#[tokio::test]
async fn an_exchange_that_is_cut_off_at_any_step_is_finished_with_all_kinds() {
    let bench = Bench::new();
    let server = gallery(&bench, "server").await;
    let was = gallery(&bench, "other").await;
    let opened = open_of(WITH_PICTURES, &make_one(&bench, "server")).unwrap();
    let (other, spare) = (bench.at("other"), bench.at("spare"));

    // Cut off while it was unpacked: nothing has happened.
    let unpacked = swap::begin(&other).unwrap();
    fs::create_dir(unpacked.join("pictures")).unwrap();
    fs::write(unpacked.join("pictures/one.webp"), "half of it").unwrap();
    assert_eq!(finish_of(WITH_PICTURES, &other).unwrap(), None);
    assert!(is_of(&other, "other") && !unpacked.exists());
    assert_eq!(id_of(&other).await, was);

    // Cut off after it was decided, before each of the renames, and before and after the last note is removed.
    let old: Vec<String> = names(&other)
        .into_iter()
        .filter(|name| name != "tulou.lock")
        .collect();
    opened.restore(&spare, NOW).unwrap();
    fs::remove_file(spare.join("tulou.lock")).unwrap();
    let mut new: Vec<String> = names(&spare);
    // The store is the first to come into its place.
    new.sort_by_key(|name| name != engine::FILE);
    fs::rename(&spare, other.join(".restoring")).unwrap();
    swap::decide(&other, "before").unwrap();
    let aside = old
        .iter()
        .map(|name| (name.clone(), format!("before/{name}")));
    let into = new
        .iter()
        .map(|name| (format!(".restored/{name}"), name.clone()));
    let steps: Vec<(String, String)> = aside.chain(into).collect();
    assert_eq!(steps.len(), 7, "three give way to four: {steps:?}");
    for cut in 0..=steps.len() + 1 {
        let folder = bench.at(&format!("cut {cut}"));
        copy_tree(&other, &folder);
        if cut > 0 {
            fs::create_dir(folder.join("before")).unwrap();
        }
        for (from, to) in steps.iter().take(cut) {
            fs::rename(folder.join(from), folder.join(to)).unwrap();
        }
        if cut > steps.len() {
            fs::remove_file(folder.join(".restored/.aside")).unwrap();
        }
        finish_of(WITH_PICTURES, &folder).unwrap();
        assert!(is_of(&folder, "server"), "cut before step {cut}");
        assert!(is_of(&folder.join("before"), "other"), "cut {cut}");
        assert!(!folder.join(".restored").exists(), "cut {cut}");
        assert!(finish_of(WITH_PICTURES, &folder).unwrap().is_none());
        assert!(is_of(&folder, "server"), "nothing was left to do: {cut}");
        let ids = (id_of(&folder).await, id_of(&folder.join("before")).await);
        assert_eq!(ids, (server, was), "cut {cut}");
    }
}

#[tokio::test]
async fn names_that_leave_their_folder_or_are_of_no_kind_are_refused() {
    let bench = Bench::new();
    gallery(&bench, "server").await;
    gallery(&bench, "other").await;
    let path = make_one(&bench, "server");
    let manifest = open_of(WITH_PICTURES, &path).unwrap().manifest().clone();
    let whole = entries(&path);
    let at = whole
        .iter()
        .position(|(name, ..)| name == "pictures/one.webp")
        .unwrap();
    let by_hand = bench.at("by-hand.tulou-backup");
    let other = bench.at("other");
    let before = (names(bench.folder.path()), names(&other));
    let restore_with = |name: &str| {
        let (mut manifest, mut entries) = (manifest.clone(), whole.clone());
        name.clone_into(&mut manifest.files[at].name);
        name.clone_into(&mut entries[at].0);
        write_by_hand(&by_hand, &manifest, &entries);
        open_of(WITH_PICTURES, &by_hand).and_then(|opened| opened.restore(&other, NOW))
    };
    let absolute = bench.at("evil.webp").display().to_string();
    for name in [
        "../evil.webp",
        "../../evil.webp",
        "pictures/../evil.webp",
        "pictures/../../../evil.webp",
        "pictures/./evil.webp",
        "pictures//evil.webp",
        "pictures/ab/../../../../evil.webp",
        "pictures/.evil.webp",
        "pictures\\..\\..\\evil.webp",
        "pictures/..\\..\\..\\evil.webp",
        "pictures/C:evil.webp",
        "/evil.webp",
        &absolute,
        "other/evil.webp",
        "picturesque/evil.webp",
        "pictures/evil.txt",
        "pictures/",
        "pictures/server.key",
        "",
        // A name that is there already.
        "pictures/ab/two.webp",
        "server.key",
        engine::FILE,
        "tulou.sqlite-wal",
        "tulou.lock",
    ] {
        let refused = restore_with(name).expect_err(name);
        assert_eq!(refused.code(), "backup_damaged", "{name}: {refused}");
        let _ = fs::remove_file(&by_hand);
        let after = (names(bench.folder.path()), names(&other));
        assert_eq!(after, before, "{name} left something behind");
        assert!(is_of(&other, "other"), "{name} changed something");
    }
    assert!(
        open(&path).is_err(),
        "a program that knows no pictures does not unpack any"
    );
    restore_with("pictures/cd/ef/seven.webp").expect("a folder within its own is its own");
    assert!(other.join("pictures/cd/ef/seven.webp").is_file());
}

#[tokio::test]
async fn a_file_that_is_larger_than_its_kind_or_differs_is_refused() {
    let bench = Bench::new();
    gallery(&bench, "server").await;
    let path = make_one(&bench, "server");
    let manifest = open_of(WITH_PICTURES, &path).unwrap().manifest().clone();
    let at = manifest
        .files
        .iter()
        .position(|file| file.name == "pictures/ab/two.webp")
        .unwrap();
    let by_hand = bench.at("by-hand.tulou-backup");
    let tried = |bytes: Vec<u8>| {
        let (mut manifest, mut entries) = (manifest.clone(), entries(&path));
        manifest.files[at].bytes = bytes.len() as u64;
        // Larger ones say the right sum.
        if bytes.len() as u64 > PICTURES.most_bytes {
            manifest.files[at].sha256 = sum::sum(&mut &bytes[..]).unwrap().1;
        }
        entries[at].2 = bytes;
        write_by_hand(&by_hand, &manifest, &entries);
        open_of(WITH_PICTURES, &by_hand)
            .and_then(|opened| opened.restore(&bench.at("there"), NOW))
            .map_err(|error| error.code())
    };
    let mut changed = two("server");
    changed[1_000_000] ^= 1;
    assert_eq!(tried(changed).err(), Some("backup_damaged"));
    let larger = vec![7; (2 << 20) + 1];
    assert_eq!(tried(larger).err(), Some("backup_damaged"));
    assert!(!bench.at("there").exists(), "nothing was made");
    assert!(tried(two("server")).is_ok(), "as it was, it is taken");
}

#[tokio::test]
async fn a_restored_server_is_backed_up_and_restored_again() {
    let bench = Bench::new();
    let first = bench.backup();
    let there = bench.at("there");
    open(&first).unwrap().restore(&there, NOW).unwrap();
    let second = bench.at("two.tulou-backup");
    make(&bench.source_at("there", NOW), &second).unwrap();
    let again = bench.at("again");
    open(&second).unwrap().restore(&again, NOW).unwrap();
    let settings = "settings-of-backup.toml";
    assert!(again.join(settings).is_file());
    fs::write(again.join(settings), "changed by hand").unwrap();
    let aside = open(&second).unwrap().restore(&again, NOW).unwrap();
    let aside = aside.set_aside.unwrap();
    let kept = fs::read_to_string(aside.join(settings)).unwrap();
    assert_eq!(kept, "changed by hand", "the settings of before are kept");
}

#[tokio::test]
async fn two_restores_of_the_same_second_set_two_servers_aside() {
    let bench = Bench::new();
    let path = bench.backup();
    let other = bench.server("other");
    let was = other.identity().server;
    other.close().await.unwrap();
    drop(other);
    let restore = || {
        let restored = open(&path).unwrap().restore(&bench.at("other"), NOW);
        restored.unwrap().set_aside.unwrap()
    };
    let (first, second) = (restore(), restore());
    assert_ne!(first, second);
    assert_eq!(id_of(&first).await, was, "the first is as it was");
    assert_eq!(id_of(&second).await, open(&path).unwrap().manifest().server);
}

#[test]
fn another_kind_is_another_format() {
    let folders: Vec<&str> = KINDS.iter().map(|kind| kind.folder).collect();
    assert_eq!(
        (FORMAT, &folders[..]),
        (1, &["", "", ""][..]),
        "an older program calls a backup with a kind that it does not know damaged, unless its format is newer"
    );
}

// Elsewhere there are no such files.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_some_system_could_not_unpack_is_not_packed() {
    let bench = Bench::new();
    gallery(&bench, "one").await;
    let folder = bench.at("one").join("pictures");
    for name in ["a?.webp", "nul.webp", "One.webp", "end .webp"] {
        fs::write(folder.join(name), "of this system only").unwrap();
    }
    let path = make_one(&bench, "one");
    let names: Vec<String> = entries(&path).into_iter().map(|(name, ..)| name).collect();
    let pictures = names.iter().filter(|name| name.starts_with("pictures/"));
    // Of two names that differ by a capital letter only one can be there.
    assert_eq!(
        pictures.collect::<Vec<_>>(),
        [
            "pictures/One.webp",
            "pictures/ab/two.webp",
            "pictures/end .webp"
        ]
    );
}
