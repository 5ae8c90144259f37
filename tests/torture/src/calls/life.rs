//! The life of an agent, and waiting.

use super::logs::revoke;
use crate::arguments::{ErrorStruct, Number, OutStruct};
use crate::codes::Codes;
use crate::dice::Dice;
use crate::handles::{Handle, Met, locked};
use crate::memory::{Given, Memory};
use crate::sites::{KINDS, Site};
use crate::support::text;
use crate::thread::Thread;
use ors::ffi::*;
use std::ffi::c_char;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// More than so many are not open at once, lest every thread waits for the same few runtimes.
const MOST_OPEN: usize = 48;
/// And mostly not fewer than these, since it is what is open that can be harmed.
const FEWEST_OPEN: usize = 16;

pub fn wait(thread: &mut Thread<'_>) {
    let target = thread.target();
    let dice = &mut thread.dice;
    let seen = match (dice.below(4), &thread.shown) {
        (0, _) => dice.edge(),
        (_, Some((_, shown))) => shown.revision,
        _ => 0,
    };
    let milliseconds = match dice.below(300) {
        0 => ORS_DEFAULT_WAIT,
        1..15 => 50,
        n => n as u32 % 5,
    };
    let revision = Number::new(dice, &mut thread.memory.number, 77);
    let began = Instant::now();
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (thread.world.exports.ors_wait)(target.value, seen, milliseconds, revision.pointer()) };
    let longest = if milliseconds == ORS_DEFAULT_WAIT { 2_000 } else { milliseconds };
    let in_time = Thread::in_time(began, Duration::from_millis(longest.into()));
    let (codes, _) = thread.expected(&target, Codes::none(), Codes::of(&[ORS_OK, ORS_E_TIMEOUT]));
    let told = revision.value().and_then(|revision| match (code, revision) {
        (_, None) => Ok(()),
        (ORS_OK, Some(_)) => Ok(()),
        (_, Some(0)) => Ok(()),
        (_, Some(left)) => Err(format!("a failed call left revision {left}")),
    });
    let what = || format!("{:#x}, seen {seen:#x}, {milliseconds} ms", target.value);
    thread.judge("ors_wait", code, codes, [told, in_time], what);
}

/// The texts of an options struct: each one is right, missing, or wrong by a code.
struct Texts {
    pointers: [*const c_char; 7],
    wrong: Codes,
}

