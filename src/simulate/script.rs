//! Bodies that are sent piece by piece.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use tokio::time::Sleep;

/// A body that is sent piece by piece, slowly if configured, and that may end with a cut connection.
///
/// Each piece is made when the client has received the one before, so nothing accumulates.
pub(super) struct Script {
    chunks: Box<dyn Iterator<Item = Bytes> + Send>,
    pause: Option<Duration>,
    resting: Option<Pin<Box<Sleep>>>,
    end: End,
}

/// How a body ends.
enum End {
    Whole,
    /// The sent bytes must reach the client first, so the server gets a turn to flush them.
    FlushThenCut,
    Cut,
}

impl Script {
    pub(super) fn new(chunks: impl Iterator<Item = Bytes> + Send + 'static) -> Self {
        Self { chunks: Box::new(chunks), pause: None, resting: None, end: End::Whole }
    }

    /// Waits between the pieces.
    pub(super) fn pause(mut self, pause: Duration) -> Self {
        self.pause = Some(pause);
        self
    }

    /// Cuts the connection at the end.
    pub(super) fn cut(mut self) -> Self {
        self.end = End::FlushThenCut;
        self
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.end {
            End::Whole => Poll::Ready(None),
            End::FlushThenCut => {
                self.end = End::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Cut => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(rest) = &mut self.resting {
            ready!(rest.as_mut().poll(context));
        }
        let Some(chunk) = self.chunks.next() else {
            return self.poll_end(context);
        };
        self.resting = self.pause.map(|pause| Box::pin(tokio::time::sleep(pause)));
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }
}
