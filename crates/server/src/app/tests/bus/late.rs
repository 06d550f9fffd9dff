//! Batches that come twice, or after those that were committed later.

use tulou_protocol::MemberGroupId;

use super::*;

impl House {
    /// Keeps back what is committed from here on.
    fn hold(&self) {
        *self.held.lock().unwrap() = Some(Vec::new());
    }

    /// Lets what was kept back go in another order, some of it twice.
    async fn let_go(&self, order: &[usize]) {
        let held = self.held.lock().unwrap().take().unwrap();
        assert_eq!(
            order.iter().max().map(|last| last + 1),
            Some(held.len()),
            "nothing is lost"
        );
        for at in order {
            let (bus, batch) = (self.bus.clone(), held[*at].clone());
            let publishing = tokio::task::spawn_blocking(move || bus.publish(batch));
            publishing.await.unwrap();
        }
        settled(&self.app).await;
    }

    async fn gives(&self, command: Command) {
        give(&self.app, &self.alice, command).await;
    }

    /// What somebody is told of when the community has another name.
    async fn renamed(&self, line: &Line, from: &str, to: &str) -> Vec<String> {
        let _ = self.hears(line).await;
        self.gives(self.rename(from, to)).await;
        rows(&self.hears(line).await, Log::Community(self.community))
    }
}

#[tokio::test]
async fn what_comes_twice_or_late_is_told_once_and_in_order() {
    for order in [
        &[0, 0, 1, 2, 3][..],
        &[0, 1, 0, 2, 1, 3],
        &[1, 0, 3, 2],
        &[3, 2, 1, 0],
        &[2, 3, 0, 1, 3],
    ] {
        let house = House::build().await;
        house.hold();
        for no in 1..=4 {
            house.says(no, "once").await;
        }
        house.let_go(order).await;
        house.says(5, "and on").await;
        let heard = house.hears(&house.bob).await;
        let ids = taken(&heard, Log::Topic(house.topic), Rev::ZERO);
        assert_eq!(ids, [1, 2, 3, 4, 5].map(message), "{order:?}");
        house.app.close().await;
    }
}

#[tokio::test]
async fn of_a_community_nothing_old_comes_back_with_what_comes_late() {
    for order in [&[2, 0, 1][..], &[0, 1, 2, 0], &[1, 2, 1, 0]] {
        let house = House::build().await;
        let log = Log::Community(house.community);
        let before = house.app.store().heads(vec![log]).await.unwrap()[0].unwrap();
        house.hold();
        for (from, to) in [("土楼", "围楼"), ("围楼", "方楼"), ("方楼", "圆楼")] {
            house.gives(house.rename(from, to)).await;
        }
        house.let_go(order).await;
        let structure = house.app.communities().known_structure(house.community);
        assert_eq!(structure.unwrap().community.body.name, "圆楼", "{order:?}");
        house.gives(house.rename("圆楼", "土楼")).await;
        let heard = house.hears(&house.bob).await;
        let ids = taken(&heard, log, before.rev);
        assert_eq!(ids.last(), Some(&house.community.to_string()));
        house.app.close().await;
    }
}

#[tokio::test]
async fn a_topic_that_is_hidden_stays_so_whatever_comes_late() {
    let (none, view) = (Permissions::empty(), Permissions::VIEW);
    for order in [&[2, 1, 0][..], &[0, 1, 2, 1], &[1, 2, 0]] {
        let house = House::build().await;
        house.hold();
        for (from, to) in [(none, view), (view, none), (none, view)] {
            house.gives(house.deny(from, to)).await;
        }
        house.let_go(order).await;
        house.says(1, "not for bob").await;
        let heard = house.hears(&house.bob).await;
        assert_eq!(rows(&heard, Log::Topic(house.topic)), [""; 0], "{order:?}");
        house.app.close().await;
    }
}

#[tokio::test]
async fn who_was_removed_is_not_put_back_by_what_comes_late() {
    for order in [&[1, 0][..], &[0, 1, 0]] {
        let house = House::build().await;
        let carol = account(&house.app, "carol").await;
        house.hold();
        house.join(&carol).await;
        house.gives(house.kick(&carol)).await;
        house.let_go(order).await;
        let told = house.renamed(&carol, "土楼", "围楼").await;
        assert_eq!(told, [""; 0], "{order:?}");
        let communities = house.app.hub().communities_of(carol.account());
        assert_eq!(communities, [], "{order:?}");
        house.app.close().await;
    }
}

#[tokio::test]
async fn who_came_back_is_not_removed_by_what_comes_late() {
    for order in [&[1, 0][..], &[0, 1, 0]] {
        let house = House::build().await;
        let carol = house.comes("carol").await;
        house.hold();
        house.gives(house.kick(&carol)).await;
        house.join(&carol).await;
        house.let_go(order).await;
        let told = house.renamed(&carol, "土楼", "围楼").await;
        assert_eq!(told, [house.community.to_string()], "{order:?}");
        house.app.close().await;
    }
}

#[tokio::test]
async fn a_member_stands_as_he_did_last_whatever_comes_late() {
    for (kicks, order) in [
        (false, &[1, 0][..]),
        (false, &[0, 1, 0]),
        (true, &[1, 0]),
        (true, &[0, 1, 0]),
    ] {
        let house = House::build().await;
        let carol = house.comes("carol").await;
        let (community, member_group) = (house.community, MemberGroupId(Uuid::now_v7()));
        house
            .gives(Command::MemberGroupCreate {
                community,
                member_group,
                name: "木匠".to_owned(),
                rank: "80".to_owned(),
                shown: false,
                tagged: false,
            })
            .await;
        let assign = |on| Command::MemberGroupAssign {
            community,
            member_group,
            account: carol.account(),
            on,
        };
        house.hold();
        house.gives(assign(true)).await;
        if kicks {
            house.gives(house.kick(&carol)).await;
        } else {
            house.gives(assign(false)).await;
        }
        house.let_go(order).await;
        let held = {
            let state = house.app.hub().state();
            let present = &state.communities[&community].present;
            let view = present.get(&carol.account());
            view.map(|view| view.member.member_groups.clone())
        };
        let expected = (!kicks).then(Vec::new);
        assert_eq!(held, expected, "kicked: {kicks}, {order:?}");
        house.app.close().await;
    }
}
