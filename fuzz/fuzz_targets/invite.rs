//! Links, addresses and what is typed from paper: read or refused, and what was read reads back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tulou_protocol::{
    Log,
    fingerprint::Fingerprint,
    invite::{self, InviteLink},
    permission::Place,
    recovery,
};

fuzz_target!(|text: &str| {
    if let Ok(link) = InviteLink::parse(text) {
        assert!(!link.addresses.is_empty(), "it leads somewhere");
        for address in &link.addresses {
            let is_encrypted = address.starts_with("wss://");
            assert!(is_encrypted || address.starts_with("ws://"), "{address}");
            assert_eq!(address.matches('/').count(), 2, "no path: {address}");
            assert_eq!(
                invite::address(address).as_ref(),
                Ok(address),
                "in its one form"
            );
        }
        assert_eq!(
            InviteLink::parse(&link.to_text()),
            Ok(link),
            "it reads back"
        );
    }
    if let Ok(key) = text.parse::<Fingerprint>() {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    if let Some(code) = recovery::normal(text) {
        assert_eq!(recovery::normal(&code).as_deref(), Some(&*code));
    }
    if let Ok(log) = text.parse::<Log>() {
        assert_eq!(log.to_string().parse(), Ok(log));
    }
    if let Ok(place) = text.parse::<Place>() {
        assert_eq!(place.to_string().parse(), Ok(place));
    }
});
