//! The window's commands: each hands one wish to the client.

pub mod account;

pub mod backups;

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{State, WebviewWindow, ipc::Channel};
use tulou_client::{
    action::Action,
    view::{
        AccessView, AppView, BadgesView, Block, Change, CountsView, DraftView, EditInput,
        ExplanationView, InviteView, JumpView, LevelPlace, LevelView, MembersPart, MembersView,
        MentionedView, PersonView, Place, ReadMark, Relocation, RightsView, ServerPeek,
        SettingsPatch, SignedUp, Stretch, TimelineView, TreeView,
    },
};

use crate::{
    app::App,
    error::WindowError,
    input::{HostInput, HostingInput, JoinInput, Joined},
};

type Answer<T> = Result<T, WindowError>;

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, Deserialize, Type)]
#[serde(transparent)]
pub struct UnixMs(#[specta(type = specta_typescript::Number)] u64);

/// What was made.
#[derive(Debug, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// Its id; none when nothing was made.
    pub created: Option<String>,
}

/// Everything that the frame of the window shows.
#[tauri::command]
#[specta::specta]
pub async fn app_view(app: State<'_, App>) -> Answer<AppView> {
    app.view().await
}

/// Changes what the person set on this computer.
#[tauri::command]
#[specta::specta]
pub async fn set_settings(app: State<'_, App>, patch: SettingsPatch) -> Answer<()> {
    Ok(app.client().await?.set_settings(patch).await?)
}

/// Keeps where the window is, for the next start.
#[tauri::command]
#[specta::specta]
pub async fn set_place(app: State<'_, App>, place: Place) -> Answer<()> {
    Ok(app.client().await?.set_place(place).await?)
}

/// From here on the window hears which views are stale, in batches.
#[tauri::command]
#[specta::specta]
pub fn subscribe(
    app: State<'_, App>,
    window: WebviewWindow,
    channel: Channel<Vec<Change>>,
) -> Answer<()> {
    app.viewers.begin(window.label());
    app.controller
        .subscribe(Box::new(move |batch| channel.send(batch).is_ok()));
    Ok(())
}

/// What an invite link or an address leads to.
#[tauri::command]
#[specta::specta]
pub async fn peek(app: State<'_, App>, link: String) -> Answer<ServerPeek> {
    Ok(app.client().await?.peek(&link).await?)
}

/// Starts a server on this computer and registers its first account.
#[tauri::command]
#[specta::specta]
pub async fn host(app: State<'_, App>, input: HostInput) -> Answer<SignedUp> {
    app.host(input).await
}

/// Lets other computers reach the server on this computer, or keeps them out.
#[tauri::command]
#[specta::specta]
pub async fn let_others(app: State<'_, App>, input: HostingInput) -> Answer<()> {
    app.let_others(input).await
}

/// Tries again to start the server on this computer.
#[tauri::command]
#[specta::specta]
pub async fn start_hosting(app: State<'_, App>) -> Answer<()> {
    app.start_hosting().await
}

/// Goes on with an account at another address of its server; `key` is the one that the person decided to trust.
#[tauri::command]
#[specta::specta]
pub async fn relocate(
    app: State<'_, App>,
    account: String,
    link: String,
    key: Option<String>,
) -> Answer<Relocation> {
    Ok(app
        .client()
        .await?
        .relocate(&account, &link, key.as_deref())
        .await?)
}

/// Registers or signs in on the server of a link, and joins the community that it invites to.
#[tauri::command]
#[specta::specta]
pub async fn join(app: State<'_, App>, input: JoinInput) -> Answer<Joined> {
    app.join(input).await
}

/// Joins the community of a link with an account on its server.
#[tauri::command]
#[specta::specta]
pub async fn join_community(app: State<'_, App>, account: String, link: String) -> Answer<Place> {
    Ok(app.client().await?.join_link(&account, &link).await?)
}

