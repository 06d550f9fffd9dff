//! What can go wrong beneath Tulou, made to go wrong in tests. No part of the product.
//!
//! * [`disk`]: a disk that forgets what was not synced when its power is lost
//! * [`vfs`]: SQLite on such a disk; the only unsafe code of the house
//! * [`proxy`]: a network between clients and a server that cuts, delays, halves and stalls
//!
//! The program `tulou-person` is a client without a window, to be killed.

pub mod disk;
pub mod proxy;
#[cfg(unix)]
pub mod vfs;

pub use disk::Disk;
pub use proxy::Proxy;
