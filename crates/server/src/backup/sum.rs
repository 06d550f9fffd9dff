//! Sizes and sums, by which what was packed is known again.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::hex;

/// What is read at once.
const CHUNK: usize = 64 * 1_024;

/// The size and SHA-256 sum of what is read.
pub fn sum(from: &mut (impl Read + ?Sized)) -> io::Result<(u64, String)> {
    let mut sum = Sha256::new();
    let mut bytes = 0_u64;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok((bytes, hex(&sum.finalize())));
        }
        sum.update(&chunk[..read]);
        bytes += read as u64;
    }
}