/// The groups and topics of a community.
#[tauri::command]
#[specta::specta]
pub async fn tree_view(
    app: State<'_, App>,
    account: String,
    community: String,
) -> Answer<TreeView> {
    Ok(app.client().await?.tree_view(&account, &community).await?)
}

/// The topics of all communities of an account that can be opened.
#[tauri::command]
#[specta::specta]
pub async fn topics_view(app: State<'_, App>, account: String) -> Answer<Vec<JumpView>> {
    Ok(app.client().await?.topics_view(&account).await?)
}

/// The numbers of some topics of a community, and the sums above them.
#[tauri::command]
#[specta::specta]
pub async fn badges_view(
    app: State<'_, App>,
    account: String,
    community: String,
    topics: Vec<String>,
) -> Answer<BadgesView> {
    Ok(app
        .client()
        .await?
        .badges_view(&account, &community, &topics)
        .await?)
}

/// How many members a community has.
#[tauri::command]
#[specta::specta]
pub async fn counts_view(
    app: State<'_, App>,
    account: String,
    community: String,
) -> Answer<CountsView> {
    Ok(app
        .client()
        .await?
        .counts_view(&account, &community)
        .await?)
}

/// A stretch of a topic.
#[tauri::command]
#[specta::specta]
pub async fn timeline_view(
    app: State<'_, App>,
    window: WebviewWindow,
    account: String,
    topic: String,
    stretch: Stretch,
) -> Answer<TimelineView> {
    Ok(app
        .viewer(window.label())
        .await?
        .timeline_view(&account, &topic, stretch)
        .await?)
}

/// A text of a topic as a tree, whole.
#[tauri::command]
#[specta::specta]
pub async fn text_blocks(
    app: State<'_, App>,
    account: String,
    topic: String,
    text: String,
) -> Answer<Vec<Block>> {
    Ok(app
        .client()
        .await?
        .text_blocks(&account, &topic, text)
        .await?)
}

/// The topic is on screen: its rows come at once, and its divider stays where it is. The answer is what is shown first, so
/// that a window waits for one answer and not for two.
#[tauri::command]
#[specta::specta]
pub async fn enter_topic(
    app: State<'_, App>,
    window: WebviewWindow,
    account: String,
    topic: String,
    stretch: Stretch,
) -> Answer<TimelineView> {
    let viewer = app.viewer(window.label()).await?;
    viewer.enter_topic(&account, &topic).await?;
    Ok(viewer.timeline_view(&account, &topic, stretch).await?)
}

/// The person looks again at a topic that stayed on the screen.
#[tauri::command]
#[specta::specta]
pub async fn come_back(
    app: State<'_, App>,
    window: WebviewWindow,
    account: String,
    topic: String,
) -> Answer<()> {
    let viewer = app.viewer(window.label()).await?;
    Ok(viewer.come_back(&account, &topic).await?)
}

/// The topic has left the screen.
#[tauri::command]
#[specta::specta]
pub async fn leave_topic(
    app: State<'_, App>,
    window: WebviewWindow,
    account: String,
    topic: String,
) -> Answer<()> {
    let viewer = app.viewer(window.label()).await?;
    Ok(viewer.leave_topic(&account, &topic)?)
}

/// A part of the members of each section, or of those whose name begins with `prefix`.
#[tauri::command]
#[specta::specta]
pub async fn members_view(
    app: State<'_, App>,
    account: String,
    community: String,
    topic: Option<String>,
    part: MembersPart,
) -> Answer<MembersView> {
    Ok(app
        .client()
        .await?
        .members_view(&account, &community, topic.as_deref(), part)
        .await?)
}

/// Whom a message may mention besides persons.
#[tauri::command]
#[specta::specta]
pub async fn many_view(
    app: State<'_, App>,
    account: String,
    topic: String,
) -> Answer<Vec<MentionedView>> {
    Ok(app.client().await?.many_view(&account, &topic).await?)
}

