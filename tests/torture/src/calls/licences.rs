//! Uploads, and the installer's question.

use crate::arguments::{ErrorStruct, OutStruct, TextIn};
use crate::codes::Codes;
use crate::handles::Met;
use crate::sites::{self, FIRST, KINDS, Kind, Site};
use crate::support::{PRODUCT, text};
use crate::thread::Thread;
use ors::ffi::*;
use std::ffi::c_char;
use std::ptr::null;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

const LARGEST_FILE: usize = 1 << 20;

/// What is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Upload {
    /// A licence with this sequence.
    Licence(u64),
    /// The first licence with one bit flipped. Where that bit is signed for by nobody (the name of a key) it is the first licence still.
    Flipped,
    /// Something that is none.
    Refused,
    /// NULL with a length.
    Nothing,
}

pub fn install_licence(thread: &mut Thread<'_>) {
    let target = thread.target();
    let world = thread.world;
    let dice = &mut thread.dice;
    let licensed = target.handle.as_ref().is_some_and(|handle| handle.site == Kind::Licensed);
    let site = world.site(Kind::Licensed);
    let (upload, bytes, mut len) = match dice.below(10) {
        0..5 if licensed && !target.read_only() => {
            let sequence = match dice.below(3) {
                0 => FIRST + dice.below(site.begun.load(SeqCst) - FIRST + 1),
                1 => site.begun.load(SeqCst),
                _ => site.next_sequence(),
            };
            (Upload::Licence(sequence), sites::file(&site.place.vendor, sequence), None)
        }
        5 => (Upload::Nothing, Vec::new(), Some(dice.pick(&[1, LARGEST_FILE, usize::MAX]))),
        6 => (Upload::Refused, vec![b'['; LARGEST_FILE + 1], Some(dice.pick(&[LARGEST_FILE + 1, usize::MAX]))),
        7 => {
            let mut file = sites::file(&site.place.vendor, FIRST);
            let at = dice.below(file.len() as u64) as usize;
            if licensed && dice.one_in(2) {
                file[at] ^= 1 << dice.below(8);
                (Upload::Flipped, file, None)
            } else {
                file.truncate(at);
                (Upload::Refused, file, None)
            }
        }
        8 => (Upload::Refused, Vec::new(), None),
        _ => (Upload::Refused, sites::forged(&site.place.vendor), None),
    };
    let data = thread.memory.data.give_bytes(&bytes);
    let pointer = if upload == Upload::Nothing { null() } else { data.pointer::<u8>().cast_const() };
    let len = *len.get_or_insert(bytes.len());
    let by = TextIn::by(dice, &mut thread.memory.by);
    let out = OutStruct::new(dice, &mut thread.memory.out, size_of::<ors_install_result>());
    let error = ErrorStruct::new(dice, &mut thread.memory.error);
    let began = Instant::now();
    // SAFETY: memory of the caller, as the arguments say; of a file that is too long no more than one byte beyond the limit is read.
    let code = unsafe {
        (world.exports.ors_install_licence)(
            target.value,
            pointer,
            len,
            by.pointer,
            by.len,
            out.pointer(),
            error.pointer(),
        )
    };
    let in_time = Thread::in_time(began, Duration::from_secs(2));
    let mut wrong = by.wrong().and(out.wrong(false)).and(error.wrong());
    if upload == Upload::Nothing {
        wrong = wrong.with(ORS_E_NULL);
    }
    let right = match (target.read_only(), upload) {
        (true, _) => Codes::of(&[ORS_E_READ_ONLY]),
        // Another thread may have installed a higher one by now.
        (_, Upload::Licence(_)) => Codes::of(&[ORS_OK, ORS_E_REFUSED, ORS_E_TIMEOUT, ORS_E_LIMIT]),
        (_, Upload::Flipped) => Codes::of(&[ORS_OK, ORS_E_REFUSED, ORS_E_TIMEOUT]),
        _ => Codes::of(&[ORS_E_REFUSED, ORS_E_TIMEOUT]),
    };
    let (codes, met) = thread.expected(&target, wrong, right);
    let checks = [out.check(), told(code, &out, upload, site, met), error.check(code), in_time];
    let what = || format!("{:#x}, {upload:?}, {len} bytes", target.value);
    thread.judge("ors_install_licence", code, codes, checks, what);
}

