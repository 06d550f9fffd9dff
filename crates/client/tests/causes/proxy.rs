//! A reverse proxy as operators really set it up.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::Instant,
};

/// What gets through.
#[derive(Debug, Clone, Copy)]
pub enum Pass {
    All,
    /// The headers that make a WebSocket do not.
    NoUpgrade,
    /// The way to the server speaks HTTP 1.0.
    Http10,
    /// Who asks for a WebSocket gets a page that wants a password.
    LoginPageForSockets,
    /// `/ws` leads nowhere.
    NotFoundForSockets,
    /// A connection that is quiet for so long is cut.
    Within(Duration),
}

pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

struct State {
    pass: Pass,
    server: SocketAddr,
    cut: usize,
    /// All that was said through it.
    heard: Vec<u8>,
    /// Sockets that are open, and since when.
    sockets: Vec<(usize, Instant)>,
    open: Vec<AbortHandle>,
}

impl Proxy {
    pub async fn before(server: SocketAddr, pass: Pass) -> Self {
        let proxy = Self::open(pass).await;
        proxy.leads_to(server);
        proxy
    }

    /// One that leads nowhere so far.
    pub async fn open(pass: Pass) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            pass,
            server: address,
            cut: 0,
            heard: Vec::new(),
            sockets: Vec::new(),
            open: Vec::new(),
        }));
        let held = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut no = 0;
            while let Ok((visitor, _)) = listener.accept().await {
                no += 1;
                let carried = tokio::spawn(carry(no, visitor, Arc::clone(&held)));
                held.lock().unwrap().open.push(carried.abort_handle());
            }
        });
        Self {
            address,
            state,
            task: task.abort_handle(),
        }
    }

    pub fn leads_to(&self, server: SocketAddr) {
        self.state.lock().unwrap().server = server;
    }

    pub fn link(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// From here on; what is open is cut.
    pub fn now_pass(&self, pass: Pass) {
        let mut state = self.state.lock().unwrap();
        state.pass = pass;
        for open in state.open.drain(..) {
            open.abort();
        }
        state.sockets.clear();
    }

    pub fn has_heard(&self, words: &str) -> bool {
        let state = self.state.lock().unwrap();
        let heard = String::from_utf8_lossy(&state.heard).to_lowercase();
        heard.contains(words)
    }

    /// How often a quiet connection was cut.
    pub fn cut(&self) -> usize {
        self.state.lock().unwrap().cut
    }

    pub fn oldest_socket(&self) -> Duration {
        let state = self.state.lock().unwrap();
        let ages = state.sockets.iter().map(|(_, since)| since.elapsed());
        ages.max().unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(no: usize, mut visitor: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut bytes = [0; 4_096];
        match visitor.read(&mut bytes).await {
            Ok(read) if read > 0 => head.extend_from_slice(&bytes[..read]),
            Ok(_) | Err(_) => return,
        }
    }
    let (pass, server) = {
        let mut state = state.lock().unwrap();
        state.heard.extend_from_slice(&head);
        (state.pass, state.server)
    };
    let text = String::from_utf8(head).unwrap();
    let is_socket = text.starts_with("GET /ws ");
    let page = if !is_socket {
        ""
    } else if matches!(pass, Pass::LoginPageForSockets) {
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<input type=\"password\">"
    } else if matches!(pass, Pass::NotFoundForSockets) {
        "HTTP/1.1 404 Not Found\r\n\r\n<h1>404</h1>"
    } else {
        ""
    };
    if !page.is_empty() {
        let _ = visitor.write_all(page.as_bytes()).await;
        return;
    }
    let is_hop = |line: &str| {
        let line = line.to_lowercase();
        line.starts_with("upgrade:") || line.starts_with("connection:")
    };
    let text = if matches!(pass, Pass::NoUpgrade) {
        let lines: Vec<&str> = text.split("\r\n").filter(|line| !is_hop(line)).collect();
        lines.join("\r\n")
    } else if matches!(pass, Pass::Http10) && is_socket {
        text.replacen("HTTP/1.1", "HTTP/1.0", 1)
    } else {
        text
    };
    let Ok(mut inner) = TcpStream::connect(server).await else {
        return;
    };
    inner.write_all(text.as_bytes()).await.unwrap();
    if is_socket {
        let since = Instant::now();
        state.lock().unwrap().sockets.push((no, since));
    }
    let patience = if let Pass::Within(patience) = pass
        && is_socket
    {
        patience
    } else {
        Duration::from_secs(3_600)
    };
    let mut there = [0; 4_096];
    let mut back = [0; 4_096];
    loop {
        tokio::select! {
            read = visitor.read(&mut there) => match read {
                Ok(read) if read > 0 => {
                    state.lock().unwrap().heard.extend_from_slice(&there[..read]);
                    inner.write_all(&there[..read]).await.unwrap_or_default();
                }
                Ok(_) | Err(_) => break,
            },
            read = inner.read(&mut back) => match read {
                Ok(read) if read > 0 => visitor.write_all(&back[..read]).await.unwrap_or_default(),
                Ok(_) | Err(_) => break,
            },
            () = tokio::time::sleep(patience) => {
                state.lock().unwrap().cut += 1;
                break;
            }
        }
    }
    state
        .lock()
        .unwrap()
        .sockets
        .retain(|(other, _)| *other != no);
}
