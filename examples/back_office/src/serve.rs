//! The running server: everything opened in order, chores, signals, and the end.

use crate::agents::Line;
use crate::config::Config;
use crate::domain::installations;
use crate::domain::{Outcome, Problem};
use crate::login::Logins;
use crate::login::secrets::Secrets;
use crate::metrics::Metrics;
use crate::signer::{Client, Name};
use crate::store::Store;
use crate::web::App;
use crate::web::listen::{self, Tls};
use issuer::SigningKey;
use ors::licence::Keyring;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixDatagram;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

/// How long open connections get to finish at the end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked for events that nobody poked about.
const LOOK: Duration = Duration::from_secs(1);
const TIDY: Duration = Duration::from_secs(30);
/// Open issues older than this are finished: whoever began them is gone.
const BEGUN: i64 = 30;

/// Why there is no server, or no more.
pub type Failure = String;

/// The lock of the data folder: one server, or one restore.
///
/// # Errors
/// A sentence; somebody holds it.
pub fn lock(config: &Config) -> Result<File, Failure> {
    make_folder(&config.data)?;
    let path = config.lock();
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!("a back office runs on {} already", config.data.display())),
        Err(TryLockError::Error(error)) => Err(format!("cannot lock {}: {error}", path.display())),
    }
}

/// Makes the data folder, for this account only.
///
/// # Errors
/// A sentence.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("cannot make {}: {error}", path.display()))
}

/// What products were built with.
///
/// # Errors
/// A sentence that names the file.
pub fn host_keys(config: &Config) -> Result<Keyring, Failure> {
    let ring = issuer::trusted::ring(std::slice::from_ref(&config.trusted_keys)).map_err(|error| error.to_string())?;
    ring.ok_or_else(|| format!("{}: no keys", config.trusted_keys.display()))
}

/// Serves until a signal ends it. `listening` is told the address once agents can connect.
///
/// # Errors
/// A sentence: what could not be opened.
pub fn run(config: &Config, statement: SigningKey, listening: impl FnOnce(SocketAddr)) -> Result<(), Failure> {
    let _lock = lock(config)?;
    raise_descriptors();
    let store = Arc::new(Store::open(&config.database()).map_err(|error| error.to_string())?);
    let metrics = Arc::new(Metrics::default());
    let host = host_keys(config)?;
    let line = Line::new(store.clone(), metrics.clone(), config.origin.clone(), statement, host);
    let line = line.map_err(|problem| problem.to_string())?;
    let secrets = Secrets::open_file(&config.secrets()).map_err(|problem| problem.to_string())?;
    let app = Arc::new(App {
        line,
        store: store.clone(),
        metrics,
        signer: Client::new(&config.signer),
        logins: Logins::new(store.clone(), secrets),
        forwarded_by: config.forwarded_by.clone(),
        secure: config.origin.as_str().starts_with("https://"),
        poke: Notify::new(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // They wait for the disk and for signatures; more of them would only wait for each other.
        .max_blocking_threads(16)
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let ended = runtime.block_on(serve(config, app.clone(), listening));
    runtime.shutdown_timeout(Duration::from_secs(2));
    app.line.leave(crate::now()).map_err(|problem| problem.to_string())?;
    store.settle();
    ended
}

async fn serve(config: &Config, app: Arc<App>, listening: impl FnOnce(SocketAddr)) -> Result<(), Failure> {
    let tls = match &config.tls {
        Some((certificate, key)) => Some(Tls::load(certificate, key)?),
        None => None,
    };
    let handler = |kind| signal(kind).map_err(|error| format!("cannot hear signals: {error}"));
    let (mut term, mut int, mut hup) =
        (handler(SignalKind::terminate())?, handler(SignalKind::interrupt())?, handler(SignalKind::hangup())?);
    let poked = poke_socket(&config.poke())?;
    let listener = listen::bind(config.listen).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(look(app.clone(), poked));
    tokio::spawn(chores(app.clone()));
    let serving =
        tokio::spawn(listen::serve(app.clone(), listener, tls.clone(), config.max_connections, stopped, PATIENCE));
    tracing::info!("listening on {address} as {}", config.origin);
    listening(address);
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => reload(config, tls.as_ref()),
        }
    }
    tracing::info!("draining");
    let _ = stop.send(true);
    serving.await.map_err(|_| "serving failed within".to_owned())?;
    tracing::info!("stopped");
    Ok(())
}

fn reload(config: &Config, tls: Option<&Tls>) {
    let Some((tls, (certificate, key))) = tls.zip(config.tls.as_ref()) else { return };
    match tls.reload(certificate, key) {
        Ok(()) => tracing::info!("the certificate was read again"),
        Err(problem) => tracing::error!("the certificate stays as it is: {problem}"),
    }
}

/// Where other processes say that something was committed. What they send is not looked at.
fn poke_socket(path: &Path) -> Result<UnixDatagram, Failure> {
    let failed = |error: std::io::Error| format!("cannot make {}: {error}", path.display());
    let _ = std::fs::remove_file(path);
    let socket = UnixDatagram::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(socket)
}

/// Tells a running server, if there is one, that something was committed. Without this it finds out within a second.
pub fn poke(config: &Config) {
    if let Ok(socket) = std::os::unix::net::UnixDatagram::unbound() {
        let _ = socket.set_nonblocking(true);
        let _ = socket.send_to(b"!", config.poke());
    }
}

async fn look(app: Arc<App>, poked: UnixDatagram) {
    let mut buffer = [0; 16];
    loop {
        tokio::select! {
            () = app.poke.notified() => {}
            _ = poked.recv(&mut buffer) => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Err(problem) = app.aside(|app| app.line.look()).await {
            tracing::error!("events cannot be looked for: {problem}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn chores(app: Arc<App>) {
    loop {
        let done = app.aside(|app| {
            let now = crate::now();
            app.line.tidy(now)?;
            let (finished, problem) = app.desk().finish_all(now.plus(-BEGUN), now)?;
            if finished > 0 {
                tracing::info!("{finished} licences that were begun are issued now");
            }
            if let Some(problem) = problem {
                tracing::warn!("a licence that was begun cannot be issued yet: {problem}");
            }
            registered(app)
        });
        if let Err(problem) = done.await {
            tracing::warn!("chores: {problem}");
        }
        app.poke.notify_one();
        tokio::time::sleep(TIDY).await;
    }
}

/// Asks the signer which of the installations that wait it has come to know.
fn registered(app: &App) -> Outcome<()> {
    for some in app.store.read(installations::unregistered)?.chunks(1000) {
        let names = some.iter().map(|(_, product, serial)| Name::new(product, serial)).collect();
        let Ok(known) = app.signer.known(names) else { return Ok(()) };
        app.store.write(|db| {
            let known = some.iter().zip(known).filter(|(_, known)| *known);
            known
                .into_iter()
                .try_for_each(|((id, ..), _)| installations::set_registered(db, *id, true))
                .map_err(|problem: Problem| problem)
        })?;
    }
    Ok(())
}

/// Each agent takes two descriptors; the usual soft limit is 1,024.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
