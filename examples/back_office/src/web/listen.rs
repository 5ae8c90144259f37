//! Connections: accepted up to a limit, TLS by certificate files, HTTP/1.1, and ended politely.

use super::park::{self, Place, Rewound, Slot};
use super::{App, Peer};
use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// A handshake takes this long at most, and so do the headers of a request.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(20);
/// Nothing is said for so long: whoever it is comes back when there is something.
const IDLE: Duration = Duration::from_secs(120);

/// The certificate in use; another one takes its place without a restart.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

impl Tls {
    /// # Errors
    /// A sentence that names the file.
    pub fn load(certificate: &Path, key: &Path) -> Result<Tls, String> {
        Ok(Tls(Arc::new(RwLock::new(server_config(certificate, key)?))))
    }

    /// Takes the files as they are now. Open connections keep the old ones.
    ///
    /// # Errors
    /// A sentence that names the file; the old ones stay in use then.
    pub fn reload(&self, certificate: &Path, key: &Path) -> Result<(), String> {
        let new = server_config(certificate, key)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("{}: no certificates in PEM: {error}", certificate.display()))?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: no key in PEM: {error}", key.display()))?;
    let wrong = |error: rustls::Error| format!("{} and {}: {error}", certificate.display(), key.display());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Whoever comes back brings the ticket: nothing is kept here for thousands of agents.
    config.ticketer = rustls::crypto::ring::Ticketer::new().map_err(wrong)?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// Serves until `stop` says so; then takes no more connections, lets those that are open finish, and returns when they have,
/// or after `patience`.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Tls>,
    most: usize,
    mut stop: watch::Receiver<bool>,
    patience: Duration,
) {
    let router = super::router(app.clone());
    let places = Arc::new(Semaphore::new(most));
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: those who go will give some back.
                tracing::warn!("no connection could be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            app.metrics.connections_refused.fetch_add(1, Relaxed);
            continue;
        };
        let (router, tls, stop, alive, app) = (router.clone(), tls.clone(), stop.clone(), alive.clone(), app.clone());
        tokio::spawn(async move {
            app.metrics.connections.fetch_add(1, Relaxed);
            connection(&app, stream, from, router, tls, stop).await;
            app.metrics.connections.fetch_sub(1, Relaxed);
            drop((place, alive));
        });
    }
    drop((listener, alive));
    app.line.hub.drain();
    let _ = tokio::time::timeout(patience, all_gone.recv()).await;
}

async fn connection(
    app: &App,
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    tls: Option<Tls>,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return conversation(stream, from.ip(), router, stop).await };
    // In a box: what a handshake needs is given back before the connection is used.
    let handshake = Box::pin(tokio::time::timeout(HANDSHAKE, tls.acceptor().accept(stream)));
    match handshake.await.map(|done| done.map(Box::new)) {
        Ok(Ok(stream)) => conversation(stream, from.ip(), router, stop).await,
        Ok(Err(_)) | Err(_) => {
            app.metrics.tls_failed.fetch_add(1, Relaxed);
        }
    }
}

/// Requests and answers on one connection, with polls parked in between.
async fn conversation<S>(stream: S, from: IpAddr, router: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stream = Rewound::new(stream);
    loop {
        let speaks = tokio::select! {
            speaks = park::speaks(&mut stream, IDLE) => speaks,
            () = stopped(&mut stop) => false,
        };
        if !speaks {
            return;
        }
        // In a box of its own, which is given back before a poll is parked.
        let Some((back, place)) = Box::pin(http(stream, from, router.clone(), stop.clone())).await else { return };
        stream = back;
        if !park::hold(place, &mut stream, &stop).await {
            return;
        }
    }
}

/// Speaks HTTP until the connection ends, or until there is a poll to park.
async fn http<S>(
    stream: Rewound<S>,
    from: IpAddr,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> Option<(Rewound<S>, Place)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let slot = Slot::default();
    let lot = slot.clone();
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(from));
        request.extensions_mut().insert(lot.clone());
        Box::pin(router.clone().oneshot(request.map(Body::new)))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = &mut connection => return None,
        () = slot.filled() => {}
        () = stopped(&mut stop) => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            // A poll that comes in this very moment is answered at once.
            tokio::select! {
                _ = &mut connection => return None,
                () = slot.filled() => {}
            }
        }
    }
    let parts = connection.into_parts();
    // Somebody who speaks before being answered is no agent.
    slot.take().filter(|_| parts.read_buf.is_empty()).map(|place| (parts.io.into_inner(), place))
}

/// Waits until the server is told to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that is the end too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Listens, or says where it cannot.
///
/// # Errors
/// A sentence.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    let listened: io::Result<TcpListener> = TcpListener::bind(address).await;
    listened.map_err(|error| format!("cannot listen on {address}: {error}"))
}
