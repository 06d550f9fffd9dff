//! What a store keeps of accounts: who they are, where they are signed in, and what sets a new password. Passwords,
//! tokens and codes are there as hashes only.

use tulou_protocol::{
    AccountId, Code, CommunityId, MessageId, Rev, Seq, SessionId, TopicId,
    http::{ListedAccount, OwnedCommunity},
    id::Millis,
    row::Message,
};

use super::Pending;

/// A hash of a session's token.
pub type TokenHash = [u8; 32];
/// A hash of a code that sets a new password.
pub type CodeHash = [u8; 32];

/// An account as signing in needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The name signed in with.
    pub name: String,
    /// The hash of its password; empty if none fits, until a code sets one.
    pub password: String,
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its id.
    pub id: AccountId,
    /// The name signed in with.
    pub name: String,
    /// The name to show.
    pub display_name: String,
    /// The hash of its password.
    pub password: String,
    /// Its recovery codes.
    pub codes: Vec<CodeHash>,
    /// Why it is not made unless it is the first account of the server.
    pub unless_first: Option<Code>,
    /// Only by this invite link: it takes a use of it, and keeps a place.
    pub invite: Option<String>,
    /// The server's time.
    pub now: Millis,
}

/// A new session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id.
    pub session: SessionId,
    /// Whose.
    pub account: AccountId,
    /// The hash of its token.
    pub token: TokenHash,
    /// The hash of the password that was right: it may have been changed since.
    pub password: String,
    /// What the device calls itself; may be empty.
    pub device: String,
    /// The address that it comes from; may be empty.
    pub address: String,
    /// The server's time.
    pub now: Millis,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSession {
    /// Its id.
    pub session: SessionId,
    /// What the device calls itself; may be empty.
    pub device: String,
    /// The address that it was last seen at; may be empty.
    pub address: String,
    /// When it signed in.
    pub created_at: Millis,
    /// When it was last connected.
    pub seen_at: Millis,
}

/// A session was connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub session: SessionId,
    /// From where; empty if that is not known.
    pub address: String,
    /// When it was last.
    pub at: Millis,
}

/// A session that was looked up by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInAs {
    /// The session.
    pub session: SessionId,
    /// The account.
    pub account: AccountId,
    /// The rev of the account's profile.
    pub profile_rev: Rev,
    /// The communities it is a member of.
    pub communities: Vec<CommunityId>,
}

/// Which sessions of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// This one.
    Only(SessionId),
    /// All but this one.
    AllBut(SessionId),
}

/// How deleting an account began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// Nobody signs in to it any more. These sessions have ended; messages and memberships are still to be seen to.
    Begun(Vec<SessionId>),
    /// It owns communities: nothing was done.
    Owns,
}

/// An account whose deletion has begun and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// Which.
    pub account: AccountId,
    /// Its messages are to be recalled.
    pub recalls: bool,
}

/// A message as its recall needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnMessage {
    /// Its id.
    pub id: MessageId,
    /// The rev of its last change.
    pub rev: Rev,
    /// The message.
    pub message: Message,
}

/// What is kept of accounts.
pub trait Accounts {
    /// Makes an account, or says why not: the name is taken, it is not the first but had to be, or the invite link may not
    /// be used.
    fn create_account(&self, account: NewAccount) -> Pending<Result<AccountId, Code>>;
    /// The account with a name.
    fn account(&self, name: String) -> Pending<Option<Account>>;
    /// The account with an id, unless it was deleted.
    fn account_by_id(&self, account: AccountId) -> Pending<Option<Account>>;
    /// Whether there is an account.
    fn has_accounts(&self) -> Pending<bool>;
    /// Accounts in the order of their names, from after a name on, whose name begins with `search` or whose name to show
    /// holds it, whatever the case.
    fn list_accounts(
        &self,
        search: String,
        after: String,
        limit: usize,
    ) -> Pending<Vec<ListedAccount>>;

    /// Makes a session, and ends those that are too many then: which they were. None if the password is not the account's
    /// any more.
    fn create_session(&self, session: NewSession) -> Pending<Option<Vec<SessionId>>>;
    /// The session with a token, unless it was last connected before a time.
    fn session(&self, token: TokenHash, not_before: Millis) -> Pending<Option<SignedInAs>>;
    /// The sessions of an account, the last seen first.
    fn sessions(&self, account: AccountId) -> Pending<Vec<KeptSession>>;
    /// Which of these sessions are not kept, or not any more.
    fn gone_sessions(&self, sessions: Vec<SessionId>) -> Pending<Vec<SessionId>>;
    /// Notes that sessions were connected.
    fn see_sessions(&self, seen: Vec<Seen>) -> Pending<()>;
    /// Ends a session; which it was.
    fn end_session(&self, token: TokenHash) -> Pending<Option<SessionId>>;
    /// Ends sessions of an account; which they were.
    fn end_sessions(&self, account: AccountId, which: Sessions) -> Pending<Vec<SessionId>>;
    /// Drops sessions that were last connected before a time, and codes that are of no use any more; which sessions.
    fn forget_sessions(&self, before: Millis, now: Millis) -> Pending<Vec<SessionId>>;

    /// Sets another password if it is still the one that was confirmed, and ends all sessions but one; which they were.
    fn change_password(
        &self,
        confirmed: Account,
        password: String,
        keep: SessionId,
    ) -> Pending<Option<Vec<SessionId>>>;
    /// Whether a code sets a new password for an account.
    fn has_code(&self, account: AccountId, code: CodeHash, now: Millis) -> Pending<bool>;
    /// Uses a code up, sets the password and ends all sessions; which they were. None if the code is of no use (any more).
    fn use_code(
        &self,
        account: AccountId,
        code: CodeHash,
        password: String,
        now: Millis,
    ) -> Pending<Option<Vec<SessionId>>>;
    /// Replaces the recovery codes of an account.
    fn set_codes(&self, account: AccountId, codes: Vec<CodeHash>) -> Pending<()>;
    /// How many recovery codes an account has left.
    fn count_codes(&self, account: AccountId) -> Pending<u32>;
    /// Sets an account back: neither its password nor its codes are of use any more, but for this one; its sessions end.
    /// Which they were; none if there is no such account.
    fn reset(
        &self,
        account: AccountId,
        code: CodeHash,
        expires_at: Millis,
    ) -> Pending<Option<Vec<SessionId>>>;

    /// Communities that an account owns.
    fn owned(&self, account: AccountId) -> Pending<Vec<OwnedCommunity>>;
    /// Communities that an account is a member of.
    fn memberships(&self, account: AccountId) -> Pending<Vec<CommunityId>>;
    /// Begins to delete an account: its names, password, codes and sessions go.
    fn begin_deletion(&self, account: AccountId, recalls: bool, now: Millis) -> Pending<Deletion>;
    /// Accounts whose deletion has begun and not ended.
    fn unfinished_deletions(&self) -> Pending<Vec<Unfinished>>;
    /// Topics that may hold messages of an account.
    fn written_in(&self, account: AccountId) -> Pending<Vec<TopicId>>;
    /// Messages of an account in a topic, from after a place on, that were not recalled.
    fn written_by(
        &self,
        account: AccountId,
        topic: TopicId,
        after: Seq,
        limit: usize,
    ) -> Pending<Vec<OwnMessage>>;
    /// The last message of an account in a topic.
    fn last_written_by(&self, account: AccountId, topic: TopicId) -> Pending<Option<OwnMessage>>;
    /// Ends the deletion of an account: nothing of it is left but an empty profile and what it leaves to others.
    fn end_deletion(&self, account: AccountId) -> Pending<()>;
}
