//! What the server does for itself: what became old goes, what ended is removed. In bounded steps, between which others
//! come to write; interrupted anywhere, it goes on with the next start.

use std::{future::Future, time::Duration};

use tulou_protocol::{AccountId, CommandId, id::Millis, limits};
use uuid::Uuid;

use super::{App, parts::Pauses};
use crate::{
    actor::Origin,
    domain::Change,
    store::{Commit, Fading, StoreError},
};

/// Between two looks for what became old.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// Rows in a step.
const STEP: usize = 500;
/// A day.
const DAY_MS: Millis = 24 * 3_600 * 1_000;

/// Looks after what became old, until the server stops.
async fn fade(app: App) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = app.closing() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = app.age(app.clock().old_by()).await {
            tracing::error!(%error, "what became old was not looked after");
        }
    }
}

/// Removes what ended, until the server stops: what an earlier run has left, and then whenever something ends. What could
/// not be removed waits for nothing to end.
pub(super) async fn sweep(app: App) {
    let mut pauses = Pauses::default();
    loop {
        if let Err(error) = app.remove_ended().await {
            let pause_ms = pauses.next().as_millis();
            tracing::error!(%error, pause_ms, "what ended was not removed, and is tried again");
            if !pauses.rest(&app).await {
                return;
            }
            continue;
        }
        pauses = Pauses::default();
        tokio::select! {
            () = app.closing() => return,
            () = app.parts.ended.notified() => {}
        }
    }
}

/// Repeats a step until it finds nothing to do, or the server stops.
async fn steps<F: Future<Output = Result<bool, StoreError>>>(
    app: &App,
    mut step: impl FnMut() -> F,
) -> Result<(), StoreError> {
    while !app.parts.closing.is_cancelled() && step().await? {}
    Ok(())
}

impl App {
    /// Begins what the server does for itself.
    pub(crate) fn begin_upkeep(&self) {
        self.keep("what removes what became old", fade);
        self.keep("what removes what ended", sweep);
        self.keep("what looks at the clock", Self::look_at_clock);
        self.keep("what looks after sessions", Self::look_after_sessions);
        self.keep("what finishes deletions", Self::finish_deletions);
        self.keep("what looks at the disk", Self::keep_looking_at_disk);
    }

    /// `Mention` and `Mark` rows become tombstones after [`limits::FADE_DAYS`] or [`limits::FADE_ROWS`]; these tombstones go
    /// after [`limits::TOMBSTONE_DAYS`], stored answers after [`limits::ANSWER_DAYS`] (DESIGN §3, §5).
    pub(crate) async fn age(&self, now: Millis) -> Result<(), StoreError> {
        let store = self.store();
        steps(self, || async {
            let old = store.fading(now - limits::FADE_DAYS * DAY_MS, STEP);
            self.let_fade(now, old.await?).await
        })
        .await?;
        for (account, kind, mut beyond) in store.crowded(limits::FADE_ROWS).await? {
            while beyond > 0 && !self.parts.closing.is_cancelled() {
                let some = beyond.min(STEP);
                let oldest = store.oldest(account, kind.clone(), some).await?;
                self.let_fade(now, oldest).await?;
                beyond -= some;
            }
        }
        let before = now - limits::TOMBSTONE_DAYS * DAY_MS;
        steps(self, || async {
            Ok(store.forget_tombstones(before, STEP).await? > 0)
        })
        .await?;
        let before = now - limits::ANSWER_DAYS * DAY_MS;
        steps(self, || async {
            Ok(store.forget_answers(before, STEP).await? > 0)
        })
        .await
    }

    async fn let_fade(&self, now: Millis, old: Vec<Fading>) -> Result<bool, StoreError> {
        let Some(first) = old.first().map(|row| row.account) else {
            return Ok(false);
        };
        let fades = |row: Fading| Change::Fades {
            account: row.account,
            kind: row.kind,
            id: row.id,
            rev: row.rev,
        };
        // It became old by a time that may be long past, and is written today.
        let now = now.max(self.now());
        self.write(first, now, old.into_iter().map(fades).collect())
            .await?;
        Ok(true)
    }

    /// Removes what ended: members first, whose logs say so; then what nobody is told of.
    pub(crate) async fn remove_ended(&self) -> Result<(), StoreError> {
        let store = self.store();
        steps(self, || async {
            let bereft = store.bereft(STEP).await?;
            let Some((_, first)) = bereft.first().copied() else {
                return Ok(false);
            };
            let changes = bereft
                .into_iter()
                .map(|(community, account)| Change::Bereft { community, account });
            self.write(first, self.now(), changes.collect()).await?;
            Ok(true)
        })
        .await?;
        steps(self, || store.sweep(STEP)).await
    }

    /// The server's own commit.
    async fn write(
        &self,
        account: AccountId,
        now: Millis,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        let commit = Commit {
            account,
            command: CommandId(Uuid::now_v7()),
            origin: Origin::SERVER,
            is_apart: false,
            now,
            expects: Vec::new(),
            changes,
        };
        self.store().commit(commit).await.map(drop)
    }
}
