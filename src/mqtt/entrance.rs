//! The socket at which rumqttc finds the relay, and nobody else.

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// The longest path of a Unix socket, with room to spare (macOS: 104 bytes with the zero at its end).
const LONGEST_PATH: usize = 100;

/// A socket that waits for one connection from inside this process.
pub(super) struct Entrance {
    listener: UnixListener,
    path: PathBuf,
}

impl Entrance {
    /// Listens under a random name. On Linux the name is abstract (unix(7)): there is no file, so a read-only
    /// file system does not matter. Elsewhere it is a file in the folder for temporary files.
    pub(super) fn open() -> io::Result<Self> {
        let name = format!("presence2mqtt-{:016x}", fastrand::u64(..));
        let path = if cfg!(target_os = "linux") { format!("\0{name}").into() } else { in_a_folder(&name) };
        Ok(Self { listener: UnixListener::bind(&path)?, path })
    }

    /// Where rumqttc connects to.
    pub(super) fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Accepts only this process: on Linux, every process in the same network namespace can see the name.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (near, _) = self.listener.accept().await?;
            // Whoever has gone already has no number any more, on some systems.
            let peer = near.peer_cred().ok().and_then(|peer| peer.pid());
            if peer.is_some() && peer == i32::try_from(std::process::id()).ok() {
                return Ok(near);
            }
        }
    }
}

impl Drop for Entrance {
    /// Removes the file, where there is one.
    fn drop(&mut self) {
        if !cfg!(target_os = "linux") {
            // It is in nobody's way.
            let _left = std::fs::remove_file(&self.path);
        }
    }
}

/// In the user's own folder, unless its path is too long, or no text.
fn in_a_folder(name: &str) -> PathBuf {
    let of_user = std::env::temp_dir().join(name);
    match of_user.to_str() {
        Some(path) if path.len() <= LONGEST_PATH => of_user,
        Some(_) | None => Path::new("/tmp").join(name),
    }
}
