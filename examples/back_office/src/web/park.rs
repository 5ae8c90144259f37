//! Where a poll is parked: the connection is taken away from the HTTP server, whose buffers would be most of what thousands of
//! waiting agents cost, and is held as it is until there is something to say.
//!
//! Only the answer is written here. Every request is read by the HTTP server, before and after.

use super::App;
use crate::agents::{Heard, Parked};
use crate::metrics::Held;
use hyper::StatusCode;
use ors::office::protocol::MEDIA_TYPE;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::{Notify, watch};

/// How long an answer may take to be taken.
const TAKES: Duration = Duration::from_secs(30);

/// A place for one poll, on each connection while a request is heard.
#[derive(Clone, Default)]
pub struct Slot(Arc<Inner>);

#[derive(Default)]
struct Inner {
    place: Mutex<Option<Place>>,
    filled: Notify,
}

impl Slot {
    /// Leaves a poll to whoever holds the connection.
    pub fn fill(&self, place: Place) {
        *self.0.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        self.0.filled.notify_one();
    }

    /// Waits for one.
    pub async fn filled(&self) {
        self.0.filled.notified().await;
    }

    /// The poll, if there is one.
    pub fn take(&self) -> Option<Place> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A parked poll. Its parking ends when this is dropped, wherever the connection went under it.
pub struct Place {
    app: Arc<App>,
    parked: Box<Parked>,
    answered: bool,
}

impl Place {
    pub fn new(app: Arc<App>, parked: Box<Parked>) -> Place {
        Place { app, parked, answered: false }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.line.unpark(&self.parked, !self.answered);
    }
}

/// Holds a connection until its poll has an answer, and gives it. `false`: the connection is of no use any more.
pub async fn hold<S>(place: Place, stream: &mut S, stop: &watch::Receiver<bool>) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(heard) = wait(place, stream).await else { return false };
    let last = *stop.borrow();
    let answer = Box::pin(async {
        stream.write_all(&message(heard, last)).await?;
        stream.flush().await?;
        if last { stream.shutdown().await } else { Ok(()) }
    });
    // Somebody who does not listen holds nothing for long.
    matches!(tokio::time::timeout(TAKES, answer).await, Ok(Ok(()))) && !last
}

/// What there is to say; nothing when the connection was closed first.
async fn wait<S: AsyncRead + Unpin>(mut place: Place, stream: &mut S) -> Option<Heard> {
    let until = tokio::time::Instant::now() + place.parked.hold;
    loop {
        let over = {
            let _gauge = Held::new(&place.app.metrics.parked);
            let mut byte = [0];
            tokio::select! {
                () = place.parked.bell.rung() => false,
                () = tokio::time::sleep_until(until) => true,
                // Closed; or it speaks before it was answered, which no agent does.
                _ = stream.read(&mut byte) => return None,
            }
        };
        let looked = tokio::task::spawn_blocking(move || {
            let from = Instant::now();
            let heard = place.app.line.wake_up(&place.parked, over, crate::now());
            if heard.is_some() && !over {
                place.app.metrics.woken.fetch_add(1, Relaxed);
                let took = u64::try_from(from.elapsed().as_micros()).unwrap_or(u64::MAX);
                place.app.metrics.woken_us.fetch_add(took, Relaxed);
            }
            place.answered = heard.is_some();
            (heard, place)
        });
        match looked.await {
            Ok((Some(heard), _)) => return Some(heard),
            Ok((None, back)) => place = back,
            Err(_) => return None,
        }
    }
}

/// The answer as it goes over the wire.
fn message(heard: Heard, last: bool) -> Vec<u8> {
    let (status, kind, body) = match heard {
        Heard::Said { status, body, .. } => (status, MEDIA_TYPE, body),
        Heard::Failed(problem) => {
            tracing::error!("a poll was not answered: {problem}");
            (503, "text/plain", b"The back office cannot answer now.\n".to_vec())
        }
        // A woken poll is answered; these are never what it comes to.
        Heard::Unproven(_) | Heard::Park(_) => (500, "text/plain", Vec::new()),
    };
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    let close = if last { "connection: close\r\n" } else { "" };
    let mut message = format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: {kind}\r\ncache-control: no-store\r\n{close}content-length: {}\r\ndate: {}\r\n\r\n",
        body.len(),
        httpdate::fmt_http_date(SystemTime::now()),
    )
    .into_bytes();
    message.extend_from_slice(&body);
    message
}

/// Waits until there is something to read, without a buffer of any size. `false`: it was closed, or said nothing in time.
pub async fn speaks<S: AsyncRead + Unpin>(stream: &mut Rewound<S>, within: Duration) -> bool {
    let mut byte = [0];
    match tokio::time::timeout(within, stream.read(&mut byte)).await {
        Ok(Ok(1)) => {
            stream.back(byte[0]);
            true
        }
        _ => false,
    }
}

/// A stream to which one byte that was read can be given back.
pub struct Rewound<S> {
    byte: Option<u8>,
    stream: S,
}

impl<S> Rewound<S> {
    pub fn new(stream: S) -> Rewound<S> {
        Rewound { byte: None, stream }
    }

    fn back(&mut self, byte: u8) {
        self.byte = Some(byte);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() > 0
            && let Some(byte) = self.byte.take()
        {
            buf.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
