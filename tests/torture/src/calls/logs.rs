//! The log: read by the host, or given to its sink.

use super::texts::fits;
use crate::arguments::{Number, TextOut};
use crate::codes::Codes;
use crate::handles::{Met, locked};
use crate::sink::{Context, sink};
use crate::thread::Thread;
use ors::ffi::*;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

pub fn read_log(thread: &mut Thread<'_>) {
    let target = thread.target();
    let dice = &mut thread.dice;
    let before = match dice.below(3) {
        0 => 0,
        1 => dice.below(2_000),
        _ => dice.edge(),
    };
    let milliseconds = if dice.one_in(20) { 20 } else { 0 };
    let after = Number::new(dice, &mut thread.memory.number, before);
    let level = (!dice.one_in(4)).then(|| {
        let given = thread.memory.level.give(4, if dice.one_in(2) { 0 } else { 4 });
        given.put(0, &77u32.to_ne_bytes());
        given
    });
    let out = TextOut::new(dice, &mut thread.memory.buf, &mut thread.memory.needed);
    let began = Instant::now();
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe {
        (thread.world.exports.ors_read_log)(
            target.value,
            after.pointer(),
            milliseconds,
            level.map_or(null_mut(), |given| given.pointer()),
            out.buf(),
            out.cap,
            out.needed(),
        )
    };
    let in_time = Thread::in_time(began, Duration::from_millis(milliseconds.into()));
    let mut wrong = out.wrong();
    if after.is_null() {
        wrong = wrong.with(ORS_E_NULL);
    }
    let (codes, _) = thread.expected(&target, wrong, fits(&out).with(ORS_E_TIMEOUT));
    let line = out.check(code).and_then(|line| match line {
        Some(line) if line.len() > 1_000 => Err(format!("a line of {} bytes", line.len())),
        _ => Ok(()),
    });
    let moved = after.value().and_then(|after| match after {
        Some(after) if code == ORS_OK && after <= before => Err(format!("line {after} after {before}")),
        Some(after) if code != ORS_OK && after != before => Err(format!("a failed call moved {before} to {after}")),
        _ => Ok(()),
    });
    let leveled = level.map_or(Ok(()), |given| {
        given.kept_to()?;
        match (code, given.u32_at(0)) {
            (ORS_OK, 1..=4) => Ok(()),
            (ORS_OK, level) => Err(format!("level {level}")),
            (_, 77) => Ok(()),
            (_, level) => Err(format!("a failed call set level {level}")),
        }
    });
    let what = || format!("{:#x}, after {before}, {milliseconds} ms, cap {}", target.value, out.cap);
    thread.judge("ors_read_log", code, codes, [line, moved, leveled, in_time], what);
}

pub fn set_log(thread: &mut Thread<'_>) {
    let target = thread.target();
    let dice = &mut thread.dice;
    let level = if dice.one_in(6) { dice.pick(&[5, u32::MAX]) } else { dice.below(5) as u32 };
    let context = dice.one_in(2).then(|| Context::new(thread.world.exports, &thread.world.harm, target.value));
    let given: ors_log_sink = context.as_ref().map(|_| sink as unsafe extern "C" fn(_, _, _, _));
    let pointer = context.as_ref().map_or(null_mut(), Context::pointer);
    // Kept to the end of the run, since a defect would call it too late.
    locked(&thread.world.contexts).extend(context.clone());
    let before = target.handle.as_ref().map(|handle| locked(&handle.sinks).clone()).unwrap_or_default();
    let began = Instant::now();
    // SAFETY: the context is kept, as just said.
    let code = unsafe { (thread.world.exports.ors_set_log)(target.value, level, given, pointer) };
    let in_time = Thread::in_time(began, Duration::from_secs(2));
    let wrong = if level > 4 { Codes::of(&[ORS_E_ARGUMENT]) } else { Codes::none() };
    let (codes, met) = thread.expected(&target, wrong, Codes::of(&[ORS_OK, ORS_E_TIMEOUT]));
    match (&target.handle, context) {
        (Some(handle), Some(context)) if code == ORS_OK && met == Met::Open => locked(&handle.sinks).push(context),
        // A close that began meanwhile did not see it: what that means for this sink cannot be told.
        (Some(_), Some(_)) if code == ORS_OK => {}
        // Nothing has changed, or it was taken back at once.
        (_, Some(context)) => revoke(&[context]),
        _ => {}
    }
    if let (Some(handle), ORS_OK) = (&target.handle, code) {
        // Each that was set with this handle before is replaced now, by this call or by another.
        locked(&handle.sinks).retain(|sink| !before.iter().any(|old| Arc::ptr_eq(sink, old)));
        revoke(&before);
    }
    thread.judge("ors_set_log", code, codes, [in_time], || format!("{:#x}, level {level}", target.value));
}

/// From now on a call of them is one too many.
pub fn revoke(contexts: &[Arc<Context>]) {
    contexts.iter().for_each(|context| context.revoked.store(true, SeqCst));
}
