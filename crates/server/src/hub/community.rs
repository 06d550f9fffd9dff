//! What a commit changes for the members of a community who are connected: each gets another view of it, watches of what
//! is hidden end, and each is told what he may see.

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::ws::Utf8Bytes;
use tulou_protocol::{AccountId, CommunityId, Log, Push, Rev, TopicId, limits, push::Pushed};

use super::{Hub, Line, State, floors, publisher::Publisher, spread};
use crate::{
    actor::Origin,
    communities::Loaded,
    domain::{
        Member, Sight, Structure, View,
        change::Change,
        structure::seen::{SeenBy, spoken_of},
        view::{Compared, Diff},
    },
    store::{Committed, StoreError, Written, wire},
};

/// So many members are told at a time.
const AT_ONCE: usize = 128;
/// Others have their turn after so long.
pub(super) const MOMENT: Duration = Duration::from_millis(1);

impl Publisher {
    /// Brings a community up to date and tells those of its members who are connected. Whether it could.
    pub(super) async fn publish_community(
        &self,
        community: CommunityId,
        committed: &Committed,
    ) -> bool {
        if committed.changes.iter().any(ends) {
            self.ended.notify_one();
        }
        let is_over = |change: &Change| matches!(change, Change::CommunityEnds { .. });
        if committed.changes.iter().any(is_over) {
            self.community_ended(community, committed);
        } else if let Err(error) = self.community_moved(community, committed).await {
            tracing::error!(%error, community.id = %community, "members were not told of a change");
            self.close_off(community, committed.of(Log::Community(community)));
            return false;
        }
        true
    }

    /// What changed for the members was not found out: it is forgotten what was known, all watches end, and whoever is
    /// connected asks. With the next commit all of them are looked at again.
    fn close_off(&self, community: CommunityId, written: Option<&Written>) {
        let structure = self.communities.known_structure(community);
        self.communities.drop_community(community);
        let mut state = self.hub.state();
        let log = Log::Community(community);
        let told = state.told.get(&log).copied().unwrap_or_default();
        let rev = written.map_or_else(|| told.next(), |written| written.rev);
        let Some(gathering) = state.communities.get_mut(&community) else {
            return;
        };
        gathering.is_doubtful = true;
        let mut watched = BTreeSet::new();
        let mut lines = Vec::new();
        let gathering = &state.communities[&community];
        for (account, view) in &gathering.present {
            lines.extend(state.accounts.get(account).into_iter().flatten().cloned());
            watched.extend(state.watched_by(*account).into_iter().filter(|topic| {
                let is_there = |structure: &Arc<Structure>| structure.topics.contains_key(topic);
                view.has(*topic) || structure.as_ref().is_some_and(is_there)
            }));
        }
        for topic in watched {
            state.stale(Log::Topic(topic));
            state.end_watches(topic, None);
        }
        spread::stale(lines, log, rev, self.stale_over);
    }

    async fn community_moved(
        &self,
        community: CommunityId,
        committed: &Committed,
    ) -> Result<(), StoreError> {
        self.communities.follow(community, committed).await?;
        let mut news = News::of(committed, community);
        let (told, is_doubtful, is_late) = {
            let state = self.hub.state();
            let is_connected = |account: &AccountId| state.accounts.contains_key(account);
            // If nobody is connected, nobody on this node is concerned with it.
            if !state.communities.contains_key(&community) && !news.members.keys().any(is_connected)
            {
                return Ok(());
            }
            let gathering = state.communities.get(&community);
            // Whoever comes is told so in his own log; who has been there is present.
            let is_astray = |account: &AccountId| {
                is_connected(account)
                    && gathering.is_none_or(|it| !it.present.contains_key(account))
                    && committed.of(Log::Account(*account)).is_none()
            };
            let told = state.told.get(&Log::Community(community)).copied();
            (
                told,
                gathering.is_some_and(|gathering| gathering.is_doubtful),
                committed.logs.iter().any(|written| state.has_told(written))
                    || news.members.keys().any(is_astray),
            )
        };
        let Some(loaded) = self.communities.loaded(community).await? else {
            return Ok(());
        };
        if is_late {
            self.look_at_named(&loaded, &mut news).await?;
        }
        let is_beyond = |told: &Rev| {
            let written = news.written.as_ref();
            is_doubtful || written.is_some_and(|written| written.prev > *told)
        };
        if let Some(told) = told.filter(is_beyond) {
            news = self.missed(&loaded, told, news).await?;
            // Whoever was told to ask may have asked at any moment since.
            news.asks_all |= is_doubtful;
        }
        self.tell(&loaded, &news).await;
        Ok(())
    }

