//! What this computer calls itself in the list of an account's sessions.

use tulou_protocol::{limits::NAME_BYTES, text::clean_name};

/// The computer's name and system: `attic · Linux`.
pub fn name() -> String {
    called(&gethostname::gethostname().to_string_lossy())
}

fn called(host: &str) -> String {
    let system = match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        other => other,
    };
    let mut host = clean_name(host);
    let room = NAME_BYTES - system.len() - " · ".len();
    while host.len() > room {
        host.pop();
    }
    if host.is_empty() {
        system.to_owned()
    } else {
        format!("{host} · {system}")
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::text::check_name;

    use super::*;

    #[test]
    fn whatever_a_computer_is_called_can_be_shown() {
        for host in ["attic", "", "阁楼".repeat(40).as_str(), " a b "] {
            let called = called(host);
            assert!(check_name(&called).is_ok(), "{called:?}");
        }
        assert!(called("attic").starts_with("attic · "));
    }
}
