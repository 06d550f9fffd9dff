//! Who is connected to another node is connected.

use std::time::Duration;

use tulou_protocol::{Digest, ServerFrame, SessionId, push::Pushed};

use super::*;
use crate::presence::elsewhere::Elsewhere;

const DEADLINE: Duration = Duration::from_secs(20);

/// A community of alice's, who is connected here, and bob, who is not.
struct House {
    app: App,
    elsewhere: Arc<Elsewhere>,
    alice: Arc<Line>,
    bob: AccountId,
    community: CommunityId,
    _folder: tempfile::TempDir,
}

impl House {
    async fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            digest_ms: 20,
            ..Config::default()
        };
        let (app, elsewhere) = Elsewhere::open(config).await;
        let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
        let (community, _) = found(&app, &alice).await;
        join(&app, &alice, &bob, community).await;
        app.hub().detach(&bob);
        let house = Self {
            app,
            elsewhere,
            alice,
            bob: bob.account(),
            community,
            _folder: folder,
        };
        house.hears_of(1).await;
        house
    }

    fn bob_comes(&self) {
        let session = SessionId(Uuid::now_v7());
        self.elsewhere.comes(self.bob, session, &[self.community]);
    }

    /// A digest tells alice that so many of both are connected.
    async fn hears_of(&self, online: u64) {
        let says = |frame: &str| {
            let told = ServerFrame::parse(frame).unwrap();
            matches!(told, ServerFrame::Pushed(Pushed::Digest(Digest { members: 2, online: told, .. })) if told == online)
        };
        let hears = async {
            while !self.alice.take().0.iter().any(|frame| says(frame)) {
                self.alice.woken().await;
            }
        };
        let heard = tokio::time::timeout(DEADLINE, hears).await;
        assert!(heard.is_ok(), "a digest says that {online} are connected");
    }
}

#[tokio::test]
async fn a_digest_counts_who_came_to_another_node_though_nothing_moved_on_this_one() {
    let house = House::build().await;
    house.bob_comes();
    house.hears_of(2).await;
    house.app.close().await;
}

#[tokio::test]
async fn heads_and_lists_of_members_count_who_is_connected_to_another_node() {
    let house = House::build().await;
    house.bob_comes();
    let ask = async |question| house.app.ask(&house.alice.actor, question).await.unwrap();
    let community = house.community;
    let heads = Question::CommunityHeads {
        community,
        since: 0,
        after: None,
    };
    let Told::Heads(heads) = ask(heads).await else {
        panic!("heads were asked for")
    };
    assert_eq!((heads.members, heads.online), (2, 2));
    let list = Question::MemberList {
        community,
        topic: None,
        seats_of: None,
        prefix: String::new(),
        accounts: Vec::new(),
        after: None,
        limit: 10,
    };
    let Told::Members(list) = ask(list).await else {
        panic!("members were asked for")
    };
    let members = list.sections.into_iter().flat_map(|one| one.members);
    let online: Vec<_> = members.map(|one| (one.account, one.online)).collect();
    assert!(online.contains(&(house.bob, true)), "{online:?}");
    house.app.close().await;
}