    /// Those whose membership a commit changed are looked at again: it was heard of before, or after what came later, and does
    /// not say how it is.
    async fn look_at_named(&self, loaded: &Loaded, news: &mut News<'_>) -> Result<(), StoreError> {
        let members = std::mem::take(&mut news.members).into_keys();
        let named: Vec<AccountId> = members.chain(std::mem::take(&mut news.gone)).collect();
        for member in self.communities.members_again(loaded, &named).await? {
            news.members.insert(member.account, member);
        }
        let is_gone = |account: &AccountId| !news.members.contains_key(account);
        news.gone = named.into_iter().filter(is_gone).collect();
        Ok(())
    }

    /// What members have to hear of if they were told of the community up to a rev only.
    async fn missed<'a>(
        &self,
        loaded: &Loaded,
        told: Rev,
        news: News<'a>,
    ) -> Result<News<'a>, StoreError> {
        let log = Log::Community(loaded.id);
        tracing::warn!(%log, since = %told, "what is missing is read from the store");
        let written = self.store.missed(log, told, limits::SYNC_ROWS).await?;
        let present: Vec<AccountId> = {
            let state = self.hub.state();
            let gathering = state.communities.get(&loaded.id);
            gathering.map_or_else(Vec::new, |it| it.present.keys().copied().collect())
        };
        let members = self.communities.members_again(loaded, &present).await?;
        let mut members: HashMap<_, _> = members
            .into_iter()
            .map(|member| (member.account, member))
            .collect();
        let is_gone = |account: &AccountId| !members.contains_key(account);
        let gone = present.into_iter().filter(is_gone).collect();
        for (account, member) in news.members {
            members.entry(account).or_insert(member);
        }
        Ok(News {
            is_mended: true,
            asks_all: written.is_none(),
            written: written.map(Cow::Owned),
            origin: Origin::SERVER,
            members,
            gone,
            ended: news.ended,
        })
    }

    /// Rows of an account's log were missing: what they say of its memberships is looked at again. If they cannot be read,
    /// all of its memberships are.
    pub(super) async fn look_at_memberships(&self, account: AccountId, written: Option<&Written>) {
        let communities = match written {
            Some(written) => {
                let rows = written.rows.iter().filter_map(|row| row.row.as_ref());
                let memberships = rows.filter(|row| row.body.kind() == "membership");
                memberships.filter_map(|row| row.id.parse().ok()).collect()
            }
            None => self.hub.communities_of(account),
        };
        for community in communities {
            if let Err(error) = self.look_at_membership(account, community).await {
                tracing::error!(%error, %community, "a membership was not looked at again");
                self.close_off(community, None);
            }
        }
    }

    async fn look_at_membership(
        &self,
        account: AccountId,
        community: CommunityId,
    ) -> Result<(), StoreError> {
        let Some(loaded) = self.communities.loaded(community).await? else {
            return Ok(());
        };
        let found = self.communities.members_again(&loaded, &[account]).await?;
        let mut news = News::default();
        match found.into_iter().next() {
            Some(member) => drop(news.members.insert(account, member)),
            None => news.gone.push(account),
        }
        self.tell(&loaded, &news).await;
        Ok(())
    }

    async fn tell(&self, loaded: &Arc<Loaded>, news: &News<'_>) {
        self.welcome(loaded, &news.members);
        let refloored = self.tell_members(loaded, news).await;
        floors::look(self, loaded.id, refloored).await;
    }

    /// Accounts that became members while they are connected.
    fn welcome(&self, loaded: &Arc<Loaded>, members: &HashMap<AccountId, Member>) {
        let structure = loaded.structure();
        for (account, member) in members {
            let lines = {
                let state = self.hub.state();
                let gathering = state.communities.get(&loaded.id);
                if gathering.is_some_and(|gathering| gathering.present.contains_key(account)) {
                    continue;
                }
                state.accounts.get(account).cloned().unwrap_or_default()
            };
            let view = View::of(structure.clone(), member.clone());
            self.hub.present(loaded, view, self.clock.now());
            for line in lines {
                line.stale(structure.log(), structure.rev);
            }
        }
    }

    fn community_ended(&self, community: CommunityId, committed: &Committed) {
        self.communities.drop_community(community);
        let log = Log::Community(community);
        let rev = committed.of(log).map(|written| written.rev);
        let mut state = self.hub.state();
        for topic in ended_topics(committed) {
            state.end_watches(topic, None);
        }
        let mut told = Vec::new();
        if let Some(gathering) = state.ends(community) {
            for account in gathering.present.keys() {
                told.extend(state.accounts.get(account).into_iter().flatten().cloned());
            }
        }
        spread::stale(told, log, rev.unwrap_or_default(), self.stale_over);
    }

    /// Tells everybody who is connected what changed for him, some at a time, so that others come to the hub in between.
    /// Watched topics that a member reads from another place now.
    async fn tell_members(
        &self,
        loaded: &Arc<Loaded>,
        news: &News<'_>,
    ) -> Vec<(AccountId, TopicId)> {
        let after = loaded.structure();
        let mut telling = Telling::of(news, &after);
        let Some(accounts) = telling.begins(&mut self.hub.state(), loaded) else {
            return Vec::new();
        };
        telling.goes_through(&self.hub, &accounts).await;
        tracing::debug!(
            community.id = %loaded.id,
            members = accounts.len(),
            looks = telling.compared.looks(),
            frames = telling.frames.len(),
            "members have another view of a community"
        );
        let Telling {
            asking, refloored, ..
        } = telling;
        spread::stale(asking, after.log(), after.rev, self.stale_over);
        let mut state = self.hub.state();
        for topic in &news.ended {
            state.end_watches(*topic, None);
        }
        let told = match &news.written {
            Some(written) => written.rev,
            // Whoever asks learns all of it.
            None if news.asks_all => after.rev,
            None => Rev::ZERO,
        };
        if state.communities.contains_key(&loaded.id) {
            state.tell(after.log(), told);
        }
        refloored
    }
}

