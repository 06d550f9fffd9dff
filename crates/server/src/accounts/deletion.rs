//! The end of an account. Nobody signs in to it from the first moment on; leaving its communities and recalling its
//! messages take their time, survive the server's end, and are ordinary commits that everybody is told of.

use std::net::IpAddr;

use tulou_protocol::{
    AccountId, Code, Command, CommandId, Commanded, CommunityId, Seq, TopicId,
    frame::Refusal,
    http::{DeleteAccount, Messages},
};
use uuid::Uuid;

use super::AccountRefusal;
use crate::{
    App,
    actor::{Actor, Origin},
    app::parts::Pauses,
    domain::{
        Change,
        change::{Expect, Marking},
        message::recalled,
    },
    store::{Commit, Deletion, Outcome, SignedInAs, StoreError, Unfinished},
};

/// Messages that are recalled in one commit: others' commits wait no longer than for these.
const RECALLS: usize = 100;

/// Why a deletion did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("leaving a community was refused: {0:?}")]
    Refused(Refusal),
}

impl App {
    /// Deletes a session's account. Its sessions have ended when this answers.
    ///
    /// # Errors
    /// `wrong_password` or later; `owns_communities`; `server_admin`.
    pub async fn delete_account(
        &self,
        session: &SignedInAs,
        asked: DeleteAccount,
        from: Option<IpAddr>,
    ) -> Result<(), AccountRefusal> {
        let account = self.confirm(session, asked.password, from).await?.id;
        if self.administrates(account).await? {
            return Err(Code::ServerAdmin.into());
        }
        let recalls = asked.messages == Messages::Remove;
        let now = self.now();
        let beginning = self.store().begin_deletion(account, recalls, now);
        let begun = self.revoke(beginning, move |app, deletion| {
            if let Deletion::Begun(ended) = deletion {
                tracing::info!(account.id = %account, "an account is deleted");
                app.revocation().end(ended);
                let unfinished = Unfinished { account, recalls };
                app.keep("what finishes a deletion", move |app| {
                    app.finish(vec![unfinished])
                });
            }
        });
        match begun.await? {
            Deletion::Owns => Err(Code::OwnsCommunities.into()),
            Deletion::Begun(_) => Ok(()),
        }
    }

    /// Goes on with what the server's end interrupted.
    pub(crate) async fn finish_deletions(self) {
        let mut pauses = Pauses::default();
        loop {
            match self.store().unfinished_deletions().await {
                Ok(unfinished) => return self.finish(unfinished).await,
                Err(error) => tracing::error!(%error, "unfinished deletions could not be read"),
            }
            if !pauses.rest(&self).await {
                return;
            }
        }
    }

    /// Finishes deletions, one after the other, those again and again that could not be: the disk may be full.
    async fn finish(self, mut unfinished: Vec<Unfinished>) {
        let mut pauses = Pauses::default();
        loop {
            let mut left = Vec::new();
            for one in unfinished {
                let account = one.account;
                let swept = tokio::select! {
                    () = self.closing() => return,
                    swept = self.sweep(one) => swept,
                };
                match swept {
                    Ok(()) => tracing::info!(account.id = %account, "an account was deleted"),
                    Err(error) => {
                        let pause_ms = pauses.next().as_millis();
                        tracing::error!(error = ?error, account.id = %account, pause_ms, "a deletion is tried again");
                        left.push(one);
                    }
                }
            }
            if left.is_empty() || !pauses.rest(&self).await {
                return;
            }
            unfinished = left;
        }
    }

    /// Leaves first: from then on nothing that was on its way is committed for the account any more.
    async fn sweep(&self, unfinished: Unfinished) -> Result<(), Interrupted> {
        let Unfinished { account, recalls } = unfinished;
        for community in self.store().memberships(account).await? {
            self.leave_for_good(account, community).await?;
        }
        for topic in self.store().written_in(account).await? {
            if recalls {
                self.recall_all(account, topic).await?;
            } else {
                self.touch_last(account, topic).await?;
            }
        }
        Ok(self.store().end_deletion(account).await?)
    }

    async fn leave_for_good(
        &self,
        account: AccountId,
        community: CommunityId,
    ) -> Result<(), Interrupted> {
        let commanded = Commanded {
            id: CommandId(Uuid::now_v7()),
            command: Command::CommunityLeave { community },
        };
        match self.begin(Actor::server(account), commanded).await.await {
            Ok(_) => Ok(()),
            // Gone already, or made in the very moment of deleting: it stays with an owner who is gone.
            Err(Refusal::Rejected(rejection)) => {
                tracing::warn!(account.id = %account, community.id = %community,
                    code = rejection.code.key(), "a deleted account stays in a community");
                Ok(())
            }
            Err(refusal @ (Refusal::Busy(_) | Refusal::Misunderstood(_))) => {
                Err(Interrupted::Refused(refusal))
            }
        }
    }

    /// The last message in a topic goes out once more, unchanged, with the rev of its author's profile: who holds it learns
    /// that the author has no name any more.
    async fn touch_last(&self, account: AccountId, topic: TopicId) -> Result<(), StoreError> {
        let Some(last) = self.store().last_written_by(account, topic).await? else {
            return Ok(());
        };
        let touch = Change::Marks {
            topic,
            message: last.id,
            seq: last.message.seq,
            marking: Marking::Touch,
        };
        let commit = Commit::of_server(account, self.now(), vec![touch]);
        self.store().commit(commit).await?;
        Ok(())
    }

    async fn recall_all(&self, account: AccountId, topic: TopicId) -> Result<(), StoreError> {
        let mut after = Seq::ZERO;
        loop {
            let written = self
                .store()
                .written_by(account, topic, after, RECALLS)
                .await?;
            let Some(last) = written.last().map(|written| written.message.seq) else {
                return Ok(());
            };
            let outcome = self
                .store()
                .commit(Commit {
                    account,
                    command: CommandId(Uuid::now_v7()),
                    origin: Origin::SERVER,
                    is_apart: false,
                    now: self.now(),
                    expects: written
                        .iter()
                        .map(|written| {
                            Expect::Content(topic, written.id, written.message.content_rev)
                        })
                        .collect(),
                    changes: written
                        .iter()
                        .flat_map(|written| recalled(topic, written.id, &written.message, account))
                        .collect(),
                })
                .await?;
            match outcome {
                // One was edited or recalled meanwhile: they are read again.
                Outcome::Conflict => {}
                Outcome::Done(_) | Outcome::Repeat(_) | Outcome::Refused(_) => after = last,
            }
        }
    }
}
