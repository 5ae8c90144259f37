//! Settings and diagnostics.

use super::refresh::json;
use super::texts::fits;
use crate::arguments::{ErrorStruct, TextIn, TextOut};
use crate::codes::Codes;
use crate::thread::Thread;
use ors::ffi::*;
use std::time::{Duration, Instant};

pub fn settings_get(thread: &mut Thread<'_>) {
    let target = thread.target();
    let out = TextOut::new(&mut thread.dice, &mut thread.memory.buf, &mut thread.memory.needed);
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (thread.world.exports.ors_settings_get)(target.value, out.buf(), out.cap, out.needed()) };
    let (codes, _) = thread.expected(&target, out.wrong(), fits(&out));
    let told = json(out.check(code));
    let right = match &told {
        Ok(Some(settings)) if !settings["enabled"].is_boolean() => Err(format!("settings {settings}")),
        Ok(Some(settings)) if settings.to_string().contains(PASSWORD) => Err("a password is told".to_owned()),
        _ => Ok(()),
    };
    let checks = [told.map(drop), right];
    thread.judge("ors_settings_get", code, codes, checks, || format!("{:#x}, cap {}", target.value, out.cap));
}

pub fn diagnostics(thread: &mut Thread<'_>) {
    let target = thread.target();
    let out = TextOut::new(&mut thread.dice, &mut thread.memory.buf, &mut thread.memory.needed);
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (thread.world.exports.ors_diagnostics)(target.value, out.buf(), out.cap, out.needed()) };
    let (codes, _) = thread.expected(&target, out.wrong(), fits(&out));
    let told = json(out.check(code));
    let right = match &told {
        Ok(Some(told)) if told.to_string().contains(PASSWORD) => Err("a password is told".to_owned()),
        Ok(Some(told)) if target.read_only() && told["role"] != "read_only" => Err(format!("role {}", told["role"])),
        _ => Ok(()),
    };
    let checks = [told.map(drop), right];
    thread.judge("ors_diagnostics", code, codes, checks, || format!("{:#x}, cap {}", target.value, out.cap));
}

const PASSWORD: &str = "correct-horse-battery";

/// Sets that are taken; the last one brings a password.
const RIGHT: [&str; 7] = [
    "{}",
    r#"{"language":"de"}"#,
    r#"{"language":null,"unreachable_hours":48}"#,
    r#"{"enabled":true}"#,
    r#"{"enabled":false}"#,
    r#"{"organisation_id":"print-room","assistance":{"longest_minutes":60}}"#,
    r#"{"proxy":{"mode":"manual","host":"proxy","port":8080,"password":"correct-horse-battery"}}"#,
];

/// Sets that are no settings.
const WRONG: [&str; 13] = [
    "",
    "[]",
    "{",
    "null",
    "{}{}",
    r#"{"language":"de","language":"en"}"#,
    r#"{"language":7}"#,
    r#"{"enabled":"yes"}"#,
    r#"{"nobody_knows":1}"#,
    r#"{"unreachable_hours":-1}"#,
    r#"{"proxy":{"mode":"sideways"}}"#,
    r#"{"licence_path":"not/absolute"}"#,
    r#"{"serial":"9"}"#,
];

pub fn settings_set(thread: &mut Thread<'_>) {
    let target = thread.target();
    let dice = &mut thread.dice;
    let mut wrong = Codes::none();
    let mut right = Codes::of(&[ORS_OK, ORS_E_TIMEOUT]);
    let mut shown = "";
    let json = match dice.below(10) {
        0..4 => {
            shown = dice.pick(&RIGHT);
            TextIn::right(&mut thread.memory.text, shown, dice.one_in(2))
        }
        4 => {
            // Made on an old revision: another may have changed the same member since.
            right = right.with(ORS_E_STALE);
            shown = r#"{"revision":1,"language":"fr"}"#;
            TextIn::right(&mut thread.memory.text, shown, true)
        }
        5 => {
            wrong = Codes::of(&[ORS_E_ARGUMENT]);
            shown = "deep";
            TextIn::right(&mut thread.memory.text, &"[".repeat(10_000), false)
        }
        6..8 => {
            wrong = Codes::of(&[ORS_E_ARGUMENT]);
            shown = dice.pick(&WRONG);
            TextIn::right(&mut thread.memory.text, shown, dice.one_in(2))
        }
        _ => TextIn::new(dice, &mut thread.memory.text, &["{}"], 64 << 10),
    };
    let by = TextIn::by(dice, &mut thread.memory.by);
    let error = ErrorStruct::new(dice, &mut thread.memory.error);
    let began = Instant::now();
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe {
        (thread.world.exports.ors_settings_set)(
            target.value,
            json.pointer,
            json.len,
            by.pointer,
            by.len,
            error.pointer(),
        )
    };
    let in_time = Thread::in_time(began, Duration::from_secs(2));
    wrong = wrong.and(json.wrong()).and(by.wrong()).and(error.wrong());
    if json.is_null() {
        wrong = wrong.with(ORS_E_NULL);
    }
    if target.read_only() {
        right = Codes::of(&[ORS_E_READ_ONLY]);
        // What is in the text is not looked at then.
        if !wrong.is_empty() {
            wrong = wrong.with(ORS_E_READ_ONLY);
        }
    } else if wrong.has(ORS_E_ARGUMENT) {
        // It is judged by the worker, which may be late.
        wrong = wrong.with(ORS_E_TIMEOUT);
    }
    let (codes, _) = thread.expected(&target, wrong, right);
    let what = || format!("{:#x}, {shown:?} of {} bytes", target.value, json.len);
    thread.judge("ors_settings_set", code, codes, [error.check(code), in_time], what);
}
