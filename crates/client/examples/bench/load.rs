//! How much is measured.

/// The full load; with `TULOU_SMOKE` set so little that it only shows that the program works.
pub fn load<T>(full: T, smoke: T) -> T {
    if std::env::var_os("TULOU_SMOKE").is_some() {
        smoke
    } else {
        full
    }
}