/// Members, each with whether he has a seat in a topic.
#[tauri::command]
#[specta::specta]
pub async fn seats_view(
    app: State<'_, App>,
    account: String,
    community: String,
    topic: String,
    only_seated: bool,
    part: MembersPart,
) -> Answer<MembersView> {
    Ok(app
        .client()
        .await?
        .seats_view(&account, &community, &topic, only_seated, part)
        .await?)
}

/// The table of rights of a member group.
#[tauri::command]
#[specta::specta]
pub async fn rights_view(
    app: State<'_, App>,
    account: String,
    community: String,
    member_group: String,
) -> Answer<RightsView> {
    Ok(app
        .client()
        .await?
        .rights_view(&account, &community, &member_group)
        .await?)
}

/// Member groups.
#[tauri::command]
#[specta::specta]
pub async fn access_view(
    app: State<'_, App>,
    account: String,
    community: String,
) -> Answer<AccessView> {
    Ok(app
        .client()
        .await?
        .access_view(&account, &community)
        .await?)
}

/// The notification level of a place, and who decides it.
#[tauri::command]
#[specta::specta]
pub async fn level_view(
    app: State<'_, App>,
    account: String,
    place: LevelPlace,
) -> Answer<LevelView> {
    Ok(app.client().await?.level_view(&account, place).await?)
}

/// Why a member holds each permission or not.
#[tauri::command]
#[specta::specta]
pub async fn explain(
    app: State<'_, App>,
    account: String,
    community: String,
    topic: Option<String>,
    member: String,
) -> Answer<ExplanationView> {
    Ok(app
        .client()
        .await?
        .explain(&account, &community, topic.as_deref(), &member)
        .await?)
}

/// What is known of a person: at once, or, if `asks`, as the server says.
#[tauri::command]
#[specta::specta]
pub async fn person_view(
    app: State<'_, App>,
    account: String,
    community: String,
    topic: Option<String>,
    person: String,
    asks: bool,
) -> Answer<PersonView> {
    Ok(app
        .client()
        .await?
        .person_view(&account, &community, topic.as_deref(), &person, asks)
        .await?)
}

/// The invite links of a community.
#[tauri::command]
#[specta::specta]
pub async fn invites_view(
    app: State<'_, App>,
    account: String,
    community: String,
) -> Answer<Vec<InviteView>> {
    Ok(app
        .client()
        .await?
        .invites_view(&account, &community)
        .await?)
}

/// Makes an invite link.
#[tauri::command]
#[specta::specta]
pub async fn create_invite(
    app: State<'_, App>,
    account: String,
    community: String,
    expires_in_s: Option<u32>,
    max_uses: Option<u32>,
) -> Answer<InviteView> {
    Ok(app
        .client()
        .await?
        .create_invite(&account, &community, expires_in_s, max_uses)
        .await?)
}

/// Makes an invite link my own.
#[tauri::command]
#[specta::specta]
pub async fn take_over_invite(
    app: State<'_, App>,
    account: String,
    community: String,
    code: String,
) -> Answer<InviteView> {
    Ok(app
        .client()
        .await?
        .take_over_invite(&account, &community, &code)
        .await?)
}

/// Ends an invite link.
#[tauri::command]
#[specta::specta]
pub async fn revoke_invite(
    app: State<'_, App>,
    account: String,
    community: String,
    code: String,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .revoke_invite(&account, &community, &code)
        .await?)
}

/// Does what a person wishes. It is durable when this answers, and on its way.
#[tauri::command]
#[specta::specta]
pub async fn submit(
    app: State<'_, App>,
    window: WebviewWindow,
    account: String,
    action: Action,
) -> Answer<Submitted> {
    // What a window asked for last is done, though it be gone by then.
    let created = match app.viewer(window.label()).await {
        Ok(viewer) => viewer.submit(&account, action).await?,
        Err(_) => app.client().await?.submit(&account, action).await?,
    };
    Ok(Submitted { created })
}

