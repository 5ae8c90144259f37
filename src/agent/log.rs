//! The last thousand lines, and the host's sink.
//!
//! Lines are written from any of our threads and kept here. The sink is called on the `ors-agent` thread alone, never on a
//! caller's; while it runs, that thread is marked so that cold calls made from inside it are turned away.
//!
//! `tests/models` runs this very file under `loom`, beside copies of it with one line spoiled each.

use super::sync::{Condvar, Mutex};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::{Duration, Instant};

pub const ERROR: u32 = 1;
pub const WARNING: u32 = 2;
pub const INFORMATION: u32 = 3;

const KEPT: usize = 1_000;
/// A line is cut here: file names and server words are outside input.
const LONGEST: usize = 1_000;

/// What the host wants called for each line: level and text.
pub type Sink = Box<dyn Fn(u32, &str) + Send>;

#[derive(Clone, Debug)]
pub struct Line {
    pub number: u64,
    pub level: u32,
    pub text: String,
}

pub struct Log {
    lines: Mutex<Lines>,
    more: Condvar,
    level: AtomicU32,
    sink: Mutex<Option<(u64, Sink)>>,
    /// Whose sink it is; 0 = nobody's. Changed without the lock when its owner goes: then it is not called any more.
    owner: AtomicU64,
}

#[derive(Default)]
struct Lines {
    kept: VecDeque<Line>,
    last: u64,
    /// Number of the last line that the sink was given.
    told: u64,
    closed: bool,
}

impl Lines {
    /// The first kept line after number `after`.
    fn after(&self, after: u64) -> Option<&Line> {
        let first = self.kept.front()?.number;
        let index = after.saturating_add(1).saturating_sub(first);
        self.kept.get(usize::try_from(index).unwrap_or(usize::MAX))
    }
}

