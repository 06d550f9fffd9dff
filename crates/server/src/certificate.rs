//! What the server shows at its encrypted doors: its own long-lived key, or an authority's certificate from files.
//!
//! A server is its id, made with its store (DESIGN §7). The own key is made with it and stays for good: clients know the
//! server by the key's fingerprint, so neither an address nor a certificate's dates matter to them. An operator's
//! certificate is read again when its files change, because authorities renew theirs every few weeks.

mod advice;
mod pem;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::CertificateDer,
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
    /// The key is another certificate's.
    #[error("the key in {key} is not that of the certificate in {certificate}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The key is of a kind that TLS does not use.
    #[error("the key in {path} cannot be used: {source}")]
    Key {
        /// The key's file.
        path: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// The key is encrypted, and nobody is there to say the password.
    #[error(
        "the key in {0} is encrypted, and a server cannot be asked for the password: write it without one, with openssl pkey \
         -in {0} -out KEY.pem"
    )]
    Encrypted(PathBuf),
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
        let addresses = key.is_none().then_some(&*config.addresses);
        let shown = Arc::new(Shown::read(files, Arc::clone(&provider), addresses)?);
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

    /// The pair, and what there is to say about how the files are written.
    fn read(
        &self,
        provider: &CryptoProvider,
    ) -> Result<(CertifiedKey, Vec<String>), CertificateError> {
        let (chain, certificate_said) = pem::chain(&self.certificate)?;
        let (key, key_said) = pem::key(&self.key)?;
        let pair = CertifiedKey::from_der(chain, key, provider).map_err(|source| {
            if matches!(source, rustls::Error::InconsistentKeys(_)) {
                return CertificateError::Pair {
                    certificate: self.certificate.clone(),
                    key: self.key.clone(),
                };
            }
            CertificateError::Key {
                path: self.key.clone(),
                source,
            }
        })?;
        Ok((pair, certificate_said.into_iter().chain(key_said).collect()))
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
    /// An authority's; there is something to say about it.
    is_authoritys: bool,
    /// The addresses that invite links carry.
    addresses: Vec<String>,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    pair: Arc<CertifiedKey>,
    times: [Option<SystemTime>; 2],
    /// When its end was last called to mind.
    told: Instant,
}

/// How often the end of a certificate is called to mind.
const TELL_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

impl Shown {
    fn read(
        files: Files,
        provider: Arc<CryptoProvider>,
        addresses: Option<&[String]>,
    ) -> Result<Self, CertificateError> {
        let times = files.times();
        let (pair, said) = files.read(&provider)?;
        let shown = Self {
            files,
            provider,
            is_authoritys: addresses.is_some(),
            addresses: addresses.unwrap_or_default().to_vec(),
            state: RwLock::new(State {
                pair: Arc::new(pair),
                times,
                told: Instant::now(),
            }),
        };
        shown.say(said);
        shown.advise();
        Ok(shown)
    }

    fn refresh(&self) {
        let times = self.files.times();
        let held = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if held.times == times {
            let is_due = self.is_authoritys && held.told.elapsed() > TELL_EVERY;
            drop(held);
            if is_due {
                self.call_to_mind();
            }
            return;
        }
        drop(held);
        let read = self.files.read(&self.provider);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.times = times;
        match read {
            Ok((pair, said)) => {
                state.pair = Arc::new(pair);
                drop(state);
                tracing::info!("the certificate was read again");
                self.say(said);
                self.advise();
            }
            Err(error) => tracing::error!("the certificate stays the one before: {error}"),
        }
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.pair.cert.clone()
    }

    /// Says what clients would refuse.
    fn advise(&self) {
        if self.is_authoritys {
            let said = advice::about(
                &self.chain(),
                &self.addresses,
                &known_authorities(),
                jiff::Timestamp::now(),
            );
            self.say(said);
        }
    }

    fn call_to_mind(&self) {
        self.state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .told = Instant::now();
        let chain = self.chain();
        let said = chain
            .first()
            .and_then(|leaf| advice::dates_of(leaf, jiff::Timestamp::now()));
        self.say(said);
    }

    fn say(&self, said: impl IntoIterator<Item = String>) {
        for line in said {
            tracing::warn!(
                "the certificate in {}: {line}",
                self.files.certificate.display()
            );
        }
    }
}

/// The names of the authorities that this system knows, as they stand in certificates. Clients know about the same.
fn known_authorities() -> Vec<Vec<u8>> {
    let known = rustls_native_certs::load_native_certs();
    let roots = known.certs.iter().filter_map(|der| {
        let (_, root) = x509_parser::parse_x509_certificate(der).ok()?;
        Some(root.subject().as_raw().to_vec())
    });
    roots.collect()
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
        // What an attempt left behind that was cut off.
        if let Err(error) = fs::remove_file(&beside)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = tulou_private::create_new(&beside)?;
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
mod tests;
