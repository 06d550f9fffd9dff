//! What the gateway answers at, and what the documents say of it.

use std::collections::BTreeSet;

use tulou_protocol::openapi::DOORS;

/// The routes as they stand in the source: there is no way to ask a router for them.
fn routed() -> BTreeSet<(String, String)> {
    let source = [include_str!("../gateway.rs"), include_str!("accounts.rs")].concat();
    let mut routed = BTreeSet::new();
    for rest in source.split(".route(").skip(1) {
        let mut parts = rest.split('"');
        let path = parts.nth(1).unwrap().to_owned();
        let line = parts.next().unwrap().split(".route(").next().unwrap();
        let line = line.split("\n        .").next().unwrap();
        for method in ["get", "post", "put", "delete", "patch"] {
            if line.contains(&format!("{method}(")) {
                routed.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    routed
}

#[test]
fn the_description_of_the_doors_has_every_route_and_no_other() {
    let described: BTreeSet<(String, String)> = DOORS
        .iter()
        .map(|door| (door.method.to_owned(), door.path.to_owned()))
        .collect();
    assert_eq!(described, routed(), "add it to `tulou_protocol::openapi`");
}
