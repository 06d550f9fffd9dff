//! From what was found on the lines to the tree of it.

use std::ops::Range;

use crate::markup::{DEPTH, Inline, InlineKind, Span};

pub struct Event {
    pub range: Range<usize>,
    pub what: What,
}

pub enum What {
    Leaf(InlineKind),
    /// The brackets of `<https://…>`.
    Angle,
    Hidden,
    Open(Span),
    Close,
}

/// A span that is being built.
struct Frame {
    start: usize,
    span: Span,
    /// What stands before it.
    outer: Vec<Inline>,
}

/// The pieces of a range, in order; spans that are nested too deep are text.
pub fn built(range: Range<usize>, events: Vec<Event>) -> Vec<Inline> {
    let mut stack: Vec<Frame> = Vec::new();
    let mut inlines: Vec<Inline> = Vec::new();
    // Spans that are nested too deep: their marks are text.
    let mut skipped = 0_usize;
    let mut at = range.start;
    for Event { range, what } in events {
        let is_text = match what {
            What::Open(_) => stack.len() >= DEPTH,
            What::Close => skipped > 0,
            What::Leaf(_) | What::Angle | What::Hidden => false,
        };
        if is_text {
            skipped = if matches!(what, What::Close) {
                skipped - 1
            } else {
                skipped + 1
            };
            continue;
        }
        text_until(&mut inlines, at, range.start);
        at = range.end;
        match what {
            What::Leaf(what) => inlines.push(Inline { range, what }),
            What::Angle | What::Hidden => inlines.push(Inline {
                range,
                what: InlineKind::Mark,
            }),
            What::Open(span) => {
                stack.push(Frame {
                    start: range.start,
                    span,
                    outer: std::mem::take(&mut inlines),
                });
                inlines.push(Inline {
                    range,
                    what: InlineKind::Mark,
                });
            }
            What::Close => {
                let end = range.end;
                inlines.push(Inline {
                    range,
                    what: InlineKind::Mark,
                });
                if let Some(Frame {
                    start,
                    span,
                    mut outer,
                }) = stack.pop()
                {
                    outer.push(Inline {
                        range: start..end,
                        what: InlineKind::Span(span, inlines),
                    });
                    inlines = outer;
                }
            }
        }
    }
    text_until(&mut inlines, at, range.end);
    inlines
}

fn text_until(inlines: &mut Vec<Inline>, from: usize, until: usize) {
    if from < until {
        inlines.push(Inline {
            range: from..until,
            what: InlineKind::Text,
        });
    }
}
