//! Ids that came back from the window. One that it made up names nothing.

use tulou_protocol::{CommunityId, TopicId};

use crate::error::Error;

/// The id of a community.
pub fn community_id(text: &str) -> Result<CommunityId, Error> {
    text.parse().map_err(|_| Error::NotFound("the community"))
}

/// The id of a topic.
pub fn topic_id(text: &str) -> Result<TopicId, Error> {
    text.parse().map_err(|_| Error::NotFound("the topic"))
}
