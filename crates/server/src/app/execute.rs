//! Commands: gathered for, decided, committed, answered.

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use tulou_protocol::{
    AccountId, Code, Command, CommandId, Commanded, CommunityId, Log, Rejection,
    frame::{Busy, INTERNAL_ERROR, Refusal},
};

use super::App;
use crate::{
    actor::{Actor, Origin},
    communities::{Loaded, whom},
    domain::{self, Change, Facts, Member, Needs, needs},
    store::{Commit, Committed, Outcome, Pending, StoreError, telling::asking, wire},
    task::attended,
};

/// A commit that was not heard of for so long was lost on the way.
const CATCH_UP: Duration = if cfg!(test) {
    Duration::from_millis(100)
} else {
    Duration::from_secs(1)
};

/// Rows that a command may write without paying for them: more than a message with some mentions needs.
const FEW_ROWS: u64 = 64;
/// Rows beyond those that cost as much as a request.
const ROWS: f64 = 16.0;

/// How often a command is decided again because what it rested on has moved.
const ATTEMPTS: usize = 16;

/// The answer to a command, as JSON.
pub type CommandAnswer = Result<String, Refusal>;

/// A command on its way.
pub type InFlight = Pin<Box<dyn Future<Output = CommandAnswer> + Send>>;

enum Begun {
    /// Handed to the store.
    Committing(Pending<Outcome>),
    /// Answered already.
    Answered(CommandAnswer),
}

impl App {
    /// Has a command decided and handed to the store; then its answer is on its way. Commands that are begun one after
    /// the other are committed in that order, unless one has to be decided again.
    pub async fn begin(&self, actor: Actor, commanded: Commanded) -> InFlight {
        let begun = if self.is_read_only() {
            self.only_repeat(&actor, &commanded).await
        } else {
            match self.may_begin(actor.account, &commanded.command) {
                Ok(()) => self.attempt(&actor, &commanded).await,
                Err(busy) => Begun::Answered(Err(busy)),
            }
        };
        let app = self.clone();
        Box::pin(async move {
            match app.come_of(begun).await {
                Some(answered) => answered,
                // Deciding again takes locks and reads; as a task of its own it goes on even while the session is busy.
                None => attended(app.again(actor, commanded))
                    .await
                    .unwrap_or(Err(Refusal::Misunderstood(INTERNAL_ERROR))),
            }
        })
    }

    /// Has a command decided again and again until what it rests on holds.
    async fn again(self, actor: Actor, commanded: Commanded) -> CommandAnswer {
        for _ in 0..ATTEMPTS {
            if let Err(error) = self.look_again(actor.account, &commanded.command).await {
                return Err(Self::broken(&error));
            }
            let begun = self.attempt(&actor, &commanded).await;
            if let Some(answered) = self.come_of(begun).await {
                return answered;
            }
        }
        Err(Refusal::Busy(Busy {
            retry_after_ms: 100,
        }))
    }

