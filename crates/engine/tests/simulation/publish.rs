//! What a model server tells on its own: pushes, notes, digests. First the rights, then what was written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tulou_protocol::{
    AccountId, CommunityId, Digest, Log, Push, Seq, Stale, TopicId,
    id::Millis,
    push::{HeadsAfter, Pushed, TopicHead},
};
use tulou_server::domain::{
    Audience, Change, Hears, Member, Structure, View, paging, view::Compared,
};

use crate::{memory::Written, server::Server, weather::Weather};

/// A community before a commit.
pub type Before = (Arc<Structure>, BTreeMap<AccountId, Member>);

impl Server {
    /// Tells everybody but who it came from.
    pub fn publish(
        &mut self,
        origin: u64,
        before: Option<Before>,
        changes: &[Change],
        logs: &[Written],
    ) {
        for community in touched(changes) {
            self.publish_community(origin, community, before.as_ref(), changes, logs);
        }
        for written in logs {
            match written.log {
                Log::Topic(topic) => {
                    if let Some(log) = self.memory.topics.get(&topic)
                        && let Some(gathering) = self.gatherings.get_mut(&log.community)
                    {
                        gathering.moved.insert(topic);
                    }
                    let watchers: Vec<(u64, Seq)> = self
                        .sessions
                        .iter()
                        .filter_map(|(id, session)| Some((*id, *session.watched.get(&topic)?)))
                        .collect();
                    for (session, floor) in watchers {
                        if session != origin {
                            self.push(session, written.push(floor));
                        }
                    }
                }
                Log::Account(account) => {
                    for session in self.sessions_of(account) {
                        if session != origin {
                            self.push(session, written.push(Seq::ZERO));
                        }
                    }
                }
                Log::Community(_) => {}
            }
        }
    }

    /// Rows to a session; a slow reader gets a note that the log changed.
    fn push(&mut self, session: u64, push: Push) {
        if let Some(owed) = self.owed.get_mut(&(session, push.log)) {
            *owed = push.rev.max(*owed);
            return;
        }
        if Weather::happens(self.weather.stale, &mut self.chance) {
            let stale = Stale {
                log: push.log,
                rev: push.rev,
            };
            self.say(session, Pushed::Stale(stale), false);
        } else {
            self.say(session, Pushed::Push(push), true);
        }
    }

