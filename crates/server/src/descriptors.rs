//! How many files and sockets this process may have open: as many as the system lets it. Some systems begin with few (256
//! on macOS, 1,024 on Linux), which are soon used up by people who are connected.

/// Raises the limit as far as it goes.
#[cfg(unix)]
pub fn raise() {
    match rlimit::increase_nofile_limit(rlimit::INFINITY) {
        Ok(most) => tracing::debug!(most, "so many files and sockets may be open"),
        Err(error) => {
            tracing::warn!(%error, "no more files and sockets may be open than at the start");
        }
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub const fn raise() {}
