//! Structs of older and newer callers, and at odd addresses.

use crate::calls::{Opening, Query, STALE, verdict};
use crate::support::Site;
use ors::ffi::*;
use std::ptr::{null, null_mut};

/// The caller's memory: 4,096 bytes and some beyond, full of something that is not zero.
struct Memory(Vec<u64>);

impl Memory {
    fn new() -> Memory {
        Memory(vec![u64::from_ne_bytes([STALE; 8]); 600])
    }

    /// At a multiple of eight, plus `odd`.
    fn at(&mut self, odd: usize) -> *mut u8 {
        // SAFETY: `odd` is at most 4.
        unsafe { self.0.as_mut_ptr().cast::<u8>().add(odd) }
    }

    fn bytes(&self, odd: usize) -> &[u8] {
        // SAFETY: the whole of the memory, as bytes.
        let all = unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast::<u8>(), self.0.len() * 8) };
        &all[odd..]
    }

    fn put(&mut self, odd: usize, at: usize, bytes: &[u8]) {
        // SAFETY: tests stay inside of the memory.
        unsafe { self.at(odd).add(at).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
}

fn bytes_of<T>(value: &T) -> Vec<u8> {
    // SAFETY: plain structs of the ABI, without padding.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast::<u8>(), size_of::<T>()) }.to_vec()
}

const WRONG: [u32; 6] = [0, 1, 3, 4, 4_097, u32::MAX];

#[test]
fn an_output_struct_is_written_as_far_as_it_goes_and_zeroed_beyond_version_1() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let (agent, query, file) = (host.agent, Query::new(&site), site.vendor.file(7));
    type Call<'a> = Box<dyn Fn(*mut u8) -> i32 + 'a>;
    let functions: Vec<(&str, usize, Call<'_>)> = vec![
        ("ors_notify_status", 64, Box::new(|out| unsafe { ors_notify_status(agent, out.cast()) })),
        ("ors_check_licence", 104, Box::new(|out| unsafe { ors_check_licence(agent, out.cast()) })),
        ("ors_check_update", 32, Box::new(|out| unsafe { ors_check_update(&query.given, out.cast(), null_mut()) })),
        (
            "ors_install_licence",
            32,
            Box::new(|out| unsafe {
                ors_install_licence(agent, file.as_ptr(), file.len(), null(), 0, out.cast(), null_mut())
            }),
        ),
        (
            "ors_settings_set, error",
            512,
            Box::new(|error| unsafe { ors_settings_set(agent, c"{}".as_ptr(), 2, null(), 0, error.cast()) }),
        ),
        ("ors_restart, error", 512, Box::new(|error| unsafe { ors_restart(agent, null(), 0, error.cast()) })),
    ];
    for (name, version_1, call) in &functions {
        let below = *version_1 as u32 - 1;
        for size in WRONG.into_iter().chain([below]) {
            let mut memory = Memory::new();
            memory.put(0, 0, &size.to_ne_bytes());
            assert_eq!(call(memory.at(0)), ORS_E_STRUCT_SIZE, "{name}, size {size}");
            assert!(memory.bytes(4).iter().all(|byte| *byte == STALE), "{name}, size {size}: nothing is written");
        }
        for odd in [0, 4] {
            for size in [*version_1, version_1 + 1, version_1 + 8, 4_096] {
                let mut memory = Memory::new();
                memory.put(odd, 0, &(size as u32).to_ne_bytes());
                assert_eq!(call(memory.at(odd)), ORS_OK, "{name}, size {size}, address {odd}");
                let bytes = memory.bytes(odd);
                assert_eq!(bytes[..4], (size as u32).to_ne_bytes(), "{name}: the size stays");
                assert!(bytes[4..*version_1].iter().all(|byte| *byte != STALE), "{name}: all of version 1 is written");
                assert!(bytes[*version_1..size].iter().all(|byte| *byte == 0), "{name}: what is not known is zero");
                assert!(bytes[size..].iter().all(|byte| *byte == STALE), "{name}: nothing beyond the struct");
            }
        }
    }
}

