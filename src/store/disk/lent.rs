//! Which disk lies under a state folder: this machine's, or one that a test lent. The second only with the feature
//! `test-disk`: without it nothing of this is left, and a test looks for that in the shipped files.
//!
//! Everything that a runtime keeps goes through the disk that is found here once, at its start: what passes by it would be
//! kept by no rule about order.
#![forbid(unsafe_code)]

#[cfg(feature = "test-disk")]
pub use with_feature::{Lent, lend, under};
#[cfg(not(feature = "test-disk"))]
pub use without_feature::under;

#[cfg(not(feature = "test-disk"))]
mod without_feature {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::{Disk, RealDisk};

    /// The disk to write a state folder through.
    pub fn under(_folder: &Path) -> Arc<dyn Disk> {
        Arc::new(RealDisk)
    }
}

#[cfg(feature = "test-disk")]
mod with_feature {
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex, PoisonError};

    use super::super::{Disk, RealDisk};

    type Loan = (PathBuf, Arc<dyn Disk>);

    static LOANS: Mutex<Vec<Loan>> = Mutex::new(Vec::new());

    fn loans<T>(work: impl FnOnce(&mut Vec<Loan>) -> T) -> T {
        work(&mut LOANS.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// As long as it lives, runtimes that start on this very state folder write through the lent disk; those that have
    /// started keep it.
    #[derive(Debug)]
    #[must_use = "the loan ends when it is dropped"]
    pub struct Lent(PathBuf);

    /// Puts a disk under a state folder.
    pub fn lend(folder: &Path, disk: Arc<dyn Disk>) -> Lent {
        loans(|loans| loans.push((folder.to_owned(), disk)));
        Lent(folder.to_owned())
    }

    impl Drop for Lent {
        fn drop(&mut self) {
            loans(|loans| loans.retain(|(folder, _)| *folder != self.0));
        }
    }

    /// The disk to write a state folder through.
    pub fn under(folder: &Path) -> Arc<dyn Disk> {
        // What the look into the shipped files is for.
        std::hint::black_box("test-disk: a disk that a test lent");
        let lent = loans(|loans| loans.iter().find(|(path, _)| path == folder).map(|(_, disk)| disk.clone()));
        lent.unwrap_or_else(|| Arc::new(RealDisk))
    }
}
