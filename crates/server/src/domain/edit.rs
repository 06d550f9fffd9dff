//! A row of a community that is being edited field by field, and what has to hold before a new one is made.

use tulou_protocol::{Code, Counted, Log, Rejection, Row, command::Edit, row::Body, text};

use super::{
    case::Decision,
    change::Change,
    structure::{Kept, Structure},
};

/// A row that is being edited.
pub(super) struct Editing<'a, T> {
    log: Log,
    id: String,
    kept: &'a Kept<T>,
    body: T,
}

impl<'a, T: Clone + PartialEq + Into<Body>> Editing<'a, T> {
    /// The row as it is.
    pub fn of(structure: &Structure, id: impl ToString, kept: &'a Kept<T>) -> Self {
        Self {
            log: structure.log(),
            id: id.to_string(),
            kept,
            body: kept.body.clone(),
        }
    }

    /// The row's state with the edits so far.
    pub const fn body(&self) -> &T {
        &self.body
    }

    /// Edits a field, if it is to be edited: refused if the value may not be, or if the field moved meanwhile.
    pub fn field<F: Clone + PartialEq>(
        &mut self,
        name: &str,
        edit: Option<&Edit<F>>,
        check: impl FnOnce(&F) -> Result<(), Rejection>,
        at: impl FnOnce(&mut T) -> &mut F,
    ) -> Result<(), Rejection> {
        let Some(edit) = edit else { return Ok(()) };
        check(&edit.to).map_err(|no| in_field(no, &format!("{name}.to")))?;
        let kept = self.kept;
        apply(at(&mut self.body), edit, || Row {
            id: self.id.clone(),
            rev: kept.rev,
            body: kept.body.clone().into(),
        })
    }

    /// What the edits come to: nothing, if the row is so already.
    pub fn done(self) -> Decision {
        if self.body == self.kept.body {
            return Decision::default();
        }
        Decision::of(vec![Change::Row {
            log: self.log,
            id: self.id,
            body: self.body.into(),
        }])
    }
}

/// Edits a field unless it moved meanwhile.
pub(super) fn apply<T: Clone + PartialEq>(
    field: &mut T,
    edit: &Edit<T>,
    present: impl FnOnce() -> Row,
) -> Result<(), Rejection> {
    if *field != edit.from && *field != edit.to {
        return Err(Rejection::changed(present()));
    }
    field.clone_from(&edit.to);
    Ok(())
}

/// Refuses a new thing among siblings whose name or position may not be, whose id was ever used, or that is one too many.
pub(super) fn check_new(
    name: &str,
    (position_field, position): (&str, &str),
    is_taken: bool,
    (siblings, limit, of): (usize, usize, Counted),
) -> Result<(), Rejection> {
    text::check_name(name).map_err(|no| no.at("name"))?;
    text::check_position(position).map_err(|no| no.at(position_field))?;
    if is_taken {
        return Err(Code::IdTaken.into());
    }
    if siblings >= limit {
        return Err(Rejection::limit(Code::TooMany, limit).of(of));
    }
    Ok(())
}

/// A refusal of a field's value: one that has to do with the field and nothing else.
fn in_field(no: Rejection, field: &str) -> Rejection {
    if no.field.is_some() || no.permission.is_some() || no.decided_by.is_some() {
        return no;
    }
    no.at(field)
}

/// What deleting something that is not there comes to: nothing, if it was deleted before.
pub(super) fn deleted_before(
    structure: &Structure,
    kind: &str,
    id: impl ToString,
) -> Result<Decision, Rejection> {
    if structure.was_used(kind, &id.to_string()) {
        Ok(Decision::default())
    } else {
        Err(Code::NotFound.at(kind))
    }
}
