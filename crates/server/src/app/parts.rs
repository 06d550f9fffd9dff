//! Parts of the server that run beside its connections, each in a task of its own until the server stops. One that breaks is
//! said in the log and begins again; what cannot begin again is in [`App::break_off`]'s hands.

use std::{future::Future, time::Duration};

use super::App;

/// Before the first time that a part begins again. Twice as long before each next time.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1_000 });
/// No pause is longer. A part that ran for as long is well again.
const LONGEST: Duration = Duration::from_secs(60);

impl App {
    /// Runs a part until it returns, which it does when its work is done or the server stops.
    pub(crate) fn keep<Running>(
        &self,
        part: &'static str,
        begin: impl Fn(Self) -> Running + Send + 'static,
    ) where
        Running: Future<Output = ()> + Send + 'static,
    {
        let app = self.clone();
        tokio::spawn(async move {
            let mut pause = PAUSE;
            loop {
                let begun = tokio::time::Instant::now();
                let Err(error) = tokio::spawn(begin(app.clone())).await else {
                    return;
                };
                if app.is_closing() {
                    return;
                }
                if begun.elapsed() >= LONGEST {
                    pause = PAUSE;
                }
                tracing::error!(%error, part, pause_ms = pause.as_millis(), "a part of the server broke and begins again");
                tokio::select! {
                    () = app.closing() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = LONGEST.min(pause * 2);
            }
        });
    }
}
