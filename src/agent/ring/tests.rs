use std::cell::Cell;
use std::mem::{align_of, offset_of, size_of};
use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;

fn all(value: u64) -> [u64; WORDS] {
    [value; WORDS]
}

fn words(ring: &Ring) -> [u64; WORDS] {
    ring.read(|words| std::array::from_fn(|index| words.get(index)))
}

#[test]
fn all_words_are_zero_until_something_is_published() {
    static RING: Ring = Ring::new();
    assert_eq!(words(&RING), all(0));
}

#[test]
fn the_last_publication_is_read_word_by_word() {
    let ring = Ring::new();
    for round in 1..=10_u64 {
        let published: [u64; WORDS] = std::array::from_fn(|index| round << 32 | index as u64);
        ring.publish(&published);
        assert_eq!(words(&ring), published);
    }
}

#[test]
fn a_word_that_does_not_exist_is_zero() {
    let ring = Ring::new();
    ring.publish(&all(7));
    for (index, expected) in [(0, 7), (WORDS - 1, 7), (WORDS, 0), (usize::MAX, 0)] {
        assert_eq!(ring.read(|words| words.get(index)), expected, "word {index}");
    }
}

#[test]
fn a_writer_that_stopped_half_way_for_ever_delays_no_reader() {
    let ring = Ring::new();
    ring.publish(&all(1));
    for word in &ring.slot(2).0[..WORDS / 2] {
        word.store(2, Ordering::Relaxed);
    }
    let looks = Cell::new(0);
    let seen = ring.read(|words| {
        looks.set(looks.get() + 1);
        (words.get(0), words.get(WORDS - 1))
    });
    assert_eq!((seen, looks.get()), ((1, 1), 1));

    ring.publish(&all(3));
    assert_eq!(words(&ring), all(3), "the next writer fills the slot anew");
}

#[test]
fn a_look_is_repeated_only_when_its_slot_may_have_been_touched() {
    // Publications during the first look; looks that it takes; what is seen then.
    for (meanwhile, looks_expected, seen_expected) in
        [(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 2, 4), (4, 2, 5), (9, 2, 10)]
    {
        let ring = Ring::new();
        ring.publish(&all(1));
        let looks = Cell::new(0);
        let seen = ring.read(|words| {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                (0..meanwhile).for_each(|number| ring.publish(&all(2 + number)));
            }
            words.get(0)
        });
        assert_eq!((looks.get(), seen), (looks_expected, seen_expected), "{meanwhile} publications during the look");
    }
}

#[test]
fn the_counter_may_wrap() {
    let ring = Ring::new();
    ring.counter.0.store(u64::MAX - 2, Ordering::Relaxed);
    for value in 1..=6 {
        ring.publish(&all(value));
        assert_eq!(words(&ring), all(value));
    }
}

#[test]
fn readers_and_writers_share_no_cache_line_by_accident() {
    assert_eq!(align_of::<Ring>(), 64);
    assert_eq!(size_of::<Words>(), (WORDS * 8).next_multiple_of(64));
    assert_eq!(size_of::<Ring>(), 64 + SLOTS * size_of::<Words>());
    assert_eq!(offset_of!(Ring, counter) % 64, 0);
    assert_eq!(offset_of!(Ring, slots) % 64, 0);
}

#[test]
fn looks_from_other_threads_are_whole_and_never_go_back() {
    const PUBLICATIONS: u64 = 100_000;
    let ring = Ring::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let seen = words(&ring);
                    assert_eq!(seen, all(seen[0]), "torn");
                    assert!(seen[0] >= last, "went back from {last} to {}", seen[0]);
                    last = seen[0];
                }
            });
        }
        (1..=PUBLICATIONS).for_each(|number| ring.publish(&all(number)));
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(words(&ring), all(PUBLICATIONS));
}
