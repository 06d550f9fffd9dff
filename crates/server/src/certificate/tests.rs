//! The server's key: made once, kept, and refused when it is not what it was.

use super::*;

fn config(folder: &Path) -> Config {
    Config {
        data: folder.to_owned(),
        ..Config::default()
    }
}

#[test]
fn the_own_key_is_made_once_and_nobody_else_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let first = Certificate::open(&config).unwrap().key().unwrap();
    let again = Certificate::open(&config).unwrap().key().unwrap();
    assert_eq!(first, again, "a server is known by its key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join(KEY_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "who reads the key is the server");
    }
    fs::remove_file(folder.path().join(CERTIFICATE_FILE)).unwrap();
    let renewed = Certificate::open(&config).unwrap().key().unwrap();
    assert_eq!(
        first, renewed,
        "a new certificate of the same key is the same server"
    );
}

#[test]
fn a_lost_key_is_not_replaced_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    Certificate::open(&config).unwrap();
    fs::remove_file(folder.path().join(KEY_FILE)).unwrap();
    let error = Certificate::open(&config).map(|_| ()).unwrap_err();
    assert!(
        matches!(error, CertificateError::KeyLost(_)),
        "everybody would have to join again: {error}"
    );
    fs::write(folder.path().join(KEY_FILE), "not a key").unwrap();
    let error = Certificate::open(&config).map(|_| ()).unwrap_err();
    assert!(
        matches!(error, CertificateError::Unreadable { .. }),
        "nor is a damaged one: {error}"
    );
}

#[test]
fn an_operators_certificate_has_no_fingerprint_and_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("1"), folder.path().join("2"));
    for folder in [&first, &second] {
        fs::create_dir(folder).unwrap();
        own(folder).unwrap();
    }
    let mut config = config(folder.path());
    config.certificate = Some(first.join(CERTIFICATE_FILE));
    assert!(
        matches!(Certificate::open(&config), Err(CertificateError::Half)),
        "a certificate without its key is of no use"
    );
    config.key = Some(second.join(KEY_FILE));
    assert!(
        matches!(
            Certificate::open(&config),
            Err(CertificateError::Pair { .. })
        ),
        "nor is another one's key"
    );
    config.key = Some(first.join(KEY_FILE));
    let certificate = Certificate::open(&config).unwrap();
    assert_eq!(certificate.key(), None, "the system's roots verify it");
    let shown = || {
        let state = certificate.shown.state.read().unwrap();
        state.pair.cert[0].clone()
    };
    let before = shown();
    fs::write(first.join(KEY_FILE), "half writ").unwrap();
    certificate.refresh();
    assert_eq!(shown(), before, "a half-written file changes nothing");
    for file in [CERTIFICATE_FILE, KEY_FILE] {
        fs::copy(second.join(file), first.join(file)).unwrap();
    }
    certificate.refresh();
    assert_ne!(shown(), before, "a renewed one is shown from here on");
}

#[test]
fn files_are_read_as_editors_leave_them_and_a_key_that_is_of_no_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("own")).unwrap();
    own(&at("own")).unwrap();
    let certificate = fs::read_to_string(at("own").join(CERTIFICATE_FILE)).unwrap();
    let key = fs::read_to_string(at("own").join(KEY_FILE)).unwrap();
    let mut config = config(folder.path());
    config.certificate = Some(at("chain.pem"));
    config.key = Some(at("key.pem"));
    config.addresses = vec!["wss://chat.example.org".into()];
    let open = |certificate: &[u8], key: &[u8]| {
        fs::write(at("chain.pem"), certificate).unwrap();
        fs::write(at("key.pem"), key).unwrap();
        Certificate::open(&config).map(|_| ())
    };
    let marked = |text: &str| format!("\u{feff}{text}").replace('\n', "\r\n");
    open(marked(&certificate).as_bytes(), marked(&key).as_bytes()).unwrap();
    let (_, said) = pem::chain(&at("chain.pem")).unwrap();
    assert!(said.unwrap().contains("byte order mark"), "and it is said");

    let wide: Vec<u8> = marked(&key)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (key, part) in [
        (&wide[..], "UTF-16"),
        (
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n",
            "is encrypted",
        ),
        (
            b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
            "is encrypted",
        ),
        (certificate.as_bytes(), "is not PEM with a private key"),
    ] {
        let why = open(certificate.as_bytes(), key).unwrap_err().to_string();
        assert!(why.contains(part) && why.contains("key.pem"), "{why}");
        assert!(!why.contains('\n'), "one line: {why}");
    }
    let other = KeyPair::generate().unwrap().serialize_pem();
    let why = open(certificate.as_bytes(), other.as_bytes()).unwrap_err();
    assert!(matches!(why, CertificateError::Pair { .. }), "{why}");
}
