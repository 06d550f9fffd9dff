//! Certificates and keys in files, as editors and other systems leave them: with a byte order mark, with other line ends.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error, PemObject},
};

use super::CertificateError;

/// What some editors of Windows begin a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The certificates in a file, and what there is to say about how it is written.
pub fn chain(
    path: &Path,
) -> Result<(Vec<CertificateDer<'static>>, Option<String>), CertificateError> {
    let (text, said) = read(path, "certificate")?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| unreadable(path, "certificate", &error))?;
    if chain.is_empty() {
        return Err(unreadable(path, "certificate", &Error::NoItemsFound));
    }
    Ok((chain, said))
}

/// The private key in a file, and what there is to say about how it is written.
pub fn key(path: &Path) -> Result<(PrivateKeyDer<'static>, Option<String>), CertificateError> {
    let (text, said) = read(path, "private key")?;
    let has = |mark: &[u8]| text.windows(mark.len()).any(|window| window == mark);
    if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(CertificateError::Encrypted(path.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&text);
    let key = key.map_err(|error| unreadable(path, "private key", &error))?;
    Ok((key, said))
}

fn read(path: &Path, wanted: &'static str) -> Result<(Vec<u8>, Option<String>), CertificateError> {
    let text = fs::read(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })?;
    if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") {
        return Err(CertificateError::Unreadable {
            path: path.to_owned(),
            wanted,
            why: "it is written in UTF-16; save it as plain text".to_owned(),
        });
    }
    Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (
            rest.to_vec(),
            Some(format!(
                "{} begins with a byte order mark, which other programs stumble over",
                path.display()
            )),
        ),
        None => (text, None),
    })
}

fn unreadable(path: &Path, wanted: &'static str, error: &Error) -> CertificateError {
    CertificateError::Unreadable {
        path: PathBuf::from(path),
        wanted,
        why: error.to_string(),
    }
}