/// Marks as read what is unread at a place; what was marked, for taking it back.
#[tauri::command]
#[specta::specta]
pub async fn mark_read(
    app: State<'_, App>,
    account: String,
    place: LevelPlace,
) -> Answer<Vec<ReadMark>> {
    Ok(app.client().await?.mark_read(&account, place).await?)
}

/// Takes marking as read back.
#[tauri::command]
#[specta::specta]
pub async fn set_read(app: State<'_, App>, account: String, marks: Vec<ReadMark>) -> Answer<()> {
    Ok(app.client().await?.set_read(&account, marks).await?)
}

/// Keeps what is being written.
#[tauri::command]
#[specta::specta]
pub async fn save_draft(
    app: State<'_, App>,
    account: String,
    topic: String,
    draft: DraftView,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .save_draft(&account, &topic, draft)
        .await?)
}

/// Keeps an edit in progress; none: it is over.
#[tauri::command]
#[specta::specta]
pub async fn save_edit(
    app: State<'_, App>,
    account: String,
    topic: String,
    message: String,
    edit: Option<EditInput>,
) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .save_edit(&account, &topic, &message, edit)
        .await?)
}

/// Tries a refused command again.
#[tauri::command]
#[specta::specta]
pub async fn outbox_retry(app: State<'_, App>, account: String, command: String) -> Answer<()> {
    Ok(app.client().await?.outbox_retry(&account, &command).await?)
}

/// Gives a refused command up.
#[tauri::command]
#[specta::specta]
pub async fn outbox_discard(app: State<'_, App>, account: String, command: String) -> Answer<()> {
    Ok(app
        .client()
        .await?
        .outbox_discard(&account, &command)
        .await?)
}

/// Opens an address outside.
#[tauri::command]
#[specta::specta]
pub fn open_link(app: State<'_, App>, url: String) -> Answer<()> {
    Ok(app.controller.open(&url)?)
}

/// Opens the folder in which an account's history lies.
#[tauri::command]
#[specta::specta]
pub async fn open_store_folder(app: State<'_, App>, account: String) -> Answer<()> {
    let folder = app.client().await?.store_folder(&account)?;
    Ok(app.controller.open_folder(&folder)?)
}

/// The person has taken note of the damaged file that was set aside.
#[tauri::command]
#[specta::specta]
pub async fn forget_aside(app: State<'_, App>, account: String) -> Answer<()> {
    Ok(app.client().await?.forget_aside(&account).await?)
}

/// The person has taken note of the damaged list of accounts that was set aside.
#[tauri::command]
#[specta::specta]
pub async fn forget_list_aside(app: State<'_, App>) -> Answer<()> {
    Ok(app.client().await?.forget_list_aside().await?)
}

/// Opens the folder in which the list of accounts lies.
#[tauri::command]
#[specta::specta]
pub async fn open_list_folder(app: State<'_, App>) -> Answer<()> {
    let folder = app.client().await?.list_folder();
    Ok(app.controller.open_folder(&folder)?)
}

/// Does at once what waits for its time: looks again at histories that cannot be used, connects.
#[tauri::command]
#[specta::specta]
pub async fn hurry(app: State<'_, App>) -> Answer<()> {
    app.client().await?.hurry().await;
    Ok(())
}

/// Asks the system's keyring again for what it did not do: the person has unlocked it, or will.
#[tauri::command]
#[specta::specta]
pub async fn ask_keyring(app: State<'_, App>) -> Answer<()> {
    app.client().await?.ask_keyring().await;
    Ok(())
}

/// The rows of a topic are on the screen since `at_ms`; measurements read it in the log.
#[tauri::command]
#[specta::specta]
pub fn painted(topic: String, at_ms: UnixMs) -> Answer<()> {
    let UnixMs(at_ms) = at_ms;
    tracing::debug!(target: "tulou::painted", topic = topic, at_ms = at_ms, "painted");
    Ok(())
}
