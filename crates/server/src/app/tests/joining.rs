//! Who comes to a community that others wait for.

use std::time::Duration;

use futures_util::FutureExt;
use tulou_protocol::{Permissions, frame::Refusal, question::Told};

use super::{house::House, *};
use crate::app::execute::CommandAnswer;

/// Longer than refusing somebody takes, on any machine.
const DEADLINE: Duration = Duration::from_secs(10);

impl House {
    fn joins(&self, line: &Arc<Line>, invite: Option<&str>) -> impl Future<Output = CommandAnswer> {
        let command = Command::CommunityJoin {
            community: self.community,
            invite: invite.map(str::to_owned),
        };
        let commanded = Commanded {
            id: CommandId(Uuid::now_v7()),
            command,
        };
        let (app, line) = (self.app.clone(), line.clone());
        async move { app.begin(line.actor.clone(), commanded).await.await }
    }

    async fn invite(&self) -> String {
        let question = Question::InviteCreate {
            community: self.community,
            expires_at: None,
            max_uses: None,
        };
        match self.app.ask(&self.alice.actor, question).await {
            Ok(Told::Invite(invite)) => invite.code,
            other => panic!("{other:?}"),
        }
    }
}

fn code(answer: &CommandAnswer) -> Option<Code> {
    match answer {
        Err(Refusal::Rejected(rejection)) => Some(rejection.code),
        Ok(_) | Err(Refusal::Busy(_) | Refusal::Misunderstood(_)) => None,
    }
}

#[tokio::test]
async fn who_may_not_join_is_told_so_while_others_wait_for_the_community() {
    let house = House::build(Permissions::empty()).await;
    let carol = account(&house.app, "carol").await;
    let loaded = house.app.communities().loaded(house.community).await;
    let loaded = loaded.unwrap().unwrap();
    let others = loaded.turn.lock().await;
    for (line, invite, refused) in [
        (&carol, None, Code::InviteNeeded),
        (&carol, Some("guessed"), Code::InviteInvalid),
        (&house.bob, Some("guessed"), Code::Already),
    ] {
        let joining = tokio::time::timeout(DEADLINE, house.joins(line, invite)).await;
        let answered = joining.unwrap_or_else(|_| panic!("{refused:?} waits for the community"));
        assert_eq!(code(&answered), Some(refused));
    }
    drop(others);
    house.app.close().await;
}

#[tokio::test]
async fn who_may_join_is_let_in_by_what_holds_when_it_is_his_turn() {
    let house = House::build(Permissions::empty()).await;
    let invite = house.invite().await;
    for is_revoked in [false, true] {
        let line = account(&house.app, &format!("guest-{is_revoked}")).await;
        let loaded = house.app.communities().loaded(house.community).await;
        let loaded = loaded.unwrap().unwrap();
        let others = loaded.turn.lock().await;
        let mut joining = Box::pin(house.joins(&line, Some(&invite)));
        let stands_in_the_queue = async {
            let own = || house.app.turn_to_change(line.account());
            while own().now_or_never().is_some() {
                let answered = (&mut joining).now_or_never();
                assert!(answered.is_none(), "it is not his turn");
                tokio::task::yield_now().await;
            }
        };
        let stands = tokio::time::timeout(DEADLINE, stands_in_the_queue).await;
        assert!(stands.is_ok(), "he may come");
        if is_revoked {
            let question = Question::InviteRevoke {
                community: house.community,
                code: invite.clone(),
            };
            house.app.ask(&house.alice.actor, question).await.unwrap();
        }
        drop(others);
        let answered = joining.await;
        let refused = is_revoked.then_some(Code::InviteInvalid);
        assert_eq!(code(&answered), refused, "{answered:?}");
        assert_eq!(answered.is_ok(), !is_revoked);
    }
    house.app.close().await;
}

#[tokio::test]
async fn who_joined_is_answered_so_however_often_he_asks() {
    let house = House::build(Permissions::empty()).await;
    let invite = house.invite().await;
    let carol = account(&house.app, "carol").await;
    let commanded = Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::CommunityJoin {
            community: house.community,
            invite: Some(invite),
        },
    };
    let join = || house.app.begin(carol.actor.clone(), commanded.clone());
    let first = join().await.await.unwrap();
    assert_eq!(join().await.await.unwrap(), first, "it is the same command");
    house.app.close().await;
}
