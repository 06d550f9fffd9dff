//! A server's folder with a large community in it, as after years: written through the server's own store, so that what
//! is measured is what the server made.

use std::{path::Path, sync::Arc};

use anyhow::{Result, bail};
use futures_util::{StreamExt, stream::FuturesUnordered};
use sha2::{Digest, Sha256};
use tulou_protocol::{
    AccountId, Body, CommunityId, GroupId, Log, MemberGroupId, MessageId, Permissions, Rev,
    SessionId, TopicId,
    permission::Place,
    row::{AccessRow, Community, Group, Join, MemberGroup, Membership, Topic},
};
use tulou_server::{
    domain::{
        Member, Reader,
        change::{Change, Sent},
    },
    store::{Accounts, Commit, NewAccount, NewSession, Nowhere, Outcome, Store, sqlite::Sqlite},
};
use uuid::Uuid;

/// Kinds of members: each is in one member group, which does not see every topic.
const KINDS: usize = 20;
/// Topics of a group.
const PER_GROUP: usize = 100;
/// Changes written in one commit.
const BATCH: usize = 2_000;
/// Messages in each topic: to whoever joins they count as read.
const MESSAGES: usize = 3;
/// Accounts that are made at the same time.
const AT_ONCE: usize = 200;

/// In place of a hash: no password fits it.
const NO_PASSWORD: &str = "none";

/// How large it is.
pub struct Size {
    /// Members but for the owner.
    pub members: usize,
    /// Accounts that have not joined yet.
    pub strangers: usize,
    /// Topics.
    pub topics: usize,
    /// Those of them that are closed. Each member has seats in two, and hardly anybody has the same ones as another.
    pub closed: usize,
    /// Access rows that were taken back.
    pub tombstones: usize,
}

/// What was made.
pub struct Crowd {
    /// The community.
    pub community: CommunityId,
    /// The token of its owner.
    pub owner: String,
    /// The tokens of its members.
    pub members: Vec<String>,
    /// The tokens of those who have not joined yet.
    pub strangers: Vec<String>,
    topics: Vec<TopicId>,
    /// So many of them, the first ones, are open.
    open: usize,
    groups: Vec<GroupId>,
}

impl Crowd {
    /// A topic that a member sees.
    pub fn seen_by(&self, member: usize) -> TopicId {
        // The topic of the same number is hidden from his kind.
        self.topics[(member + 1) % self.open]
    }

    /// The closed topics in which a member has a seat.
    fn seats(&self, member: usize) -> Vec<TopicId> {
        let closed = &self.topics[self.open..];
        if closed.is_empty() {
            return Vec::new();
        }
        let (first, lap) = (member % closed.len(), member / closed.len());
        let second = (first + 1 + lap) % closed.len();
        vec![closed[first], closed[second]]
    }

    /// A group with topics that everybody sees some of.
    pub fn group(&self) -> GroupId {
        self.groups[0]
    }
}

/// Makes the store in a folder that has none yet.
pub async fn fill(data: &Path, size: &Size) -> Result<Crowd> {
    let store = Sqlite::open(data, Arc::new(Nowhere))?;
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)?
            .as_millis(),
    )?;
    let owner = account(&store, "owner".into(), now).await?;
    let members = accounts(&store, "member", size.members, now).await?;
    let strangers = accounts(&store, "stranger", size.strangers, now).await?;
    let crowd = Crowd {
        community: CommunityId(Uuid::now_v7()),
        owner: owner.1,
        topics: ids(size.topics).map(TopicId).collect(),
        open: size.topics - size.closed,
        groups: ids(size.topics.div_ceil(PER_GROUP)).map(GroupId).collect(),
        members: members.iter().map(|(_, token)| token.clone()).collect(),
        strangers: strangers.into_iter().map(|(_, token)| token).collect(),
    };
    let mut changes = structure(&crowd, owner.0, size, now);
    let kinds: Vec<MemberGroupId> = ids(KINDS).map(MemberGroupId).collect();
    changes.extend(access(&crowd, &kinds, size.tombstones));
    changes.extend(joins(&crowd, owner.0, None, now));
    for (at, (account, _)) in members.iter().enumerate() {
        changes.extend(joins(&crowd, *account, Some(kinds[at % KINDS]), now));
        let seats = crowd.seats(at).into_iter();
        changes.extend(seats.map(|topic| Change::Seat {
            community: crowd.community,
            topic,
            account: *account,
            since: Some(now),
        }));
    }
    for batch in changes.chunks(BATCH) {
        let commit = Commit::of_server(owner.0, now, batch.to_vec());
        match store.commit(commit).await? {
            Outcome::Done(_) => {}
            other @ (Outcome::Repeat(_) | Outcome::Conflict | Outcome::Refused(_)) => {
                bail!("the community was not made: {other:?}")
            }
        }
    }
    store.close().await?;
    Ok(crowd)
}

fn ids(count: usize) -> impl Iterator<Item = Uuid> {
    std::iter::repeat_with(Uuid::now_v7).take(count)
}

async fn accounts(
    store: &Sqlite,
    word: &str,
    count: usize,
    now: i64,
) -> Result<Vec<(AccountId, String)>> {
    let mut made = Vec::with_capacity(count);
    let mut making = FuturesUnordered::new();
    for number in 0..count {
        making.push(account(store, format!("{word}-{number}"), now));
        if making.len() == AT_ONCE {
            made.extend(making.next().await.transpose()?);
        }
    }
    while let Some(account) = making.next().await {
        made.push(account?);
    }
    Ok(made)
}