    /// Nothing can be written. What was written before gets its answer, everything else waits where it is.
    async fn only_repeat(&self, actor: &Actor, commanded: &Commanded) -> Begun {
        let answer = match self.store().answer(actor.account, commanded.id).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(Self::no_room()),
            Err(error) => Err(Self::broken(&error)),
        };
        Begun::Answered(answer)
    }

    /// A message takes its part of the sender's rate, and a new name of what there is for names, however often it is
    /// decided.
    fn may_begin(&self, account: AccountId, command: &Command) -> Result<(), Refusal> {
        if let Command::MessageSend { topic, .. } = command {
            self.take_send(account, *topic)?;
        } else if matches!(command, Command::ProfileEdit { .. }) {
            self.take_name(account)?;
        }
        Ok(())
    }

    /// What was written for an account beyond what most commands need is taken from its rate.
    fn charge_rows(&self, committed: &Committed) {
        let rows = committed.rows.max(committed.changes.len() as u64);
        let cost = rows.saturating_sub(FEW_ROWS) as f64 / ROWS;
        if cost > 0.0 {
            let now = self.uptime_ms();
            let account = self.rates().accounts.of(committed.account, now);
            account.charge(now, cost);
        }
    }

    /// What came of it; none if it has to be decided again.
    async fn come_of(&self, begun: Begun) -> Option<CommandAnswer> {
        let pending = match begun {
            Begun::Answered(answered) => return Some(answered),
            Begun::Committing(pending) => pending,
        };
        match pending.await {
            Ok(Outcome::Done(committed)) => {
                self.charge_rows(&committed);
                Some(Ok(committed.answer.clone()))
            }
            Ok(Outcome::Repeat(answer)) => Some(Ok(answer)),
            Ok(Outcome::Refused(rejection)) => Some(Err(Refusal::Rejected(rejection))),
            Ok(Outcome::Conflict) => None,
            Err(error) => Some(Err(Self::broken(&error))),
        }
    }

    async fn attempt(&self, actor: &Actor, commanded: &Commanded) -> Begun {
        match asking(actor.account, self.decide(actor, commanded)).await {
            Ok(begun) => begun,
            Err(error) => Begun::Answered(Err(Self::broken(&error))),
        }
    }

    async fn decide(&self, actor: &Actor, commanded: &Commanded) -> Result<Begun, StoreError> {
        let account = actor.account;
        let Commanded { id, command } = commanded;
        if let Command::CommunityJoin { community, invite } = command {
            let turned_away = self
                .turns_away(account, *community, invite.as_deref())
                .await?;
            if let Some(rejection) = turned_away {
                return self.reject(account, *id, rejection).await;
            }
        }
        let mut needs = needs(command);
        let changes_community = matches!(command.home(account), Log::Community(_));
        let own_turn = if changes_community {
            self.turn_to_change(account).await
        } else {
            self.turn_to_give(account).await
        };
        let loaded = self.place(&mut needs).await?;
        // Commands on a community's log wait for each other, so that they need not be decided again and again.
        let turn = match &loaded {
            Some(loaded) if changes_community => Some(loaded.turn.lock().await),
            Some(_) | None => None,
        };
        let structure = loaded.as_ref().map(|loaded| loaded.structure());
        let mut facts = Facts {
            structure: structure.as_deref(),
            profile_rev: actor.profile_rev(),
            asked_message: needs.message.as_ref().map(|(message, _)| *message),
            ..Facts::default()
        };
        if let Some(loaded) = &loaded {
            facts.actor = self.communities().member(loaded, account).await?;
            let members = self.communities().members(loaded, &needs.members).await?;
            facts.members = members
                .into_iter()
                .map(|member| (member.account, member))
                .collect::<HashMap<_, _>>();
        }
        if let (
            Some(loaded),
            Command::CommunityJoin {
                invite: Some(code), ..
            },
        ) = (&loaded, command)
        {
            facts.inviter = self.inviter(loaded, code, account).await?;
        }
        if let (Some(topic), Some(structure), Some(member)) =
            (needs.topic, &structure, &facts.actor)
        {
            needs.reader = Some(structure.reader(member, topic));
        }
        if needs.asks_the_store() {
            facts.known = self.store().known(account, needs).await?;
        }
        // What waits to be written keeps nobody from being read for; what changes a community, from the next change.
        let own_turn = own_turn.filter(|_| changes_community);
        if let Err(revoked) = actor.require_signed_in() {
            return Ok(Begun::Answered(Err(Refusal::Rejected(revoked))));
        }
        let now = self.now();
        match domain::decide(&facts, account, command, now) {
            Err(rejection) => self.reject(account, *id, rejection).await,
            Ok(decision) if decision.changes.is_empty() => {
                let stored = self.store().answer(account, *id).await?;
                let answer = stored.unwrap_or_else(|| wire::NOTHING.to_owned());
                Ok(Begun::Answered(Ok(answer)))
            }
            Ok(decision) => {
                self.note_write();
                let is_apart = domain::is_apart(&facts, account, command);
                let commit = Commit {
                    account,
                    command: *id,
                    origin: if is_apart {
                        Origin::SERVER
                    } else {
                        actor.origin
                    },
                    is_apart,
                    now,
                    expects: decision.expects,
                    changes: decision.changes,
                };
                let committing = self.commit(actor, commit).await;
                drop((turn, own_turn));
                Ok(Begun::Committing(committing))
            }
        }
    }

    /// Refuses a command for good, unless it was committed before, and is impossible because of that.
    async fn reject(
        &self,
        account: AccountId,
        id: CommandId,
        rejection: Rejection,
    ) -> Result<Begun, StoreError> {
        let stored = self.store().answer(account, id).await?;
        Ok(Begun::Answered(stored.ok_or(Refusal::Rejected(rejection))))
    }

    /// Hands a commit to the store. What it changes of a community is awaited, with the turn of whoever asks: the next
    /// one is decided on what this one makes, and who changed something finds it changed.
    async fn commit(&self, actor: &Actor, commit: Commit) -> Pending<Outcome> {
        let Some(community) = commit.changes.iter().find_map(Change::community) else {
            let is_renamed = |change: &Change| matches!(change, Change::Named { .. });
            let renamed = commit.changes.iter().any(is_renamed);
            let pending = self.store().commit(commit);
            return if renamed {
                Box::pin(as_renamed(actor.clone(), pending))
            } else {
                pending
            };
        };
        let mut accounts: Vec<AccountId> = commit.changes.iter().filter_map(whom).collect();
        accounts.push(actor.account);
        let mut heard = self.hub().expected().expect(actor.account, commit.command);
        let outcome = self.store().commit(commit).await;
        let is_behind = match &outcome {
            Ok(Outcome::Done(_)) => !heard.comes(CATCH_UP).await,
            // Of what was committed earlier nothing more may come.
            Ok(Outcome::Repeat(_)) => true,
            Ok(Outcome::Conflict | Outcome::Refused(_)) | Err(_) => false,
        };
        if is_behind && let Err(error) = self.catch_up(community, actor.account, &accounts).await {
            // It is committed all the same: whoever gave the command is not told otherwise.
            tracing::error!(%error, community.id = %community, "what was committed was not read");
        }
        Box::pin(std::future::ready(outcome))
    }

    /// What was committed has not come back by the bus, or not now: it is read, with the members that it changed.
    async fn catch_up(
        &self,
        community: CommunityId,
        account: AccountId,
        changed: &[AccountId],
    ) -> Result<(), StoreError> {
        tracing::debug!(community.id = %community, "a commit was not heard of and is read from the store");
        if let Some(loaded) = self.communities().loaded(community).await? {
            self.communities().refresh(&loaded, changed).await?;
        }
        self.gather(community, account).await
    }

    /// The community that a command is about; the topic's, if it names one.
    async fn place(&self, needs: &mut Needs) -> Result<Option<Arc<Loaded>>, StoreError> {
        if let Some(topic) = needs.topic {
            needs.community = self.communities().home_of(topic).await?;
        }
        match needs.community {
            Some(community) => self.communities().loaded(community).await,
            None => Ok(None),
        }
    }

    /// Whoever owns the link that an account comes by, if it may be used, leads to the community, and he is a member.
    async fn inviter(
        &self,
        loaded: &Loaded,
        code: &str,
        account: AccountId,
    ) -> Result<Option<Member>, StoreError> {
        let now = self.now();
        let found = self.store().invite(code.to_owned(), Some(account), now);
        match found.await? {
            // Who stands in no command is not looked at again if a decision has to be made anew.
            Some((community, by)) if community == loaded.id => {
                let found = self.communities().members_again(loaded, &[by]).await?;
                Ok(found.into_iter().next())
            }
            Some(_) | None => Ok(None),
        }
    }

    async fn look_again(&self, account: AccountId, command: &Command) -> Result<(), StoreError> {
        let mut needs = needs(command);
        if let Some(loaded) = self.place(&mut needs).await? {
            let mut accounts = needs.members;
            accounts.push(account);
            self.communities().refresh(&loaded, &accounts).await?;
        }
        Ok(())
    }

    /// A rejection as it is answered.
    #[must_use]
    pub fn rejected(code: Code) -> Refusal {
        Refusal::Rejected(code.into())
    }
}

/// Whoever has another name writes under it from then on.
async fn as_renamed(actor: Actor, pending: Pending<Outcome>) -> Result<Outcome, StoreError> {
    let outcome = pending.await?;
    if let Outcome::Done(committed) = &outcome
        && let Some(own) = committed.of(Log::Account(actor.account))
    {
        actor.set_profile_rev(own.rev);
    }
    Ok(outcome)
}