/// What the members of a community have to hear of.
#[derive(Default)]
struct News<'a> {
    /// What was written to the community's log.
    written: Option<Cow<'a, Written>>,
    /// Who wrote it, and was answered with it.
    origin: Origin,
    /// Members as they are now, those who came among them.
    members: HashMap<AccountId, Member>,
    /// Those who are members no more.
    gone: Vec<AccountId>,
    /// Topics that ended.
    ended: Vec<TopicId>,
    /// More was written than can be told: everybody asks.
    asks_all: bool,
    /// It was read from the store: there may have been more than one commit.
    is_mended: bool,
}

impl<'a> News<'a> {
    fn of(committed: &'a Committed, community: CommunityId) -> Self {
        let mut news = Self {
            written: committed.of(Log::Community(community)).map(Cow::Borrowed),
            origin: committed.origin,
            ended: ended_topics(committed).collect(),
            ..Self::default()
        };
        for change in &committed.changes {
            if let Change::Member { member, .. } = change {
                news.members.insert(member.account, member.clone());
            } else if let Change::MemberGone { account, .. } = change {
                news.gone.push(*account);
            }
        }
        news
    }

    /// Whether nobody else can see the community otherwise.
    const fn concerns_only_the_named(&self) -> bool {
        self.written.is_none() && !self.asks_all && !self.is_mended
    }

    /// Whether more than one commit may lie between two views.
    fn leaps(&self, before: &View, after: &View) -> bool {
        let is_next =
            |written: &Cow<'_, Written>| before.rev() >= written.prev && after.rev() == written.rev;
        self.is_mended || before.rev() != after.rev() && !self.written.as_ref().is_some_and(is_next)
    }
}

