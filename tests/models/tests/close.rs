//! A close against the worker and against callers, in every interleaving: the mailbox and the stages of a runtime, put together as the
//! runtime has them. No wait ends by time here: who is not woken, or not answered, hangs. Then the spoiled copies.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use loom::thread;
use models::stand_in::{Error, Kind};
use models::{HANGS, explore};
use std::time::{Duration, Instant};

/// For as long as it takes.
const LONG: Duration = Duration::from_secs(3_600);

/// What was taken out of a mailbox: each command with what answers it.
type Letters = Vec<(u32, Box<dyn FnOnce(Option<u32>)>)>;

/// The shipped mailbox or a spoiled copy: all have the same face.
trait Mail: Send + Sync + 'static {
    fn new() -> Self;
    fn open(&self) -> bool;
    fn ask(&self, command: u32) -> Result<u32, Error>;
    fn tell(&self, outcome: u32);
    fn next(&self) -> Option<(Letters, usize)>;
    fn stop(&self);
    fn refuse(&self);
}

macro_rules! mail {
    ($($module:ident),* $(,)?) => { $(
        impl Mail for models::mailbox::$module::Mailbox {
            fn new() -> Self {
                Self::new()
            }
            fn open(&self) -> bool {
                Self::open(self)
            }
            fn ask(&self, command: u32) -> Result<u32, Error> {
                self.post(command, Instant::now() + LONG)?.answer()
            }
            fn tell(&self, outcome: u32) {
                Self::tell(self, outcome);
            }
            fn next(&self) -> Option<(Letters, usize)> {
                let letters = Self::next(self, LONG)?;
                let answering = letters.commands.into_iter().map(|(command, reply)| {
                    // Dropped unanswered when there is no answer.
                    let answer = move |done: Option<u32>| {
                        if let Some(done) = done {
                            reply.send(Ok(done));
                        }
                    };
                    (command, Box::new(answer) as Box<dyn FnOnce(Option<u32>)>)
                });
                Some((answering.collect(), letters.outcomes.len()))
            }
            fn stop(&self) {
                Self::stop(self);
            }
            fn refuse(&self) {
                Self::refuse(self, Error::closed());
            }
        }
    )* };
}

trait Stages: Send + Sync + 'static {
    fn new() -> Self;
    fn set_loaded(&self, result: Result<bool, Error>) -> bool;
    fn set_ended(&self);
    fn wait_until_loaded(&self) -> Result<(), Error>;
    fn wait_until_ended(&self) -> bool;
    fn set_settled(&self);
}

macro_rules! stages {
    ($($module:ident),* $(,)?) => { $(
        impl Stages for models::life::$module::Life {
            fn new() -> Self {
                Self::new()
            }
            fn set_loaded(&self, result: Result<bool, Error>) -> bool {
                Self::set_loaded(self, result)
            }
            fn set_ended(&self) {
                Self::set_ended(self);
            }
            fn wait_until_loaded(&self) -> Result<(), Error> {
                Self::wait_until_loaded(self, Instant::now() + LONG)
            }
            fn wait_until_ended(&self) -> bool {
                Self::wait_until_ended(self, LONG)
            }
            fn set_settled(&self) {
                Self::set_settled(self);
            }
        }
    )* };
}

struct Runtime<M, L> {
    mailbox: M,
    life: L,
    /// How often the worker has done something.
    done: AtomicU32,
    /// A close has returned.
    closed: AtomicBool,
}

impl<M: Mail, L: Stages> Runtime<M, L> {
    fn start() -> (Arc<Runtime<M, L>>, thread::JoinHandle<()>) {
        let runtime = Arc::new(Runtime {
            mailbox: M::new(),
            life: L::new(),
            done: AtomicU32::new(0),
            closed: AtomicBool::new(false),
        });
        let inside = Arc::clone(&runtime);
        (runtime, thread::spawn(move || inside.live()))
    }

    /// As `Runtime::live` of the library, with the loop of its worker inside.
    fn live(&self) {
        self.life.set_loaded(Ok(true));
        self.life.set_settled();
        while let Some((letters, outcomes)) = self.mailbox.next() {
            assert!(!letters.is_empty() || outcomes > 0, "close: woken for nothing");
            for (command, answer) in letters {
                assert!(!self.closed.load(SeqCst), "close: a command is carried out after the close");
                self.done.fetch_add(1, SeqCst);
                // Every fourth panics, and is dropped.
                answer((!command.is_multiple_of(4)).then_some(command));
            }
        }
        self.mailbox.stop();
        self.mailbox.refuse();
        self.life.set_ended();
    }

    /// As `Agent::close`: 0, or that it is not over.
    fn close(&self) {
        self.mailbox.stop();
        assert!(self.life.wait_until_ended(), "close: it has not ended");
        self.closed.store(true, SeqCst);
    }
}

