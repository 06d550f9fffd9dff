//! The topics that are on a screen. Each belongs to whoever looks, and goes with him: so nothing is watched for a window
//! that is not there.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;
use tulou_protocol::{Seq, TopicId};

use super::Account;

/// Somebody who looks, within one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ViewerId(pub u64);

/// What is remembered of a topic while somebody looks at it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entered {
    /// The first row that was unread when it was entered.
    pub first_unread: Option<Seq>,
    /// It was marked unread from somewhere: nothing advances until it is left.
    pub is_set_back: bool,
    /// The first place that is shown of it; 0 while that is not known.
    pub from: Seq,
}

/// Who looks at what.
pub(super) type Shown = BTreeMap<(TopicId, ViewerId), Entered>;

impl Account {
    /// Changes who looks at what. Whoever watches topics hears of it if they are others.
    fn show<T>(&self, change: impl FnOnce(&mut Shown) -> T) -> T {
        let mut shown = self.shown();
        let changed = change(&mut shown);
        let topics: BTreeSet<TopicId> = shown.keys().map(|(topic, _)| *topic).collect();
        self.on_screen.send_if_modified(|before| {
            let is_other = *before != topics;
            *before = topics;
            is_other
        });
        changed
    }

    /// The topics that are shown, and when they are others.
    pub fn watch_screens(&self) -> watch::Receiver<BTreeSet<TopicId>> {
        self.on_screen.subscribe()
    }

    /// The topics that are shown.
    pub fn on_screen(&self) -> BTreeSet<TopicId> {
        self.on_screen.borrow().clone()
    }

    /// The topics that are shown, each with the first place that somebody looks at.
    pub fn shown_from(&self) -> BTreeMap<TopicId, Seq> {
        let mut topics = BTreeMap::new();
        for ((topic, _), entered) in self.shown().iter() {
            let from = topics.entry(*topic).or_insert(entered.from);
            *from = entered.from.min(*from);
        }
        topics
    }

    /// Somebody looks at a topic from this place on.
    pub fn look_from(&self, viewer: ViewerId, topic: TopicId, from: Seq) {
        if let Some(entered) = self.shown().get_mut(&(topic, viewer)) {
            entered.from = from;
        }
    }

    /// What is remembered of a topic while somebody looks at it.
    pub fn entered(&self, viewer: ViewerId, topic: TopicId) -> Option<Entered> {
        self.shown().get(&(topic, viewer)).copied()
    }

    /// Somebody looks at a topic. If he did already, his divider stays.
    pub fn enter(&self, viewer: ViewerId, topic: TopicId, entered: Entered) {
        self.show(|shown| shown.entry((topic, viewer)).or_insert(entered).to_owned());
    }

    /// Somebody looks at a topic no longer.
    pub fn leave(&self, viewer: ViewerId, topic: TopicId) {
        self.show(|shown| shown.remove(&(topic, viewer)));
    }

    /// Somebody is gone, and with him all that he looked at.
    pub fn leave_all(&self, viewer: ViewerId) {
        self.show(|shown| shown.retain(|(_, who), _| *who != viewer));
    }

    /// The divider of a topic that somebody looks at goes elsewhere; false if it stands there.
    pub fn move_divider(
        &self,
        viewer: ViewerId,
        topic: TopicId,
        first_unread: Option<Seq>,
    ) -> bool {
        self.shown()
            .get_mut(&(topic, viewer))
            .is_some_and(|entered| {
                let before = std::mem::replace(&mut entered.first_unread, first_unread);
                before != first_unread
            })
    }

    /// A topic was marked unread, or read by hand (`is_set_back` false: what is seen of it counts again), for all who look
    /// at it.
    pub fn set_back(&self, topic: TopicId, is_set_back: bool) {
        for ((shown, _), entered) in self.shown().iter_mut() {
            if *shown == topic {
                entered.is_set_back = is_set_back;
            }
        }
    }
}
