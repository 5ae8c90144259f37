//! The one guard on every export: a panic becomes `ORS_E_INTERNAL`, an error its number.

use super::codes::{ORS_E_INTERNAL, ORS_OK};
use super::error::{ErrorOut, code};
use crate::agent::{Error, Kind, log};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of an export. Nothing unwinds into the host.
#[inline(always)]
pub fn guard(body: impl FnOnce() -> Result<(), i32>) -> i32 {
    // What a panic leaves half done is behind locks that do not poison, or on the stack that is gone.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => ORS_OK,
        Ok(Err(code)) => code,
        Err(panic) => contained(panic),
    }
}

/// What was thrown may itself panic when it is dropped: it is left alone.
#[cold]
#[inline(never)]
fn contained(panic: Box<dyn std::any::Any + Send>) -> i32 {
    std::mem::forget(panic);
    ORS_E_INTERNAL
}

/// [`guard`] for a function that answers with texts and never waits.
pub fn hot(body: impl FnOnce() -> Result<(), Error>) -> i32 {
    guard(|| body().map_err(|error| code(error.kind)))
}

/// [`guard`] for a function that changes something or waits: not from inside the log sink.
pub fn cold(body: impl FnOnce() -> Result<(), Error>) -> i32 {
    hot(|| outside_sink().and_then(|()| body()))
}

/// [`cold`] with the caller's error struct, written on success too, and after a panic.
pub fn reported(error: Result<ErrorOut, Error>, body: impl FnOnce(&ErrorOut) -> Result<(), Error>) -> i32 {
    let out = match error {
        Ok(out) => out,
        Err(error) => return code(error.kind),
    };
    let done = Cell::new(false);
    let result = guard(|| {
        out.write(None);
        let result = outside_sink().and_then(|()| body(&out));
        done.set(true);
        result.map_err(|error| {
            out.write(Some(&error));
            code(error.kind)
        })
    });
    if !done.get() {
        out.write(Some(&Error::new(Kind::Internal, "", "An internal error was contained.")));
    }
    result
}

/// Whether this call may wait and change things: not from inside the log sink.
pub fn outside_sink() -> Result<(), Error> {
    match log::in_sink() {
        false => Ok(()),
        true => Err(Error::new(Kind::Reentrant, "", "This function cannot be called from inside the log sink.")),
    }
}
