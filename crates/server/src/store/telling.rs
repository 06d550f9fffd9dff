//! What is read to be told to everybody. It is a task's affair, not a question's: whatever it reads, in whichever file, comes before
//! what somebody asked, and ends when it ends. A store reads by it.

//!
//! Whose question or command something is read for is a task's affair, too: nobody is read for by all who read.

use tulou_protocol::AccountId;

tokio::task_local! {
    /// Whoever works within tells everybody.
    static TELLING: ();
    /// Whoever works within does so for this account.
    static ASKING: AccountId;
}

/// What is read within this is read for an account.
pub fn asking<Work: Future>(account: AccountId, work: Work) -> impl Future<Output = Work::Output> {
    ASKING.scope(account, work)
}

/// The account that is read for within this.
pub fn who_asks() -> Option<AccountId> {
    ASKING.try_with(|account| *account).ok()
}

/// What is read within this is to be told to everybody: it comes first, and ends when it ends.
pub fn telling<Work: Future>(work: Work) -> impl Future<Output = Work::Output> {
    TELLING.scope((), work)
}

/// Whether this is within what is told to everybody.
pub fn is_telling() -> bool {
    TELLING.try_with(|()| ()).is_ok()
}
