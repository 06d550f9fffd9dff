//! What a commit writes to the logs of accounts: marks, mentions, cursors.

use tulou_protocol::{
    AccountId, Log, Rev, Seq, TopicId,
    id::Millis,
    row::{Body, Cursor, Mark, Mention, MessageKey},
};

use super::{Group, Progress};
use crate::{
    domain::{change::Sent, message::mark_after},
    store::{
        StoreError,
        sqlite::{cursor, message, row},
    },
};

impl Group<'_> {
    /// A reaction in the log of who gave it; nothing if it is there. It may be missing though the reaction counts: these
    /// rows fade, and without one nobody could take the reaction back.
    pub(super) fn own_mark(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        (key, seq): (MessageKey, Seq),
        (of, on): (&str, bool),
    ) -> Result<(), StoreError> {
        let (own, name) = (Log::Account(account), key.to_string());
        let before: Option<(Mark, Rev)> = row::find(self.db, own, "mark", &name)?;
        let before = before.map(|(mark, _)| mark);
        let holds = |mark: &Mark| mark.reactions.iter().any(|known| known == of);
        if on && before.as_ref().is_some_and(holds) {
            return Ok(());
        }
        let after = mark_after(before, key.topic, seq, of, on);
        let body = after.map_or_else(|| Body::Deleted("mark".to_owned()), Body::from);
        self.put(progress, own, &name, &body)
    }

    /// A row of an account's log becomes a tombstone if it is there, and at this rev if one is named.
    pub(super) fn delete(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        kind: &str,
        id: &str,
        rev: Option<Rev>,
    ) -> Result<(), StoreError> {
        let own = Log::Account(account);
        let found = row::rev(self.db, own, kind, id)?;
        if found.is_some_and(|found| rev.is_none_or(|rev| rev == found)) {
            self.put(progress, own, id, &Body::Deleted(kind.to_owned()))?;
        }
        Ok(())
    }

    /// A mention that an edit added was seen, or counts again; one that is not there, or is so already, stays as it is.
    pub(super) fn see_mention(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        mention: MessageKey,
        seen: bool,
    ) -> Result<(), StoreError> {
        let own = Log::Account(account);
        let name = mention.to_string();
        let held: Option<(Mention, Rev)> = row::find(self.db, own, "mention", &name)?;
        match held {
            Some((mention, _)) if mention.by_edit == seen => {
                let body = Mention {
                    by_edit: !seen,
                    ..mention
                };
                self.put(progress, own, &name, &body.into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The cursor rises to a place, if it is not there yet.
    pub(super) fn read_up_to(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        topic: TopicId,
        seq: Seq,
    ) -> Result<(), StoreError> {
        let known = cursor::of(self.db, account, topic)?.map(|(cursor, _)| cursor);
        if seq <= known.as_ref().map_or(Seq::ZERO, |cursor| cursor.seq) {
            return Ok(());
        }
        let own = message::own_after(self.db, topic, seq, account)?;
        let body = match known {
            Some(cursor) => Cursor { seq, own, ..cursor },
            None => Cursor {
                seq,
                own,
                set_no: 0,
                more: Default::default(),
            },
        };
        self.put(
            progress,
            Log::Account(account),
            &topic.to_string(),
            &body.into(),
        )
    }

    /// How far an author had read before he wrote.
    pub(super) fn cursor_before(&self, sent: &Sent, before: Seq) -> Result<Cursor, StoreError> {
        let held = cursor::dated(self.db, sent.author, sent.topic)?;
        let row = held.as_ref().map(|(cursor, _, _)| cursor.clone());
        let mut cursor = row.unwrap_or_else(|| Cursor {
            seq: Seq::ZERO,
            own: 0,
            set_no: 0,
            more: Default::default(),
        });
        if before.0 > cursor.seq.0 + cursor.own {
            let place = (sent.author, sent.topic, before);
            if let Some(read) = cursor::beyond(self.db, place, held.as_ref(), sent.reader)? {
                (cursor.seq, cursor.own) = (read.seq, read.own);
            }
        }
        Ok(cursor)
    }

    /// The author's cursor: what he writes is read by him.
    pub(super) fn own_message(
        &mut self,
        progress: &mut Progress<'_>,
        sent: &Sent,
        before: Seq,
        mut cursor: Cursor,
    ) -> Result<(), StoreError> {
        if before.0 <= cursor.seq.0 + cursor.own {
            cursor.seq = before.next();
            cursor.own = 0;
        } else {
            cursor.own += 1;
        }
        self.put(
            progress,
            Log::Account(sent.author),
            &sent.topic.to_string(),
            &cursor.into(),
        )
    }

    pub(super) fn mention(
        &mut self,
        progress: &mut Progress<'_>,
        key: MessageKey,
        (seq, sent_at, by_edit): (Seq, Millis, bool),
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        let name = key.to_string();
        for account in accounts {
            let body = Mention {
                topic: key.topic,
                seq,
                sent_at,
                by_edit,
                more: Default::default(),
            };
            self.put(progress, Log::Account(*account), &name, &body.into())?;
        }
        Ok(())
    }
}