/// What each member of the options may hold instead of what it should, and the code for it.
const MISTAKES: [(usize, Option<&[u8]>, i32); 19] = [
    (0, Some(b"relative/state"), ORS_E_ARGUMENT),
    (0, Some(b"/tmp/\xff"), ORS_E_TEXT),
    (0, None, ORS_E_ARGUMENT),
    // Its parent is not there: only the last level is made.
    (0, Some(b"/nonexistent/a/state"), ORS_E_IO),
    // No folder.
    (0, Some(b"/dev/null"), ORS_E_IO),
    (1, None, ORS_E_NULL),
    (1, Some(b"Not A Product"), ORS_E_ARGUMENT),
    (1, Some(b"\xc3"), ORS_E_TEXT),
    (2, None, ORS_E_NULL),
    (2, Some(b""), ORS_E_ARGUMENT),
    (2, Some(b"licence key-1 AAAA"), ORS_E_ARGUMENT),
    (2, Some(b"threshold 9"), ORS_E_ARGUMENT),
    (3, Some(b"relative"), ORS_E_ARGUMENT),
    (3, Some(b"/\xed\xa0\x80"), ORS_E_TEXT),
    (4, Some(b"http://office.example"), ORS_E_ARGUMENT),
    (4, Some(b"https://a b"), ORS_E_ARGUMENT),
    (6, Some(b"{"), ORS_E_ARGUMENT),
    (6, Some(br#"{"reread":["relative"]}"#), ORS_E_ARGUMENT),
    (6, Some(br#"{"assistance":[]}"#), ORS_E_ARGUMENT),
];

impl Texts {
    fn new(dice: &mut Dice, memory: &mut Memory, site: &Site, read_only: bool) -> Texts {
        // Other keys than another agent's, for the library: a runtime of its own on the same state folder.
        let variant = ["", "# one more\n", "# and one more\n"][dice.below(3) as usize];
        let options = site.place.options();
        let mut state = text(&site.place.state());
        if dice.one_in(10) {
            // Another name of the same folder.
            state.push_str("/.");
        }
        let commands = dice.one_in(10).then(|| "{}".to_owned());
        let mut texts: [Option<Vec<u8>>; 7] = [
            Some(state),
            Some(options.product),
            Some(format!("{variant}{}", options.trusted_keys)),
            options.licence_folder,
            None,
            None,
            commands,
        ]
        .map(|text| text.map(String::into_bytes));
        let mut wrong = Codes::none();
        if dice.one_in(3) {
            let (member, instead, code) = dice.pick(&MISTAKES);
            let about_the_state = member == 0 && (instead.is_none() || code == ORS_E_IO);
            // A read-only agent needs no state folder, and reads none that is not there.
            if !(read_only && about_the_state) {
                texts[member] = instead.map(<[u8]>::to_vec);
                // What only the disk knows is found out by a thread, which may be late.
                wrong = if code == ORS_E_IO { Codes::of(&[code, ORS_E_TIMEOUT]) } else { Codes::of(&[code]) };
            }
        }
        let mut regions = memory.members.iter_mut();
        let pointers = texts.map(|text| {
            let region = regions.next().expect("one for each");
            text.map_or(null(), |text| region.give_bytes(&[&text[..], b"\0"].concat()).pointer::<c_char>().cast_const())
        });
        Texts { pointers, wrong }
    }
}

pub fn open(thread: &mut Thread<'_>) {
    if thread.world.handles.how_many_are_open() >= MOST_OPEN {
        return close(thread);
    }
    let kind = thread.dice.pick(&KINDS);
    let world = thread.world;
    let dice = &mut thread.dice;
    let read_only = dice.one_in(4);
    let texts = Texts::new(dice, &mut thread.memory, world.site(kind), read_only);
    let flags = if dice.one_in(20) { 0x8000_0004 } else { 0 } | if dice.one_in(10) { ORS_OPEN_OWN_LOGON } else { 0 };
    let flags = flags | if read_only { ORS_OPEN_READ_ONLY } else { 0 };
    let options = OutStruct::new(dice, &mut thread.memory.input, size_of::<ors_options>());
    let beyond = options.filled().is_some_and(|given| fill(dice, &given, flags, &texts.pointers));
    let out = Number::new(dice, &mut thread.memory.number, 77);
    let error = ErrorStruct::new(dice, &mut thread.memory.error);
    let mut wrong = error.wrong().and(options.wrong(false));
    if out.is_null() {
        wrong = wrong.with(ORS_E_NULL);
    }
    if options.filled().is_some() {
        wrong = wrong.and(texts.wrong);
        if beyond || flags & 0x8000_0004 != 0 {
            wrong = wrong.with(ORS_E_ARGUMENT);
        }
    }
    let began = Instant::now();
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (world.exports.ors_open)(options.pointer(), out.pointer(), error.pointer()) };
    let in_time = Thread::in_time(began, Duration::from_secs(2));
    // A runtime that was closed just now may be slow to end.
    let codes = if wrong.is_empty() { Codes::of(&[ORS_OK, ORS_E_TIMEOUT]) } else { wrong };
    let opened = out.value().and_then(|opened| match (code, opened) {
        (ORS_OK, Some(value)) if value >> 32 != 0 && value as u32 != 0 => {
            world.handles.add(Arc::new(Handle::new(value, read_only, kind)));
            Ok(())
        }
        (ORS_OK, Some(value)) => Err(format!("{value:#x} is no handle")),
        (_, Some(0) | None) => Ok(()),
        (_, Some(left)) => Err(format!("a failed call left {left:#x}")),
    });
    let what = || format!("{kind:?}, flags {flags:#x}");
    thread.judge("ors_open", code, codes, [opened, error.check(code), in_time], what);
}

/// Writes the members. Returns whether something beyond version 1 is set.
fn fill(dice: &mut Dice, given: &Given, flags: u32, pointers: &[*const c_char; 7]) -> bool {
    given.put(4, &flags.to_ne_bytes());
    for (at, pointer) in pointers.iter().enumerate() {
        given.put(8 + at * 8, &(pointer.addr() as u64).to_ne_bytes());
    }
    let rest = given.bytes().len() - size_of::<ors_options>();
    given.put(size_of::<ors_options>(), &vec![0; rest]);
    let newer = rest > 0 && dice.one_in(2);
    if newer {
        given.put(given.bytes().len() - 1, &[1]);
    }
    newer
}

pub fn close(thread: &mut Thread<'_>) {
    if thread.world.handles.how_many_are_open() < FEWEST_OPEN && !thread.dice.one_in(8) {
        return open(thread);
    }
    let target = thread.target();
    let milliseconds = thread.dice.pick(&[0, 1, 50, ORS_DEFAULT_WAIT]);
    // Found open by others while it is being closed, or not: a close may take long, and hot calls are many.
    let found = thread.dice.one_in(4);
    let sinks = target.handle.as_ref().map(|handle| {
        handle.closing.store(true, SeqCst);
        if !found {
            thread.world.handles.retire(handle);
        }
        locked(&handle.sinks).clone()
    });
    let began = Instant::now();
    // SAFETY: no pointers.
    let code = unsafe { (thread.world.exports.ors_close)(target.value, milliseconds) };
    let longest = if milliseconds == ORS_DEFAULT_WAIT { 2_000 } else { milliseconds };
    let in_time = Thread::in_time(began, Duration::from_millis(longest.into()));
    let mut codes = match (&target.handle, target.met()) {
        (None, _) | (_, Met::Closed) => Codes::of(&[ORS_E_CLOSED]),
        // This very close began before the model looked; others may have been faster.
        _ => Codes::of(&[ORS_OK, ORS_E_TIMEOUT, ORS_E_CLOSED]),
    };
    let mut once = Ok(());
    if let Some(handle) = &target.handle {
        if code != ORS_E_CLOSED {
            if handle.won.fetch_add(1, SeqCst) > 0 {
                once = Err("a second close got the same handle".to_owned());
            }
            handle.closed.store(true, SeqCst);
            thread.world.handles.retire(handle);
            if handle.read_only {
                codes = Codes::of(&[ORS_OK]);
            }
        }
        if code == ORS_OK {
            revoke(&sinks.unwrap_or_default());
        }
    }
    thread.judge("ors_close", code, codes, [once, in_time], || format!("{:#x}, {milliseconds} ms", target.value));
}
