//! What a page and a login ask.

use super::texts::fits;
use crate::arguments::{ErrorStruct, OutStruct, TextIn, TextOut};
use crate::codes::Codes;
use crate::handles::Met;
use crate::sites::Kind;
use crate::status::Status;
use crate::thread::Thread;
use ors::ffi::*;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

pub fn notify_status(thread: &mut Thread<'_>) {
    status(thread, "ors_notify_status", size_of::<ors_notice_status>());
}

pub fn check_licence(thread: &mut Thread<'_>) {
    status(thread, "ors_check_licence", size_of::<ors_licence_status>());
}

fn status(thread: &mut Thread<'_>, function: &'static str, size: usize) {
    let of_licence = size == size_of::<ors_licence_status>();
    let target = thread.target();
    let out = OutStruct::new(&mut thread.dice, &mut thread.memory.out, size);
    let shown_before = target.handle.as_ref().map_or(0, |handle| handle.shown.load(SeqCst));
    let exports = &thread.world.exports;
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe {
        match of_licence {
            false => (exports.ors_notify_status)(target.value, out.pointer()),
            true => (exports.ors_check_licence)(target.value, out.pointer()),
        }
    };
    let (codes, met) = thread.expected(&target, out.wrong(false), Codes::of(&[ORS_OK]));
    let mut checks = vec![out.check()];
    match (code, out.filled(), &target.handle) {
        (ORS_OK, Some(given), Some(handle)) => {
            let site = thread.world.site(handle.site);
            checks.push(Status::of(&given, of_licence).check(site, handle, met, shown_before));
            // SAFETY: 64 bytes of a struct that was filled; it need not be aligned.
            let shown = unsafe { given.pointer::<ors_notice_status>().read_unaligned() };
            let shown = ors_notice_status { struct_size: size_of::<ors_notice_status>() as u32, ..shown };
            thread.shown = Some((Arc::clone(handle), shown));
        }
        (ORS_OK, ..) => {}
        _ => checks.push(out.check_zeroed()),
    }
    thread.judge(function, code, codes, checks, || format!("{:#x}", target.value));
}

/// Bits that there are, and some that there are not.
const BITS: [u32; 14] = [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0, 3];

pub fn notice_text(thread: &mut Thread<'_>) {
    let target = thread.target();
    let dice = &mut thread.dice;
    // What was shown to this thread last, or anything at all.
    let mut shown = match (&thread.shown, dice.below(4)) {
        (Some((_, shown)), 1..) => *shown,
        _ => made_up(dice.edge(), dice.edge(), dice.edge()),
    };
    if dice.one_in(3) {
        shown.notices |= dice.pick(&BITS);
    }
    shown.reserved = u64::from(dice.one_in(20));
    let bit = match dice.below(3) {
        0 => 1u32.checked_shl(shown.notices.trailing_zeros()).unwrap_or(0),
        _ => dice.pick(&BITS),
    };
    let given = OutStruct::new(dice, &mut thread.memory.input, size_of::<ors_notice_status>());
    let beyond = given.filled().is_some_and(|memory| {
        // SAFETY: room for 64 bytes; it need not be aligned.
        let bytes: [u8; 64] = unsafe { std::mem::transmute(shown) };
        memory.put(4, &bytes[4..]);
        let rest = memory.bytes().len() - 64;
        memory.put(64, &vec![0; rest]);
        let newer = rest > 0 && dice.one_in(2);
        if newer {
            memory.put(64 + rest - 1, &[1]);
        }
        newer
    });
    let language = TextIn::language(dice, &mut thread.memory.text);
    let out = TextOut::new(dice, &mut thread.memory.buf, &mut thread.memory.needed);
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe {
        (thread.world.exports.ors_notice_text)(
            target.value,
            given.pointer(),
            bit,
            language.pointer,
            language.len,
            out.buf(),
            out.cap,
            out.needed(),
        )
    };
    let mut wrong = out.wrong().and(language.wrong()).and(given.wrong(false));
    let one_of_them = bit.is_power_of_two() && bit <= ORS_NOTICE_SERVICE_UNREACHABLE && shown.notices & bit != 0;
    if given.filled().is_some() && (beyond || shown.reserved != 0 || !one_of_them) {
        wrong = wrong.with(ORS_E_ARGUMENT);
    }
    let (codes, _) = thread.expected(&target, wrong, fits(&out).with(ORS_E_STALE));
    let checks = [out.check(code).map(drop)];
    let what = || format!("{:#x}, notice {bit:#x} of {:#x}, cap {}", target.value, shown.notices, out.cap);
    thread.judge("ors_notice_text", code, codes, checks, what);
}

fn made_up(one: u64, two: u64, three: u64) -> ors_notice_status {
    ors_notice_status {
        struct_size: size_of::<ors_notice_status>() as u32,
        notices: one as u32,
        revision: two,
        licence_last_day: three as i32,
        maintenance_last_day: two as i32,
        licence_days_left: one as i32,
        maintenance_days_left: three as i32,
        announcement: three,
        assistance_request: two,
        users: one as u32,
        service: two as u32,
        reserved: 0,
    }
}

