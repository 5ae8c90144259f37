//! The ring of `src/agent/ring.rs` in every interleaving, and with every old value that the memory model lets a thread see,
//! within the stated number of publications and forced thread switches. Then the spoiled copies: loom must see each fault.

use loom::sync::{Arc, Mutex};
use loom::thread;
use models::explore;

/// The shipped ring or a spoiled copy: all have the same face.
trait Publication: Send + Sync + 'static {
    fn new() -> Self;
    fn publish(&self, number: u64);
    fn read(&self) -> (u64, u64);
}

macro_rules! publication {
    ($($module:ident),* $(,)?) => { $(
        impl Publication for models::ring::$module::Ring {
            fn new() -> Self {
                Self::new()
            }
            fn publish(&self, number: u64) {
                Self::publish(self, &[number, number]);
            }
            fn read(&self) -> (u64, u64) {
                Self::read(self, |words| (words.get(0), words.get(1)))
            }
        }
    )* };
}

/// One look, which must show one publication.
fn whole<R: Publication>(ring: &R) -> u64 {
    let (one, other) = ring.read();
    assert!(one == other, "ring: torn, {one} beside {other}");
    one
}

/// Two looks, of which the second must not be older.
fn two_looks<R: Publication>(ring: &R) {
    let (first, second) = (whole(ring), whole(ring));
    assert!(second >= first, "ring: went back from {first} to {second}");
}

/// One writer publishes 1, 2, ... `publications` while a reader looks twice.
fn one_writer<R: Publication>(publications: u64, switches: Option<usize>) {
    explore(switches, move || {
        let ring = Arc::new(R::new());
        let writer = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || (1..=publications).for_each(|number| ring.publish(number)))
        };
        two_looks(&*ring);
        writer.join().unwrap();
        let last = whole(&*ring);
        assert!(last == publications, "ring: {last} is read after {publications} was published");
    });
}

/// Two writers, kept apart by a lock as the library keeps them, and a reader.
fn two_writers<R: Publication>(publications_each: u64, switches: Option<usize>) {
    explore(switches, move || {
        let ring = Arc::new(R::new());
        let last = Arc::new(Mutex::new(0));
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let (ring, last) = (Arc::clone(&ring), Arc::clone(&last));
                thread::spawn(move || {
                    for _ in 0..publications_each {
                        let mut last = last.lock().unwrap();
                        *last += 1;
                        ring.publish(*last);
                    }
                })
            })
            .collect();
        two_looks(&*ring);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let last = whole(&*ring);
        assert!(last == 2 * publications_each, "ring: {last} is read after {} publications", 2 * publications_each);
    });
}

publication!(shipped);

#[test]
fn a_look_shows_one_publication_and_never_an_older_one_than_before() {
    // Slot 0 is filled again by publication 4, and everything about that is explored without a limit.
    for publications in 1..=4 {
        one_writer::<models::ring::shipped::Ring>(publications, None);
    }
    one_writer::<models::ring::shipped::Ring>(5, Some(3));
    one_writer::<models::ring::shipped::Ring>(6, Some(3));
    one_writer::<models::ring::shipped::Ring>(9, Some(2));
}

#[test]
fn every_fault_was_put_into_its_copy() {
    assert_eq!(models::LACKING, [""; 0], "the shipped text has changed: mend build/");
}

#[test]
fn writers_that_hold_the_lock_in_turn_are_as_good_as_one() {
    two_writers::<models::ring::shipped::Ring>(2, Some(2));
}

macro_rules! finds_the_fault {
    ($($module:ident with $publications:literal),* $(,)?) => {
        publication!($($module),*);
        mod finds_the_fault_in {
            $(
                #[test]
                fn $module() {
                    let test = concat!("finds_the_fault_in::", stringify!($module));
                    models::finds_the_fault(test, "ring: ", || {
                        super::one_writer::<models::ring::$module::Ring>($publications, Some(2))
                    });
                }
            )*
        }
    };
}

finds_the_fault! {
    no_writer_fence with 4,
    no_reader_fence with 4,
    window_of_three with 4,
    three_slots with 3,
    reader_counter_relaxed with 1,
    reader_fence_before_the_words with 4,
    no_second_look with 4,
    writes_where_readers_look with 1,
    counter_before_the_words with 1,
    publish_relaxed with 1,
    old_number_published with 1,
}