/// The telling of news to the members of a community who are connected.
struct Telling<'a> {
    news: &'a News<'a>,
    after: &'a Arc<Structure>,
    /// The topics that the rows speak of.
    spoken_of: Vec<TopicId>,
    /// The rows by what it hangs on how they are seen. A sight is held, so that nothing else gets its name.
    frames: HashMap<SeenBy, (Arc<Sight>, Utf8Bytes)>,
    compared: Compared,
    /// What those see who are told next, which is found out before.
    seen: Vec<Arc<Sight>>,
    /// Sessions that have to ask for the community anew.
    asking: Vec<Arc<Line>>,
    /// Watches that end.
    hidden: Vec<(AccountId, TopicId)>,
    /// Watches that go on from another place.
    refloored: Vec<(AccountId, TopicId)>,
}

impl<'a> Telling<'a> {
    fn of(news: &'a News<'a>, after: &'a Arc<Structure>) -> Self {
        let written = news.written.as_ref().map(|it| &it.rows);
        let rows = written.into_iter().flatten();
        Self {
            news,
            after,
            spoken_of: spoken_of(rows.filter_map(|row| row.row.as_ref())),
            frames: HashMap::new(),
            compared: Compared::default(),
            seen: Vec::new(),
            asking: Vec::new(),
            hidden: Vec::new(),
            refloored: Vec::new(),
        }
    }

