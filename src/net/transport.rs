//! Where a connection comes from, and the connection itself: all of this library that stands on `ureq`'s transport interface, which may
//! change in any release. So the version is pinned, and nothing else may name these types.
//!
//! A connection is made here in one go: the name, the socket, TLS. A proxy has its place between the last two. Nothing is resolved for a
//! connection that is kept. Every wait ends when the request is called off: those for name and socket look, those on the socket are
//! ended by shutting it down.
//!
//! Buffers are wiped when a connection goes, since a verification code may have gone through them.
#![forbid(unsafe_code)]

use super::certificate::Names;
use super::connect::{NoConnection, connect};
use super::dns::{Dns, NoAddress};
use super::tls::{self, Trust};
use super::trouble::{Progress, Step, Trouble, Watch, Why};
use crate::licence::text::clean;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, ShutdownHandle, Transport};
use zeroize::{Zeroize, Zeroizing};

/// Enough for the head of any answer, and for a request in a few pieces.
const BUFFER: usize = 16 << 10;
/// The shortest time in which one of several addresses is tried.
const ONE_ADDRESS: Duration = Duration::from_secs(2);

/// What the one who asks and the connection share.
pub struct Shared {
    pub dns: Arc<Dns>,
    pub trust: Arc<Trust>,
    pub stopped: AtomicBool,
    turn: Mutex<Turn>,
}

/// What is known about the request that is under way.
#[derive(Clone)]
pub struct Turn {
    /// How long each of the steps up to an encrypted connection may take.
    pub connect: Duration,
    pub watch: Option<Arc<Watch>>,
    /// Whether a connection was made for it; else it used one that was kept.
    pub fresh: bool,
    /// Whether any of it was sent.
    pub sent: bool,
    /// Whether anything came back.
    pub received: bool,
}

impl Shared {
    pub fn new(dns: Arc<Dns>, trust: Arc<Trust>) -> Shared {
        let turn = Turn { connect: Duration::ZERO, watch: None, fresh: false, sent: false, received: false };
        Shared { dns, trust, stopped: AtomicBool::new(false), turn: Mutex::new(turn) }
    }

    pub fn turn(&self) -> std::sync::MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(SeqCst)
    }

    pub fn tell(&self, progress: Progress) {
        let watch = self.turn().watch.clone();
        if let Some(watch) = watch {
            watch(progress);
        }
    }
}

/// Resolves nothing: [`Maker`] does, when it really makes a connection.
#[derive(Debug)]
pub struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// Makes connections.
pub struct Maker(pub Arc<Shared>);

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Maker")
    }
}

impl Connector for Maker {
    type Out = Line;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Line>, ureq::Error> {
        let other = |trouble: Trouble| ureq::Error::Other(Box::new(trouble));
        let encrypted = details.needs_tls();
        let host = details.uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = details.uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let limit = {
            let mut turn = self.0.turn();
            turn.fresh = true;
            turn.connect
        };
        let socket = Arc::new(self.socket(host, port, limit).map_err(other)?);
        // From here on whatever waits on it ends when it is shut down.
        let handle: Weak<Handle> = Arc::downgrade(&socket);
        (details.register_shutdown)(handle)?;
        let mut line = Line::new(socket, self.0.clone());
        if encrypted {
            line.encrypt(host, limit).map_err(other)?;
        }
        Ok(Some(line))
    }
}

impl Maker {
    fn socket(&self, host: &str, port: u16, limit: Duration) -> Result<Handle, Trouble> {
        let shared = &self.0;
        let stopped = || shared.is_stopped();
        shared.tell(Progress::Began(Step::Dns));
        let found = shared.dns.lookup(host, port, Instant::now() + limit, stopped);
        let addresses = found.map_err(|why| {
            let host = host.to_owned();
            let why = match why {
                NoAddress::Stopped => Why::Stopped,
                NoAddress::Silent => Why::DnsSilent { host },
                NoAddress::Unknown(detail) => Why::NoSuchName { host, detail: clean(&detail, 200) },
            };
            Trouble::before_sending(Step::Dns, why)
        })?;
        shared.tell(Progress::Ended(Step::Dns, None));
        shared.tell(Progress::Began(Step::Connect));
        let end = Instant::now() + limit;
        let mut why = Why::Stopped;
        for (index, address) in addresses.iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            let one = (left / others).max(ONE_ADDRESS.min(left));
            match connect(*address, Instant::now() + one, stopped) {
                Ok(stream) => {
                    shared.tell(Progress::Ended(Step::Connect, None));
                    return Ok(Handle(stream));
                }
                Err(NoConnection::Stopped) => return Err(Trouble::before_sending(Step::Connect, Why::Stopped)),
                Err(error) => why = no_connection(error, *address),
            }
        }
        Err(Trouble::before_sending(Step::Connect, why))
    }
}

fn no_connection(error: NoConnection, address: SocketAddr) -> Why {
    let address = address.to_string();
    match error {
        NoConnection::Stopped => Why::Stopped,
        NoConnection::TimedOut => Why::ConnectTimedOut { address },
        NoConnection::Failed(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Why::Refused { address },
            io::ErrorKind::TimedOut => Why::ConnectTimedOut { address },
            _ => Why::Unreachable { address, detail: clean(&error.to_string(), 200) },
        },
    }
}

/// A socket that somebody else may shut down.
pub struct Handle(TcpStream);

