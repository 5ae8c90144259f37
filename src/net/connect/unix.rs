//! `unsafe` for `poll` alone.

use socket2::Socket;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// A connect that was begun and goes on by itself.
pub fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// Whether the connect has come to its end, good or bad. Waits for it, `wait` at most.
pub fn is_decided(socket: &Socket, wait: Duration) -> io::Result<bool> {
    let mut asked = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    let milliseconds = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).max(1);
    // SAFETY: one valid pollfd, for the time of the call; the descriptor is open, since `socket` owns it.
    match unsafe { libc::poll(&mut asked, 1, milliseconds) } {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        found => Ok(found > 0),
    }
}
