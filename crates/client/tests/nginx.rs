//! Through nginx, set up as `docs/hosting.md` says, and as operators do who leave a line out.
#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::{
    fs,
    net::{IpAddr, SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use stage::Person;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::Instant,
};
use tulou_client::{InMemory, view::Connection};
use tulou_protocol::http::Registration;
use tulou_server::{Config, Hosted};

const FOLDER: &str = "TULOU_TEST_NGINX";
/// How long nginx may take to begin.
const PATIENCE: Duration = Duration::from_secs(20);

/// Run again by itself in a process whose system trusts the authority that signed nginx's certificate.
fn again(name: &str, test: impl AsyncFnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(test(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    for (file, text) in [
        ("authority.pem", authority.pem()),
        ("fullchain.pem", certificate.pem()),
        ("privkey.pem", key.serialize_pem()),
    ] {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SSL_CERT_FILE", folder.path().join("authority.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The block of the guide, for this computer.
fn block(folder: &Path, port: u16, server: SocketAddr) -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hosting.md");
    let guide = fs::read_to_string(guide).unwrap();
    let block = guide.split("```nginx\n").nth(1).unwrap();
    let mut block = block.split("```").next().unwrap().to_owned();
    let folder = folder.display();
    for (theirs, ours) in [
        ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
        (
            "server_name chat.example.org;",
            "server_name localhost;".into(),
        ),
        (
            "/etc/letsencrypt/live/chat.example.org/fullchain.pem",
            format!("{folder}/fullchain.pem"),
        ),
        (
            "/etc/letsencrypt/live/chat.example.org/privkey.pem",
            format!("{folder}/privkey.pem"),
        ),
        ("http://127.0.0.1:4780", format!("http://{server}")),
    ] {
        assert_eq!(block.matches(theirs).count(), 1, "{theirs}: {block}");
        block = block.replace(theirs, &ours);
    }
    block
}

/// nginx on this computer, until this is dropped.
struct Nginx {
    child: Child,
    port: u16,
    _home: TempDir,
}

impl Nginx {
    /// With the block of the guide, changed.
    async fn begin(
        folder: &Path,
        port: u16,
        server: SocketAddr,
        change: impl Fn(String) -> String,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().display();
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .collect();
        let whole = format!(
            "daemon off;\nmaster_process off;\npid {at}/pid;\nerror_log {at}/error.log;\nevents {{}}\nhttp {{\n\
             access_log off;\n{temp}{}\n}}\n",
            change(block(folder, port, server))
        );
        let file = home.path().join("nginx.conf");
        fs::write(&file, whole).unwrap();
        let mut child = Command::new(program())
            .arg("-p")
            .arg(home.path())
            .arg("-e")
            .arg(home.path().join("error.log"))
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed by cargo xtask setup");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let log = fs::read_to_string(home.path().join("error.log")).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "nginx ended: {log}");
            assert!(Instant::now() < deadline, "nginx does not begin: {log}");
            tokio::task::yield_now().await;
        }
        Self {
            child,
            port,
            _home: home,
        }
    }

    fn link(&self) -> String {
        format!("wss://localhost:{}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let free = StdListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// Debian puts it where only root looks.
fn program() -> PathBuf {
    let there = PathBuf::from("/usr/sbin/nginx");
    if there.exists() {
        there
    } else {
        "nginx".into()
    }
}

/// A server that is reached through nginx only.
async fn server(folder: &TempDir, port: u16, change: impl FnOnce(&mut Config)) -> Hosted {
    let mut config = Config {
        data: folder.path().join("server"),
        listen: "127.0.0.1:0".parse().unwrap(),
        addresses: vec![format!("wss://localhost:{port}")],
        proxies: vec!["127.0.0.1".parse().unwrap()],
        registration: Registration::Open,
        digest_ms: 100,
        ..Config::default()
    };
    change(&mut config);
    Hosted::start(config).await.unwrap()
}

async fn person(folder: &TempDir, name: &str) -> Person {
    Person::open(folder.path().join(name), Arc::new(InMemory::default())).await
}

#[test]
fn the_block_of_the_guide_carries_a_conversation() {
    again(
        "the_block_of_the_guide_carries_a_conversation",
        async |certificates| {
            let folder = tempfile::tempdir().unwrap();
            let port = free_port();
            let server = server(&folder, port, |_| {}).await;
            let nginx = Nginx::begin(certificates, port, server.address(), |block| block).await;
            let alice = person(&folder, "alice").await;
            let alice = alice.register(&nginx.link(), "alice").await;
            let (_, topic) = alice.found("星海").await;
            alice.enter(&topic).await;
            let message = alice.say(&topic, "through nginx").await;
            alice.settled().await;
            assert!(alice.has(&topic, &message).await);
            alice.client.shutdown().await;
            drop(nginx);
            server.stop().await;
        },
    );
}

#[test]
fn behind_the_block_of_the_guide_people_are_told_apart_and_claims_count_for_nothing() {
    let name = "behind_the_block_of_the_guide_people_are_told_apart_and_claims_count_for_nothing";
    again(name, async |certificates| {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = server(&folder, port, |config| config.sign_ups_per_address = 1).await;
        let nginx = Nginx::begin(certificates, port, server.address(), |block| block).await;
        let sign_up = async |from: &str, name: &str, claim: &str| {
            sign_up(certificates, nginx.port, from.parse().unwrap(), name, claim).await
        };
        assert_eq!(sign_up("127.0.0.2", "alice", "").await, 201);
        for claim in [
            "",
            "X-Forwarded-For: 6.6.6.6\r\n",
            "X-Forwarded-For: unknown\r\n",
            "Forwarded: for=6.6.6.6\r\n",
        ] {
            assert_eq!(sign_up("127.0.0.2", "bob", claim).await, 429, "{claim}");
        }
        assert_eq!(sign_up("127.0.0.3", "bob", "").await, 201, "somebody else");
        drop(nginx);
        server.stop().await;
    });
}

#[test]
fn a_line_that_was_left_out_of_the_block_is_named() {
    again(
        "a_line_that_was_left_out_of_the_block_is_named",
        async |certificates| {
            let folder = tempfile::tempdir().unwrap();
            let port = free_port();
            let server = server(&folder, port, |_| {}).await;
            let alice = person(&folder, "alice").await;
            let without = |line: &'static str| {
                move |block: String| {
                    assert_eq!(block.matches(line).count(), 1, "{line}");
                    block.replace(line, "")
                }
            };
            let peek =
                async |nginx: &Nginx| alice.client.peek(&nginx.link()).await.unwrap_err().code();
            let at = server.address();
            for (line, code) in [
                ("proxy_set_header Upgrade $http_upgrade;", "no_websocket"),
                (
                    "proxy_set_header Connection $tulou_connection;",
                    "no_websocket",
                ),
                ("proxy_http_version 1.1;", "http_1_0"),
            ] {
                let nginx = Nginx::begin(certificates, port, at, without(line)).await;
                assert_eq!(peek(&nginx).await, code, "{line}");
            }
            for (instead, code) in [
                ("return 302 https://sso.example/login;", "redirects"),
                ("return 200 '<input type=\"password\">';", "sign_in_wall"),
                ("return 404;", "not_tulou"),
                ("proxy_pass http://127.0.0.1:1;", "proxy_behind"),
            ] {
                let nginx = Nginx::begin(certificates, port, at, |block| {
                    block.replace(&format!("proxy_pass http://{at};"), instead)
                })
                .await;
                assert_eq!(peek(&nginx).await, code, "{instead}");
            }
            alice.client.shutdown().await;
            server.stop().await;
        },
    );
}

#[test]
fn nginx_that_cuts_what_is_quiet_is_outlived_once_it_was_seen() {
    let name = "nginx_that_cuts_what_is_quiet_is_outlived_once_it_was_seen";
    again(name, async |certificates| {
        let quiet = Duration::from_secs(2);
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = server(&folder, port, |_| {}).await;
        let nginx = Nginx::begin(certificates, port, server.address(), |block| {
            block.replace("proxy_read_timeout 90s;", "proxy_read_timeout 2s;")
        })
        .await;
        let alice = person(&folder, "alice").await;
        let alice = alice.register(&nginx.link(), "alice").await;
        let deadline = Instant::now() + PATIENCE * 3;
        let mut look = tokio::time::interval(Duration::from_millis(50));
        let mut was_cut = false;
        let mut synced_since = None::<Instant>;
        while synced_since.is_none_or(|since| since.elapsed() < quiet * 4) {
            assert!(
                Instant::now() < deadline,
                "no socket outlives nginx's patience"
            );
            alice.client.hurry().await;
            let app = alice.client.app_view().await;
            if app.accounts[0].connection == Connection::Synced {
                synced_since.get_or_insert_with(Instant::now);
            } else {
                was_cut |= synced_since.is_some();
                synced_since = None;
            }
            look.tick().await;
        }
        assert!(was_cut, "or this test shows nothing");
        alice.client.shutdown().await;
        drop(nginx);
        server.stop().await;
    });
}

/// Asks for an account from an address of this computer, with a header of one's own; the status.
async fn sign_up(folder: &Path, port: u16, from: IpAddr, name: &str, claim: &str) -> u16 {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(folder.join("authority.pem")).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    let stream = socket
        .connect(SocketAddr::from(([127, 0, 0, 1], port)))
        .await
        .unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector
        .connect("localhost".try_into().unwrap(), stream)
        .await
        .unwrap();
    let body = format!(
        "{{\"account_name\":\"{name}\",\"display_name\":\"{name}\",\"password\":\"correct horse\",\"device\":\"x\"}}"
    );
    let request = format!(
        "POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{claim}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // nginx closes without a farewell of TLS.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap_or_default();
    status.parse().unwrap_or_else(|_| panic!("{answer}"))
}