#[test]
fn an_input_struct_may_be_newer_as_long_as_it_says_nothing_new() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let agent = host.agent;
    let opening = Opening::new(&site.options());
    let query = Query::new(&site);
    let mut shown = host.notices();
    shown.notices = ORS_NOTICE_ASSISTANCE_ACTIVE;
    type Call<'a> = Box<dyn Fn(*const u8) -> i32 + 'a>;
    let functions: Vec<(&str, Vec<u8>, Call<'_>)> = vec![
        (
            "ors_open",
            bytes_of(&opening.given),
            Box::new(|options| {
                let mut opened = 7;
                let code = unsafe { ors_open(options.cast(), &mut opened, null_mut()) };
                assert_eq!(code == ORS_OK, opened != 0);
                ors_close(opened, ORS_DEFAULT_WAIT);
                code
            }),
        ),
        (
            "ors_check_update",
            bytes_of(&query.given),
            Box::new(|query| unsafe { ors_check_update(query.cast(), &mut verdict(), null_mut()) }),
        ),
        (
            "ors_notice_text",
            bytes_of(&shown),
            Box::new(|shown| {
                let mut text = [0; 4_096];
                let bit = ORS_NOTICE_ASSISTANCE_ACTIVE;
                unsafe { ors_notice_text(agent, shown.cast(), bit, null(), 0, text.as_mut_ptr(), 4_096, null_mut()) }
            }),
        ),
        (
            "ors_update_text",
            bytes_of(&verdict()),
            Box::new(|verdict| {
                let mut text = [0; 4_096];
                unsafe { ors_update_text(verdict.cast(), null(), 0, text.as_mut_ptr(), 4_096, null_mut()) }
            }),
        ),
    ];
    for (name, version_1, call) in &functions {
        let given = |odd: usize, size: usize| {
            let mut memory = Memory::new();
            let mut bytes = version_1.clone();
            bytes[..4].copy_from_slice(&(size as u32).to_ne_bytes());
            bytes.resize(size.clamp(version_1.len(), 4_700), 0);
            memory.put(odd, 0, &bytes);
            memory
        };
        for size in WRONG.map(|size| size as usize).into_iter().chain([version_1.len() - 1]) {
            assert_eq!(call(given(0, size).at(0)), ORS_E_STRUCT_SIZE, "{name}, size {size}");
        }
        for odd in [0, 4] {
            for size in [version_1.len(), version_1.len() + 1, version_1.len() + 8, 4_096] {
                assert_eq!(call(given(odd, size).at(odd)), ORS_OK, "{name}, size {size}, address {odd}");
                for set in [version_1.len(), size - 1].into_iter().filter(|at| (version_1.len()..size).contains(at)) {
                    let mut newer = given(odd, size);
                    newer.put(odd, set, &[1]);
                    assert_eq!(call(newer.at(odd)), ORS_E_ARGUMENT, "{name}, size {size}: byte {set} is not known");
                }
            }
        }
    }
}

#[test]
fn a_reserved_member_that_is_set_is_turned_away() {
    let site = Site::with(7);
    let host = site.open();
    let mut shown = host.notices();
    shown.notices = ORS_NOTICE_ASSISTANCE_ACTIVE;
    shown.reserved = 1;
    let mut text = [0; 4_096];
    let code = unsafe {
        ors_notice_text(host.agent, &shown, shown.notices, null(), 0, text.as_mut_ptr(), text.len(), null_mut())
    };
    assert_eq!(code, ORS_E_ARGUMENT);
}

#[test]
fn numbers_may_lie_at_any_address_of_four() {
    let site = Site::with(7);
    let mut memory = Memory::new();
    let opening = Opening::new(&site.options());
    let out = memory.at(4).cast::<u64>();
    assert_eq!(unsafe { ors_open(&opening.given, out, null_mut()) }, ORS_OK);
    // SAFETY: written a line before.
    let agent = unsafe { out.read_unaligned() };
    // The revision is not known to the caller, so that there is always news.
    assert_eq!(unsafe { ors_wait(agent, 1, 2_000, out) }, ORS_OK);
    // SAFETY: as above.
    unsafe {
        assert_ne!(out.read_unaligned(), agent);
        out.write_unaligned(0);
    }
    let mut line = [0; 1_001];
    let code =
        unsafe { ors_read_log(agent, out, 5_000, memory.at(0).cast(), line.as_mut_ptr(), line.len(), null_mut()) };
    assert_eq!(code, ORS_OK);
    assert_eq!(ors_close(agent, ORS_DEFAULT_WAIT), ORS_OK);
}
