//! What somebody pressed in some process, for the leader or for every process to do: [Connect] and [Restart].
//!
//! A small document each, whose revision is the number of the wish. Found twice, it is done once: who does it remembers the number.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::document::{self, Stamp};
use super::error::StoreError;
use super::folder::StateFolder;
use super::handover::settings_lock;
use crate::licence::text::clean;

const LONGEST_BY: usize = 200;

/// What is wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The leader connects to the back office and reports each step.
    Connect,
    /// Every process starts its runtime anew.
    Restart,
}

impl Wish {
    fn document(self) -> &'static str {
        match self {
            Wish::Connect => "connect",
            Wish::Restart => "restart",
        }
    }
}

/// The last wish of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// 0: there was none.
    pub number: u64,
    /// Who it was; empty when that is not known.
    pub by: String,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    by: String,
}

/// The last wish.
///
/// # Errors
/// As [`document::read`].
pub fn asked(folder: &StateFolder, wish: Wish) -> Result<Asked, StoreError> {
    let read = document::read::<Stored>(folder, wish.document())?;
    Ok(Asked { number: read.revision, by: read.value.map(|stored| stored.by).unwrap_or_default() })
}

/// Wishes, and returns the number. One of another process that came a moment before is joined: while `joins` says so of its
/// number, nothing new is wished for.
///
/// # Errors
/// [`StoreError::Busy`] when the lock is not had in time, or what the disk said.
pub fn ask(folder: &StateFolder, wish: Wish, by: &str, joins: impl FnOnce(u64) -> bool) -> Result<u64, StoreError> {
    let _lock = settings_lock(folder)?;
    let before = document::read::<Stored>(folder, wish.document())?;
    if before.revision != 0 && joins(before.revision) {
        return Ok(before.revision);
    }
    let number = before.revision.saturating_add(1);
    document::write(folder, wish.document(), number, &Stored { by: clean(by, LONGEST_BY) })?;
    Ok(number)
}

/// What tells whether somebody wished.
pub fn stamp(folder: &StateFolder, wish: Wish) -> Stamp {
    document::stamp(folder, wish.document())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_has_a_number_and_somebody_who_wished_it() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        assert_eq!(asked(&folder, Wish::Restart).unwrap(), Asked::default());
        let before = stamp(&folder, Wish::Restart);
        assert_eq!(ask(&folder, Wish::Restart, "Ann\n", |_| false).unwrap(), 1);
        assert_ne!(stamp(&folder, Wish::Restart), before);
        assert_eq!(ask(&folder, Wish::Restart, "Ben", |_| false).unwrap(), 2);
        assert_eq!(asked(&folder, Wish::Restart).unwrap(), Asked { number: 2, by: "Ben".to_owned() });
        assert_eq!(asked(&folder, Wish::Connect).unwrap().number, 0, "they do not mix");
    }

    #[test]
    fn a_wish_that_is_being_done_is_joined() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        assert_eq!(ask(&folder, Wish::Connect, "Ann", |_| true).unwrap(), 1, "there is none yet");
        assert_eq!(ask(&folder, Wish::Connect, "Ben", |number| number == 1).unwrap(), 1);
        assert_eq!(ask(&folder, Wish::Connect, "Ben", |_| false).unwrap(), 2);
    }
}
