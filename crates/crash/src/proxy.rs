//! A network between clients and a server that misbehaves. It is TCP, so it reorders nothing; but it cuts, delays, halves
//! what was written at once, and stalls.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// Bytes that are carried at once.
const CHUNK: usize = 4_096;

/// How the network is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weather {
    /// Longest delay of a piece.
    pub delay: Duration,
    /// Whether what was written at once comes in pieces, cut at odd places.
    pub halves: bool,
    /// How likely it is that the connection ends within a chunk, part of which still arrives.
    pub cuts: f64,
    /// Nothing goes on, and nobody is told.
    pub stalls: bool,
}

/// A network between clients and a server. It ends with the value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    /// Counts the times that all connections were cut.
    cuts: watch::Sender<u64>,
    _carrying: JoinSet<()>,
}

/// What a connection needs to know.
#[derive(Clone)]
struct Air {
    weather: watch::Receiver<Weather>,
    chance: Arc<Mutex<ChaCha8Rng>>,
}

impl Proxy {
    /// Listens at a free port of this computer, and carries what comes to the server. With a seed, chance is the same in
    /// each run; when things happen is not.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(server: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let weather = watch::Sender::new(Weather::default());
        let cuts = watch::Sender::new(0);
        let air = Air {
            weather: weather.subscribe(),
            chance: Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(seed))),
        };
        let mut is_cut = cuts.subscribe();
        let mut carrying = JoinSet::new();
        carrying.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        if let Ok((client, _)) = accepted {
                            open.spawn(carry(client, server, air.clone()));
                        }
                    }
                    Ok(()) = is_cut.changed() => open.abort_all(),
                    Some(_) = open.join_next() => {}
                }
            }
        });
        Ok(Self {
            address,
            weather,
            cuts,
            _carrying: carrying,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From here on the network is like this.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Ends every connection.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Air {
    fn chance<T>(&self, draw: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        draw(&mut self.chance.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn carries(&mut self) -> Option<Weather> {
        let weather = self.weather.wait_for(|weather| !weather.stalls).await;
        weather.ok().map(|weather| *weather)
    }
}

async fn carry(client: TcpStream, server: SocketAddr, air: Air) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    // Pieces are sent as they are, not put together again.
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // When one direction ends so does the other: both halves are dropped.
    tokio::select! {
        _ = pump(from_client, to_server, air.clone()) => {}
        _ = pump(from_server, to_client, air) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut air: Air) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            return Ok(());
        }
        let Some(weather) = air.carries().await else {
            return Ok(());
        };
        let mut rest = &chunk[..count];
        let is_cut = weather.cuts > 0.0 && air.chance(|chance| chance.random_bool(weather.cuts));
        if is_cut {
            rest = &rest[..air.chance(|chance| chance.random_range(0..count))];
        }
        while !rest.is_empty() {
            let piece = if weather.halves {
                air.chance(|chance| chance.random_range(1..=rest.len()))
            } else {
                rest.len()
            };
            let delay = weather.delay.mul_f64(air.chance(|chance| chance.random()));
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            to.write_all(&rest[..piece]).await?;
            rest = &rest[piece..];
        }
        if is_cut {
            return Ok(());
        }
    }
}
