//! What the frame of the window shows of one account.

use std::collections::HashSet;

use rusqlite::Connection as Db;
use tulou_protocol::{Body, CommunityId, Log};

use super::{
    names::{People, mentioned, mentioned_views, pending_name},
    rejected::{is_there, rejected},
    stranded::stranded,
};
use crate::{
    account::{Account, Snapshot},
    store::{
        Aside, StoreError, Trouble, lost, lost::LostIn, meta, outbox, places::community_of, rows,
    },
    view::{
        AccountView, AsideView, CommunityTile, LostView, MentionedView, StoreTrouble, StoreView,
    },
};

/// What the frame of the window shows of one account.
pub fn account(snapshot: &Snapshot<'_>) -> Result<AccountView, StoreError> {
    let (db, account) = (snapshot.db, snapshot.account);
    let outbox = outbox::all(db)?;
    let joined = snapshot.memberships()?;
    let mut communities = Vec::new();
    for id in &joined {
        // A membership whose community has not come yet has no tile yet.
        if let Some(shape) = snapshot.shape(*id)? {
            communities.push(CommunityTile {
                id: id.to_string(),
                name: shape.name.clone(),
                badge: snapshot.numbered(&shape, &[])?.whole,
                is_pending: shape.is_pending,
            });
        }
    }
    let coming = u32::try_from(joined.len() - communities.len()).unwrap_or(u32::MAX);
    let known = account.known();
    let connection = account.connection.borrow().clone();
    let mut view = AccountView {
        key: account.key.clone(),
        account_id: account.id.to_string(),
        name: account.name.clone(),
        display_name: account.name.clone(),
        server_name: known.server_name,
        address: account.address(),
        is_hosted_here: false,
        is_server_admin: false,
        connection,
        kept: account.kept(),
        store: store(account, meta::aside(db)?),
        disk: account.disk(),
        clock: account.clock(),
        ahead: account.ahead(),
        lost: lost_by_topic(db)?,
        waiting: outbox::waiting(db)?,
        rejected: Vec::new(),
        stranded: stranded(db, account.id, &joined, |topic| is_there(snapshot, topic))?,
        mentioned: Vec::new(),
        coming,
        communities,
    };
    let mine = rows::one(
        db,
        Log::Account(account.id),
        "profile",
        &account.id.to_string(),
    )?;
    if let Some(Body::Profile(profile)) = mine.map(|row| row.body) {
        view.name = profile.account_name;
        view.display_name = profile.display_name;
        view.is_server_admin = profile.server_admin;
    }
    if let Some(name) = pending_name(&outbox) {
        view.display_name = name;
    }
    if let Some(greeting) = meta::greeting(db)? {
        view.server_name = greeting.server_name;
    }
    for entry in &outbox {
        view.rejected.extend(rejected(snapshot, entry)?);
    }
    view.mentioned = mentioned_in(snapshot, &joined, &view)?;
    Ok(view)
}

/// The names of those whom texts mention that no composer and no timeline shows.
fn mentioned_in(
    snapshot: &Snapshot<'_>,
    joined: &[CommunityId],
    view: &AccountView,
) -> Result<Vec<MentionedView>, StoreError> {
    let rejected = view.rejected.iter().filter_map(|one| one.text.as_deref());
    let stranded = view.stranded.iter().map(|one| one.text.as_str());
    let texts: Vec<&str> = rejected.chain(stranded).collect();
    let mut accounts = HashSet::new();
    for text in &texts {
        mentioned(text, &mut accounts);
    }
    let people = People::load(snapshot.db, snapshot.as_of.me, None, &accounts)?;
    let mut shapes = Vec::new();
    if texts.iter().any(|text| text.contains("<@&")) {
        for community in joined {
            shapes.extend(snapshot.shape(*community)?);
        }
    }
    Ok(mentioned_views(texts.into_iter(), &people, |id| {
        let group = shapes.iter().find_map(|shape| shape.member_group(id))?;
        Some(group.name.clone())
    }))
}

/// Where messages of mine are offered that the server lost.
fn lost_by_topic(db: &Db) -> Result<Vec<LostView>, StoreError> {
    let mut views = Vec::new();
    for LostIn { topic, name, count } in lost::topics(db)? {
        views.push(LostView {
            topic: topic.to_string(),
            community: community_of(db, topic)?.map(|id| id.to_string()),
            name,
            count,
        });
    }
    Ok(views)
}

/// What is shown of an account whose store cannot be read.
pub fn shut(account: &Account) -> AccountView {
    let known = account.known();
    let connection = account.connection.borrow().clone();
    AccountView {
        key: account.key.clone(),
        account_id: account.id.to_string(),
        name: account.name.clone(),
        display_name: account.name.clone(),
        server_name: known.server_name,
        address: account.address(),
        is_hosted_here: false,
        is_server_admin: false,
        connection,
        kept: account.kept(),
        store: store(account, None),
        disk: account.disk(),
        clock: account.clock(),
        ahead: account.ahead(),
        lost: Vec::new(),
        waiting: 0,
        rejected: Vec::new(),
        stranded: Vec::new(),
        mentioned: Vec::new(),
        coming: 0,
        communities: Vec::new(),
    }
}

impl From<Trouble> for StoreTrouble {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::TooNew { .. } => Self::TooNew,
            Trouble::Damaged => Self::Damaged,
            Trouble::Locked => Self::Locked,
            Trouble::NoRights => Self::NoRights,
            Trouble::NoRoom => Self::NoRoom,
            Trouble::Unreadable => Self::Unreadable,
        }
    }
}

fn store(account: &Account, aside: Option<Aside>) -> StoreView {
    let trouble = *account.store.trouble().borrow();
    StoreView {
        file: account.store.path().to_string_lossy().into_owned(),
        trouble: trouble.map(StoreTrouble::from),
        aside: aside.map(|aside| AsideView {
            file: aside.file,
            folder: aside.folder,
            at: aside.at,
            commands: aside.commands,
            drafts: aside.drafts,
            is_whole: aside.is_whole,
        }),
    }
}
