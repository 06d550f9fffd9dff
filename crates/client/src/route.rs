//! The way to a server: which one, where it may be, and by which key it is known.
//!
//! Several addresses are tried at once, each begun a little after the one before it: one that is dead costs next to
//! nothing, and the first that proves to be the server wins. Id and key are checked, so any address will do.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tulou_protocol::{Fingerprint, ServerId, invite::InviteLink};

use crate::{error::Error, unusable::Unusable};

/// How long an address is given before the next one is tried as well.
const HEAD_START: Duration = Duration::from_millis(250);

/// The way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Which server; unknown if somebody typed an address.
    pub server: Option<ServerId>,
    /// Where it may be, `ws://…` on this computer or `wss://…`, the best first.
    pub addresses: Vec<String>,
    /// Where somebody in the local network says that it is. Tried last, and whoever else is there says nothing about it.
    pub sighted: Vec<String>,
    /// The key it is known by; without one the system's certificates verify it.
    pub key: Option<Fingerprint>,
}

impl From<&InviteLink> for Route {
    fn from(link: &InviteLink) -> Self {
        Self {
            server: link.server,
            addresses: link.addresses.clone(),
            sighted: Vec::new(),
            key: link.key,
        }
    }
}

impl Route {
    /// Where it is tried, in this order.
    pub fn everywhere(&self) -> Vec<String> {
        let mut addresses = self.addresses.clone();
        let news = self.sighted.iter();
        addresses.extend(news.filter(|at| !self.addresses.contains(at)).cloned());
        addresses
    }

    /// What an attempt at an address that failed says about the server: nothing, if that it is there was hearsay.
    pub fn weigh(&self, address: &str, error: Error) -> Error {
        if self.addresses.iter().any(|known| known == address) {
            error
        } else {
            Error::Unreachable(format!("{address} was hearsay: {error}"))
        }
    }

    /// Whether what answered is the server that is looked for, by what it says of itself. Over TLS with a known key this
    /// is proven already; on this computer it keeps two servers apart.
    ///
    /// # Errors
    /// If it is another one.
    pub fn check(
        &self,
        address: &str,
        server: Option<ServerId>,
        key: Option<Fingerprint>,
    ) -> Result<(), Error> {
        match (self.server, server) {
            (_, None) => Err(Unusable::NotTulou.into()),
            (Some(wanted), Some(found)) if wanted != found => {
                Err(Error::OtherServer(address.to_owned()))
            }
            _ => match (self.key, key) {
                (Some(wanted), Some(found)) if wanted != found => Err(Error::OtherKey),
                _ => Ok(()),
            },
        }
    }
}

/// The first address at which an attempt goes well, and what it brought.
///
/// # Errors
/// The most telling of what the attempts ended with.
pub async fn race<'a, T, F>(
    addresses: &'a [String],
    attempt: impl Fn(&'a str) -> F,
) -> Result<(T, &'a str), Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut waiting = addresses.iter();
    let mut running = FuturesUnordered::new();
    let mut why = Error::Unreachable("no address is known".into());
    let start = |address: &'a String| {
        let attempt = attempt(address);
        async move { (attempt.await, address.as_str()) }
    };
    running.extend(waiting.next().map(&start));
    loop {
        let next = tokio::time::sleep(HEAD_START);
        tokio::select! {
            biased;
            ended = running.next() => match ended {
                Some((Ok(done), address)) => return Ok((done, address)),
                Some((Err(error), _)) => {
                    if weight(&error) >= weight(&why) {
                        why = error;
                    }
                    running.extend(waiting.next().map(&start));
                    if running.is_empty() {
                        return Err(why);
                    }
                }
                None => return Err(why),
            },
            () = next, if waiting.len() > 0 => running.extend(waiting.next().map(&start)),
        }
    }
}

/// How much an error tells: that nobody answers somewhere is worth the least.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others are about no address in particular"
)]
const fn weight(error: &Error) -> u8 {
    match error {
        Error::OtherKey => 6,
        Error::Unusable(why) => why.weight() + 1,
        Error::OtherServer(_) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn three() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn a_dead_address_does_not_hold_up_the_others() {
        let addresses = three();
        let (done, address) = race(&addresses, async |address| match address {
            "a" => std::future::pending().await,
            "b" => Err(Error::Unreachable("refused".into())),
            _ => Ok(7),
        })
        .await
        .unwrap();
        assert_eq!((done, address), (7, "c"));
    }

    #[tokio::test]
    async fn an_address_that_answers_at_once_is_the_only_one_that_is_tried() {
        let addresses = three();
        let tried = Mutex::new(Vec::new());
        let (_, address) = race(&addresses, async |address| {
            tried.lock().unwrap().push(address.to_owned());
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(address, "a");
        assert_eq!(*tried.lock().unwrap(), ["a"], "nobody else is bothered");
    }

    #[test]
    fn an_impostor_at_an_address_that_was_hearsay_alarms_nobody() {
        let route = Route {
            server: None,
            addresses: vec!["wss://a".into()],
            sighted: vec!["wss://a".into(), "wss://b".into()],
            key: None,
        };
        assert_eq!(route.everywhere(), ["wss://a", "wss://b"]);
        let known = route.weigh("wss://a", Error::OtherKey);
        assert!(matches!(known, Error::OtherKey), "{known}");
        let hearsay = route.weigh("wss://b", Error::OtherKey);
        assert!(matches!(hearsay, Error::Unreachable(_)), "{hearsay}");
    }

    #[tokio::test]
    async fn of_several_failures_the_most_telling_is_told() {
        let addresses = three();
        let error = race(&addresses, async |address| {
            Err::<(), _>(match address {
                "a" => Error::OtherServer("a".into()),
                "b" => Error::OtherKey,
                _ => Error::Unreachable("refused".into()),
            })
        })
        .await
        .unwrap_err();
        assert!(matches!(error, Error::OtherKey), "{error}");
        let error = race(&[], async |_| Ok(())).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_)), "{error}");
    }
}
