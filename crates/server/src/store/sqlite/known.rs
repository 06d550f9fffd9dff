//! What a command needs to be known.

use rusqlite::Connection;
use tulou_protocol::{AccountId, Log};

use super::{account, cursor, log, message, row};
use crate::{
    domain::{
        Reader,
        facts::{Known, Needs, Stored},
    },
    store::StoreError,
};

/// What an account's command needs.
pub fn of(db: &Connection, actor: AccountId, needs: &Needs) -> Result<Known, StoreError> {
    let mut known = Known::default();
    if let Some(topic) = needs.topic {
        known.head_seq = log::head(db, Log::Topic(topic))?.unwrap_or_default().seq;
        if let Some((id, reaction)) = &needs.message
            && let Some((rev, found)) = message::find(db, topic, *id)?
        {
            let has_reacted = match reaction {
                Some(key) => message::has_reacted(db, topic, found.seq, key, actor)?,
                None => false,
            };
            known.message = Some(Stored {
                message: found,
                rev,
                has_reacted,
            });
        }
        if let Some(id) = needs.reply_to {
            known.has_reply_to = message::content_rev(db, topic, id)?.is_some();
        }
        if needs.pins {
            known.pins = message::pins(db, topic)?;
        }
        if let Some(seq) = needs.cursor_at {
            known.cursor = cursor::of(db, actor, topic)?;
            known.floor = message::floor(db, topic, needs.reader.and_then(Reader::readable_since))?;
            if let Some(reader) = needs.reader {
                known.read = cursor::read_before(db, actor, topic, reader)?;
            }
            // An advance to a place behind the cursor changes nothing, whatever is counted after it.
            let seq = seq.max(known.unreadable()).min(known.head_seq);
            known.own_after = message::own_after(db, topic, seq, actor)?;
        }
    }
    if let Some((kind, id)) = &needs.own {
        let own = Log::Account(actor);
        let is_there = row::rev(db, own, kind, id)?.is_some();
        known.own = (row::count(db, own, kind)?, is_there);
    }
    if needs.profile {
        known.profile = account::profile(db, actor)?;
    }
    if let Some(community) = needs.community
        && needs.heads
    {
        known.written_topics = log::written_topics(db, community)?;
    }
    Ok(known)
}
