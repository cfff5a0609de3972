//! How the system asks the program to stop.

use std::io;

use tokio::sync::mpsc;

/// Waits for SIGTERM or SIGINT.
#[cfg(unix)]
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// At each SIGHUP reads the configuration again and hands it on; never ends.
#[cfg(unix)]
pub(super) async fn reload<C>(
    read: impl Fn() -> Result<C, String>,
    to: mpsc::Sender<Result<C, String>>,
) -> io::Result<std::convert::Infallible> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        hangup.recv().await;
        if let Ok(place) = to.reserve().await {
            place.send(read());
        }
    }
}

/// There is no SIGHUP.
#[cfg(not(unix))]
pub(super) async fn reload<C>(
    _read: impl Fn() -> Result<C, String>,
    _to: mpsc::Sender<Result<C, String>>,
) -> io::Result<std::convert::Infallible> {
    std::future::pending().await
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler the program cannot be asked to stop, and runs on.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
