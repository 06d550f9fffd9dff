//! What the server shows at its encrypted doors: its own long-lived key, or an authority's certificate from files.
//!
//! A server is its id, made with its store (DESIGN §7). The own key is made with it and stays for good: clients know the
//! server by the key's fingerprint, so neither an address nor a certificate's dates matter to them. An operator's
//! certificate is read again when its files change, because authorities renew theirs every few weeks.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tulou_protocol::Fingerprint;

use crate::Config;

/// The own key's file in the server's folder: PEM, readable for nobody else. Who has it is the server.
pub const KEY_FILE: &str = "server-key.pem";
/// The own certificate's file beside it: PEM. Made anew from the key if it is missing.
pub const CERTIFICATE_FILE: &str = "server-certificate.pem";

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is not PEM with a {wanted}: {why}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
        /// Why it is not.
        why: String,
    },
    /// The key is not the certificate's, or of a kind that TLS does not use.
    #[error("the key in {key} does not go with the certificate in {certificate}: {source}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// One of the two settings is missing.
    #[error("`certificate` and `key` are set together or not at all")]
    Half,
    /// The own key is gone, so nobody who knows the server would trust it.
    #[error(
        "{0} is missing, and with it what clients know this server by. Put it back, or restore a backup; only if there is \
         none, remove {CERTIFICATE_FILE} beside it: then a new key is made, and everybody needs a new invite link"
    )]
    KeyLost(PathBuf),
    /// A key or a certificate cannot be made.
    #[error("make a key and a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// What the server shows at its encrypted doors.
#[derive(Clone)]
pub struct Certificate {
    tls: Arc<ServerConfig>,
    shown: Arc<Shown>,
    key: Option<Fingerprint>,
}

impl Certificate {
    /// The operator's certificate if one is set, else the server's own from its folder, made at the first start.
    ///
    /// # Errors
    /// If a file cannot be used.
    pub fn open(config: &Config) -> Result<Self, CertificateError> {
        let (files, key) = match (&config.certificate, &config.key) {
            (Some(certificate), Some(key)) => (Files::new(certificate.clone(), key.clone()), None),
            (None, None) => {
                let key = own(&config.data)?;
                let files = Files::new(
                    config.data.join(CERTIFICATE_FILE),
                    config.data.join(KEY_FILE),
                );
                (files, Some(key))
            }
            (Some(_), None) | (None, Some(_)) => return Err(CertificateError::Half),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let shown = Arc::new(Shown::read(files, Arc::clone(&provider))?);
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: Arc::new(tls),
            shown,
            key,
        })
    }

    /// The fingerprint that invite links carry; none if the system's certificates verify this server.
    #[must_use]
    pub const fn key(&self) -> Option<Fingerprint> {
        self.key
    }

    /// How the doors speak TLS.
    #[must_use]
    pub fn tls(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.tls)
    }

    /// Reads the files again if they were changed. Files that are no good (half written, say) change nothing.
    pub fn refresh(&self) {
        self.shown.refresh();
    }
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    const fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key }
    }

    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
        let unreadable = |path: &Path, wanted| {
            let path = path.to_owned();
            move |error: rustls::pki_types::pem::Error| {
                let why = error.to_string();
                if let rustls::pki_types::pem::Error::Io(source) = error {
                    return CertificateError::File { path, source };
                }
                CertificateError::Unreadable { path, wanted, why }
            }
        };
        let no_certificate = || unreadable(&self.certificate, "certificate");
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .map_err(no_certificate())?
            .collect::<Result<Vec<_>, _>>()
            .map_err(no_certificate())?;
        if chain.is_empty() {
            return Err(no_certificate()(
                rustls::pki_types::pem::Error::NoItemsFound,
            ));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(unreadable(&self.key, "private key"))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|source| CertificateError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })
    }

    /// When each was last written.
    fn times(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|path| fs::metadata(path).ok()?.modified().ok())
    }
}

/// What is shown now.
#[derive(Debug)]
struct Shown {
    files: Files,
    provider: Arc<CryptoProvider>,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    pair: Arc<CertifiedKey>,
    times: [Option<SystemTime>; 2],
}

impl Shown {
    fn read(files: Files, provider: Arc<CryptoProvider>) -> Result<Self, CertificateError> {
        let times = files.times();
        let pair = Arc::new(files.read(&provider)?);
        Ok(Self {
            files,
            provider,
            state: RwLock::new(State { pair, times }),
        })
    }

    fn refresh(&self) {
        let times = self.files.times();
        let held = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if held.times == times {
            return;
        }
        drop(held);
        let read = self.files.read(&self.provider);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.times = times;
        match read {
            Ok(pair) => {
                state.pair = Arc::new(pair);
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!("the certificate stays the one before: {error}"),
        }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&state.pair))
    }
}

/// The own key's fingerprint. Makes key and certificate where there are none.
fn own(folder: &Path) -> Result<Fingerprint, CertificateError> {
    let (key_file, certificate_file) = (folder.join(KEY_FILE), folder.join(CERTIFICATE_FILE));
    let key = match fs::read_to_string(&key_file) {
        Ok(text) => KeyPair::from_pem(&text).map_err(|error| CertificateError::Unreadable {
            path: key_file,
            wanted: "private key",
            why: error.to_string(),
        })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if certificate_file.exists() {
                return Err(CertificateError::KeyLost(key_file));
            }
            let key = KeyPair::generate()?;
            keep(&key_file, &key.serialize_pem())?;
            key
        }
        Err(source) => {
            return Err(CertificateError::File {
                path: key_file,
                source,
            });
        }
    };
    if !certificate_file.exists() {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "Tulou server");
        keep(&certificate_file, &params.self_signed(&key)?.pem())?;
    }
    Ok(Fingerprint::of(&key.subject_public_key_info()))
}

/// Writes a file that nobody else may read, whole or not at all.
fn keep(path: &Path, text: &str) -> Result<(), CertificateError> {
    let attempt = || -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    attempt().map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
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
}
