//! Parts of the server that run beside its connections, each in a task of its own until the server stops. One that breaks is
//! said in the log and begins again; what cannot begin again is in [`App::break_off`]'s hands.

use std::{future::Future, time::Duration};

use super::App;

/// Before the first time that something is done again. Twice as long before each next time.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1_000 });
/// No pause is longer. A part that ran for as long is well again.
const LONGEST: Duration = Duration::from_secs(60);

/// Pauses between attempts at something, each longer than the one before.
pub(crate) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSE)
    }
}

impl Pauses {
    /// The next one.
    pub const fn next(&self) -> Duration {
        self.0
    }

    /// Rests before the next attempt; false if the server stops.
    pub async fn rest(&mut self, app: &App) -> bool {
        let pause = self.0;
        self.0 = LONGEST.min(pause * 2);
        tokio::select! {
            () = app.closing() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}

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
            let mut pauses = Pauses::default();
            loop {
                let begun = tokio::time::Instant::now();
                let Err(error) = tokio::spawn(begin(app.clone())).await else {
                    return;
                };
                if app.is_closing() {
                    return;
                }
                if begun.elapsed() >= LONGEST {
                    pauses = Pauses::default();
                }
                let pause_ms = pauses.next().as_millis();
                tracing::error!(%error, part, pause_ms, "a part of the server broke and begins again");
                if !pauses.rest(&app).await {
                    return;
                }
            }
        });
    }
}
