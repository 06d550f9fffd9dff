//! The folder of a server, opened: held, with a restore that was cut off finished, and the store in it.

use std::{path::Path, sync::Arc};

use crate::{
    backup::swap,
    store::{Bus, Hold, Store, StoreError, engine, make_private},
};

/// Opens the store in a folder, making both if need be.
///
/// # Errors
/// If the folder cannot be used, another program works in it, or the store is damaged or was written by a newer
/// version; it stays as it is then.
pub fn open(folder: &Path, bus: Arc<dyn Bus>) -> Result<Arc<dyn Store>, StoreError> {
    make_private(folder)?;
    let hold = Hold::take(folder)?;
    // A restore that was cut off is finished before anything is read.
    if let Some(aside) = swap::finish(folder)? {
        tracing::info!(
            "a restore was finished; the old store lies in {}",
            aside.display()
        );
    }
    engine::open(hold, folder, bus)
}