    /// Tells members, some at a time.
    async fn goes_through(&mut self, hub: &Hub, accounts: &[AccountId]) {
        for some in accounts.chunks(AT_ONCE) {
            self.looks_ahead(hub, some).await;
            {
                let mut state = hub.state();
                for account in some {
                    self.moves_on(&mut state, *account);
                }
                self.end_hidden(&mut state);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Who is no member any more hears of it; the accounts that the others have to be told of, if anybody is connected.
    fn begins(&mut self, state: &mut State, loaded: &Arc<Loaded>) -> Option<Vec<AccountId>> {
        let news = self.news;
        let gathering = state.communities.get_mut(&loaded.id)?;
        gathering.loaded = loaded.clone();
        gathering.is_doubtful &= !news.is_mended;
        // There may be more members, or fewer.
        state.stirred.insert(loaded.id);
        let gone = news.gone.iter();
        let gone: Vec<View> = gone
            .filter_map(|account| state.leaves(loaded.id, *account))
            .collect();
        let accounts = match state.communities.get(&loaded.id) {
            Some(gathering) if news.concerns_only_the_named() => {
                let named = news.members.keys().copied();
                let is_present = |account: &AccountId| gathering.present.contains_key(account);
                named.filter(is_present).collect()
            }
            Some(gathering) => gathering.present.keys().copied().collect(),
            None => Vec::new(),
        };
        for view in gone {
            self.goes(state, &view);
        }
        self.end_hidden(state);
        Some(accounts)
    }

    /// Finds out what some members see, and how that differs from what they saw, while nobody waits for the hub: of a kind
    /// of member that is not known yet it takes as long as there are topics, of the others as long as they have seats.
    async fn looks_ahead(&mut self, hub: &Hub, accounts: &[AccountId]) {
        let views: Vec<View> = {
            let state = hub.state();
            let gathering = state.communities.get(&self.after.id);
            let present = |account| gathering?.present.get(account).cloned();
            accounts.iter().filter_map(present).collect()
        };
        self.seen.clear();
        let mut begun = Instant::now();
        for view in views {
            let next = self.next(&view);
            let diff = view.diff(&next, &[], &mut self.compared);
            if !self.asks(&diff) {
                self.encode(&next.sight);
            }
            self.seen.push(next.sight);
            if begun.elapsed() >= MOMENT {
                tokio::task::yield_now().await;
                begun = Instant::now();
            }
        }
    }

    /// Whether whoever has another view by this asks for it.
    fn asks(&self, diff: &Diff) -> bool {
        diff.is_other || self.news.asks_all
    }

    /// The rows as they are seen so.
    fn encode(&mut self, sight: &Arc<Sight>) {
        if let Some(written) = &self.news.written {
            let frame = self.frames.entry(SeenBy::of(sight, &self.spoken_of));
            frame.or_insert_with(|| (sight.clone(), seen_frame(self.after, sight, written)));
        }
    }

    /// A member's view after this.
    fn next(&self, view: &View) -> View {
        let named = self.news.members.get(&view.member.account);
        // What comes late is of a member as he was.
        let named = named.filter(|named| named.rev >= view.member.rev);
        let member = named.unwrap_or(&view.member);
        View::of(self.after.clone(), member.clone())
    }

    /// A member's view is brought up to date, if he is connected still.
    fn moves_on(&mut self, state: &mut State, account: AccountId) {
        let watched = state.watched_by(account);
        let gathering = state.communities.get_mut(&self.after.id);
        let Some(view) = gathering.and_then(|it| it.present.get_mut(&account)) else {
            return;
        };
        let next = self.next(view);
        let before = std::mem::replace(view, next.clone());
        let mut diff = before.diff(&next, &watched, &mut self.compared);
        let is_named = self.news.members.contains_key(&account);
        if is_named || self.news.leaps(&before, &next) {
            // A watch may rest on what was between the two.
            let here = before.watched_here(self.after, &watched).copied();
            let seen = here.filter(|topic| next.sight.sees(*topic));
            diff.refloored = seen.collect();
        }
        for topic in &diff.refloored {
            state.seek(account, *topic);
        }
        self.differs(state, &next, diff);
    }

    /// Watches of what is hidden end.
    fn end_hidden(&mut self, state: &mut State) {
        for (account, topic) in self.hidden.drain(..) {
            state.end_watches(topic, Some(account));
        }
    }

    /// Somebody is no member any more.
    fn goes(&mut self, state: &State, view: &View) {
        let account = view.member.account;
        for line in state.accounts.get(&account).into_iter().flatten() {
            line.stale(self.after.log(), self.after.rev);
        }
        let watched = state.watched_by(account);
        let here = view.watched_here(self.after, &watched);
        self.hidden.extend(here.map(|topic| (account, *topic)));
    }

    /// A member has another view.
    fn differs(&mut self, state: &State, view: &View, diff: Diff) {
        let account = view.member.account;
        let asks = self.asks(&diff);
        let of_his = |topic| (account, topic);
        self.hidden.extend(diff.hidden.into_iter().map(of_his));
        self.refloored
            .extend(diff.refloored.into_iter().map(of_his));
        let lines = state.accounts.get(&account).into_iter().flatten();
        let Some(written) = self.news.written.as_ref().filter(|_| !asks) else {
            if asks {
                self.asking.extend(lines.cloned());
            }
            return;
        };
        let frame = self.frames.get(&SeenBy::of(&view.sight, &self.spoken_of));
        for line in lines.filter(|line| line.actor.origin != self.news.origin) {
            match frame {
                Some((_, frame)) => line.push(frame.clone(), written.log, written.rev),
                // He sees it otherwise than a moment ago: nothing is encoded while others wait.
                None => self.asking.push(line.clone()),
            }
        }
    }
}

fn ended_topics(committed: &Committed) -> impl Iterator<Item = TopicId> + '_ {
    committed.changes.iter().filter_map(|change| {
        if let Change::TopicEnds { topic, .. } = change {
            Some(*topic)
        } else {
            None
        }
    })
}

/// Whether a change leaves something to be removed.
fn ends(change: &Change) -> bool {
    change.ended_group().is_some()
        || matches!(
            change,
            Change::TopicEnds { .. } | Change::CommunityEnds { .. }
        )
}

/// The rows of a community as a kind of member sees them.
fn seen_frame(structure: &Structure, sight: &Sight, written: &Written) -> Utf8Bytes {
    let rows = written.rows.iter().filter_map(|row| row.row.as_ref());
    wire::pushed_frame(Pushed::Push(Push {
        log: written.log,
        prev: written.prev,
        rev: written.rev,
        rows: structure.written_as_seen(sight, rows),
        authors: Vec::new(),
    }))
    .into()
}
