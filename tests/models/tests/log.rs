//! The log in every interleaving of writing, reading, closing, and of setting, calling and taking back the host's sink. No wait ends by
//! time here: who is not woken hangs. Then the spoiled copies: loom must see each fault.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use loom::thread;
use models::{ENDLESS, HANGS, explore};
use std::time::{Duration, Instant};

type Sink = Box<dyn Fn(u32, &str) + Send>;

/// The shipped log or a spoiled copy: all have the same face.
trait Lines: Send + Sync + 'static {
    fn new() -> Self;
    fn write(&self, text: &str);
    /// Number and text of the first line after `after`, or `None` when closed.
    fn next(&self, after: u64, closed: &AtomicBool) -> Option<(u64, String)>;
    fn set(&self, owner: u64, sink: Option<Sink>) -> bool;
    fn take_back(&self, owner: u64, wait: Duration) -> bool;
    fn flush(&self);
    fn wake(&self);
    fn close(&self);
}

/// For as long as it takes.
const LONG: Duration = Duration::from_secs(3_600);

macro_rules! lines {
    ($($module:ident),* $(,)?) => { $(
        impl Lines for models::log::$module::Log {
            fn new() -> Self {
                Self::new()
            }
            fn write(&self, text: &str) {
                Self::write(self, models::log::$module::WARNING, text);
            }
            fn next(&self, after: u64, closed: &AtomicBool) -> Option<(u64, String)> {
                Self::next(self, after, Instant::now() + LONG, || closed.load(SeqCst)).map(|line| (line.number, line.text))
            }
            fn set(&self, owner: u64, sink: Option<Sink>) -> bool {
                Self::set(self, owner, models::log::$module::INFORMATION, sink, LONG)
            }
            fn take_back(&self, owner: u64, wait: Duration) -> bool {
                Self::take_back(self, owner, wait)
            }
            fn flush(&self) {
                Self::flush(self);
            }
            fn wake(&self) {
                Self::wake(self);
            }
            fn close(&self) {
                Self::close(self);
            }
        }
    )* };
}

/// Whoever waits for a line gets each, in its order.
fn a_reader<L: Lines>() {
    explore(Some(3), || {
        let log = Arc::new(L::new());
        let writer = {
            let log = Arc::clone(&log);
            thread::spawn(move || ["one", "two"].iter().for_each(|text| log.write(text)))
        };
        let open = AtomicBool::new(false);
        for (after, text) in [(0, "one"), (1, "two")] {
            let line = log.next(after, &open);
            assert!(line == Some((after + 1, text.to_owned())), "log: {line:?} after {after}");
        }
        writer.join().unwrap();
    });
}

/// A close of the handle, and the end of the runtime, wake who waits for a line.
fn a_reader_that_is_closed<L: Lines>() {
    for whole in [false, true] {
        explore(Some(3), move || {
            let log = Arc::new(L::new());
            let closed = Arc::new(AtomicBool::new(false));
            let closing = {
                let (log, closed) = (Arc::clone(&log), Arc::clone(&closed));
                thread::spawn(move || {
                    if whole {
                        log.close();
                    } else {
                        closed.store(true, SeqCst);
                        log.wake();
                    }
                })
            };
            let line = log.next(0, &closed);
            assert!(line.is_none(), "log: {line:?} that nobody wrote");
            closing.join().unwrap();
        });
    }
}

/// A sink that must not be called once its host has taken it back.
fn sink(gone: &Arc<AtomicBool>, calls: &Arc<AtomicU64>) -> Option<Sink> {
    let (gone, calls) = (Arc::clone(gone), Arc::clone(calls));
    Some(Box::new(move |_, _| {
        assert!(!gone.load(SeqCst), "log: the sink is called after it was taken back");
        calls.fetch_add(1, SeqCst);
        assert!(!gone.load(SeqCst), "log: the sink runs when it was taken back");
    }))
}

fn fresh<T>(make: impl FnOnce() -> T) -> Arc<T> {
    Arc::new(make())
}

