//! What questions come to, and how they are refused.

use tulou_protocol::{Code, Rejection, frame::Refusal, question::Told};

use super::App;
use crate::store::StoreError;

/// What a question comes to.
pub type QuestionAnswer = Result<Told, Refusal>;

pub fn broken(error: StoreError) -> Refusal {
    App::broken(&error)
}

pub fn no(code: Code) -> Refusal {
    Refusal::Rejected(Rejection::new(code))
}

/// What is not there, or may not be known to.
pub fn missing(field: &str) -> Refusal {
    Refusal::Rejected(Code::NotFound.at(field))
}

/// Refuses a list that is too long: what is left out silently is missed later.
pub fn at_most<T>(limit: usize, list: &[T], field: &str) -> Result<(), Refusal> {
    if list.len() <= limit {
        return Ok(());
    }
    Err(Refusal::Rejected(
        Rejection::limit(Code::TooMany, limit).at(field),
    ))
}

pub fn unwritten(error: &serde_json::Error) -> Refusal {
    tracing::error!(%error, "an answer could not be written");
    Refusal::Misunderstood(tulou_protocol::frame::INTERNAL_ERROR)
}
