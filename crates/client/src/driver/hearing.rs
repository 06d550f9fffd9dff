//! What the socket says, and what the server says beside rows: where it is, how much room it has, how long to wait.

use std::sync::Arc;

use tulou_engine::Input;
use tulou_protocol::{ServerFrame, frame::BUSY, push::Pushed};

use super::Driver;
use crate::{as_of::now, blocking::blocking, link::Event, unusable::Unusable};

impl Driver {
    /// Hears what the socket says.
    pub(super) async fn hear(&mut self, event: Event) {
        match event {
            Event::Up { address, key } => {
                self.met_other_key = false;
                self.be_unusable(None);
                self.was_up = true;
                self.end_seeking(&address);
                self.account.found_at(address, key);
                self.was_told = false;
                self.feed(Input::LinkUp).await;
            }
            Event::Stirred => self.feed(Input::Stirred).await,
            Event::Frame(frame) => {
                self.note_busy(&frame);
                if let Some(crowded) = Unusable::of_refusal(&frame) {
                    self.be_unusable(Some(crowded));
                }
                if let ServerFrame::Pushed(Pushed::Condition(condition)) = &frame {
                    self.was_told = true;
                    self.account.set_condition(*condition);
                }
                if let ServerFrame::Pushed(Pushed::Heartbeat(heartbeat)) = &frame {
                    self.account.set_server_time(heartbeat.now);
                }
                if let ServerFrame::Pushed(Pushed::Addresses(news)) = &frame {
                    self.hear_addresses(news.addresses.clone()).await;
                }
                self.feed(Input::Frame(frame)).await;
            }
            Event::OtherKey => {
                tracing::warn!(account = %self.account.key, "somebody else answers where the server should be");
                self.met_other_key = true;
                self.be_unusable(None);
                self.link = None;
                self.feed(Input::LinkDown).await;
                self.seek().await;
            }
            Event::Down {
                why,
                unusable,
                pulse,
            } => {
                match &unusable {
                    Some(_) if unusable != self.unusable => {
                        tracing::warn!(account = %self.account.key, "the server cannot be used: {why}");
                    }
                    _ => tracing::debug!(account = %self.account.key, "the link is down: {why}"),
                }
                self.met_other_key = false;
                self.be_unusable(unusable);
                self.pulse = pulse;
                self.link = None;
                let was_up = self.was_up;
                self.feed(Input::LinkDown).await;
                if !was_up {
                    self.seek().await;
                }
            }
        }
    }

    pub(super) fn be_unusable(&mut self, why: Option<Unusable>) {
        self.account.set_unusable(why.clone());
        self.unusable = why;
    }

    /// The server says where it is found.
    pub(super) async fn hear_addresses(&self, named: Vec<String>) {
        let account = Arc::clone(&self.account);
        let kept = blocking(move || account.hear_addresses(&named)).await;
        if let Err(error) = kept {
            // The next greeting names them again.
            tracing::warn!(account = %self.account.key, "the server's addresses were not kept: {error}");
        }
    }

    /// The engine waits as long as the server asks; the window shows that, and until when.
    fn note_busy(&self, frame: &ServerFrame) {
        let ServerFrame::Responses(responses) = frame else {
            return;
        };
        for response in responses {
            let error = response.error.as_ref().filter(|error| error.code == BUSY);
            let wait = error
                .and_then(|error| error.data.as_ref()?.get("retry_after_ms")?.as_i64())
                .filter(|wait| *wait > 0);
            let command = response.id.as_str().and_then(|id| id.parse().ok());
            if let (Some(wait), Some(command)) = (wait, command) {
                self.account.set_busy(command, now().saturating_add(wait));
            }
        }
    }
}
