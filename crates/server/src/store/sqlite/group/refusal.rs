//! Why a commit is not written: what it rests on has moved, or what it writes is there already.

use tulou_protocol::{
    Code, Log, Rev,
    row::{Message, MessageKey},
};

use super::Group;
use crate::{
    domain::change::{Change, Expect, Marking, Sent},
    store::{
        Commit, Outcome, StoreError,
        sqlite::{account, answer, community, cursor, invite, message, row},
    },
};

impl Group<'_> {
    /// Why the commit cannot be written. Writes nothing, but for the use of an invite, which is the last to be checked.
    pub(super) fn refusal(&mut self, commit: &Commit) -> Result<Option<Outcome>, StoreError> {
        for expect in &commit.expects {
            let refusal = self.moved(expect)?;
            if refusal.is_some() {
                return Ok(refusal);
            }
        }
        for change in &commit.changes {
            let refusal = self.in_the_way(commit, change)?;
            if refusal.is_some() {
                return Ok(refusal);
            }
        }
        Ok(None)
    }

    /// Whether something that the commit rests on is otherwise by now.
    fn moved(&mut self, expect: &Expect) -> Result<Option<Outcome>, StoreError> {
        let refused = |code: Code| Some(Outcome::Refused(code.into()));
        let holds = match *expect {
            Expect::Head(log, rev) => self.heads.at(log)?.rev == rev,
            Expect::New(log) if self.heads.at(log)?.is_there() => {
                return Ok(refused(Code::IdTaken));
            }
            Expect::New(_) => true,
            Expect::Member(community, account, rev) => {
                community::member_rev(self.db, community, account)? == rev
            }
            Expect::Rights(community, topic, group, since) => {
                let log = Log::Community(community);
                // Most often nothing at all has.
                self.heads.at(log)?.rev <= since
                    || !row::rights_moved(self.db, log, (topic, group), since)?
            }
            Expect::Content(topic, id, rev) => {
                message::content_rev(self.db, topic, id)? == Some(rev)
            }
            Expect::Cursor(account, topic, rev) => {
                cursor::of(self.db, account, topic)?.map_or(Rev::ZERO, |(_, rev)| rev) == rev
            }
            Expect::Profile(account, rev) => {
                account::profile(self.db, account)?.map_or(Rev::ZERO, |(_, rev)| rev) == rev
            }
            Expect::Lives(account) if account::by_id(self.db, account)?.is_none() => {
                return Ok(refused(Code::NotFound));
            }
            Expect::Lives(_) => true,
        };
        Ok((!holds).then_some(Outcome::Conflict))
    }

    /// Whether what the change would write is there already, is too much, or is used up.
    fn in_the_way(
        &mut self,
        commit: &Commit,
        change: &Change,
    ) -> Result<Option<Outcome>, StoreError> {
        match change {
            Change::Send(sent) => match message::find(self.db, sent.topic, sent.message)? {
                Some((_, present)) => Ok(Some(self.sent_before(sent, &present)?)),
                None => Ok(None),
            },
            Change::Marks {
                topic,
                seq,
                marking,
                ..
            } => {
                let before = message::marks(self.db, *topic, *seq)?;
                let pins = match marking {
                    Marking::Pin(Some(_)) => message::pins(self.db, *topic)?,
                    Marking::Pin(None) | Marking::Reaction { .. } | Marking::Touch => 0,
                };
                let done = marking.done_to(before.as_ref(), pins);
                Ok(done.err().map(Outcome::Refused))
            }
            Change::InviteUsed { community, code } => {
                let is_taken = invite::take(self.db, *community, code, commit.account, commit.now)?;
                Ok((!is_taken).then(|| Outcome::Refused(Code::InviteInvalid.into())))
            }
            Change::Row { .. }
            | Change::Content(_)
            | Change::Numbered { .. }
            | Change::Member { .. }
            | Change::MemberGone { .. }
            | Change::Seat { .. }
            | Change::ReadSoFar { .. }
            | Change::TopicBegins { .. }
            | Change::TopicEnds { .. }
            | Change::CommunityEnds { .. }
            | Change::Bereft { .. }
            | Change::Fades { .. }
            | Change::MentionSeen { .. }
            | Change::InvitesEnd { .. }
            | Change::Named { .. } => Ok(None),
        }
    }

    /// The same message again, under another command: the author gets the row as it is, anybody else gets nothing of it.
    fn sent_before(&self, sent: &Sent, present: &Message) -> Result<Outcome, StoreError> {
        let author = present.content.as_ref().map(|content| content.author);
        if author != Some(sent.author) {
            return Ok(Outcome::Refused(Code::IdTaken.into()));
        }
        let key = MessageKey::of(sent.topic, sent.message);
        Ok(Outcome::Repeat(answer::as_it_is(self.db, key)?))
    }
}
