//! Frames whose requests are being answered: the answers go out together, in the order of the requests.

use std::collections::HashMap;

use tulou_protocol::Log;

/// The frames of a session that are being answered.
#[derive(Debug, Default)]
pub struct Frames {
    open: HashMap<u64, Open>,
    last: u64,
}

#[derive(Debug)]
struct Open {
    answers: Vec<String>,
    left: usize,
    /// Logs of which a command was put off: the rest of them in this frame is, too.
    put_off: Vec<Log>,
}

impl Frames {
    /// A frame with so many requests came; its number.
    pub fn begin(&mut self, requests: usize) -> u64 {
        self.last += 1;
        self.open.insert(
            self.last,
            Open {
                answers: vec![String::new(); requests],
                left: requests,
                put_off: Vec::new(),
            },
        );
        self.last
    }

    /// The rest of a frame's commands on a log is put off.
    pub fn put_off(&mut self, frame: u64, log: Log) {
        if let Some(open) = self.open.get_mut(&frame) {
            open.put_off.push(log);
        }
    }

    /// Whether a frame's commands on a log are put off.
    pub fn is_put_off(&self, frame: u64, log: Log) -> bool {
        self.open
            .get(&frame)
            .is_some_and(|open| open.put_off.contains(&log))
    }

    /// One request of a frame is answered. With the last one: what is to be sent.
    pub fn answer(&mut self, frame: u64, at: usize, json: String) -> Option<String> {
        let open = self.open.get_mut(&frame)?;
        open.answers[at] = json;
        open.left -= 1;
        if open.left > 0 {
            return None;
        }
        let mut answers = self.open.remove(&frame)?.answers;
        if answers.len() == 1 {
            answers.pop()
        } else {
            Some(format!("[{}]", answers.join(",")))
        }
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::TopicId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn answers_go_out_together_in_the_order_of_the_requests() {
        let mut frames = Frames::default();
        let (one, three) = (frames.begin(1), frames.begin(3));
        assert_eq!(frames.answer(three, 2, "c".into()), None);
        assert_eq!(frames.answer(three, 0, "a".into()), None);
        assert_eq!(frames.answer(one, 0, "x".into()), Some("x".into()));
        assert_eq!(
            frames.answer(three, 1, "b".into()),
            Some("[a,b,c]".into()),
            "with the last one"
        );
    }

    #[test]
    fn a_log_is_put_off_for_the_rest_of_its_frame_only() {
        let mut frames = Frames::default();
        let (one, other) = (frames.begin(2), frames.begin(2));
        let log = |n| Log::Topic(TopicId(Uuid::from_u128(n)));
        frames.put_off(one, log(1));
        assert!(frames.is_put_off(one, log(1)));
        assert!(!frames.is_put_off(one, log(2)), "another log");
        assert!(!frames.is_put_off(other, log(1)), "another frame");
    }
}
