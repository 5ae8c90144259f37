//! `unsafe` for `select` alone. Not `WSAPoll`: before Windows 10, version 2004, it does not tell of a connect that failed.

use socket2::Socket;
use std::io;
use std::os::windows::io::AsRawSocket;
use std::time::Duration;
use windows_sys::Win32::Networking::WinSock::{FD_SET, SOCKET_ERROR, TIMEVAL, WSAEWOULDBLOCK, WSAGetLastError, select};

/// A connect that was begun and goes on by itself.
pub fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEWOULDBLOCK)
}

/// Whether the connect has come to its end, good or bad. Waits for it, `wait` at most.
pub fn is_decided(socket: &Socket, wait: Duration) -> io::Result<bool> {
    let mut only = FD_SET { fd_count: 1, fd_array: [0; 64] };
    only.fd_array[0] = socket.as_raw_socket() as usize;
    // Writable means connected, exceptional means failed.
    let (mut writable, mut failed) = (only, only);
    let time = TIMEVAL {
        tv_sec: i32::try_from(wait.as_secs()).unwrap_or(i32::MAX),
        tv_usec: i32::try_from(wait.subsec_micros()).unwrap_or(0).max(1),
    };
    // SAFETY: two sets of one socket, which is open since `socket` owns it, and a time, all valid for the call.
    let found = unsafe { select(0, std::ptr::null_mut(), &mut writable, &mut failed, &time) };
    match found {
        // SAFETY: reads this thread's last error.
        SOCKET_ERROR => Err(io::Error::from_raw_os_error(unsafe { WSAGetLastError() })),
        found => Ok(found > 0),
    }
}
