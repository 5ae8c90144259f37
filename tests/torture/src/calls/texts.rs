//! Functions without a handle that tell a text or a number.

use crate::arguments::{OutStruct, TextIn, TextOut};
use crate::codes::{Codes, name};
use crate::thread::Thread;
use ors::ffi::*;

/// What a text function returns when nothing is wrong with its arguments: what fits follows from the text.
pub fn fits(text: &TextOut) -> Codes {
    match text.cap {
        0 => Codes::of(&[ORS_E_BUFFER_TOO_SMALL]),
        _ => Codes::of(&[ORS_OK, ORS_E_BUFFER_TOO_SMALL]),
    }
}

/// A sentence is there whenever one was asked for.
fn sentence(text: Result<Option<&str>, String>) -> Result<(), String> {
    match text? {
        Some("") => Err("an empty sentence".to_owned()),
        _ => Ok(()),
    }
}

pub fn abi_version(thread: &mut Thread<'_>) {
    // SAFETY: no arguments.
    let version = unsafe { (thread.world.exports.ors_abi_version)() };
    let right = if version == ORS_ABI_VERSION { Ok(()) } else { Err(format!("version {version:#x}")) };
    thread.judge("ors_abi_version", ORS_OK, Codes::of(&[ORS_OK]), [right], String::new);
}

pub fn version(thread: &mut Thread<'_>) {
    let out = TextOut::new(&mut thread.dice, &mut thread.memory.buf, &mut thread.memory.needed);
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (thread.world.exports.ors_version)(out.buf(), out.cap, out.needed()) };
    let codes = if out.wrong().is_empty() { fits(&out) } else { out.wrong() };
    thread.judge("ors_version", code, codes, [sentence(out.check(code))], || format!("cap {}", out.cap));
}

pub fn error_text(thread: &mut Thread<'_>) {
    let asked = match thread.dice.below(3) {
        0 => thread.dice.edge() as i32,
        _ => -(thread.dice.below(20) as i32),
    };
    let out = TextOut::new(&mut thread.dice, &mut thread.memory.buf, &mut thread.memory.needed);
    let language = TextIn::language(&mut thread.dice, &mut thread.memory.text);
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe {
        (thread.world.exports.ors_error_text)(asked, language.pointer, language.len, out.buf(), out.cap, out.needed())
    };
    let wrong = out.wrong().and(language.wrong());
    let codes = if wrong.is_empty() { fits(&out) } else { wrong };
    let what = || format!("{}, cap {}", name(asked), out.cap);
    thread.judge("ors_error_text", code, codes, [sentence(out.check(code))], what);
}

pub fn update_text(thread: &mut Thread<'_>) {
    let dice = &mut thread.dice;
    let reason = match dice.below(8) {
        0 => dice.pick(&[-1, 22, i32::MAX, i32::MIN]),
        _ => dice.below(22) as i32,
    };
    let days = [(); 3].map(|()| match dice.below(3) {
        0 => dice.edge() as i32,
        1 => dice.pick(&[0, ORS_NEVER_DAY, 10_000_101]),
        _ => 20_261_201,
    });
    let verdict_is = dice.pick(&[-1, 0, 1, 1, 0, -1, 2, i32::MIN]);
    // As an output struct is laid out: right, NULL, of a wrong size, or of a newer caller.
    let verdict = OutStruct::new(dice, &mut thread.memory.input, size_of::<ors_update_verdict>());
    let beyond = verdict.filled().is_some_and(|given| {
        let words = [verdict_is, reason, days[0], days[1], days[2]];
        words.iter().enumerate().for_each(|(at, word)| given.put(4 + at * 4, &word.to_ne_bytes()));
        given.put(24, &7u64.to_ne_bytes());
        // Beyond version 1: what was not known in that version has to be zero.
        let rest = vec![0; given.bytes().len() - size_of::<ors_update_verdict>()];
        given.put(size_of::<ors_update_verdict>(), &rest);
        let newer = !rest.is_empty() && dice.one_in(2);
        if newer {
            given.put(given.bytes().len() - 1, &[1]);
        }
        newer
    });
    let out = TextOut::new(dice, &mut thread.memory.buf, &mut thread.memory.needed);
    let language = TextIn::language(dice, &mut thread.memory.text);
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe {
        (thread.world.exports.ors_update_text)(
            verdict.pointer(),
            language.pointer,
            language.len,
            out.buf(),
            out.cap,
            out.needed(),
        )
    };
    let mut wrong = out.wrong().and(language.wrong()).and(verdict.wrong(false));
    if verdict.filled().is_some() && (beyond || !(0..=21).contains(&reason)) {
        wrong = wrong.with(ORS_E_ARGUMENT);
    }
    let codes = if wrong.is_empty() { fits(&out) } else { wrong };
    let what = || format!("verdict {verdict_is}, reason {reason}, days {days:?}, cap {}", out.cap);
    thread.judge("ors_update_text", code, codes, [sentence(out.check(code))], what);
}
