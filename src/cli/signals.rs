//! How the system asks the program to stop.

use std::convert::Infallible;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Waits for SIGTERM or SIGINT.
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// At each SIGHUP from now on reads the configuration again and hands it on; never ends.
///
/// No async function, which would begin when it is first waited for: until then SIGHUP ends the program.
pub(super) fn reload<C>(
    read: impl Fn() -> Result<C, String>,
    to: mpsc::Sender<Result<C, String>>,
) -> io::Result<impl Future<Output = Infallible>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            hangup.recv().await;
            if let Ok(place) = to.reserve().await {
                place.send(read());
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hangup_before_anybody_waits_for_it_reads_the_configuration_again() {
        let (to, mut reloads) = mpsc::channel(1);
        let reload = reload(|| Ok("read"), to).unwrap();
        let pid = std::process::id().to_string();
        let sent = std::process::Command::new("sh").args(["-c", "kill -s HUP \"$0\"", &pid]).status();
        assert!(sent.unwrap().success());
        tokio::select! {
            never = reload => match never {},
            read = reloads.recv() => assert_eq!(read, Some(Ok("read"))),
        }
    }
}
