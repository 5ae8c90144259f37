//! The board in every interleaving of publishing, reading, waiting and being given to the next runtime. No wait ends by time here: who is
//! not woken hangs. Then the spoiled copies: loom must see each fault.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering::SeqCst};
use loom::thread;
use models::stand_in::layout::{Facts, Image, View};
use models::{HANGS, explore};
use std::time::{Duration, Instant};

/// The shipped board or a spoiled copy: all have the same face.
trait Published: Send + Sync + 'static {
    fn new() -> Self;
    fn renew(&self) -> u64;
    fn publish(&self, owner: u64, facts: Facts) -> bool;
    fn image(&self) -> Image;
    fn texts(&self) -> Facts;
    /// What there is to see once it is not `seen`, or `None` when `closed`.
    fn wait(&self, seen: Facts, closed: &AtomicBool) -> Option<Facts>;
    fn wake(&self);
}

macro_rules! published {
    ($($module:ident),* $(,)?) => { $(
        impl Published for models::board::$module::Board {
            fn new() -> Self {
                Self::new()
            }
            fn renew(&self) -> u64 {
                Self::renew(self)
            }
            fn publish(&self, owner: u64, facts: Facts) -> bool {
                Self::publish(self, owner, View { facts }, 0)
            }
            fn image(&self) -> Image {
                Self::image(self, 0)
            }
            fn texts(&self) -> Facts {
                self.view().facts
            }
            fn wait(&self, seen: Facts, closed: &AtomicBool) -> Option<Facts> {
                use models::board::$module::{Seen, Wait};
                let seen = Seen { revision: seen.revision, service: seen.service };
                let deadline = Instant::now() + Duration::from_secs(3_600);
                match Self::wait(self, seen, deadline, || 0, || closed.load(SeqCst)) {
                    Wait::Changed(Seen { revision, service }) => Some(Facts { revision, service }),
                    Wait::TimedOut => panic!("board: no hour has passed"),
                    Wait::Closed => None,
                }
            }
            fn wake(&self) {
                Self::wake(self);
            }
        }
    )* };
}

const fn facts(revision: u64, service: u32) -> Facts {
    Facts { revision, service }
}

/// Whoever has seen integers finds texts that are no older.
fn integers_and_texts<B: Published>() {
    explore(Some(3), || {
        let board = Arc::new(B::new());
        let owner = board.renew();
        let writer = {
            let board = Arc::clone(&board);
            thread::spawn(move || {
                assert!(board.publish(owner, facts(1, 1)), "board: its owner may not publish");
                assert!(board.publish(owner, facts(2, 2)), "board: its owner may not publish");
            })
        };
        let image = board.image();
        assert!(image.revision == u64::from(image.service), "board: torn, {image:?}");
        let texts = board.texts();
        assert!(texts.revision >= image.revision, "board: texts of {texts:?} after {image:?} was seen");
        writer.join().unwrap();
        assert!(board.image() == facts(2, 2) && board.texts() == facts(2, 2), "board: the last one is not shown");
    });
}

/// A wait ends for a new revision, or a new service, wherever the publishing meets it.
fn a_wait_for<B: Published>(news: Facts) {
    explore(Some(3), move || {
        let board = Arc::new(B::new());
        let owner = board.renew();
        assert!(board.publish(owner, facts(1, 0)), "board: its owner may not publish");
        let writer = {
            let board = Arc::clone(&board);
            thread::spawn(move || board.publish(owner, news))
        };
        let told = board.wait(facts(1, 0), &AtomicBool::new(false));
        assert!(told == Some(news), "board: told {told:?} instead of {news:?}");
        assert!(writer.join().unwrap(), "board: its owner may not publish");
    });
}

fn a_wait_for_a_revision<B: Published>() {
    a_wait_for::<B>(facts(2, 0));
}

fn a_wait_for_the_service<B: Published>() {
    a_wait_for::<B>(facts(1, 2));
}

/// A close wakes the waits of its handle.
fn a_wait_that_is_closed<B: Published>() {
    explore(Some(3), || {
        let board = Arc::new(B::new());
        let closed = Arc::new(AtomicBool::new(false));
        let closing = {
            let (board, closed) = (Arc::clone(&board), Arc::clone(&closed));
            thread::spawn(move || {
                closed.store(true, SeqCst);
                board.wake();
            })
        };
        let told = board.wait(facts(0, 0), &closed);
        assert!(told.is_none(), "board: told {told:?}");
        closing.join().unwrap();
    });
}

/// A thread that outlived its runtime publishes nothing on the board of the next one.
fn an_outlived_writer<B: Published>() {
    explore(Some(3), || {
        let board = Arc::new(B::new());
        let before = board.renew();
        let outlived = {
            let board = Arc::clone(&board);
            thread::spawn(move || board.publish(before, facts(7, 7)))
        };
        let owner = board.renew();
        let image = board.image();
        assert!(image == facts(0, 0), "board: {image:?} of a runtime that is over");
        assert!(board.publish(owner, facts(8, 8)), "board: its owner may not publish");
        outlived.join().unwrap();
        assert!(board.image() == facts(8, 8) && board.texts() == facts(8, 8), "board: the outlived one is shown");
    });
}

published!(shipped);
type Shipped = models::board::shipped::Board;

#[test]
fn texts_are_never_older_than_integers_that_were_seen() {
    integers_and_texts::<Shipped>();
}

#[test]
fn a_wait_is_told_of_every_change_of_revision_or_service() {
    a_wait_for_a_revision::<Shipped>();
    a_wait_for_the_service::<Shipped>();
    a_wait_for::<Shipped>(facts(2, 2));
}

#[test]
fn a_close_wakes_who_waits() {
    a_wait_that_is_closed::<Shipped>();
}

#[test]
fn a_writer_that_outlived_its_runtime_publishes_nothing() {
    an_outlived_writer::<Shipped>();
}

macro_rules! finds_the_fault {
    ($($module:ident by $model:ident: $what:expr),* $(,)?) => {
        published!($($module),*);
        mod finds_the_fault_in {
            use super::*;
            $(
                #[test]
                fn $module() {
                    let test = concat!("finds_the_fault_in::", stringify!($module));
                    models::finds_the_fault(test, $what, super::$model::<models::board::$module::Board>);
                }
            )*
        }
    };
}

finds_the_fault! {
    texts_after_the_integers by integers_and_texts: "board: texts",
    owner_before_the_lock by an_outlived_writer: "board: ",
    nobody_is_woken by a_wait_for_a_revision: HANGS,
    woken_before_there_is_news by a_wait_for_a_revision: HANGS,
    woken_without_the_lock by a_wait_that_is_closed: HANGS,
    service_as_the_wait_begins by a_wait_for_the_service: HANGS,
}
