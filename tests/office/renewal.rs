//! From the issue of a licence to its use, over the network.

use crate::support::Site;
use crate::support::host::{Host, Options};
use crate::support::office::{CODE, ORGANISATION, Office};
use ors::ffi::*;
use ors::office::protocol::Verb;
use serde_json::json;

/// The site's product, with this office.
pub fn options(site: &Site, office: &Office) -> Options {
    Options { office_url: Some(office.url.clone()), ..site.options() }
}

/// Opened, with a licence in use, and enabled with the right credentials.
pub fn enabled(site: &Site, office: &Office) -> Host {
    let host = Host::open(&options(site, office)).unwrap();
    host.until("a licence in use", |host| host.licence().sequence != 0);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    host
}

#[test]
fn a_licence_that_is_issued_is_in_use_and_the_office_is_told() {
    let (site, office) = (Site::with(7), Office::open());
    office.issue(7, &site.vendor.file(7));
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    assert_eq!(host.notices().service, ORS_SERVICE_READY);
    assert_eq!(host.settings()["enrolment"], "active");
    office.issue(8, &site.vendor.file(8));
    host.until_sequence(8);
    office.until("told", |state| state.checks.iter().any(|check| check.sequence == 8));
    assert_eq!(office.count(Verb::Enrol), 1);
}
