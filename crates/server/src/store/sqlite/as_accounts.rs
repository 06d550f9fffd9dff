//! Accounts, asked of the readers and the writer.

use tulou_protocol::{
    AccountId, Code, CommunityId, Seq, SessionId, TopicId,
    http::{ListedAccount, OwnedCommunity},
    id::Millis,
    limits,
};

use super::{Sqlite, account, deletion, invite, message, recovery, session};
use crate::store::{
    Account, Accounts, CodeHash, Deletion, KeptSession, NewAccount, NewSession, OwnMessage,
    Pending, Seen, Sessions, SignedInAs, TokenHash, Unfinished,
};

/// How long a code of the administrator's is valid.
const RESET_MS: Millis = limits::RESET_DAYS * 24 * 60 * 60 * 1_000;

impl Accounts for Sqlite {
    fn create_account(&self, account: NewAccount) -> Pending<Result<AccountId, Code>> {
        let times = self.writer.times();
        self.write(move |db| {
            let account = times.of_account(account);
            let place = match &account.invite {
                Some(code) => match invite::find(db, code, None, account.now)? {
                    Some((community, _)) => Some((community, code)),
                    None => return Ok(Err(Code::InviteInvalid)),
                },
                None => None,
            };
            let made = account::create(db, &account)?;
            if made.is_ok() {
                recovery::set(db, account.id, &account.codes)?;
                if let Some((community, code)) = place {
                    invite::keep_place(db, community, code, account.id)?;
                }
            }
            Ok(made)
        })
    }

    fn account(&self, name: String) -> Pending<Option<Account>> {
        self.read(move |db| account::find(db, &name))
    }

    fn account_by_id(&self, account: AccountId) -> Pending<Option<Account>> {
        self.read(move |db| account::by_id(db, account))
    }

    fn has_accounts(&self) -> Pending<bool> {
        self.read(account::any)
    }

    fn list_accounts(
        &self,
        search: String,
        after: String,
        limit: usize,
    ) -> Pending<Vec<ListedAccount>> {
        self.read(move |db| account::list(db, &search, &after, limit))
    }

    fn create_session(&self, new: NewSession) -> Pending<Option<Vec<SessionId>>> {
        let times = self.writer.times();
        self.write(move |db| session::create(db, &times.of_session(new)))
    }

    fn session(&self, token: TokenHash, not_before: Millis) -> Pending<Option<SignedInAs>> {
        self.read(move |db| session::find(db, token, not_before))
    }

    fn sessions(&self, account: AccountId) -> Pending<Vec<KeptSession>> {
        self.read(move |db| session::list(db, account))
    }

    fn gone_sessions(&self, sessions: Vec<SessionId>) -> Pending<Vec<SessionId>> {
        self.read(move |db| session::gone(db, sessions))
    }

    fn see_sessions(&self, seen: Vec<Seen>) -> Pending<()> {
        let times = self.writer.times();
        self.write(move |db| {
            let seen: Vec<Seen> = seen.into_iter().map(|seen| times.of_seen(seen)).collect();
            session::see(db, &seen)
        })
    }

    fn end_session(&self, token: TokenHash) -> Pending<Option<SessionId>> {
        self.write(move |db| session::end(db, token))
    }

    fn end_sessions(&self, account: AccountId, which: Sessions) -> Pending<Vec<SessionId>> {
        self.write(move |db| session::end_some(db, account, which))
    }

    fn forget_sessions(&self, before: Millis, now: Millis) -> Pending<Vec<SessionId>> {
        self.write(move |db| {
            recovery::forget(db, now)?;
            session::forget(db, before)
        })
    }

    fn change_password(
        &self,
        confirmed: Account,
        password: String,
        keep: SessionId,
    ) -> Pending<Option<Vec<SessionId>>> {
        self.write(move |db| recovery::change_password(db, &confirmed, &password, keep))
    }

    fn has_code(&self, account: AccountId, code: CodeHash, now: Millis) -> Pending<bool> {
        self.read(move |db| recovery::has(db, account, code, now))
    }

    fn use_code(
        &self,
        account: AccountId,
        code: CodeHash,
        password: String,
        now: Millis,
    ) -> Pending<Option<Vec<SessionId>>> {
        self.write(move |db| recovery::take(db, account, code, &password, now))
    }

    fn set_codes(&self, account: AccountId, codes: Vec<CodeHash>) -> Pending<()> {
        self.write(move |db| recovery::set(db, account, &codes))
    }

    fn count_codes(&self, account: AccountId) -> Pending<u32> {
        self.read(move |db| recovery::count(db, account))
    }

    fn reset(
        &self,
        account: AccountId,
        code: CodeHash,
        expires_at: Millis,
    ) -> Pending<Option<Vec<SessionId>>> {
        let times = self.writer.times();
        self.write(move |db| {
            let expires_at = times.right(expires_at - RESET_MS) + RESET_MS;
            recovery::reset(db, account, code, expires_at)
        })
    }

    fn owned(&self, account: AccountId) -> Pending<Vec<OwnedCommunity>> {
        self.read(move |db| account::owned(db, account))
    }

    fn memberships(&self, account: AccountId) -> Pending<Vec<CommunityId>> {
        self.look(move |db| account::memberships(db, account))
    }

    fn begin_deletion(&self, account: AccountId, recalls: bool, now: Millis) -> Pending<Deletion> {
        let times = self.writer.times();
        self.write(move |db| deletion::begin(db, account, recalls, times.right(now)))
    }

    fn unfinished_deletions(&self) -> Pending<Vec<Unfinished>> {
        self.look(deletion::unfinished)
    }

    fn written_in(&self, account: AccountId) -> Pending<Vec<TopicId>> {
        self.look(move |db| deletion::topics(db, account))
    }

    fn written_by(
        &self,
        account: AccountId,
        topic: TopicId,
        after: Seq,
        limit: usize,
    ) -> Pending<Vec<OwnMessage>> {
        self.look(move |db| message::written_by(db, account, topic, after, limit))
    }

    fn last_written_by(&self, account: AccountId, topic: TopicId) -> Pending<Option<OwnMessage>> {
        self.look(move |db| message::last_written_by(db, account, topic))
    }

    fn end_deletion(&self, account: AccountId) -> Pending<()> {
        self.write(move |db| deletion::end(db, account))
    }
}
