//! What the parts of a decision share: the case that is decided, and how it is.

use tulou_protocol::{
    AccountId, Code, Permissions, Rejection, TopicId,
    id::Millis,
    permission::{Held, Place},
};

use super::{
    change::{Change, Expect},
    facts::Facts,
    membership::Member,
    structure::Structure,
};

/// A decision: what is to be written, and what that rests on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// If one of these does not hold at commit, the command is decided again.
    pub expects: Vec<Expect>,
    /// What is written. Nothing: the command asked for what is so already.
    pub changes: Vec<Change>,
}

impl Decision {
    /// A decision without expectations.
    #[must_use]
    pub const fn of(changes: Vec<Change>) -> Self {
        Self {
            expects: Vec::new(),
            changes,
        }
    }
}

/// Everything that the parts of a decision share.
pub(super) struct Case<'a> {
    pub facts: &'a Facts<'a>,
    pub actor: AccountId,
    pub now: Millis,
    /// The field that leads to the community.
    pub named: &'static str,
}

impl<'a> Case<'a> {
    /// The structure and the actor as a member of it.
    pub fn member(&self) -> Result<(&'a Structure, &'a Member), Rejection> {
        let structure = self
            .facts
            .structure
            .ok_or_else(|| Code::NotFound.at(self.named))?;
        let member = self.facts.actor.as_ref().ok_or(Code::NotAMember)?;
        Ok((structure, member))
    }

    /// The actor's rights at a place. Who may not see the place is told that it does not exist.
    pub fn held_at(&self, place: Place) -> Result<Held, Rejection> {
        let (structure, member) = self.member()?;
        let held = structure.held(member, place).ok_or(Code::NotFound)?;
        match place {
            Place::Topic(_) if !held.permissions.contains(Permissions::VIEW) => {
                let is_locked = |id: TopicId| structure.sight(member).is_locked(id);
                match place {
                    Place::Topic(id) if is_locked(id) => {
                        held.require(Permissions::VIEW)?;
                        Ok(held)
                    }
                    Place::Topic(_) | Place::Community | Place::Group(_) => {
                        Err(Code::NotFound.into())
                    }
                }
            }
            Place::Topic(_) | Place::Community | Place::Group(_) => Ok(held),
        }
    }

    /// The structure, if the actor has a right at a place.
    pub fn managing(
        &self,
        place: Place,
        permission: Permissions,
    ) -> Result<&'a Structure, Rejection> {
        let (structure, _) = self.member()?;
        self.require(place, permission)?;
        Ok(structure)
    }

    /// Refuses unless the actor has a right at a place.
    pub fn require(&self, place: Place, permission: Permissions) -> Result<(), Rejection> {
        Ok(self.held_at(place)?.require(permission)?)
    }

    /// The member that the command names.
    pub fn target(&self, account: AccountId) -> Result<&'a Member, Rejection> {
        let members = &self.facts.members;
        members
            .get(&account)
            .ok_or_else(|| Code::NotFound.at("account"))
    }
}
