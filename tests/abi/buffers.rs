//! Text out: the size that is needed, nothing or all of the text, and not a byte beyond.

use crate::calls::{STALE, text_functions};
use crate::support::{DAY, Site, licence};
use ors::ffi::*;
use ors::licence::{Day, Instant};
use std::ptr::null_mut;

/// A site whose licence shows a notice.
fn site() -> Site {
    let site = Site::new();
    let mut ending = licence(7);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().cast_signed();
    ending.expires_on = Some(Day::at(Instant::from_unix(now + 9 * DAY)));
    site.drop_file("a.ors.json", &site.vendor.sign(&ending));
    site
}

#[test]
fn a_buffer_gets_the_whole_text_or_none_of_it() {
    let site = site();
    let host = site.open();
    host.until_sequence(7);
    let shown = host.notices();
    assert_eq!(shown.notices, ORS_NOTICE_LICENCE_EXPIRING);
    for (name, call) in text_functions(host.agent, &shown) {
        let mut needed = 77;
        assert_eq!(call(null_mut(), 0, &mut needed), ORS_E_BUFFER_TOO_SMALL, "{name} tells the size");
        assert!(needed > 1 && needed < 100_000, "{name} needs {needed}");
        assert_eq!(call(null_mut(), 0, null_mut()), ORS_E_BUFFER_TOO_SMALL, "{name} without a place for the size");

        for cap in [1, 2, needed / 2] {
            let mut buffer = vec![STALE; needed + 64];
            let mut again = 0;
            assert_eq!(
                call(buffer.as_mut_ptr().cast(), cap, &mut again),
                ORS_E_BUFFER_TOO_SMALL,
                "{name}, {cap} bytes"
            );
            assert!(again > cap, "{name}, {cap} bytes");
            assert_eq!(buffer[0], 0, "{name}, {cap} bytes: the empty text");
            assert!(buffer[1..].iter().all(|byte| *byte == STALE), "{name}, {cap} bytes: no part of the text");
        }

        // Diagnostics grow by a digit now and then; the buffer is as large as it was said to need.
        let whole = (0..10).find_map(|_| {
            let mut size = 0;
            call(null_mut(), 0, &mut size);
            let mut buffer = vec![STALE; size + 64];
            let code = call(buffer.as_mut_ptr().cast(), size, &mut needed);
            assert!(buffer[size..].iter().all(|byte| *byte == STALE), "{name}: beyond the buffer");
            (code == ORS_OK).then(|| buffer[..needed].to_vec())
        });
        let whole = whole.unwrap_or_else(|| panic!("{name} fits into what it needs"));
        assert_eq!(
            whole.iter().position(|byte| *byte == 0),
            Some(whole.len() - 1),
            "{name}: one NUL, at the end, counted"
        );
        std::str::from_utf8(&whole).unwrap_or_else(|_| panic!("{name} is UTF-8"));
    }
}

#[test]
fn a_size_without_a_buffer_is_turned_away_and_a_buffer_may_be_larger_than_memory() {
    let site = site();
    let host = site.open();
    host.until_sequence(7);
    let shown = host.notices();
    for (name, call) in text_functions(host.agent, &shown) {
        let mut needed = 77;
        assert_eq!(call(null_mut(), 64, &mut needed), ORS_E_NULL, "{name}");
        assert_eq!(needed, 0, "{name}");
        let mut buffer = vec![STALE; 200_000];
        assert_eq!(
            call(buffer.as_mut_ptr().cast(), usize::MAX, &mut needed),
            ORS_OK,
            "{name}: only what is needed is touched"
        );
        assert!(buffer[needed..].iter().all(|byte| *byte == STALE), "{name}");
    }
}

#[test]
fn the_size_may_lie_at_any_address_of_four() {
    let site = site();
    let host = site.open();
    host.until_sequence(7);
    let shown = host.notices();
    let mut room = [0u64; 3];
    // SAFETY: inside of `room`; four bytes before the next multiple of eight.
    let place = unsafe { room.as_mut_ptr().cast::<u8>().add(4).cast::<usize>() };
    for (name, call) in text_functions(host.agent, &shown) {
        assert_eq!(call(null_mut(), 0, place), ORS_E_BUFFER_TOO_SMALL, "{name}");
        // SAFETY: as above.
        assert!(unsafe { place.read_unaligned() } > 1, "{name}");
    }
}

#[test]
fn a_line_of_the_log_comes_again_when_the_buffer_was_too_small() {
    let site = site();
    let host = site.open();
    let (mut after, mut level, mut needed) = (0, 9, 0);
    let mut buffer = vec![0u8; 1_001];
    let code =
        unsafe { ors_read_log(host.agent, &mut after, 5_000, &mut level, buffer.as_mut_ptr().cast(), 3, &mut needed) };
    assert_eq!((code, after, level), (ORS_E_BUFFER_TOO_SMALL, 0, 9));
    let code = unsafe {
        ors_read_log(host.agent, &mut after, 0, &mut level, buffer.as_mut_ptr().cast(), buffer.len(), &mut needed)
    };
    assert_eq!((code, after), (ORS_OK, 1));
    assert!((1..=4).contains(&level) && needed > 1);
}
