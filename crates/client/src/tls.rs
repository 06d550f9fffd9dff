//! Whom a client trusts over TLS: the one key that an invite link names, or else whom the system trusts.
//!
//! With a key nothing else counts, neither names nor dates nor authorities: a server may move, and its certificate may be
//! made anew (DESIGN §7). The handshake proves that the server has the key; nothing is sent before.

mod flaw;

use std::{
    error::Error as StdError,
    fmt,
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use tulou_protocol::Fingerprint;

use crate::{
    error::Error,
    unusable::{Unusable, tls_cause},
};

/// How to speak TLS with a server that has this key, or with one that the system's certificates verify.
pub fn config(key: Option<Fingerprint>) -> Arc<ClientConfig> {
    static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    match key {
        Some(key) => Arc::new(pinned(key)),
        None => Arc::clone(SYSTEM.get_or_init(|| Arc::new(system()))),
    }
}

fn pinned(key: Fingerprint) -> ClientConfig {
    let provider = provider();
    let verifier = Pinned {
        key,
        algorithms: provider.signature_verification_algorithms,
    };
    builder(provider)
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth()
}

fn system() -> ClientConfig {
    let provider = provider();
    let system = match rustls_platform_verifier::Verifier::new(Arc::clone(&provider)) {
        Ok(verifier) => Some(verifier),
        Err(error) => {
            // Such a system can host, and reach servers whose key it knows.
            tracing::warn!("the system's certificates cannot be used: {error}");
            None
        }
    };
    let verifier = Telling {
        system,
        algorithms: provider.signature_verification_algorithms,
    };
    builder(provider)
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
}

/// Trusts one key.
#[derive(Debug)]
struct Pinned {
    key: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let shown = Fingerprint::of(&certificate.subject_public_key_info());
        if shown == self.key {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::Other(OtherError(Arc::new(OtherKey(shown)))).into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The server has another key than the one it is known by.
#[derive(Debug)]
struct OtherKey(Fingerprint);

impl fmt::Display for OtherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server's key is {}, another one than before", self.0)
    }
}

impl StdError for OtherKey {}

/// Trusts whom the system trusts, and says why somebody is not trusted: not every system does.
#[derive(Debug)]
struct Telling {
    /// None if it cannot be asked: then it knows nobody.
    system: Option<rustls_platform_verifier::Verifier>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Telling {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = match &self.system {
            Some(system) => system.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        verified.map_err(|error| {
            let why = flaw::of(end_entity, intermediates, server_name, now, &error);
            CertificateError::Other(OtherError(Arc::new(Flawed(why)))).into()
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The system does not trust the server's certificate.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Flawed(Unusable);

/// Why a connection failed, if it was for want of trust.
pub fn distrust(error: &(dyn StdError + 'static)) -> Option<Error> {
    let Some(rustls::Error::InvalidCertificate(why)) = tls_cause(error) else {
        return None;
    };
    if let CertificateError::Other(OtherError(other)) = why {
        if other.is::<OtherKey>() {
            return Some(Error::OtherKey);
        }
        if let Some(Flawed(why)) = other.downcast_ref() {
            return Some(Error::Unusable(why.clone()));
        }
    }
    let why = rustls::Error::from(why.clone()).to_string();
    Some(Error::Unusable(Unusable::Certificate(why)))
}