/// What `ors_install_result` says, and what follows from it.
fn told(code: i32, out: &OutStruct, upload: Upload, site: &Site, met: Met) -> Result<(), String> {
    let Some(given) = out.filled() else { return Ok(()) };
    let (state, reason, changes) = (given.u32_at(4), given.i32_at(8), given.u32_at(12));
    let (sequence, announcement) = (given.u64_at(16), given.u64_at(24));
    match code {
        ORS_OK => {
            let uploaded = match upload {
                Upload::Licence(uploaded) => uploaded,
                Upload::Flipped => FIRST,
                _ => return Err("it was taken".to_owned()),
            };
            if met == Met::Closed || !(ORS_INSTALL_ACCEPTED..=ORS_INSTALL_PRESENT).contains(&state) || reason != 0 {
                return Err(format!("state {state}, reason {reason}"));
            }
            if sequence != uploaded || state == ORS_INSTALL_COPY {
                return Err(format!("licence {sequence} instead of {uploaded}, state {state}"));
            }
            site.acknowledged.fetch_max(sequence, SeqCst);
            Ok(())
        }
        ORS_E_REFUSED if reason <= 0 || (state, changes, sequence, announcement) != (0, 0, 0, 0) => {
            Err(format!("refused with reason {reason}, state {state}, changes {changes}, {sequence}, {announcement}"))
        }
        ORS_E_REFUSED => {
            let older = [ORS_REASON_SEQUENCE, ORS_REASON_SEQUENCE_CONFLICT].contains(&reason);
            match upload {
                Upload::Licence(uploaded) if !older => {
                    Err(format!("licence {uploaded} was refused with reason {reason}"))
                }
                _ => Ok(()),
            }
        }
        _ => out.check_zeroed(),
    }
}

pub fn check_update(thread: &mut Thread<'_>) {
    let kind = thread.dice.pick(&KINDS);
    let world = thread.world;
    let site = world.site(kind);
    let dice = &mut thread.dice;
    let mut wrong = Codes::none();
    let folder = text(&site.place.licences());
    let trusted = site.place.vendor.trusted();
    let mut texts: [Option<&[u8]>; 5] =
        [Some(folder.as_bytes()), Some(PRODUCT.as_bytes()), Some(trusted.as_bytes()), Some(b"2026-12-01"), None];
    let state = text(&site.place.state());
    if dice.one_in(2) {
        texts[4] = Some(state.as_bytes());
    }
    if dice.one_in(3) {
        const MISTAKES: [(usize, Option<&[u8]>, i32); 9] = [
            (0, None, ORS_E_NULL),
            (0, Some(b""), ORS_E_ARGUMENT),
            (0, Some(b"/\xff"), ORS_E_TEXT),
            (1, None, ORS_E_NULL),
            (1, Some(b"A"), ORS_E_ARGUMENT),
            (2, None, ORS_E_NULL),
            (2, Some(b"nonsense"), ORS_E_ARGUMENT),
            (3, None, ORS_E_NULL),
            (3, Some(b"20261201"), ORS_E_ARGUMENT),
        ];
        let (member, instead, code) = dice.pick(&MISTAKES);
        texts[member] = instead;
        wrong = Codes::of(&[code]);
    }
    let query = OutStruct::new(dice, &mut thread.memory.input, size_of::<ors_update_query>());
    let mut regions = thread.memory.members.iter_mut();
    let pointers = texts.map(|text| {
        let region = regions.next().expect("one for each");
        text.map_or(null(), |text| region.give_bytes(&[text, b"\0"].concat()).pointer::<c_char>().cast_const())
    });
    let beyond = query.filled().is_some_and(|given| {
        given.put(4, &(dice.edge() as u32).to_ne_bytes());
        for (at, pointer) in pointers.iter().enumerate() {
            given.put(8 + at * 8, &(pointer.addr() as u64).to_ne_bytes());
        }
        let rest = given.bytes().len() - size_of::<ors_update_query>();
        given.put(size_of::<ors_update_query>(), &vec![0; rest]);
        let newer = rest > 0 && dice.one_in(2);
        if newer {
            given.put(given.bytes().len() - 1, &[1]);
        }
        newer
    });
    let out = OutStruct::new(dice, &mut thread.memory.out, size_of::<ors_update_verdict>());
    let error = ErrorStruct::new(dice, &mut thread.memory.error);
    // SAFETY: memory of the caller, as the arguments say.
    let code = unsafe { (world.exports.ors_check_update)(query.pointer(), out.pointer(), error.pointer()) };
    if query.filled().is_none() {
        wrong = Codes::none();
    } else if beyond {
        wrong = wrong.with(ORS_E_ARGUMENT);
    }
    wrong = wrong.and(query.wrong(false)).and(out.wrong(false)).and(error.wrong());
    let codes = if wrong.is_empty() { Codes::of(&[ORS_OK]) } else { wrong };
    let verdict = match (code, out.filled()) {
        (ORS_OK, Some(given)) => {
            let said = (given.i32_at(4), given.i32_at(8), given.i32_at(12), given.i32_at(16), given.i32_at(20));
            let right = match kind {
                Kind::Licensed => said == (1, 0, 20_261_201, 20_901_123, 20_900_531),
                Kind::Empty => said == (0, ORS_REASON_NO_LICENCE, 20_261_201, 0, 0),
                Kind::Forged => said == (0, ORS_REASON_UNKNOWN_KEY, 20_261_201, 0, 0),
            };
            if right { Ok(()) } else { Err(format!("verdict, reason and days {said:?}")) }
        }
        (ORS_OK, None) => Ok(()),
        _ => out.check_zeroed(),
    };
    thread.judge("ors_check_update", code, codes, [out.check(), verdict, error.check(code)], || format!("{kind:?}"));
}
