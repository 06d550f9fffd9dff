//! What a commit writes to the log of a topic: messages, what they say, what is put on them.

use tulou_protocol::{AccountId, Log, Rev, Seq, row::MessageKey};

use super::{Group, Progress};
use crate::{
    domain::change::{Contents, Marking, Sent},
    store::{
        Head, StoreError,
        sqlite::{account, message},
    },
};

impl Group<'_> {
    /// Does something to a message's marks, unless it is done.
    pub(super) fn mark(
        &mut self,
        progress: &mut Progress<'_>,
        key: MessageKey,
        seq: Seq,
        marking: &Marking,
    ) -> Result<(), StoreError> {
        let before = message::marks(self.db, key.topic, seq)?;
        let is_new = match marking {
            Marking::Reaction {
                account,
                key: of,
                on,
            } => message::put_reaction(self.db, key.topic, seq, of, *account, *on)?,
            Marking::Pin(at) => {
                before
                    .as_ref()
                    .is_some_and(|marks| marks.pinned_at.is_some())
                    != at.is_some()
            }
            // It may be swept since it was looked up.
            Marking::Touch => message::author_of(self.db, key.topic, seq)?.is_some(),
        };
        if !is_new {
            return match marking {
                Marking::Reaction {
                    account,
                    key: of,
                    on: true,
                } => self.own_mark(progress, *account, (key, seq), (of, true)),
                Marking::Reaction { .. } | Marking::Pin(_) | Marking::Touch => Ok(()),
            };
        }
        // Refused before anything was written, if they are too many.
        let after = marking.done_to(before.as_ref(), 0).unwrap_or_default();
        let state = self
            .heads
            .next(Log::Topic(key.topic), progress.commit.now)?;
        let row = message::put_marks(self.db, key, seq, &after, state.rev)?;
        progress.add(Log::Topic(key.topic), state, row)?;
        let Marking::Reaction {
            account,
            key: of,
            on,
        } = marking
        else {
            // Rare enough to say who wrote it: the profile may be newer than what readers hold.
            return match message::author_of(self.db, key.topic, seq)? {
                Some(author) => self.name_author(progress, author),
                None => Ok(()),
            };
        };
        self.own_mark(progress, *account, (key, seq), (of, *on))
    }

    pub(super) fn send(
        &mut self,
        progress: &mut Progress<'_>,
        sent: &Sent,
    ) -> Result<(), StoreError> {
        let log = Log::Topic(sent.topic);
        let before = self.heads.at(log)?.seq;
        let cursor = self.cursor_before(sent, before)?;
        let state = self.heads.next_seq(log, progress.commit.now)?;
        let head = Head {
            rev: state.rev,
            seq: state.seq,
        };
        let row = message::insert(self.db, sent, head, state.moved_at)?;
        progress.add(log, state, row)?;
        if let Some(written) = progress.logs.last_mut() {
            written.authors.push((sent.author, sent.author_rev));
        }
        message::put_wide(self.db, sent.topic, state.seq, &sent.wide, true)?;
        self.own_message(progress, sent, before, cursor)?;
        self.mention(
            progress,
            MessageKey::of(sent.topic, sent.message),
            (state.seq, state.moved_at, false),
            &sent.mentions,
        )
    }

    /// The log written last goes out with the rev of an author's profile.
    fn name_author(
        &self,
        progress: &mut Progress<'_>,
        author: AccountId,
    ) -> Result<(), StoreError> {
        let rev = account::profile(self.db, author)?.map_or(Rev::ZERO, |(_, rev)| rev);
        if let Some(written) = progress.logs.last_mut() {
            written.authors.push((author, rev));
        }
        Ok(())
    }

    pub(super) fn contents(
        &mut self,
        progress: &mut Progress<'_>,
        contents: &Contents,
    ) -> Result<(), StoreError> {
        let log = Log::Topic(contents.topic);
        let state = self.heads.next(log, progress.commit.now)?;
        let key = MessageKey::of(contents.topic, contents.message);
        let row = message::put_content(
            self.db,
            contents.topic,
            contents.message,
            contents.seq,
            &contents.content,
            state.rev,
        )?;
        progress.add(log, state, row)?;
        self.name_author(progress, contents.content.author)?;
        message::put_wide(self.db, contents.topic, contents.seq, &contents.wide, false)?;
        for account in &contents.unmentioned {
            self.delete(progress, *account, "mention", &key.to_string(), None)?;
        }
        self.mention(
            progress,
            key,
            (contents.seq, contents.content.sent_at, true),
            &contents.mentioned,
        )
    }
}
