//! What must stand nowhere.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{house, recover, sign_up, with};

/// What was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_password_token_or_code_is_logged_or_stands_in_a_file() {
    let paper = Paper::default();
    let writer = paper.clone();
    // The sockets' library names whole frames when it traces; of the server's own words all are read.
    tracing_subscriber::fmt()
        .with_env_filter("debug,tulou_server=trace")
        .with_writer(move || writer.clone())
        .init();
    let (place, alice) = house().await;
    let (token, codes) = sign_up(&place, "bob").await;
    let mut secrets = vec![alice.token.clone(), token.clone(), "correct horse".into()];
    let change = json!({"password": "correct horse", "new_password": "a very long staple"});
    let changed = with(&place, &token, "PUT", "/v1/account/password", change).await;
    assert_eq!(changed.0, 204);
    let confirm = json!({"password": "a very long staple"});
    let path = "/v1/account/recovery-codes";
    let (_, made) = with(&place, &token, "POST", path, confirm).await;
    secrets.push("a very long staple".into());
    for code in made["recovery_codes"].as_array().unwrap() {
        secrets.push(code.as_str().unwrap().to_owned());
    }
    secrets.extend(codes);
    let code = secrets[5].clone();
    let (_, body) = recover(&place, "bob", &code, "yet another password").await;
    secrets.push("yet another password".into());
    secrets.push(body["token"].as_str().unwrap().to_owned());
    let path = format!("/v1/accounts/{}/reset", body["account"].as_str().unwrap());
    let (_, reset) = with(&place, &alice.token, "POST", &path, Value::Null).await;
    secrets.push(reset["code"].as_str().unwrap().to_owned());
    let spoken: Vec<String> = secrets
        .iter()
        .map(|secret| secret.replace('-', ""))
        .collect();
    secrets.extend(spoken);

    let data = place.data().to_owned();
    let place = place.restart().await;
    let mut kept = Vec::new();
    for file in std::fs::read_dir(&data).unwrap().flatten() {
        if file.path().is_file() {
            kept.extend(std::fs::read(file.path()).unwrap());
        }
    }
    assert!(kept.len() > 10_000, "the store was read");
    let logged = paper.0.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&logged).into_owned();
    assert!(text.contains("an account was made"), "the log was read");
    for secret in &secrets {
        let stands_in = |bytes: &[u8]| {
            bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        };
        assert!(!stands_in(&kept), "{secret} stands in a file");
        assert!(!stands_in(&logged), "{secret} was logged");
    }
    place.stop().await;
}
