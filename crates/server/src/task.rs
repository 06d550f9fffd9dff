//! Work beside whoever waits for it.

use std::future::Future;

use tokio::task::JoinSet;

/// A task of its own, which makes progress whatever whoever waits for it is busy with, and ends with him. None if it
/// broke.
pub fn attended<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Option<T>> + Send + 'static {
    let mut task = JoinSet::new();
    task.spawn(work);
    async move { task.join_next().await?.ok() }
}
