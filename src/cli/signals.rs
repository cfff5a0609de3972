//! How the system asks the program to stop.

use std::io;

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

/// Answers each SIGHUP, which would end the program otherwise, with a warning; never ends.
#[cfg(unix)]
pub(super) async fn decline_reloads() -> io::Result<std::convert::Infallible> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        hangup.recv().await;
        tracing::warn!("this version cannot read its configuration again; restart it to apply changes");
    }
}

/// There is no SIGHUP.
#[cfg(not(unix))]
pub(super) async fn decline_reloads() -> io::Result<std::convert::Infallible> {
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
