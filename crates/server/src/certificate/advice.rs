//! What an operator should know about a certificate of an authority: clients would find out, and could only say so.

use jiff::{Timestamp, tz::TimeZone};
use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer, x509::X509Name};

/// So long before its end a certificate is called to mind. Authorities' own programs renew it earlier.
const SOON_S: i64 = 14 * 24 * 60 * 60;

/// What to say about a chain, one line each. `addresses` are those that invite links carry, `roots` the subjects of the
/// authorities that this system knows.
pub fn about(
    chain: &[CertificateDer<'_>],
    addresses: &[String],
    roots: &[Vec<u8>],
    now: Timestamp,
) -> Vec<String> {
    let mut said = Vec::new();
    let read: Vec<X509Certificate<'_>> = chain
        .iter()
        .filter_map(|der| X509Certificate::from_der(der).ok())
        .map(|(_, certificate)| certificate)
        .collect();
    let Some(leaf) = read.first() else {
        return said;
    };
    said.extend(dates(leaf, now));
    if let Some(late) = read[1..].iter().find(|one| ends(one) < now.as_second()) {
        said.push(format!(
            "the certificate of \"{}\" in the chain expired on {}: clients refuse it",
            name(late.subject()),
            day(ends(late))
        ));
    }
    said.extend(names(&chain[0], addresses));
    said.extend(signers(&read, roots));
    said
}

/// What there is to say about the end of a certificate.
pub fn dates(certificate: &X509Certificate<'_>, now: Timestamp) -> Option<String> {
    let (end, now) = (ends(certificate), now.as_second());
    let begin = certificate.validity().not_before.timestamp();
    if end < now {
        Some(format!("it expired on {}: clients refuse it", day(end)))
    } else if begin > now {
        Some(format!(
            "it is not valid before {}: clients refuse it until then",
            day(begin)
        ))
    } else if end < now + SOON_S {
        Some(format!("it expires on {}", day(end)))
    } else {
        None
    }
}

/// The same for a certificate that was not read yet.
pub fn dates_of(der: &CertificateDer<'_>, now: Timestamp) -> Option<String> {
    dates(&X509Certificate::from_der(der).ok()?.1, now)
}

fn names(leaf: &CertificateDer<'_>, addresses: &[String]) -> Option<String> {
    if addresses.is_empty() {
        return Some(
            "`addresses` names nobody: set there what the certificate is for, so that invite links lead here".to_owned(),
        );
    }
    let parsed = ParsedCertificate::try_from(leaf).ok()?;
    let wrong: Vec<&str> = addresses
        .iter()
        .map(|address| host(address))
        .filter(|host| {
            ServerName::try_from(*host)
                .is_ok_and(|name| verify_server_name(&parsed, &name).is_err())
        })
        .collect();
    (!wrong.is_empty()).then(|| {
        format!(
            "it is not for {}, which `addresses` names: clients refuse it there",
            wrong.join(", ")
        )
    })
}

/// The host of an address, without brackets and port.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or(rest);
    match rest.strip_prefix('[') {
        Some(ip) => ip.split(']').next().unwrap_or(ip),
        None => rest.split(':').next().unwrap_or(rest),
    }
}

/// What is missing between the certificate and somebody whom clients know.
fn signers(chain: &[X509Certificate<'_>], roots: &[Vec<u8>]) -> Option<String> {
    for pair in chain.windows(2) {
        if pair[0].issuer().as_raw() != pair[1].subject().as_raw() {
            return Some(format!(
                "\"{}\" comes after the certificate that \"{}\" signed: the chain is in another order, or a part is missing",
                name(pair[1].subject()),
                name(pair[0].issuer())
            ));
        }
    }
    let last = chain.last()?;
    if last.issuer() == last.subject() {
        return (chain.len() == 1).then(|| {
            "it signed itself: without `certificate` and `key` the server makes its own, which invite links name"
                .to_owned()
        });
    }
    let is_known = roots.iter().any(|root| root == last.issuer().as_raw());
    (!is_known).then(|| {
        format!(
            "the intermediate certificate of \"{}\" is missing, and clients may not know who that is: give the file with \
             the whole chain (fullchain.pem)",
            name(last.issuer())
        )
    })
}

fn ends(certificate: &X509Certificate<'_>) -> i64 {
    certificate.validity().not_after.timestamp()
}

fn day(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(
        |_| second.to_string(),
        |time| time.to_zoned(TimeZone::UTC).date().to_string(),
    )
}

fn name(of: &X509Name<'_>) -> String {
    let mut names = of.iter_common_name().chain(of.iter_organization());
    let known = names.find_map(|name| name.as_str().ok());
    known.map_or_else(|| of.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
    };

    use super::*;

    fn authority(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(2040, 1, 1);
        params
    }

    #[test]
    fn each_thing_that_clients_would_refuse_is_one_line() {
        let key = || KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(authority("Root"), key()).unwrap();
        let between = CertifiedIssuer::signed_by(authority("Between"), key(), &root).unwrap();
        let leaf = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names).unwrap();
            params.not_before = date_time_ymd(2026, 1, 1);
            params.not_after = date_time_ymd(2026, 12, 1);
            params.signed_by(&key(), &between).unwrap()
        };
        let good = leaf(&["chat.example.org"]);
        let (_, parsed) = X509Certificate::from_der(root.der()).unwrap();
        let roots = vec![parsed.subject().as_raw().to_vec()];
        let on = |day: &str| format!("{day}T00:00:00Z").parse::<Timestamp>().unwrap();
        let here = vec!["wss://chat.example.org:4780".to_owned()];
        let whole = [good.der().clone(), between.der().clone()];
        let say = |chain: &[CertificateDer<'_>], addresses: &[String], day: &str| {
            about(chain, addresses, &roots, on(day))
        };
        assert_eq!(say(&whole, &here, "2026-06-01"), [""; 0], "all is well");

        let one = |said: Vec<String>, part: &str| {
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].contains(part), "{said:?}");
        };
        one(say(&whole, &here, "2026-11-20"), "expires on 2026-12-01");
        one(say(&whole, &here, "2026-12-02"), "expired on 2026-12-01");
        one(
            say(&whole, &here, "2025-12-02"),
            "not valid before 2026-01-01",
        );
        one(
            say(&whole[..1], &here, "2026-06-01"),
            "intermediate certificate of \"Between\" is missing",
        );
        one(say(&whole, &[], "2026-06-01"), "`addresses` names nobody");
        let other = vec!["wss://other.example".to_owned(), here[0].clone()];
        one(say(&whole, &other, "2026-06-01"), "not for other.example,");
        let reversed = [good.der().clone(), root.der().clone()];
        one(say(&reversed, &here, "2026-06-01"), "in another order");
        let own = CertificateParams::new(vec!["chat.example.org".to_owned()]).unwrap();
        let own = own.self_signed(&key()).unwrap();
        one(
            say(&[own.der().clone()], &here, "2026-06-01"),
            "signed itself",
        );
        let number = leaf(&["192.0.2.7", "2001:db8::7"]);
        let chain = [number.der().clone(), between.der().clone()];
        let numbers = ["wss://192.0.2.7", "wss://[2001:db8::7]:4780"].map(str::to_owned);
        assert_eq!(say(&chain, &numbers, "2026-06-01"), [""; 0]);
    }
}
