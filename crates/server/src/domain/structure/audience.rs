//! Audiences: topics that the same people may see are one, and what moves in them is told to all of these together
//! (DESIGN §6).
//!
//! Open topics are seen by the same people if the access rows above them say the same of `View`, whatever else they say.
//! A closed topic is an audience of its own: two that have the same seats today have others tomorrow.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest, Sha256};
use tulou_protocol::TopicId;

use super::{
    Structure,
    rules::{Rules, Said},
    sight::{Sight, short},
};

/// Topics that the same people may see.
#[derive(Debug, Clone)]
pub struct Audience {
    /// Names it to those who may see them. It follows from what is said of `View`, or from the one closed topic: it says
    /// nothing of other topics, and stays while topics come and go.
    pub name: String,
    /// Those of its topics that were asked about, in order.
    pub topics: Vec<TopicId>,
    /// Whether it takes a seat.
    pub is_closed: bool,
    rules: Arc<Rules>,
}

/// How much of an audience's topics somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// All of them.
    All,
    /// Some. He sees another version of the community, in which they are not one audience.
    Some,
    /// None.
    Nothing,
}

impl Audience {
    /// How much of it somebody sees.
    #[must_use]
    pub fn heard_by(&self, sight: &Sight) -> Hears {
        // By the rules that it was made of, who sees one sees all.
        let looked_at = if sight.rests_on(&self.rules) {
            &self.topics[..1]
        } else {
            &self.topics
        };
        let seen = looked_at.iter().filter(|topic| sight.sees(**topic)).count();
        match seen {
            0 => Hears::Nothing,
            some if some < looked_at.len() => Hears::Some,
            _ => Hears::All,
        }
    }
}

impl Structure {
    /// The audiences of some topics, by name. Topics that are not there are left out.
    #[must_use]
    pub fn audiences(&self, topics: impl IntoIterator<Item = TopicId>) -> Vec<Audience> {
        let rules = self.rules();
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        let mut all: BTreeMap<String, Audience> = BTreeMap::new();
        for id in topics {
            let Some(topic) = rules.topic(id) else {
                continue;
            };
            let name = if topic.is_closed {
                let mut hash = Sha256::new();
                hash.update(b"seats");
                hash.update(id.as_bytes());
                short(hash)
            } else {
                let name = names.entry(topic.rule);
                name.or_insert_with(|| named(&rules.of_view(topic.rule)))
                    .clone()
            };
            let audience = all.entry(name).or_insert_with_key(|name| Audience {
                name: name.clone(),
                topics: Vec::new(),
                is_closed: topic.is_closed,
                rules: rules.clone(),
            });
            audience.topics.push(id);
        }
        let mut all: Vec<Audience> = all.into_values().collect();
        for audience in &mut all {
            audience.topics.sort_unstable();
            audience.topics.dedup();
        }
        all
    }
}

fn named(said: &[Vec<Said>]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"view");
    for at_place in said {
        for (member_group, is_allowed) in at_place {
            hash.update([1, u8::from(*is_allowed)]);
            match member_group {
                Some(id) => hash.update(id.as_bytes()),
                None => hash.update([0; 16]),
            }
        }
        hash.update([0]);
    }
    short(hash)
}
