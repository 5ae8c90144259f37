//! One of the threads: what it calls next is said by its dice, what came of it is judged by the model.

use crate::calls;
use crate::codes::{Codes, name};
use crate::dice::Dice;
use crate::exports::Exports;
use crate::handles::{Handle, Handles, Met, Target};
use crate::harm::Harm;
use crate::memory::Memory;
use crate::sink::Context;
use crate::sites::{KINDS, Kind, Site};
use ors::ffi::*;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What all threads share.
pub struct World {
    pub exports: Exports,
    pub seed: u64,
    pub sites: [Site; 3],
    pub handles: Handles,
    pub harm: Arc<Harm>,
    /// Every context that a sink was ever given.
    pub contexts: Mutex<Vec<Arc<Context>>>,
    /// For each function, how often it returned each code.
    pub tally: Mutex<std::collections::BTreeMap<(&'static str, i32), u64>>,
}

impl World {
    pub fn new(exports: Exports, seed: u64) -> World {
        World {
            exports,
            seed,
            sites: KINDS.map(Site::new),
            handles: Handles::default(),
            harm: Arc::default(),
            contexts: Mutex::default(),
            tally: Mutex::default(),
        }
    }

    pub fn site(&self, kind: Kind) -> &Site {
        let at = KINDS.iter().position(|one| *one == kind).expect("one of them");
        &self.sites[at]
    }
}

/// What a thread does now, for whoever wonders why it does not go on.
#[derive(Default)]
pub struct Progress {
    pub calls: AtomicU64,
    /// Number of the function that it is in, plus one; 0 between calls.
    pub inside: AtomicUsize,
}

pub struct Thread<'w> {
    pub world: &'w World,
    pub progress: &'w Progress,
    number: u64,
    pub dice: Dice,
    pub memory: Memory,
    /// The status that was shown last, and by which handle: what notice texts are asked about.
    pub shown: Option<(Arc<Handle>, ors_notice_status)>,
    tally: std::collections::BTreeMap<(&'static str, i32), u64>,
}

/// No call stays longer than it may, and this on top: 64 threads that contend for two processors, which others may use as well, wait for
/// each other. How long a call takes on a machine that has time is measured elsewhere (tests/hosts); here it is seen that none hangs.
const SLACK: Duration = Duration::from_secs(60);

impl<'w> Thread<'w> {
    pub fn new(world: &'w World, progress: &'w Progress, number: u64) -> Thread<'w> {
        let dice = Dice::new(world.seed, number);
        Thread { world, progress, number, dice, memory: Memory::new(), shown: None, tally: Default::default() }
    }

    /// Calls until `calls` were made by all threads together.
    pub fn run(&mut self, made: &AtomicU64, calls: u64) {
        while made.fetch_add(1, SeqCst) < calls {
            let (at, function) = calls::choose(&mut self.dice);
            self.progress.inside.store(at + 1, SeqCst);
            function(self);
            self.progress.inside.store(0, SeqCst);
            self.progress.calls.fetch_add(1, SeqCst);
        }
        let mut all = crate::handles::locked(&self.world.tally);
        for (what, times) in &self.tally {
            *all.entry(*what).or_default() += times;
        }
    }

    /// A handle: mostly an open one, now and then one that is closed or was never given out.
    pub fn target(&mut self) -> Target {
        let (which, number) = (self.dice.below(20), self.dice.number());
        let handles = &self.world.handles;
        let found = match which {
            0..16 => handles.one_open(number),
            16..18 => handles.one_closed(number),
            _ => None,
        };
        match found {
            Some(handle) => Target::of(&handle),
            None => self.made_up(),
        }
    }

    fn made_up(&mut self) -> Target {
        let slot = self.dice.below(5_000);
        // So many handles are never given out of one slot.
        let generation = 0x4000_0000 + self.dice.below(0x4000_0000);
        let near = self.world.handles.one_open(self.dice.number()).map_or(0, |handle| handle.value);
        Target::made_up(match self.dice.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => slot,
            3 => generation << 32,
            4 => generation << 32 | slot,
            5 => near & 0xffff_ffff,
            6 => near & !0xffff_ffff,
            _ => near ^ 0x8000_0000_0000_0000,
        })
    }

    /// A handle to the text of a call, for judging. `wrong` is what its arguments ask for, `right` what a live handle gives.
    pub fn expected(&self, target: &Target, wrong: Codes, right: Codes) -> (Codes, Met) {
        let met = target.met();
        let closed = Codes::of(&[ORS_E_CLOSED]);
        let codes = match (wrong.is_empty(), met) {
            // Which of several mistakes is told is not said.
            (false, Met::Open) => wrong,
            (false, _) => wrong.and(closed),
            (true, Met::Open) => right,
            (true, Met::Closed) => closed,
            (true, Met::Either) => right.and(closed),
        };
        (codes, met)
    }

    /// Notes a call: its code must be one of `codes`, and `checks` must have found nothing.
    pub fn judge(
        &mut self,
        function: &'static str,
        code: i32,
        codes: Codes,
        checks: impl IntoIterator<Item = Result<(), String>>,
        what: impl FnOnce() -> String,
    ) {
        *self.tally.entry((function, code)).or_default() += 1;
        let mut found: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
        if !codes.has(code) {
            found.insert(0, format!("{} instead of {codes}", name(code)));
        }
        if !found.is_empty() {
            let (seed, number) = (self.world.seed, self.number);
            let call = self.progress.calls.load(SeqCst);
            let (found, what) = (found.join("; "), what());
            self.world.harm.tell(format!(
                "{function}({what}) gave {}: {found} [seed {seed}, thread {number}, call {call}]",
                name(code)
            ));
        }
    }

    /// A call may stay `longest`, and some more on a busy machine.
    pub fn in_time(began: Instant, longest: Duration) -> Result<(), String> {
        let took = began.elapsed();
        if took > longest + SLACK { Err(format!("took {took:?} instead of {longest:?}")) } else { Ok(()) }
    }
}
