//! What is read to be told to everybody. It is a task's affair, not a question's: whatever it reads, in whichever file, comes before
//! what somebody asked, and ends when it ends. A store reads by it.

tokio::task_local! {
    /// Whoever works within tells everybody.
    static TELLING: ();
}

/// What is read within this is to be told to everybody: it comes first, and ends when it ends.
pub fn telling<Work: Future>(work: Work) -> impl Future<Output = Work::Output> {
    TELLING.scope((), work)
}

/// Whether this is within what is told to everybody.
pub fn is_telling() -> bool {
    TELLING.try_with(|()| ()).is_ok()
}