/// A command is asked for while the runtime is closed: it is done and answered, or not done and refused.
fn a_call_against_a_close<M: Mail>() {
    explore(Some(2), || {
        let (runtime, worker) = Runtime::<M, models::life::shipped::Life>::start();
        let asking = {
            let runtime = Arc::clone(&runtime);
            thread::spawn(move || runtime.mailbox.ask(7))
        };
        runtime.close();
        let answer = asking.join().unwrap();
        worker.join().unwrap();
        let done = runtime.done.load(SeqCst);
        let expected = if done == 1 { Ok(7) } else { Err(Error(Kind::Closed)) };
        assert!(done <= 1 && answer == expected, "close: {answer:?} for what was done {done} times");
        assert!(!runtime.mailbox.open(), "close: it is open still");
    });
}

/// A command is done by a worker that nobody closes before; a panic is an answer, too.
fn a_call_and_then_a_close<M: Mail>(command: u32) {
    explore(Some(3), move || {
        let (runtime, worker) = Runtime::<M, models::life::shipped::Life>::start();
        let answer = runtime.mailbox.ask(command);
        let expected = if command.is_multiple_of(4) { Err(Error(Kind::Internal)) } else { Ok(command) };
        assert!(answer == expected, "close: {answer:?} instead of {expected:?}");
        runtime.mailbox.tell(1);
        runtime.close();
        worker.join().unwrap();
        let late = runtime.mailbox.ask(9);
        assert!(late == Err(Error(Kind::Closed)), "close: {late:?} after the end");
    });
}

fn a_call<M: Mail>() {
    a_call_and_then_a_close::<M>(7);
}

fn a_call_that_panics<M: Mail>() {
    a_call_and_then_a_close::<M>(8);
}

/// An open waits for a runtime that another thread closes.
fn an_open_against_a_close<L: Stages>() {
    explore(Some(3), || {
        let life = Arc::new(L::new());
        let opening = {
            let life = Arc::clone(&life);
            thread::spawn(move || life.wait_until_loaded())
        };
        // A worker that was stopped before it had read anything.
        life.set_ended();
        assert!(life.wait_until_ended(), "close: it has not ended");
        let opened = opening.join().unwrap();
        assert!(opened == Err(Error(Kind::Closed)), "close: opened, {opened:?}");
    });
}

/// Nothing but the first word on the loading counts, and everybody who waits hears it.
fn the_first_word<L: Stages>() {
    explore(Some(3), || {
        let life = Arc::new(L::new());
        let worker = {
            let life = Arc::clone(&life);
            thread::spawn(move || {
                let first = life.set_loaded(Ok(true));
                // A start anew, after a panic.
                let second = life.set_loaded(Err(Error::closed()));
                life.set_settled();
                (first, second)
            })
        };
        assert!(life.wait_until_loaded().is_ok(), "close: not loaded");
        assert!(worker.join().unwrap() == (true, false), "close: the last word counts");
        life.set_ended();
        let ended = {
            let life = Arc::clone(&life);
            thread::spawn(move || life.wait_until_ended())
        };
        assert!(ended.join().unwrap(), "close: it has not ended");
    });
}

/// A close waits for the end.
fn a_close_that_waits<L: Stages>() {
    explore(Some(3), || {
        let life = Arc::new(L::new());
        let worker = {
            let life = Arc::clone(&life);
            thread::spawn(move || life.set_ended())
        };
        assert!(life.wait_until_ended(), "close: it has not ended");
        worker.join().unwrap();
    });
}

mail!(shipped);
stages!(shipped);

#[test]
fn a_call_during_a_close_is_done_and_answered_or_refused() {
    a_call_against_a_close::<models::mailbox::shipped::Mailbox>();
}

#[test]
fn a_call_is_answered_whatever_becomes_of_it() {
    a_call::<models::mailbox::shipped::Mailbox>();
    a_call_that_panics::<models::mailbox::shipped::Mailbox>();
}

#[test]
fn an_open_of_what_is_closed_meanwhile_ends() {
    an_open_against_a_close::<models::life::shipped::Life>();
    the_first_word::<models::life::shipped::Life>();
    a_close_that_waits::<models::life::shipped::Life>();
}

macro_rules! finds_the_fault {
    ($faces:ident, $folder:ident::$type:ident: $($module:ident by $model:ident: $what:expr),* $(,)?) => {
        $faces!($($module),*);
        mod $folder {
            use super::*;
            $(
                #[test]
                fn $module() {
                    let test = concat!(stringify!($folder), "::", stringify!($module));
                    models::finds_the_fault(test, $what, super::$model::<models::$folder::$module::$type>);
                }
            )*
        }
    };
}

finds_the_fault! { mail, mailbox::Mailbox:
    stopped_without_the_lock by a_call_against_a_close: HANGS,
    open_before_the_lock by a_call_against_a_close: HANGS,
    nobody_rings by a_call: HANGS,
    stopped_in_silence by a_call: HANGS,
    answered_in_silence by a_call: HANGS,
    a_dropped_letter_is_not_answered by a_call_that_panics: HANGS,
    given_out_after_the_end by a_call: "close: woken for nothing",
}

finds_the_fault! { stages, life::Life:
    ended_in_silence by a_close_that_waits: HANGS,
    an_end_before_the_loading_is_not_seen by an_open_against_a_close: HANGS,
    the_last_word_counts by the_first_word: "close: ",
}
