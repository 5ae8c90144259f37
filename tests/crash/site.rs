//! A customer's folders over a disk that takes everything down, and what is done there.

use crate::customer::Customer;
use crate::judge;
use crate::ledger::Ledger;
use crate::states::{States, Tree};
use crate::support::host::{Failure, Host};
use issuer::{KeyListDraft, SigningKey, sign_key_list};
use ors::licence::KeyStatus;
use ors::store::lent;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Site {
    place: TempDir,
    pub customer: Customer,
}

impl Site {
    /// Licence 7 is in its folder; there is no state folder yet.
    pub fn new() -> Site {
        let site = Site { place: judge::place(), customer: Customer::new() };
        site.customer.settle_in(site.root());
        site
    }

    /// The same with the state folder made and everything on the disk.
    pub fn used() -> Site {
        let site = Site::new();
        until_in_folder(&site.open().unwrap(), 7);
        site
    }

    pub fn root(&self) -> &Path {
        self.place.path()
    }

    pub fn open(&self) -> Result<Host, Failure> {
        Host::open(&self.customer.options(self.root()))
    }

    /// Lets `work` be done on a disk that takes it down.
    pub fn record(&self, work: impl FnOnce(&Ledger)) -> Arc<Ledger> {
        let ledger = Arc::new(Ledger::new(self.root()));
        let _lent = lent::lend(&self.root().join("state"), ledger.clone());
        work(&ledger);
        assert_eq!(ledger.complaints(), [""; 0]);
        let (base, events) = ledger.story();
        assert!(
            States::live(&base, &events) == States::live(&Tree::read(self.root()), &[]),
            "what lies in the folders is what the disk was asked for: {events:#?}"
        );
        ledger
    }
}

/// One thing after another, as a host does them, and what it is told meanwhile. Stops at the first call that fails.
pub struct Deeds<'a> {
    pub host: &'a Host,
    pub ledger: &'a Ledger,
    pub customer: &'a Customer,
}

impl Deeds<'_> {
    pub fn install(&self, sequence: u64) -> Result<(), Failure> {
        self.host.install(&self.customer.envelope(sequence)).1?;
        self.ledger.promise(|promised| promised.sequence = promised.sequence.max(sequence));
        Ok(())
    }

    pub fn set(&self, revision: u64) -> Result<(), Failure> {
        self.host.set(&Customer::change(revision))?;
        self.ledger.promise(|promised| promised.revision = revision);
        Ok(())
    }

    pub fn acknowledge(&self, id: u64) -> Result<(), Failure> {
        self.host.acknowledge(id)?;
        self.ledger.promise(|promised| promised.acknowledged = id);
        Ok(())
    }

    /// The first key list of the vendor.
    pub fn install_keys(&self) -> Result<(), Failure> {
        let member = |key: &SigningKey| (key.id().to_owned(), key.role(), key.public_bytes(), KeyStatus::Active);
        let vendor = &self.customer.vendor;
        let keys = [&vendor.root, &vendor.licence, &vendor.statement].map(member).to_vec();
        self.host.install(&sign_key_list(&KeyListDraft { version: 1, threshold: 1, keys }, &[&vendor.root])).1?;
        self.ledger.promise(|promised| promised.keys = 1);
        Ok(())
    }

    /// What pages and diagnostics show.
    pub fn see(&self) {
        self.ledger.promise(|promised| promised.see(self.host));
    }
}

pub fn is_in_folder(host: &Host, sequence: u64) -> bool {
    let told = host.diagnostics();
    let there = told["installed"]["source"] == "folder" && told["floor"].as_u64() == Some(sequence);
    there && host.licence().sequence == sequence
}

pub fn until_in_folder(host: &Host, sequence: u64) {
    until(host, &format!("licence {sequence} in its folder"), || is_in_folder(host, sequence));
}

/// As [`Host::until`], with an eye on what moves no revision.
pub fn until(host: &Host, what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}; {:#}", host.diagnostics());
        // SAFETY: NULL is allowed where the revision would go.
        unsafe { ors::ffi::ors_wait(host.agent, host.notices().revision, 3, null_mut()) };
    }
}
