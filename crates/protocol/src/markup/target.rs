//! Where a link really leads, and what about it might deceive.

use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::letter::{is_cjk, is_hidden, is_word};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address to open.
    pub href: String,
    /// What opens it.
    pub kind: Kind,
    /// The host as the network knows it, with a port that is not the usual one; a mail address; empty for an invite.
    pub place: String,
    /// The link has a text of its own, and that does not show the place.
    pub is_named: bool,
    /// What must be shown before it opens.
    pub doubts: Vec<Doubt>,
}

/// What opens a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The browser.
    Web,
    /// The mail program.
    Mail,
    /// Tulou: an invite.
    Invite,
}

/// Why a link might not lead where it seems to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Its text is another address, or looks like a mention.
    OtherText,
    /// A name, and perhaps a password, stands before the host and looks like one.
    UserInfo,
    /// The host has letters of several scripts, or letters that look like others.
    Lookalike,
    /// Characters that show nothing or turn the direction stand in it.
    Hidden,
}

impl Target {
    /// Reads an address. Nothing but web pages, mail and invites can be opened from a message.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        if address.chars().any(char::is_whitespace) {
            return None;
        }
        let begins = |start: &str| {
            address
                .get(..start.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
        };
        let mut target = if begins("tulou://") {
            let href = format!("tulou{}", &address["tulou".len()..]);
            Self::new(href, Kind::Invite, String::new())
        } else if begins("mailto:") {
            mail(&address["mailto:".len()..])?
        } else if begins("http://") || begins("https://") {
            web(address, address)?
        } else if begins("www.") {
            web(&format!("https://{address}"), address)?
        } else if address.contains('@') && !address.contains(':') {
            mail(address)?
        } else {
            return None;
        };
        if address.chars().any(is_hidden) {
            target.doubts.push(Doubt::Hidden);
        }
        Some(target)
    }

    fn new(href: String, kind: Kind, place: String) -> Self {
        Self {
            href,
            kind,
            place,
            is_named: false,
            doubts: Vec::new(),
        }
    }

    /// The same target behind a text of its own.
    #[must_use]
    pub fn named(mut self, text: &str) -> Self {
        let shown: String = text
            .chars()
            .filter(|c| !is_hidden(*c) && !matches!(c, '*' | '~' | '|' | '`' | '\\'))
            .nfkc()
            .collect::<String>()
            .to_lowercase();
        let shown = shown.trim();
        let is_mention = shown.starts_with('@') || shown.contains("<@");
        let mut places = places_in(shown).peekable();
        self.is_named = places.peek().is_none();
        let is_other = match self.kind {
            Kind::Web => {
                let own = bare(&self.place);
                shown.contains('@') || places.any(|place| host_of(place) != Some(own.to_owned()))
            }
            Kind::Mail => places.any(|place| place != self.place.to_lowercase()),
            Kind::Invite => places.next().is_some(),
        };
        if is_mention || is_other {
            self.doubts.push(Doubt::OtherText);
        }
        self
    }
}

fn web(address: &str, typed: &str) -> Option<Target> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let place = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let is_plain = address.is_ascii() && address.starts_with("http");
    let href = if is_plain && !address.chars().any(is_hidden) {
        address.to_owned()
    } else {
        url.as_str().to_owned()
    };
    let mut target = Target::new(href, Kind::Web, place);
    if !url.username().is_empty() || url.password().is_some() {
        target.doubts.push(Doubt::UserInfo);
    }
    if is_lookalike(typed) {
        target.doubts.push(Doubt::Lookalike);
    }
    Some(target)
}

fn mail(address: &str) -> Option<Target> {
    let place = address.split('?').next().unwrap_or_default();
    let (local, domain) = place.rsplit_once('@')?;
    let is_address = !local.is_empty() && domain.contains('.') && !domain.ends_with('.');
    is_address.then(|| Target::new(format!("mailto:{address}"), Kind::Mail, place.to_owned()))
}

/// Whether a host is written with letters that may be taken for others. One script throughout is the owner's own, and
/// those without capital and small letters look like no other.
fn is_lookalike(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_odd = |c: char| {
        !c.is_ascii() && (!is_word(c) || !is_cjk(c) || matches!(c, '\u{ff00}'..='\u{ff65}'))
    };
    let has_latin = host.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_sign = |c: char| !c.is_ascii() && !is_word(c);
    host.chars().any(is_sign) || (has_latin && host.chars().any(is_odd))
}

/// What in a text looks like a host or a mail address.
fn places_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(is_word(c) || matches!(c, '.' | '-' | '@' | '+' | '_' | '%')))
        .map(|word| word.trim_matches(['.', '-', '_']))
        .filter(|word| {
            word.rsplit_once('.').is_some_and(|(first, last)| {
                !first.is_empty()
                    && last.chars().count() >= 2
                    && last.chars().all(char::is_alphabetic)
            })
        })
}

/// The host that a text names, as the network knows it.
fn host_of(place: &str) -> Option<String> {
    let url = Url::parse(&format!("https://{place}")).ok()?;
    url.host_str().map(|host| bare(host).to_owned())
}

fn bare(place: &str) -> &str {
    let host = place.split(':').next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}
