//! What happens elsewhere while a person reads.

use anyhow::Result;
use rand::{RngExt, rngs::StdRng};
use serde_json::json;

use super::{
    people::{AUTHORS, People},
    text,
    window::Window,
};

/// What can happen while a person reads.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// A message arrives at the end.
    Arrives,
    /// One above becomes longer.
    Grows,
    /// One above becomes shorter.
    Shrinks,
    /// A reaction is added above.
    Reacts,
    /// One above is recalled.
    Recalls,
    /// The person changes the size of the text.
    TextSize,
    /// The window becomes wider or narrower, higher or lower.
    Window,
    /// Separators of days come and go.
    Days,
    /// My own message is sent from elsewhere: first waiting, then a row.
    Sends,
}

impl Event {
    /// Some of them more often than others.
    pub fn random(rng: &mut StdRng) -> Self {
        match rng.random_range(0..19) {
            0..3 => Self::Arrives,
            3..6 => Self::Grows,
            6..9 => Self::Shrinks,
            9..12 => Self::Reacts,
            12..14 => Self::Recalls,
            14..15 => Self::TextSize,
            15..16 => Self::Window,
            16..17 => Self::Days,
            _ => Self::Sends,
        }
    }

    /// Its name in the output.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Lets it happen; `first` is the message that begins the view.
    pub async fn happen(
        self,
        window: &Window,
        people: &People,
        first: u64,
        rng: &mut StdRng,
    ) -> Result<()> {
        // Some of these are in the page, some only in what is held.
        let above = first.saturating_sub(rng.random_range(1..30)).max(1);
        match self {
            Self::Arrives => {
                people
                    .send(rng.random_range(0..AUTHORS), &text::line(rng))
                    .await
            }
            Self::Grows => {
                people
                    .edit(
                        above,
                        &format!(
                            "{}\n{}\n{}",
                            text::line(rng),
                            text::line(rng),
                            text::line(rng)
                        ),
                    )
                    .await
            }
            Self::Shrinks => people.edit(above, "1").await,
            Self::Reacts => {
                people
                    .react(above, ["🔥", "👍", "🎉", "😂"][rng.random_range(0..4)])
                    .await
            }
            Self::Recalls => people.recall(above).await,
            Self::TextSize => {
                let size = [90, 100, 110, 120][rng.random_range(0..4)];
                let body =
                    "await invoke('set_settings', { patch: { textSize: arguments[0] } }); return 0";
                window.run::<u32>(body, vec![json!(size)]).await.map(drop)
            }
            Self::Window => {
                let width = [1000, 1120, 1280][rng.random_range(0..3)];
                let height = [640, 720, 800][rng.random_range(0..3)];
                window.resize(width, height).await
            }
            Self::Days => {
                let ms = [20, 40, 90, 1_000][rng.random_range(0..4)];
                window
                    .script("bench.days(arguments[0])", vec![json!(ms)])
                    .await?;
                people.react(above, "🌙").await
            }
            Self::Sends => {
                let body = "const app = await invoke('app_view');
                    const action = { type: 'sendMessage', topic: arguments[0], text: arguments[1], replyTo: null };
                    await invoke('submit', { account: app.accounts[0].key, action }); return 0";
                let arguments = vec![json!(people.topic), json!(text::line(rng))];
                window.run::<u32>(body, arguments).await.map(drop)
            }
        }
    }
}