pub fn text(thread: &mut Thread<'_>) {
    const FIELDS: [u32; 18] = [1, 2, 3, 4, 16, 17, 18, 19, 32, 33, 34, 35, 36, 37, 38, 39, 48, 1];
    let target = thread.target();
    let dice = &mut thread.dice;
    let (field, known) = match dice.below(8) {
        0 => (dice.pick(&[0, 5, 15, 20, 31, 40, 47, 49, u32::MAX]), false),
        _ => (dice.pick(&FIELDS), true),
    };
    let subject = match dice.below(4) {
        0 => dice.edge(),
        1 => target.handle.as_ref().map_or(0, |handle| handle.shown.load(SeqCst)),
        _ => 0,
    };
    let out = TextOut::new(dice, &mut thread.memory.buf, &mut thread.memory.needed);
    // SAFETY: memory of the caller, as the arguments say.
    let code =
        unsafe { (thread.world.exports.ors_text)(target.value, field, subject, out.buf(), out.cap, out.needed()) };
    let mut wrong = out.wrong();
    if !known {
        wrong = wrong.with(ORS_E_ARGUMENT);
    }
    let right = if subject == 0 { fits(&out) } else { fits(&out).with(ORS_E_STALE) };
    let (codes, met) = thread.expected(&target, wrong, right);
    let told = out.check(code);
    let site = target.handle.as_ref().map(|handle| handle.site);
    let expected = match (site, field, met) {
        (Some(Kind::Licensed), ORS_TEXT_SERIAL, Met::Open) => Some("1234567890"),
        (Some(Kind::Licensed), ORS_TEXT_CUSTOMER, Met::Open) => Some("Print Room"),
        (Some(Kind::Licensed), ORS_TEXT_PRODUCT, Met::Open) => Some("prismaprepare"),
        (Some(Kind::Empty), ORS_TEXT_SERIAL..=ORS_TEXT_LICENCE_REASON, Met::Open) => Some(""),
        (_, ORS_TEXT_ASKED_BY..=ORS_TEXT_FINGERPRINT, Met::Open) => Some(""),
        _ => None,
    };
    let right = match (&told, expected) {
        (Ok(Some(told)), Some(expected)) if *told != expected => Err(format!("{told:?} instead of {expected:?}")),
        _ => Ok(()),
    };
    let checks = [told.map(drop), right];
    let what = || format!("{:#x}, field {field}, subject {subject}, cap {}", target.value, out.cap);
    thread.judge("ors_text", code, codes, checks, what);
}

pub fn about(thread: &mut Thread<'_>) {
    let target = thread.target();
    let out = TextOut::new(&mut thread.dice, &mut thread.memory.buf, &mut thread.memory.needed);
    let shown = target.handle.as_ref().map_or(0, |handle| handle.shown.load(SeqCst));
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (thread.world.exports.ors_about)(target.value, out.buf(), out.cap, out.needed()) };
    let (codes, _) = thread.expected(&target, out.wrong(), fits(&out));
    let told = json(out.check(code));
    let licensed = target.handle.as_ref().is_some_and(|handle| handle.site == Kind::Licensed);
    let right = match &told {
        // What was shown by a status is in the texts as well.
        Ok(Some(about)) if licensed && about["sequence"].as_u64() < Some(shown) => {
            Err(format!("licence {} after {shown} was shown", about["sequence"]))
        }
        _ => Ok(()),
    };
    let checks = [told.map(drop), right];
    thread.judge("ors_about", code, codes, checks, || format!("{:#x}, cap {}", target.value, out.cap));
}

/// The JSON of a call that told some.
pub fn json(text: Result<Option<&str>, String>) -> Result<Option<serde_json::Value>, String> {
    let Some(text) = text? else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| format!("no JSON: {error}"))
}

pub fn acknowledge(thread: &mut Thread<'_>) {
    let target = thread.target();
    let dice = &mut thread.dice;
    let id = match (dice.below(4), &thread.shown) {
        (0, _) => 0,
        (1, _) => dice.edge(),
        (_, Some((_, shown))) => shown.announcement,
        _ => 1,
    };
    let by = TextIn::by(dice, &mut thread.memory.by);
    let error = ErrorStruct::new(dice, &mut thread.memory.error);
    let began = Instant::now();
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (thread.world.exports.ors_acknowledge)(target.value, id, by.pointer, by.len, error.pointer()) };
    let in_time = Thread::in_time(began, Duration::from_secs(2));
    let mut wrong = by.wrong().and(error.wrong());
    if id == 0 {
        wrong = wrong.with(ORS_E_ARGUMENT);
    }
    let right = match target.read_only() {
        true => Codes::of(&[ORS_E_READ_ONLY]),
        // The announcement may be another installation's.
        false => Codes::of(&[ORS_OK, ORS_E_STALE, ORS_E_TIMEOUT]),
    };
    let (codes, _) = thread.expected(&target, wrong, right);
    thread.judge("ors_acknowledge", code, codes, [error.check(code), in_time], || format!("{:#x}, {id}", target.value));
}
