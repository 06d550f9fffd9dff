//! A virtual display with a session bus, for machines and programs without a real one.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::repo;

/// How long the display may take to start.
const START: Duration = Duration::from_secs(20);

/// Whether this process has a display to show windows on.
pub fn is_present() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// An X server without a screen. It ends with this value.
pub struct Display {
    server: Child,
    name: String,
    folder: PathBuf,
}

impl Display {
    /// Starts one that is `width` by `height` pixels large.
    pub fn start(width: u32, height: u32) -> Result<Self> {
        let folder = repo::target()
            .join("xtask")
            .join(format!("display-{}", std::process::id()));
        fs::create_dir_all(folder.join("runtime"))?;
        make_private(&folder.join("runtime"))?;
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-nolisten",
                "tcp",
                "-noreset",
                "-screen",
                "0",
            ])
            .arg(format!("{width}x{height}x24"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start Xvfb; `cargo xtask setup` installs it")?;
        let written = server.stdout.take().context("read the display's number")?;
        let mut display = Self {
            server,
            name: String::new(),
            folder,
        };
        let (send, receive) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut number = String::new();
            let read = BufReader::new(written).read_line(&mut number);
            // The receiver is gone when the display took too long; nobody waits for the number.
            let _ = send.send(read.map(|_| number));
        });
        let number = receive.recv_timeout(START).context("wait for Xvfb")??;
        if number.trim().is_empty() {
            bail!("Xvfb ended before it had a display");
        }
        display.name = format!(":{}", number.trim());
        Ok(display)
    }

    /// Its name, for `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that runs on this display, in a session bus of its own, with an unlocked keyring that is thrown away.
    pub fn session(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = repo::command("dbus-run-session");
        command
            .args(["--", "bash", "-c", UNLOCK, "session"])
            .arg(program)
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("XDG_RUNTIME_DIR", self.folder.join("runtime"))
            .env("XDG_DATA_HOME", self.folder.join("share"))
            .env("XDG_CONFIG_HOME", self.folder.join("config"))
            .env("XDG_CACHE_HOME", self.folder.join("cache"));
        command
    }

    /// Writes what the display shows to `picture` and returns its number of different colours.
    pub fn screenshot(&self, picture: &Path) -> Result<u64> {
        let mut import = repo::command("import");
        import
            .args(["-display", &self.name, "-window", "root", "-strip"])
            .arg(picture)
            .stderr(Stdio::null());
        repo::finish(import)?;
        let mut identify = repo::command("identify");
        identify.args(["-format", "%k"]).arg(picture);
        repo::output(identify)?
            .trim()
            .parse()
            .context("count the colours of a screenshot")
    }
}

/// Unlocks a keyring with an empty password, then becomes the program.
const UNLOCK: &str = r#"printf '\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$@""#;

impl Drop for Display {
    fn drop(&mut self) {
        // Nothing is left to do for a server that is gone already, or for a folder in use by a late child.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn make_private(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    let _ = folder;
    Ok(())
}

/// Looks again and again until `look` finds something, at most until `deadline`.
pub fn wait<T>(
    deadline: Instant,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(150));
    }
}