/// The agent's thread gives a line to a sink, whose owner goes. Where that is not waited for, a call may be under way; but there is no other.
fn a_sink_that_is_taken_back<L: Lines>() {
    for wait in [LONG, Duration::ZERO] {
        explore(Some(3), move || {
            let log = Arc::new(L::new());
            let (gone, calls) = (fresh(|| AtomicBool::new(false)), fresh(|| AtomicU64::new(0)));
            assert!(log.set(1, sink(&gone, &calls)), "log: not set");
            log.write("one");
            let agent = {
                let log = Arc::clone(&log);
                thread::spawn(move || log.flush())
            };
            // Something that the sink touches, too: loom stops a thread only where two of them meet, and a lock that is tried is no
            // such place for the one that has it.
            calls.load(SeqCst);
            if log.take_back(1, wait) {
                gone.store(true, SeqCst);
            }
            agent.join().unwrap();
            gone.store(true, SeqCst);
            log.write("two");
            log.flush();
        });
    }
}

/// The same when it is replaced by another sink, or by none.
fn a_sink_that_is_replaced<L: Lines>() {
    for by_another in [false, true] {
        explore(Some(3), move || {
            let log = Arc::new(L::new());
            let (gone, calls) = (fresh(|| AtomicBool::new(false)), fresh(|| AtomicU64::new(0)));
            assert!(log.set(1, sink(&gone, &calls)), "log: not set");
            log.write("one");
            let agent = {
                let log = Arc::clone(&log);
                thread::spawn(move || log.flush())
            };
            let (never, others) = (fresh(|| AtomicBool::new(false)), fresh(|| AtomicU64::new(0)));
            assert!(log.set(2, by_another.then(|| sink(&never, &others)).flatten()), "log: not replaced");
            gone.store(true, SeqCst);
            log.write("two");
            log.flush();
            agent.join().unwrap();
            let told = (calls.load(SeqCst), others.load(SeqCst));
            assert!(told.0 <= 1 && told.1 == u64::from(by_another), "log: told {told:?} times");
        });
    }
}

/// Each line is told once, also one that is written meanwhile.
fn each_line_once<L: Lines>() {
    explore(Some(3), || {
        let log = Arc::new(L::new());
        let (gone, calls) = (fresh(|| AtomicBool::new(false)), fresh(|| AtomicU64::new(0)));
        assert!(log.set(1, sink(&gone, &calls)), "log: not set");
        log.write("one");
        let writer = {
            let log = Arc::clone(&log);
            thread::spawn(move || log.write("two"))
        };
        log.flush();
        writer.join().unwrap();
        log.flush();
        let told = calls.load(SeqCst);
        assert!(told == 2, "log: two lines were told {told} times");
    });
}

lines!(shipped);
type Shipped = models::log::shipped::Log;

#[test]
fn a_reader_gets_every_line_in_its_order() {
    a_reader::<Shipped>();
}

#[test]
fn a_close_wakes_who_waits_for_a_line() {
    a_reader_that_is_closed::<Shipped>();
}

#[test]
fn a_sink_is_not_called_once_it_was_taken_back() {
    a_sink_that_is_taken_back::<Shipped>();
}

#[test]
fn a_sink_is_not_called_once_it_was_replaced() {
    a_sink_that_is_replaced::<Shipped>();
}

#[test]
fn a_sink_is_told_each_line_once() {
    each_line_once::<Shipped>();
}

macro_rules! finds_the_fault {
    ($($module:ident by $model:ident: $what:expr),* $(,)?) => {
        lines!($($module),*);
        mod finds_the_fault_in {
            use super::*;
            $(
                #[test]
                fn $module() {
                    let test = concat!("finds_the_fault_in::", stringify!($module));
                    models::finds_the_fault(test, $what, super::$model::<models::log::$module::Log>);
                }
            )*
        }
    };
}

finds_the_fault! {
    a_line_in_silence by a_reader: HANGS,
    woken_without_the_lock by a_reader_that_is_closed: HANGS,
    taken_back_while_it_runs by a_sink_that_is_taken_back: "log: the sink",
    called_after_its_owner_went by a_sink_that_is_taken_back: "log: the sink is called",
    replaced_while_it_runs by a_sink_that_is_replaced: "log: the sink",
    the_same_line_without_end by each_line_once: ENDLESS,
}
