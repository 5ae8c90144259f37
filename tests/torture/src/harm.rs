//! What went wrong: the first few in words, all of them in number.

use crate::handles::locked;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const TOLD: usize = 20;

#[derive(Default)]
pub struct Harm {
    told: Mutex<Vec<String>>,
    count: AtomicU64,
}

impl Harm {
    pub fn tell(&self, what: String) {
        self.count.fetch_add(1, SeqCst);
        let mut told = locked(&self.told);
        if told.len() < TOLD {
            eprintln!("harm: {what}");
            told.push(what);
        }
    }

    pub fn count(&self) -> u64 {
        self.count.load(SeqCst)
    }

    pub fn told(&self) -> Vec<String> {
        locked(&self.told).clone()
    }
}
