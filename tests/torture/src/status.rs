//! What a status must say about the installation that it is about.

use crate::handles::{Handle, Met};
use crate::memory::Given;
use crate::sites::{FIRST, Kind, Site, users};
use ors::ffi::*;
use std::sync::atomic::Ordering::SeqCst;

/// The first 64 bytes, which both functions write.
pub struct Status<'a> {
    given: &'a Given,
    /// The rest of `ors_licence_status` is there, too.
    of_licence: bool,
}

impl Status<'_> {
    pub fn of(given: &Given, of_licence: bool) -> Status<'_> {
        Status { given, of_licence }
    }

    fn notices(&self) -> u32 {
        self.given.u32_at(4)
    }

    fn days(&self) -> [i32; 4] {
        [16, 20, 24, 28].map(|at| self.given.i32_at(at))
    }

    fn announcement(&self) -> u64 {
        self.given.u64_at(32)
    }

    fn users(&self) -> u32 {
        self.given.u32_at(48)
    }

    fn state(&self) -> u32 {
        self.given.u32_at(64)
    }

    fn sequence(&self) -> u64 {
        self.given.u64_at(72)
    }

    /// What does not fit. `shown_before`: the highest sequence that this handle had shown when the call began.
    pub fn check(&self, site: &Site, handle: &Handle, met: Met, shown_before: u64) -> Result<(), String> {
        let (request, service, reserved) = (self.given.u64_at(40), self.given.u32_at(52), self.given.u64_at(56));
        if (request, reserved) != (0, 0) || service > ORS_SERVICE_STOPPING {
            return Err(format!("assistance {request}, service {service}, reserved {reserved}"));
        }
        if (self.notices() & ORS_NOTICE_NEW_FEATURES != 0) != (self.announcement() != 0) {
            return Err(format!("notices {:#x} with announcement {}", self.notices(), self.announcement()));
        }
        if met == Met::Closed {
            return Err("a closed handle has a status".to_owned());
        }
        match site.kind {
            Kind::Licensed => self.check_licensed(site, handle, shown_before),
            Kind::Empty => self.check_without(ORS_LICENCE_MISSING),
            Kind::Forged => self.check_without(ORS_LICENCE_REFUSED),
        }
    }

    fn check_licensed(&self, site: &Site, handle: &Handle, shown_before: u64) -> Result<(), String> {
        if self.notices() & !ORS_NOTICE_NEW_FEATURES != 0 {
            return Err(format!("notices {:#x} with a licence that is good for years", self.notices()));
        }
        let [licence, maintenance, licence_left, maintenance_left] = self.days();
        if (licence, maintenance) != (20_901_123, 20_900_531) || licence_left - maintenance_left != 176 {
            return Err(format!("days {:?}", self.days()));
        }
        if !self.of_licence {
            return if (users(0)..users(0) + 1_000).contains(&self.users()) {
                Ok(())
            } else {
                Err(format!("{} users", self.users()))
            };
        }
        let sequence = self.sequence();
        if self.state() != ORS_LICENCE_VALID || self.given.i32_at(68) != ORS_REASON_NONE {
            return Err(format!("state {}, reason {}", self.state(), self.given.i32_at(68)));
        }
        if self.users() != users(sequence) {
            return Err(format!("{} users with licence {sequence}: torn", self.users()));
        }
        if sequence < FIRST || sequence > site.begun.load(SeqCst) {
            return Err(format!("licence {sequence}, which nobody has issued"));
        }
        if sequence < shown_before {
            return Err(format!("licence {sequence} after {shown_before} with the same handle"));
        }
        handle.shown.fetch_max(sequence, SeqCst);
        let copy = self.given.u64_at(80);
        if copy != 0 {
            return Err(format!("licence {copy} has to be copied by hand"));
        }
        Ok(())
    }

    /// Before the first look at the folder nothing is known.
    fn check_without(&self, state: u32) -> Result<(), String> {
        let known = self.notices() == ORS_NOTICE_NO_LICENCE;
        if !known && self.notices() != 0 || self.days() != [0; 4] || self.users() != 0 {
            return Err(format!("notices {:#x}, days {:?}, {} users", self.notices(), self.days(), self.users()));
        }
        if self.of_licence {
            let expected = if known { state } else { ORS_LICENCE_UNKNOWN };
            if self.state() != expected || self.sequence() != 0 {
                return Err(format!("state {}, licence {}", self.state(), self.sequence()));
            }
        }
        Ok(())
    }
}
