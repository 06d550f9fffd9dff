//! What can go wrong beneath Tulou, made to go wrong in tests. No part of the product.
//!
//! * [`disk`]: a disk that forgets what was not synced when its power is lost
//! * [`vfs`]: SQLite on such a disk; the only unsafe code of the house

pub mod disk;
#[cfg(unix)]
pub mod vfs;

pub use disk::Disk;
