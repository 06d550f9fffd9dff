//! Who was connected to this node, until that is written down.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tulou_protocol::SessionId;

use crate::store::Seen;

/// Sessions that were connected since that was last written. Bounded by the sessions that come and go in a minute.
#[derive(Debug, Default)]
pub struct Seeing(Mutex<HashMap<SessionId, Seen>>);

impl Seeing {
    /// A session is connected, or was until now.
    pub fn note(&self, seen: Seen) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&seen.session) {
            Some(known) => {
                known.at = seen.at;
                if !seen.address.is_empty() {
                    known.address = seen.address;
                }
            }
            None => {
                all.insert(seen.session, seen);
            }
        }
    }

    /// Who was connected since this was last asked.
    pub fn take(&self) -> Vec<Seen> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.drain().map(|(_, seen)| seen).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_seen_last_counts_and_an_unknown_address_hides_no_known_one() {
        let seeing = Seeing::default();
        let session = SessionId(Uuid::nil());
        let seen = |address: &str, at| Seen {
            session,
            address: address.into(),
            at,
        };
        seeing.note(seen("192.0.2.1", 1));
        seeing.note(seen("", 2));
        assert_eq!(seeing.take(), [seen("192.0.2.1", 2)]);
        assert_eq!(seeing.take(), [], "it is told once");
    }
}
