//! Certificates of an authority that are not as they should be.

use std::{path::Path, process::Command, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use tokio::net::TcpListener;

use super::person;

const FOLDER: &str = "TULOU_TEST_AUTHORITY";

/// Run again by itself in a process whose system trusts the authority.
#[test]
fn what_is_wrong_with_a_certificate_is_named() {
    let name = "certificates::what_is_wrong_with_a_certificate_is_named";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(with_an_authority(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().unwrap();
    let root = authority("Root of the house");
    std::fs::write(folder.path().join("root.pem"), root.pem()).unwrap();
    std::fs::write(folder.path().join("root.key"), root.key().serialize_pem()).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SSL_CERT_FILE", folder.path().join("root.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn params_of_authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    CertifiedIssuer::self_signed(params_of_authority(name), KeyPair::generate().unwrap()).unwrap()
}

async fn with_an_authority(folder: &Path) {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let key = KeyPair::from_pem(&read("root.key")).unwrap();
    let root = CertifiedIssuer::self_signed(params_of_authority("Root of the house"), key).unwrap();
    let between = CertifiedIssuer::signed_by(
        params_of_authority("Between"),
        KeyPair::generate().unwrap(),
        &root,
    )
    .unwrap();
    let stranger = authority("Stranger \u{202e}gro.elpmaxe");
    let of = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        CertificateParams::new(names).unwrap()
    };
    let mut expired = of(&["localhost"]);
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2020, 2, 3);
    let mut early = of(&["localhost"]);
    early.not_before = date_time_ymd(2090, 1, 1);
    early.not_after = date_time_ymd(2091, 1, 1);
    let mut old = params_of_authority("Of former times");
    old.not_before = date_time_ymd(2010, 1, 1);
    old.not_after = date_time_ymd(2021, 9, 30);
    let old = CertifiedIssuer::self_signed(old, KeyPair::generate().unwrap()).unwrap();
    let here = || of(&["localhost"]);
    let others = of(&["chat.example.org", "www.example.org", "192.0.2.7"]);

    let data = tempfile::tempdir().unwrap();
    let alice = person(&data, "alice").await;
    for (params, issuer, chain, code, about) in [
        (
            expired.clone(),
            &between,
            vec![between.der()],
            "certificate_expired",
            "2020-02-03T00:00:00Z",
        ),
        // Who signed it does not matter then.
        (
            expired,
            &stranger,
            vec![],
            "certificate_expired",
            "2020-02-03T00:00:00Z",
        ),
        (
            early,
            &between,
            vec![between.der()],
            "certificate_not_yet",
            "2090-01-01T00:00:00Z",
        ),
        (
            others,
            &between,
            vec![between.der()],
            "certificate_name",
            "chat.example.org, www.example.org, 192.0.2.7",
        ),
        // That nobody needs a certificate any more that is sent along is not what is wrong.
        (
            of(&["chat.example.org"]),
            &between,
            vec![between.der(), old.der()],
            "certificate_name",
            "chat.example.org",
        ),
        (
            here(),
            &between,
            vec![],
            "certificate_incomplete",
            "Between",
        ),
        (
            here(),
            &stranger,
            vec![stranger.der()],
            "certificate_signer",
            "Stranger gro.elpmaxe",
        ),
    ] {
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, issuer).unwrap();
        let mut whole = vec![leaf.der().clone()];
        whole.extend(chain.into_iter().cloned());
        let link = shows(whole, &key).await;
        let error = alice.client.peek(&link).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.about().as_deref(), Some(about), "{code}");
    }
    let key = KeyPair::generate().unwrap();
    let own = here().self_signed(&key).unwrap();
    let link = shows(vec![own.der().clone()], &key).await;
    let error = alice.client.peek(&link).await.unwrap_err();
    assert_eq!(
        error.code(),
        "certificate",
        "an invite link would name its key"
    );

    // All is well with the whole chain: what comes after the handshake is another matter.
    let key = KeyPair::generate().unwrap();
    let leaf = here().signed_by(&key, &between).unwrap();
    let link = shows(vec![leaf.der().clone(), between.der().clone()], &key).await;
    let error = alice.client.peek(&link).await.unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
    alice.client.shutdown().await;
}

/// A server that shows a certificate and hangs up after the handshake.
async fn shows(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> String {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    format!("wss://localhost:{port}")
}
