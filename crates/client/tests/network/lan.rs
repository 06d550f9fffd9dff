//! Two computers, each in a network namespace of its own. Namespaces need root and `ip`.

use std::{
    fs::File,
    io::Write,
    os::fd::AsFd,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use tokio::runtime::{Builder, Runtime};

/// A network of two computers.
pub struct Lan {
    pub host: Computer,
    pub guest: Computer,
}

/// A network namespace, and threads in it.
pub struct Computer {
    name: String,
    place: PathBuf,
    runtime: Option<Runtime>,
}

impl Lan {
    /// None where it cannot be made, which is said.
    pub fn build() -> Option<Self> {
        let lan = Self::try_build();
        if lan.is_none() {
            // Not through the test's captured output: that it did not run has to be seen.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no network namespaces can be made here; root and iproute2 are needed"
            );
        }
        lan
    }

    fn try_build() -> Option<Self> {
        let host = Computer::build("host")?;
        let guest = Computer::build("guest")?;
        let (a, b) = (&host.name, &guest.name);
        ip(&format!(
            "link add lan0 netns {a} type veth peer name lan0 netns {b}"
        ))?;
        for name in [a, b] {
            ip(&format!("-n {name} link set lo up"))?;
            ip(&format!("-n {name} link set lan0 up"))?;
        }
        ip(&format!("-n {b} addr add 10.77.0.2/24 dev lan0"))?;
        let lan = Self { host, guest };
        lan.host_gets("10.77.0.1/24");
        Some(lan)
    }

    /// Nothing that is meant for several arrives, or is sent; for IPv6 there is no network without it at all.
    pub fn loses_multicast(&self) {
        for name in [&self.host.name, &self.guest.name] {
            ip(&format!("-n {name} link set dev lan0 multicast off")).unwrap();
            ip(&format!("-n {name} -6 addr flush dev lan0")).unwrap();
            ip(&format!("-n {name} route add unreachable 224.0.0.0/4")).unwrap();
        }
    }

    /// What is meant for several arrives again, by IPv4.
    pub fn gets_multicast(&self) {
        for name in [&self.host.name, &self.guest.name] {
            ip(&format!("-n {name} route del unreachable 224.0.0.0/4")).unwrap();
            ip(&format!("-n {name} link set dev lan0 multicast on")).unwrap();
        }
    }

    /// With a prefix length that no other address has: else the system takes them for one, and removes them as one.
    pub fn host_gets(&self, address: &str) {
        ip(&format!(
            "-n {} addr add {address} dev lan0",
            self.host.name
        ))
        .unwrap();
    }

    pub fn host_loses(&self, address: &str) {
        ip(&format!(
            "-n {} addr del {address} dev lan0",
            self.host.name
        ))
        .unwrap();
    }
}

impl Computer {
    fn build(role: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let no = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tulou-{}-{no}-{role}", std::process::id());
        ip(&format!("netns add {name}"))?;
        let place = PathBuf::from(format!("/run/netns/{name}"));
        let inside = place.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(move || enter(&inside))
            .build()
            .unwrap();
        Some(Self {
            name,
            place,
            runtime: Some(runtime),
        })
    }

    /// Does something on this computer.
    pub fn run<T: Send>(&self, work: impl AsyncFnOnce() -> T + Send) -> T {
        let runtime = self.runtime.as_ref().unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                enter(&self.place);
                runtime.block_on(work())
            });
            thread.join().unwrap()
        })
    }
}

/// The calling thread is in the network from here on.
fn enter(place: &PathBuf) {
    let place = File::open(place).unwrap();
    let kind = rustix::thread::LinkNameSpaceType::Network;
    rustix::thread::move_into_link_name_space(place.as_fd(), Some(kind)).unwrap();
}

impl Drop for Computer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        ip(&format!("netns del {}", self.name));
    }
}

/// Runs `ip`; none if it does not work.
fn ip(words: &str) -> Option<()> {
    let done = Command::new("ip")
        .args(words.split(' '))
        .stdin(Stdio::null())
        .output();
    match done {
        Ok(output) if output.status.success() => Some(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            println!("ip {words}: {said}");
            None
        }
        Err(error) => {
            println!("ip: {error}");
            None
        }
    }
}
