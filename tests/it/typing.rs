//! A person at a terminal, in front of the program.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::sync::mpsc;

use crate::stage::within;

/// What is on the screen, and the keys. Dropping it ends the program.
pub(crate) struct Typist {
    child: Child,
    keys: File,
    output: mpsc::Receiver<String>,
    pub(crate) screen: String,
}

impl Typist {
    pub(crate) fn before(mut command: Command) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let other_end = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let end = || other_end.try_clone().unwrap();
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // The program alone must hold the other end: when it is closed there is no more to read.
        drop((command, other_end));
        let keys = File::from(terminal);
        let mut screen = keys.try_clone().unwrap();
        let (to, output) = mpsc::channel(64);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                if to.blocking_send(String::from_utf8_lossy(&bytes[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, output, screen: String::new() }
    }

    /// Waits until these words are on the screen.
    pub(crate) async fn sees(&mut self, words: &str) {
        while !self.screen.contains(words) {
            match within(self.output.recv()).await {
                Some(more) => self.screen += &more,
                None => panic!("no {words:?} in {:?}", self.screen),
            }
        }
    }

    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.keys, "{line}").unwrap();
    }

    /// How the program ends, and all that it said.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        while let Some(more) = within(self.output.recv()).await {
            self.screen += &more;
        }
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.screen))
    }
}

impl Drop for Typist {
    fn drop(&mut self) {
        // It may have ended, which is as well.
        let _ended = self.child.kill();
        let _code = self.child.wait();
    }
}
