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

/// Goes on with something until it has waited so many times, and drops it there. None unless it came to its end.
#[cfg(test)]
pub(crate) async fn cut_off<F: Future>(work: F, waits: usize) -> Option<F::Output> {
    let mut work = Box::pin(work);
    let mut waited = 0;
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
        std::task::Poll::Pending if waited == waits => std::task::Poll::Ready(None),
        std::task::Poll::Pending => {
            waited += 1;
            std::task::Poll::Pending
        }
    })
    .await
}