thread_local! {
    static IN_SINK: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a host's log sink.
pub fn in_sink() -> bool {
    IN_SINK.with(Cell::get)
}

impl Log {
    pub fn new() -> Log {
        Log {
            lines: Mutex::default(),
            more: Condvar::new(),
            level: AtomicU32::new(INFORMATION),
            sink: Mutex::new(None),
            owner: AtomicU64::new(0),
        }
    }

    pub fn write(&self, level: u32, text: impl Into<String>) {
        if level > self.level.load(Relaxed) {
            return;
        }
        let text = clean(text.into());
        let mut lines = self.lines.lock();
        lines.last += 1;
        let number = lines.last;
        if lines.kept.len() == KEPT {
            lines.kept.pop_front();
        }
        lines.kept.push_back(Line { number, level, text });
        drop(lines);
        self.more.notify_all();
    }

    /// The first kept line after `after`; waits for one until `deadline`, or until `closed`.
    pub fn next(&self, after: u64, deadline: Instant, closed: impl Fn() -> bool) -> Option<Line> {
        let lines = self.lines.lock();
        let lines = self
            .more
            .wait_while_until(lines, deadline, |lines| lines.after(after).is_none() && !lines.closed && !closed());
        lines.after(after).cloned()
    }

    /// The newest `count` lines, oldest first.
    pub fn tail(&self, count: usize) -> Vec<Line> {
        let lines = self.lines.lock();
        lines.kept.iter().skip(lines.kept.len().saturating_sub(count)).cloned().collect()
    }

    /// Sets level and sink for `owner`, a number that is not 0. Returns once the old sink is not running any more; `false`,
    /// with nothing changed, when it still is after `wait`.
    pub fn set(&self, owner: u64, level: u32, sink: Option<Sink>, wait: Duration) -> bool {
        let Some(mut current) = self.sink.try_lock_for(wait) else { return false };
        self.level.store(level, SeqCst);
        let mut lines = self.lines.lock();
        lines.told = lines.last;
        drop(lines);
        self.owner.store(if sink.is_some() { owner } else { 0 }, SeqCst);
        *current = sink.map(|sink| (owner, sink));
        true
    }

    /// Takes the sink of `owner` away, if it is his: it is not called again. `false`: a call is not over after `wait`.
    pub fn take_back(&self, owner: u64, wait: Duration) -> bool {
        if self.owner.compare_exchange(owner, 0, SeqCst, SeqCst).is_err() {
            return true;
        }
        let Some(mut current) = self.sink.try_lock_for(wait) else { return false };
        current.take_if(|(of, _)| *of == owner);
        true
    }

    /// Gives new lines to the sink. For the `ors-agent` thread alone.
    pub fn flush(&self) {
        let mut sink = self.sink.lock();
        loop {
            // Its owner may be gone, since the last call even.
            sink.take_if(|(of, _)| *of != self.owner.load(SeqCst));
            let Some((_, call)) = sink.as_ref() else { return };
            let line = {
                let mut lines = self.lines.lock();
                let told = lines.told;
                let Some(line) = lines.kept.iter().find(|line| line.number > told).cloned() else { return };
                lines.told = line.number;
                line
            };
            IN_SINK.with(|mark| mark.set(true));
            let unmark = Unmark;
            call(line.level, &line.text);
            drop(unmark);
        }
    }

    /// Lets whoever waits for a line look whether his handle was closed.
    pub fn wake(&self) {
        drop(self.lines.lock());
        self.more.notify_all();
    }

    /// Wakes whoever waits for a line: the runtime ends.
    pub fn close(&self) {
        self.lines.lock().closed = true;
        self.more.notify_all();
    }
}

struct Unmark;

impl Drop for Unmark {
    fn drop(&mut self) {
        IN_SINK.with(|mark| mark.set(false));
    }
}

/// One line, no control or direction characters: a log viewer must show what was written.
fn clean(text: String) -> String {
    let cut = if text.len() > LONGEST { &text[..text.floor_char_boundary(LONGEST)] } else { &text };
    if cut.len() == text.len() && !cut.chars().any(hidden) {
        return text;
    }
    cut.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_thousand_lines_are_kept_and_numbers_jump_over_dropped_ones() {
        let log = Log::new();
        for number in 1..=1_500 {
            log.write(WARNING, format!("line {number}"));
        }
        let first = log.next(0, now(), || false).map(|line| (line.number, line.text));
        assert_eq!(first, Some((501, "line 501".to_owned())));
        assert_eq!(log.next(1_499, now(), || false).map(|line| line.number), Some(1_500));
        assert!(log.next(1_500, now(), || false).is_none());
        assert!(log.next(u64::MAX, now(), || false).is_none());
    }

    #[test]
    fn lines_above_the_level_are_not_kept_and_hidden_characters_are_shown() {
        let log = Log::new();
        log.write(INFORMATION + 1, "quiet");
        log.write(ERROR, "a\nb\u{202e}c");
        assert_eq!(log.tail(5).into_iter().map(|line| line.text).collect::<Vec<_>>(), ["a\u{fffd}b\u{fffd}c"]);
    }

    #[test]
    fn a_sink_gets_each_line_once_and_is_marked_while_it_runs() {
        let log = Log::new();
        let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
        let keep = seen.clone();
        log.write(ERROR, "before");
        assert!(log.set(
            1,
            INFORMATION,
            Some(Box::new(move |_, text| keep.lock().push((in_sink(), text.to_owned())))),
            Duration::ZERO
        ));
        log.write(ERROR, "after");
        log.flush();
        log.flush();
        assert!(!in_sink());
        assert!(log.take_back(2, Duration::ZERO));
        log.write(ERROR, "of another owner, so it stays");
        log.flush();
        assert!(log.take_back(1, Duration::ZERO));
        log.write(ERROR, "nobody hears this");
        log.flush();
        let told = ["after", "of another owner, so it stays"].map(|text| (true, text.to_owned()));
        assert_eq!(*seen.lock(), told);
    }
}
