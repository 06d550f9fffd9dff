//! What the person set on this computer.

use serde::{Deserialize, Serialize};
use specta::Type;
use tulou_protocol::text;

/// What the person set on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Language of the window.
    pub language: Language,
    /// Colours.
    pub theme: Theme,
    /// Size of text in percent: 80 to 160.
    pub text_size: u32,
    /// Whether the member panel is shown.
    pub shows_members: bool,
    /// Collapsed groups of the tree, by id.
    pub collapsed: Vec<String>,
    /// Whether the program goes on when its window is closed, until it is started again or the system ends it.
    pub stays: bool,
    /// Whether the program starts without a window; it stays then.
    pub starts_closed: bool,
    /// The emoji that were used last, the newest first.
    pub recent_emoji: Vec<String>,
    /// The tone in which hands and people are offered.
    pub skin_tone: SkinTone,
    /// How much of the disk the history of each account may take, in MiB.
    pub history_mib: u32,
}

impl Settings {
    /// How many bytes the history of an account may take. Less than what is on the screen needs is no history.
    #[must_use]
    pub fn history_bytes(&self) -> u64 {
        u64::from(self.history_mib.max(LEAST_HISTORY_MIB)) * 1_024 * 1_024
    }

    /// Reads settings that an older program may have written: what is missing has its default.
    ///
    /// # Errors
    /// If the text is no JSON, or a value has the wrong shape.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        let mut all = serde_json::to_value(Self::default())?;
        let kept: serde_json::Map<_, _> = serde_json::from_str(text)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(kept);
        }
        serde_json::from_value(all)
    }
}

/// What is to be changed of the settings; what is none stays. Two windows, each of which knows only what it changed,
/// do not undo each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct SettingsPatch {
    /// Language of the window.
    #[specta(optional)]
    pub language: Option<Language>,
    /// Colours.
    #[specta(optional)]
    pub theme: Option<Theme>,
    /// Size of text in percent: 80 to 160.
    #[specta(optional)]
    pub text_size: Option<u32>,
    /// Whether the member panel is shown.
    #[specta(optional)]
    pub shows_members: Option<bool>,
    /// Whether the program goes on when its window is closed.
    #[specta(optional)]
    pub stays: Option<bool>,
    /// Whether the program starts without its window.
    #[specta(optional)]
    pub starts_closed: Option<bool>,
    /// An emoji that was used. What is none is not kept.
    #[specta(optional)]
    pub used_emoji: Option<String>,
    /// The tone in which hands and people are offered.
    #[specta(optional)]
    pub skin_tone: Option<SkinTone>,
    /// How much of the disk the history of each account may take, in MiB.
    #[specta(optional)]
    pub history_mib: Option<u32>,
    /// Groups of the tree to be collapsed, by id.
    #[specta(optional)]
    pub collapse: Option<Vec<String>>,
    /// Groups of the tree to be expanded, by id.
    #[specta(optional)]
    pub expand: Option<Vec<String>>,
}

impl SettingsPatch {
    /// Changes settings.
    pub fn apply(self, settings: &mut Settings) {
        let Self {
            language,
            theme,
            text_size,
            shows_members,
            stays,
            starts_closed,
            used_emoji,
            skin_tone,
            history_mib,
            collapse,
            expand,
        } = self;
        settings.language = language.unwrap_or(settings.language);
        settings.theme = theme.unwrap_or(settings.theme);
        settings.text_size = text_size.unwrap_or(settings.text_size);
        settings.shows_members = shows_members.unwrap_or(settings.shows_members);
        settings.stays = stays.unwrap_or(settings.stays);
        settings.starts_closed = starts_closed.unwrap_or(settings.starts_closed);
        settings.skin_tone = skin_tone.unwrap_or(settings.skin_tone);
        settings.history_mib = history_mib.unwrap_or(settings.history_mib);
        if let Some(used) = used_emoji.and_then(|used| text::reaction(&used).ok()) {
            settings.recent_emoji.retain(|other| other != used);
            settings.recent_emoji.insert(0, used.to_owned());
            settings.recent_emoji.truncate(RECENT_EMOJI);
        }
        let expand = expand.unwrap_or_default();
        settings.collapsed.retain(|id| !expand.contains(id));
        for id in collapse.unwrap_or_default() {
            if !settings.collapsed.contains(&id) {
                settings.collapsed.push(id);
            }
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::System,
            theme: Theme::System,
            text_size: 100,
            shows_members: true,
            collapsed: Vec::new(),
            stays: false,
            starts_closed: false,
            recent_emoji: Vec::new(),
            skin_tone: SkinTone::None,
            history_mib: 2_048,
        }
    }
}

/// The least that the history of an account may take.
const LEAST_HISTORY_MIB: u32 = 64;

/// So many emoji are remembered: two lines of the picker.
const RECENT_EMOJI: usize = 18;

/// Language of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub enum Language {
    /// As the system says.
    #[serde(rename = "system")]
    System,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// Colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system says.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The tone of skin of emoji that show hands and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SkinTone {
    /// As the pictures are without one.
    None,
    /// Light.
    Light,
    /// Medium light.
    MediumLight,
    /// Medium.
    Medium,
    /// Medium dark.
    MediumDark,
    /// Dark.
    Dark,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_windows_that_change_different_settings_do_not_undo_each_other() {
        let mut settings = Settings::default();
        let one: SettingsPatch =
            serde_json::from_str(r#"{"theme": "dark", "collapse": ["a"]}"#).unwrap();
        let other: SettingsPatch =
            serde_json::from_str(r#"{"textSize": 120, "collapse": ["b"]}"#).unwrap();
        one.clone().apply(&mut settings);
        other.apply(&mut settings);
        one.apply(&mut settings);
        assert_eq!(settings.theme, Theme::Dark);
        assert_eq!(settings.text_size, 120);
        assert_eq!(settings.collapsed, ["a", "b"], "each once");
        let expand = SettingsPatch {
            expand: Some(vec!["a".into()]),
            ..SettingsPatch::default()
        };
        expand.apply(&mut settings);
        assert_eq!(settings.collapsed, ["b"]);
        assert!(settings.shows_members, "what nobody changed stays");
    }

    #[test]
    fn the_emoji_used_last_stand_first_and_no_more_than_two_lines_of_them() {
        let mut settings = Settings::default();
        let mut used = |emoji: &str| {
            let patch = serde_json::json!({"usedEmoji": emoji});
            serde_json::from_value::<SettingsPatch>(patch)
                .unwrap()
                .apply(&mut settings);
            settings.recent_emoji.clone()
        };
        used("👍");
        assert_eq!(
            used("\u{2764}"),
            ["\u{2764}\u{FE0F}", "👍"],
            "as it is a key"
        );
        assert_eq!(used("👍"), ["👍", "\u{2764}\u{FE0F}"], "each once");
        assert_eq!(used("no emoji").len(), 2);
        for place in 0..20 {
            used(&char::from_u32(0x1F600 + place).unwrap().to_string());
        }
        assert_eq!(settings.recent_emoji.len(), RECENT_EMOJI);
        let kept = serde_json::to_string(&settings).unwrap();
        assert_eq!(Settings::read(&kept).unwrap(), settings, "over a restart");
        assert_eq!(Settings::read("{}").unwrap().skin_tone, SkinTone::None);
    }
}
