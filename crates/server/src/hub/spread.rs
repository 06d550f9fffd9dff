//! Tells many sessions that a log is to be synced, spread over a time, so that a change of rights does not make everybody
//! ask at the same moment (DESIGN §2). Until a session is told, rows of that log are held back from it: they would be
//! rows of a view that it does not have yet.

use std::{sync::Arc, time::Duration};

use tulou_protocol::{Log, Rev};

use super::Line;

/// So many are told at once: few who ask together do no harm.
const AT_ONCE: usize = 16;
/// The others in so many turns.
const TURNS: u32 = 50;

/// Tells them.
pub fn stale(lines: Vec<Arc<Line>>, log: Log, rev: Rev, over: Duration) {
    let mut later = lines;
    for line in later.drain(..later.len().min(AT_ONCE)) {
        line.stale(log, rev);
    }
    if later.is_empty() {
        return;
    }
    for line in &later {
        line.owe(log, rev);
    }
    tokio::spawn(async move {
        for turn in turns(&later) {
            tokio::time::sleep(over / TURNS).await;
            for line in turn {
                line.pay(log);
            }
        }
    });
}

fn turns<T>(lines: &[T]) -> impl Iterator<Item = &[T]> {
    lines.chunks(lines.len().div_ceil(TURNS as usize).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_is_told_in_fifty_turns() {
        for count in [1, 49, 50, 51, 100_000] {
            let lines: Vec<usize> = (0..count).collect();
            let turns: Vec<&[usize]> = turns(&lines).collect();
            assert!(turns.len() <= 50, "{count} are told within the time");
            assert_eq!(turns.concat(), lines, "each of {count} once");
            let largest = turns.iter().map(|turn| turn.len()).max().unwrap();
            assert!(
                largest <= count / 50 + 1,
                "no turn of {count} is much larger than the others"
            );
        }
    }
}