/// An account that is signed in.
async fn account(store: &Sqlite, name: String, now: i64) -> Result<(AccountId, String)> {
    let id = AccountId(Uuid::now_v7());
    let account = NewAccount {
        id,
        display_name: name.clone(),
        name: name.clone(),
        password: NO_PASSWORD.to_owned(),
        codes: Vec::new(),
        unless_first: None,
        invite: None,
        now,
    };
    store
        .create_account(account)
        .await?
        .map_err(|no| anyhow::anyhow!("the account was not made: {}", no.key()))?;
    let session = NewSession {
        session: SessionId(Uuid::now_v7()),
        account: id,
        token: Sha256::digest(name.as_bytes()).into(),
        password: NO_PASSWORD.to_owned(),
        device: String::new(),
        address: String::new(),
        now,
    };
    if store.create_session(session).await?.is_none() {
        bail!("{name} could not be signed in");
    }
    Ok((id, name))
}

fn structure(crowd: &Crowd, owner: AccountId, size: &Size, now: i64) -> Vec<Change> {
    let community = crowd.community;
    let mut changes = vec![row(
        community,
        community.to_string(),
        Community {
            name: "bench".into(),
            introduction: String::new(),
            owner,
            join: Join::Invite,
            recall_window_ms: 0,
            edit_window_ms: None,
            created_at: now,
            more: Default::default(),
        },
    )];
    for (at, group) in crowd.groups.iter().enumerate() {
        let body = Group {
            name: format!("group {at}"),
            position: format!("{at:06}1"),
            more: Default::default(),
        };
        changes.push(row(community, group.to_string(), body));
    }
    let mut no = 0;
    for (at, topic) in crowd.topics.iter().enumerate() {
        no += 1;
        let body = Topic {
            group: crowd.groups[at / PER_GROUP],
            name: format!("topic {at}"),
            introduction: String::new(),
            closed: at >= crowd.open,
            position: format!("{at:06}1"),
            no,
            more: Default::default(),
        };
        changes.push(row(community, topic.to_string(), body));
        changes.push(Change::TopicBegins {
            community,
            topic: *topic,
        });
        changes.extend((0..MESSAGES).map(|at| sent(*topic, owner, at, now)));
    }
    changes.push(Change::Numbered {
        community,
        last: no,
    });
    debug_assert_eq!(crowd.topics.len(), size.topics);
    changes
}

fn sent(topic: TopicId, author: AccountId, at: usize, now: i64) -> Change {
    Change::Send(Box::new(Sent {
        topic,
        message: MessageId(Uuid::now_v7()),
        author,
        author_rev: Rev(1),
        text: format!("message {at}"),
        reply_to: None,
        written_at: None,
        mentions: Vec::new(),
        wide: Vec::new(),
        reader: Reader {
            since: now,
            has_history: true,
        },
    }))
}

/// Everyone has what he has in a new community. Each topic is hidden from one kind of members; other rows were there once
/// and were taken back.
fn access(crowd: &Crowd, kinds: &[MemberGroupId], tombstones: usize) -> Vec<Change> {
    let community = crowd.community;
    let put = |place, member_group, allow, deny| {
        let body = AccessRow {
            place,
            member_group,
            allow,
            deny,
            more: Default::default(),
        };
        row(community, AccessRow::id(place, member_group), body)
    };
    let mut changes = vec![put(
        Place::Community,
        None,
        Permissions::NEW_COMMUNITY,
        Permissions::empty(),
    )];
    for (at, id) in kinds.iter().enumerate() {
        let body = MemberGroup {
            name: format!("kind {at}"),
            rank: format!("{at:06}1"),
            shown: false,
            tagged: false,
            more: Default::default(),
        };
        changes.push(row(community, id.to_string(), body));
    }
    for (at, topic) in crowd.topics.iter().enumerate() {
        let place = Place::Topic(*topic);
        let hidden_from = Some(kinds[at % KINDS]);
        changes.push(put(
            place,
            hidden_from,
            Permissions::empty(),
            Permissions::VIEW,
        ));
    }
    let others = crowd.topics.iter().enumerate().flat_map(|(at, topic)| {
        let others = (1..KINDS).map(move |next| kinds[(at + next) % KINDS]);
        others.map(|kind| (Place::Topic(*topic), Some(kind)))
    });
    let gone: Vec<_> = others.take(tombstones).collect();
    for (place, kind) in &gone {
        changes.push(put(*place, *kind, Permissions::PIN, Permissions::empty()));
    }
    for (place, kind) in gone {
        let id = AccessRow::id(place, kind);
        changes.push(row(community, id, Body::Deleted("access".into())));
    }
    changes
}

fn joins(crowd: &Crowd, account: AccountId, kind: Option<MemberGroupId>, now: i64) -> [Change; 2] {
    let community = crowd.community;
    [
        Change::Member {
            community,
            member: Member {
                account,
                joined_at: now,
                member_groups: kind.into_iter().collect(),
                rev: Rev::ZERO,
            },
        },
        Change::Row {
            log: Log::Account(account),
            id: community.to_string(),
            body: Membership {
                community,
                joined_at: now,
                more: Default::default(),
            }
            .into(),
        },
    ]
}

fn row(community: CommunityId, id: String, body: impl Into<Body>) -> Change {
    Change::Row {
        log: Log::Community(community),
        id,
        body: body.into(),
    }
}
