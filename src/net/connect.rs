//! A TCP connect that can be given up: it never blocks for longer than a look at whether it was called off.

#[cfg_attr(unix, path = "connect/unix.rs")]
#[cfg_attr(windows, path = "connect/windows.rs")]
mod os;

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How often it looks whether it was called off.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How a connect failed.
#[derive(Debug)]
pub enum NoConnection {
    Stopped,
    TimedOut,
    Failed(io::Error),
}

/// Connects, until `deadline` at most, and no longer than `stopped` allows. The stream blocks, and sends small pieces at once.
pub fn connect(address: SocketAddr, deadline: Instant, stopped: impl Fn() -> bool) -> Result<TcpStream, NoConnection> {
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(NoConnection::Failed)?;
    socket.set_nonblocking(true).map_err(NoConnection::Failed)?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if os::is_under_way(&error) => wait(&socket, deadline, stopped)?,
        Err(error) => return Err(NoConnection::Failed(error)),
    }
    socket.set_nonblocking(false).map_err(NoConnection::Failed)?;
    let _ = socket.set_tcp_nodelay(true);
    Ok(socket.into())
}

fn wait(socket: &Socket, deadline: Instant, stopped: impl Fn() -> bool) -> Result<(), NoConnection> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if stopped() {
            return Err(NoConnection::Stopped);
        }
        if left.is_zero() {
            return Err(NoConnection::TimedOut);
        }
        if os::is_decided(socket, left.min(LOOK_AGAIN)).map_err(NoConnection::Failed)? {
            return match socket.take_error() {
                Ok(None) => Ok(()),
                Ok(Some(error)) | Err(error) => Err(NoConnection::Failed(error)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn a_listener_is_reached_and_a_closed_port_is_an_error_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut there = connect(address, soon(), || false).unwrap();
        let (mut here, _) = listener.accept().unwrap();
        there.write_all(b"x").unwrap();
        here.read_exact(&mut [0]).unwrap();
        drop((listener, here));
        let began = Instant::now();
        match connect(address, soon(), || false) {
            Err(NoConnection::Failed(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused),
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    /// A listener whose queue is full: on Linux further connects hang, as with packets that are dropped.
    #[cfg(target_os = "linux")]
    fn hanging() -> (Socket, Vec<TcpStream>, SocketAddr) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = connect(address, Instant::now() + Duration::from_millis(200), || false) {
            queued.push(stream);
            assert!(queued.len() < 64, "the queue is never full");
        }
        (listener, queued, address)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_connect_that_nobody_answers_is_left_in_time_or_as_soon_as_it_is_called_off() {
        let (_listener, _queued, address) = hanging();
        let began = Instant::now();
        let called_off = connect(address, soon(), || began.elapsed() > Duration::from_millis(120));
        assert!(matches!(called_off, Err(NoConnection::Stopped)), "{called_off:?}");
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        let late = connect(address, Instant::now() + Duration::from_millis(150), || false);
        assert!(matches!(late, Err(NoConnection::TimedOut)), "{late:?}");
    }
}