    fn sessions_of(&self, account: AccountId) -> Vec<u64> {
        let his = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == account);
        his.map(|(id, _)| *id).collect()
    }

    fn stale(&mut self, account: AccountId, log: Log, rev: tulou_protocol::Rev) {
        for session in self.sessions_of(account) {
            if Weather::happens(self.weather.stale, &mut self.chance) {
                self.owed.insert((session, log), rev);
            } else {
                self.owed.remove(&(session, log));
                self.say(session, Pushed::Stale(Stale { log, rev }), false);
            }
        }
    }

    /// Sessions are told what they are owed.
    fn pay(&mut self) {
        for ((session, log), rev) in std::mem::take(&mut self.owed) {
            self.say(session, Pushed::Stale(Stale { log, rev }), false);
        }
    }

    fn end_watches(&mut self, topic: TopicId, account: Option<AccountId>) {
        for session in self.sessions.values_mut() {
            if account.is_none_or(|account| account == session.account) {
                session.watched.remove(&topic);
            }
        }
    }

    fn publish_community(
        &mut self,
        origin: u64,
        community: CommunityId,
        before: Option<&Before>,
        changes: &[Change],
        logs: &[Written],
    ) {
        let log = Log::Community(community);
        let written = logs.iter().find(|written| written.log == log);
        let connected: BTreeSet<AccountId> = self
            .sessions
            .values()
            .map(|session| session.account)
            .collect();
        for change in changes {
            if let Change::TopicEnds { topic, .. } = change {
                self.end_watches(*topic, None);
            }
        }
        let nobody = BTreeMap::new();
        let members_before = before.map_or(&nobody, |(_, members)| members);
        let Some(home) = self.memory.communities.get(&community).cloned() else {
            self.gatherings.remove(&community);
            for account in members_before.keys() {
                self.stale(
                    *account,
                    log,
                    written.map(|written| written.rev).unwrap_or_default(),
                );
            }
            return;
        };
        let after = &home.structure;
        let mut compared = Compared::default();
        for account in connected {
            let old = before.and_then(|(was, members)| Some((was, members.get(&account)?)));
            let new = home.members.get(&account);
            let Some(new) = new else {
                if let Some((was, old)) = old {
                    for (topic, _) in was.sight(old).topics() {
                        self.end_watches(topic, Some(account));
                    }
                    self.stale(account, log, after.rev);
                }
                continue;
            };
            let Some((was, old)) = old else {
                let now = self.now();
                self.gather(community, now);
                self.stale(account, log, after.rev);
                continue;
            };
            let watched: Vec<TopicId> = self
                .sessions
                .values()
                .filter(|session| session.account == account)
                .flat_map(|session| session.watched.keys().copied())
                .collect();
            let old = View::of(was.clone(), old.clone());
            let new = View::of(after.clone(), new.clone());
            let diff = old.diff(&new, &watched, &mut compared);
            for topic in diff.hidden {
                self.end_watches(topic, Some(account));
            }
            for topic in diff.refloored {
                self.refloor(account, topic);
            }
            if diff.is_other {
                self.stale(account, log, after.rev);
            } else if let Some(written) = written {
                let push = Push {
                    log,
                    prev: written.prev,
                    rev: written.rev,
                    rows: after
                        .written_as_seen(&new.sight, written.rows.iter().map(|(_, row)| row)),
                    authors: vec![],
                };
                for session in self.sessions_of(account) {
                    if session != origin {
                        self.push(session, push.clone());
                    }
                }
            }
        }
    }

    /// A watched topic is read from where the rights allow.
    fn refloor(&mut self, account: AccountId, topic: TopicId) {
        let floor = self.memory.floor(account, topic);
        for session in self.sessions_of(account) {
            let session = self.sessions.get_mut(&session).unwrap();
            if let Some(held) = session.watched.get_mut(&topic) {
                *held = floor;
            }
        }
    }

    pub fn heads(
        &self,
        account: AccountId,
        community: CommunityId,
        (since, after): (Millis, Option<TopicId>),
        now: Millis,
    ) -> Digest {
        let (home, member) = self.memory.membership(account, community).unwrap();
        let sight = home.structure.sight(member);
        let topics = self.memory.topics.iter();
        let seen = topics.filter(|(topic, log)| log.community == community && sight.sees(**topic));
        let mut moved: Vec<(Millis, TopicId)> = seen
            .map(|(topic, log)| (log.moved_at, *topic))
            .filter(|moved| moved.0 >= since && (moved.0, Some(moved.1)) > (since, after))
            .collect();
        moved.sort_unstable();
        let is_full = moved.len() > self.page_of_heads;
        moved.truncate(self.page_of_heads);
        let topics: Vec<TopicId> = moved.iter().map(|(_, topic)| *topic).collect();
        let (to, on) = match moved.last().filter(|_| is_full) {
            Some(last) => {
                let (to, on) = paging::page_ends(*last, now, (since, after));
                (to, Some(on))
            }
            None => (now, None),
        };
        let mut heads = self.digest(community, "", (since, to), &topics);
        heads.after = on.map(|topic| HeadsAfter { topic, until: now });
        for (head, topic) in heads.topics.iter_mut().zip(&topics) {
            let reader = home.structure.reader(member, *topic);
            head.read = self.memory.read_before(account, *topic, reader);
        }
        heads
    }

    fn digest(
        &self,
        community: CommunityId,
        audience: &str,
        (from, to): (Millis, Millis),
        topics: &[TopicId],
    ) -> Digest {
        let home = &self.memory.communities[&community];
        let head = |topic: &TopicId| {
            let log = &self.memory.topics[topic];
            TopicHead {
                no: home.structure.topics[topic].body.no,
                head_seq: log.head(),
                rev: log.rev,
                wide_mentions: log.wide(),
                read: None,
            }
        };
        Digest {
            community,
            audience: audience.to_owned(),
            from,
            to,
            topics: topics.iter().map(head).collect(),
            members: home.members.len() as u64,
            online: 1,
            after: None,
        }
    }

    /// A digest names topics that its reader may see, and no others.
    pub fn look_at_digest(&self, account: AccountId, digest: &Digest) {
        let home = &self.memory.communities[&digest.community];
        for head in &digest.topics {
            let mut topics = home.structure.topics.iter();
            let named = topics.find(|(_, kept)| kept.body.no == head.no);
            let (topic, _) = named.expect("a digest names what is not there");
            assert!(
                self.oracle.sees_topic(account, *topic),
                "a digest names what may not be seen"
            );
        }
    }

    /// The slow lane: topics that moved since it was said last, to each audience its own.
    pub fn send_digests(&mut self) {
        self.pay();
        let now = self.now();
        let due: Vec<CommunityId> = self.gatherings.keys().copied().collect();
        for community in due {
            let Some(home) = self.memory.communities.get(&community) else {
                continue;
            };
            let structure = home.structure.clone();
            let members = home.members.len() as u64;
            let gathering = self.gatherings.get_mut(&community).unwrap();
            let is_counted_anew = std::mem::replace(&mut gathering.said, members) != members;
            let moved = std::mem::take(&mut gathering.moved);
            let mut said: Vec<(Audience, Digest)> = Vec::new();
            for audience in structure.audiences(moved) {
                let gathering = self.gatherings.get_mut(&community).unwrap();
                let told = gathering.told.insert(audience.name.clone(), now);
                let window = (told.unwrap_or(gathering.begun), now);
                let digest = self.digest(community, &audience.name, window, &audience.topics);
                said.push((audience, digest));
            }
            let sessions: Vec<(u64, AccountId)> = self
                .sessions
                .iter()
                .map(|(id, session)| (*id, session.account))
                .collect();
            for (session, account) in sessions {
                let Some((home, member)) = self.memory.membership(account, community) else {
                    continue;
                };
                let sight = home.structure.sight(member);
                let heard = |audience: &Audience| audience.heard_by(&sight) == Hears::All;
                let mut heard: Vec<Digest> = said
                    .iter()
                    .filter(|(audience, _)| heard(audience))
                    .map(|(_, digest)| digest.clone())
                    .collect();
                if heard.is_empty() && is_counted_anew {
                    heard.push(self.digest(community, "", (0, now), &[]));
                }
                // A slow reader is told that he missed something.
                let is_full =
                    !heard.is_empty() && Weather::happens(self.weather.stale, &mut self.chance);
                if is_full {
                    let note = self.digest(community, "", (now, now), &[]);
                    self.say(session, Pushed::Digest(note), false);
                    continue;
                }
                for digest in heard {
                    self.say(session, Pushed::Digest(digest), true);
                }
            }
        }
    }
}

/// The communities whose structure or members changed.
fn touched(changes: &[Change]) -> BTreeSet<CommunityId> {
    changes
        .iter()
        .filter_map(|change| match change {
            Change::Row {
                log: Log::Community(community),
                ..
            }
            | Change::Numbered { community, .. }
            | Change::Member { community, .. }
            | Change::MemberGone { community, .. }
            | Change::Seat { community, .. }
            | Change::TopicBegins { community, .. }
            | Change::TopicEnds { community, .. }
            | Change::CommunityEnds { community } => Some(*community),
            _ => None,
        })
        .collect()
}
