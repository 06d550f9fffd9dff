//! What this computer calls itself in the list of an account's sessions.

use tulou_protocol::text::{check_name, clean_name};

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
    while !host.is_empty() {
        let called = format!("{host} · {system}");
        if check_name(&called).is_ok() {
            return called;
        }
        host.pop();
    }
    system.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_computer_is_called_can_be_shown() {
        for host in [
            "attic",
            "",
            "阁楼".repeat(40).as_str(),
            " a b ",
            "\u{200B}",
            "👨\u{200D}👩\u{200D}👧".repeat(30).as_str(),
        ] {
            let called = called(host);
            assert!(check_name(&called).is_ok(), "{called:?}");
        }
        assert!(called("attic").starts_with("attic · "));
    }
}
