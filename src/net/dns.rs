//! Names to addresses, by the operating system's resolver, which may take as long as it likes.
//!
//! So it is asked on a thread of its own, which nobody joins. There is one at most: while a lookup hangs, another one waits for it
//! to end, within its own time, and sends no second thread after it.
#![forbid(unsafe_code)]

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often somebody who waits looks whether it was called off.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Resolvers of other people run on it.
const STACK: usize = 1 << 20;

/// The lookups of one process.
#[derive(Debug, Default)]
pub struct Dns {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the lookup whose thread has not ended.
    running: Option<u64>,
    started: u64,
    /// What the last one found.
    found: Option<(u64, Result<Vec<SocketAddr>, String>)>,
}

/// Why there is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAddress {
    Stopped,
    Silent,
    Unknown(String),
}

impl Dns {
    /// The addresses of a host, which is a name or an address (without brackets). Waits until `deadline` at most, and no longer than
    /// `stopped` allows. No address is ever asked for.
    pub fn lookup(
        self: &Arc<Dns>,
        host: &str,
        port: u16,
        deadline: Instant,
        stopped: impl Fn() -> bool,
    ) -> Result<Vec<SocketAddr>, NoAddress> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let name = host.to_owned();
        self.ask(deadline, stopped, move || {
            (name.as_str(), port).to_socket_addrs().map(Iterator::collect).map_err(|error| error.to_string())
        })
    }

    fn ask(
        self: &Arc<Dns>,
        deadline: Instant,
        stopped: impl Fn() -> bool,
        resolve: impl FnOnce() -> Result<Vec<SocketAddr>, String> + Send + 'static,
    ) -> Result<Vec<SocketAddr>, NoAddress> {
        let wait = |state| self.wait(state, deadline, &stopped);
        let mut state = self.lock();
        while state.running.is_some() {
            state = wait(state)?;
        }
        state.started += 1;
        let number = state.started;
        state.running = Some(number);
        state.found = None;
        drop(state);
        let inside = self.clone();
        let thread = std::thread::Builder::new().name("ors-dns".to_owned()).stack_size(STACK);
        let run = move || {
            // Told however it ends.
            let done = Done { dns: inside, number };
            let found = resolve();
            done.dns.lock().found = Some((number, found));
        };
        if let Err(error) = thread.spawn(run) {
            self.lock().running = None;
            return Err(NoAddress::Unknown(format!("no thread can be started: {error}")));
        }
        let mut state = self.lock();
        while state.running == Some(number) {
            state = wait(state)?;
        }
        match state.found.take_if(|(of, _)| *of == number) {
            Some((_, Ok(addresses))) if addresses.is_empty() => Err(NoAddress::Unknown("it has no address".to_owned())),
            Some((_, found)) => found.map_err(NoAddress::Unknown),
            None => Err(NoAddress::Unknown("the lookup failed".to_owned())),
        }
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        deadline: Instant,
        stopped: &impl Fn() -> bool,
    ) -> Result<MutexGuard<'a, State>, NoAddress> {
        let left = deadline.saturating_duration_since(Instant::now());
        if stopped() {
            return Err(NoAddress::Stopped);
        }
        if left.is_zero() {
            return Err(NoAddress::Silent);
        }
        Ok(self.bell.wait_timeout(state, left.min(LOOK_AGAIN)).unwrap_or_else(PoisonError::into_inner).0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Done {
    dns: Arc<Dns>,
    number: u64,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.dns.lock().running.take_if(|running| *running == self.number);
        self.dns.bell.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(120)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn addresses_are_not_asked_for_and_names_are() {
        let dns = Arc::new(Dns::default());
        for address in ["127.0.0.1", "::1"] {
            let found = dns.lookup(address, 7, later(), || false).unwrap();
            assert_eq!(found, [SocketAddr::new(address.parse().unwrap(), 7)]);
        }
        assert_eq!(dns.lock().started, 0);
        let found = dns.lookup("localhost", 7, later(), || false).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 7));
        assert_eq!(dns.lock().started, 1);
    }

    #[test]
    fn where_a_lookup_hangs_no_second_thread_is_sent_and_afterwards_all_is_well() {
        let dns = Arc::new(Dns::default());
        let asked = Arc::new(AtomicUsize::new(0));
        let (release, held) = mpsc::channel::<()>();
        let count = asked.clone();
        let first = dns.ask(
            soon(),
            || false,
            move || {
                count.fetch_add(1, SeqCst);
                let _ = held.recv();
                Ok(Vec::new())
            },
        );
        assert_eq!(first, Err(NoAddress::Silent));
        for _ in 0..3 {
            let count = asked.clone();
            let again = dns.ask(
                soon(),
                || false,
                move || {
                    count.fetch_add(1, SeqCst);
                    Ok(Vec::new())
                },
            );
            assert_eq!(again, Err(NoAddress::Silent));
        }
        assert_eq!(asked.load(SeqCst), 1);
        drop(release);
        let address: SocketAddr = "192.0.2.1:443".parse().unwrap();
        assert_eq!(dns.ask(later(), || false, move || Ok(vec![address])), Ok(vec![address]));
    }

    #[test]
    fn a_lookup_that_is_called_off_is_left_within_a_tenth_of_a_second() {
        let dns = Arc::new(Dns::default());
        let (release, held) = mpsc::channel::<()>();
        let began = Instant::now();
        let answer = dns.ask(
            later(),
            move || began.elapsed() > Duration::from_millis(100),
            move || {
                let _ = held.recv();
                Ok(Vec::new())
            },
        );
        assert_eq!(answer, Err(NoAddress::Stopped));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        drop(release);
    }

    #[test]
    fn a_resolver_that_panics_or_finds_nothing_is_an_error() {
        let dns = Arc::new(Dns::default());
        let panicked = dns.ask(later(), || false, || panic!("meant"));
        assert_eq!(panicked, Err(NoAddress::Unknown("the lookup failed".to_owned())));
        let empty = dns.ask(later(), || false, || Ok(Vec::new()));
        assert_eq!(empty, Err(NoAddress::Unknown("it has no address".to_owned())));
    }
}
