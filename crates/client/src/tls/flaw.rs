//! What is wrong with a certificate, read from the certificate itself: systems tell it differently, or not at all.

use jiff::Timestamp;
use rustls::{
    CertificateError,
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use tulou_protocol::text::clean_name;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, x509::X509Name,
};

use crate::unusable::Unusable;

/// Most names of a certificate that are told.
const NAMES: usize = 4;
/// Longest name that is told.
const NAME_CHARS: usize = 100;

/// Why a certificate is not trusted that the system refused with `error`.
pub fn of(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    server_name: &ServerName<'_>,
    now: UnixTime,
    error: &rustls::Error,
) -> Unusable {
    let unread = || Unusable::Certificate(error.to_string());
    let Ok((_, leaf)) = X509Certificate::from_der(end_entity) else {
        return unread();
    };
    let chain: Vec<X509Certificate<'_>> = intermediates
        .iter()
        .filter_map(|der| X509Certificate::from_der(der).ok())
        .map(|(_, certificate)| certificate)
        .collect();
    if leaf.issuer() == leaf.subject() && is_unknown(error) {
        // Whoever makes a certificate makes it as long as can be, for any name: only its key counts.
        return Unusable::SelfSigned;
    }
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if let Some(why) = out_of_date(&leaf, now) {
        return why;
    }
    let is_for_it = ParsedCertificate::try_from(end_entity)
        .and_then(|parsed| verify_server_name(&parsed, server_name));
    if is_for_it.is_err() {
        return Unusable::OtherName(names(&leaf));
    }
    // Last, for there may be some that nobody needs any more.
    if let Some(why) = chain.iter().find_map(|one| out_of_date(one, now)) {
        return why;
    }
    if !is_unknown(error) {
        return unread();
    }
    match chain.last() {
        Some(last) => Unusable::UnknownSigner(name(last.issuer())),
        None => Unusable::Incomplete(name(leaf.issuer())),
    }
}

/// Whether a certificate has ended or not begun, by the clock of this computer.
fn out_of_date(certificate: &X509Certificate<'_>, now: i64) -> Option<Unusable> {
    let validity = certificate.validity();
    let (begin, end) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    if end < now {
        Some(Unusable::Expired(time(end)))
    } else {
        (begin > now).then(|| Unusable::NotYet(time(begin)))
    }
}

/// Whether the system does not know who signed. Some systems do not say what is the matter.
fn is_unknown(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::Other(_)
        )
    )
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Whom a certificate is for.
fn names(certificate: &X509Certificate<'_>) -> String {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let named: Vec<String> = extension
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(shown(name)),
            GeneralName::IPAddress(bytes) => ip(bytes),
            GeneralName::OtherName(..)
            | GeneralName::RFC822Name(_)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::URI(_)
            | GeneralName::RegisteredID(_)
            | GeneralName::Invalid(..) => None,
        })
        .take(NAMES)
        .collect();
    if named.is_empty() {
        name(certificate.subject())
    } else {
        named.join(", ")
    }
}

fn ip(bytes: &[u8]) -> Option<String> {
    let ip = match bytes.len() {
        4 => std::net::IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => std::net::IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        _ => return None,
    };
    Some(ip.to_string())
}

/// What somebody is called in a certificate.
fn name(of: &X509Name<'_>) -> String {
    let mut names = of.iter_common_name().chain(of.iter_organization());
    let known = names.find_map(|name| name.as_str().ok());
    known.map_or_else(|| shown(&of.to_string()), shown)
}

/// A name from somebody who is not trusted, fit for a line.
fn shown(name: &str) -> String {
    clean_name(name).chars().take(NAME_CHARS).collect()
}