impl ShutdownHandle for Handle {
    fn shutdown(&self) {
        // It may be closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// One connection.
pub struct Line {
    socket: Arc<Handle>,
    tls: Option<Box<ClientConnection>>,
    buffers: Wiped,
    shared: Arc<Shared>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

/// The socket with an end to its patience.
struct Until<'a> {
    socket: &'a TcpStream,
    /// `None`: as long as it takes.
    deadline: Option<Instant>,
}

impl Until<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

/// The two words for one thing.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.socket.set_read_timeout(self.left()?)?;
            match self.socket.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(timed_out),
            }
        }
    }
}

impl Write for Until<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Line {
    fn new(socket: Arc<Handle>, shared: Arc<Shared>) -> Line {
        Line { socket, tls: None, buffers: Wiped::new(), shared }
    }

    fn encrypt(&mut self, host: &str, limit: Duration) -> Result<(), Trouble> {
        let failed = |why: Why| Trouble::before_sending(Step::Tls, why);
        self.shared.tell(Progress::Began(Step::Tls));
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| failed(Why::TlsFailed { detail: error.to_string() }))?;
        let (config, shown) = self.shared.trust.client().map_err(failed)?;
        let mut tls =
            ClientConnection::new(config, name).map_err(|error| tls::trouble(&error, host, Names::default()))?;
        let mut socket = Until { socket: &self.socket.0, deadline: Some(Instant::now() + limit) };
        while tls.is_handshaking() {
            match tls.complete_io(&mut socket) {
                Ok(_) => {}
                Err(_) if self.shared.is_stopped() => return Err(failed(Why::Stopped)),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(failed(Why::TlsTimedOut)),
                Err(error) => {
                    let wrong = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
                    return Err(match wrong {
                        Some(wrong) => tls::trouble(wrong, host, shown.names()),
                        None => failed(Why::TlsFailed { detail: clean(&error.to_string(), 200) }),
                    });
                }
            }
        }
        self.tls = Some(Box::new(tls));
        self.shared.tell(Progress::Ended(Step::Tls, Some(shown.names())));
        Ok(())
    }
}

fn deadline(timeout: NextTimeout) -> Result<Option<Instant>, ureq::Error> {
    if timeout.after.is_not_happening() {
        return Ok(None);
    }
    if timeout.after.is_zero() {
        return Err(ureq::Error::Timeout(timeout.reason));
    }
    Ok(Instant::now().checked_add(*timeout.after))
}

fn failed(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => ureq::Error::Io(error),
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let first = !std::mem::replace(&mut self.shared.turn().sent, true);
        if first {
            self.shared.tell(Progress::Began(Step::Http));
        }
        let mut socket = Until { socket: &self.socket.0, deadline: deadline(timeout.for_write())? };
        let output = self.buffers.output.get(..amount).unwrap_or_default();
        let sent = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut socket).write_all(output),
            None => socket.write_all(output),
        };
        self.buffers.wipe_sent(amount);
        sent.map_err(|error| failed(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let mut socket = Until { socket: &self.socket.0, deadline: deadline(timeout.for_read())? };
        let free = self.buffers.free();
        if free.is_empty() {
            return Err(ureq::Error::LargeResponseHeader(BUFFER, BUFFER));
        }
        let read = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut socket).read(free),
            None => socket.read(free),
        };
        let amount = match read {
            // A peer that ends without TLS's own good-bye: like any connection that ends.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            other => other.map_err(|error| failed(error, timeout))?,
        };
        self.buffers.input_appended(amount);
        if amount > 0 {
            self.shared.turn().received = true;
        }
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        let socket = &self.socket.0;
        if self.shared.is_stopped() || socket.set_nonblocking(true).is_err() {
            return false;
        }
        let open = match &mut self.tls {
            Some(tls) => tls_is_quiet(tls, socket),
            // Nothing was asked for: whatever can be read, the end included, makes it useless.
            None => matches!(socket.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock),
        };
        socket.set_nonblocking(false).is_ok() && open
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Takes what TLS itself may send at any time, such as tickets for another session; anything else means that it is over.
fn tls_is_quiet(tls: &mut ClientConnection, mut socket: &TcpStream) -> bool {
    loop {
        match tls.read_tls(&mut socket) {
            Ok(0) => return false,
            Ok(_) => match tls.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return false,
            },
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// The buffers of a connection, wiped when it goes.
struct Wiped {
    input: Zeroizing<Vec<u8>>,
    /// What of `input` is filled and not yet consumed.
    from: usize,
    to: usize,
    output: Zeroizing<Vec<u8>>,
    progress: bool,
}

impl Wiped {
    fn new() -> Wiped {
        Wiped {
            input: Zeroizing::new(vec![0; BUFFER]),
            from: 0,
            to: 0,
            output: Zeroizing::new(vec![0; BUFFER]),
            progress: false,
        }
    }

    /// Nothing of what was sent stays: neither here nor where it was read through.
    fn wipe_sent(&mut self, amount: usize) {
        self.output.get_mut(..amount).unwrap_or_default().zeroize();
        self.input.get_mut(self.to..).unwrap_or_default().zeroize();
    }

    /// The free end of the input, as long as it gets.
    fn free(&mut self) -> &mut [u8] {
        if self.from > 0 {
            self.input.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        self.input.get_mut(self.to..).unwrap_or_default()
    }
}

impl Buffers for Wiped {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.from..self.to).unwrap_or_default()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.free()
    }

    fn input_appended(&mut self, amount: usize) {
        self.to = self.to.saturating_add(amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.from = self.from.saturating_add(amount).min(self.to);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.free();
        (self.input.get_mut(self.to..).unwrap_or_default(), &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.from < self.to && self.progress
    }
}
