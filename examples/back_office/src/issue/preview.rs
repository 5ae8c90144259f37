//! What an order will change, and what the customer will read: by the code and the sentences that products run.

use crate::domain::installations::Installation;
use ors::licence::{Changes, Content, Day, Instant, Judged, Licence};
use ors::notice::{Facts, LICENCE_EXPIRED, LICENCE_EXPIRING, MAINTENANCE_EXPIRED, MAINTENANCE_EXPIRING};
use ors::words;

/// An order before it is carried out.
#[derive(Clone, Debug)]
pub struct Preview {
    pub before: Option<Licence>,
    pub after: Licence,
    /// From the newest licence to this one.
    pub changes: Changes,
    /// What the product shows from then on, in the language that was asked for. Plain text, not HTML.
    pub customer_reads: Vec<String>,
    /// What the desk should know.
    pub remarks: Vec<String>,
}

/// Compares. `newest` is the newest licence, `installed` the one that the agent has in use, as far as it is kept here: the
/// customer has read everything up to that one.
pub fn preview(
    installation: &Installation,
    newest: Option<&Licence>,
    installed: Option<&Licence>,
    after: Licence,
    language: Option<&str>,
    now: Instant,
) -> Preview {
    let today = Day::at(now);
    let content = |licence: &Licence| Content::of(licence, today);
    let changes = |from: Option<&Licence>| match from {
        Some(from) => Changes::between(&content(from), &content(&after)),
        None => Changes::default(),
    };
    let phrases = words::choose(language, None);
    let told = changes(installed.or(newest));
    let mut customer_reads = Vec::new();
    if told.announces() {
        customer_reads.push(phrases.changed(&told));
    }
    let judged = Judged { local: now.unix(), shift: 0, floor: 0, wrong: false, unknown_dates: false };
    let shown = Facts::of(&after, &judged).at(now.unix());
    for (bit, sentence) in [
        (LICENCE_EXPIRING, phrases.licence_expiring(shown.licence_days_left, shown.licence_last_day)),
        (LICENCE_EXPIRED, phrases.licence_expired(shown.licence_last_day)),
        (MAINTENANCE_EXPIRING, phrases.maintenance_expiring(shown.maintenance_days_left, shown.maintenance_last_day)),
        (MAINTENANCE_EXPIRED, phrases.maintenance_expired(shown.maintenance_last_day)),
    ] {
        if shown.notices & bit != 0 {
            customer_reads.push(sentence);
        }
    }
    let remarks = remarks(installation, newest, &after, told.announces(), now);
    Preview { before: newest.cloned(), changes: changes(newest), after, customer_reads, remarks }
}

fn remarks(
    installation: &Installation,
    newest: Option<&Licence>,
    after: &Licence,
    announces: bool,
    now: Instant,
) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut remark = |text: String| remarks.push(text);
    let ended = after.expires_on.is_some_and(|last| last < Day::at(now));
    if ended {
        remark(
            "The licence is taken back: as soon as it is installed, the product says that it has expired.".to_owned(),
        );
    }
    if newest.is_none() {
        remark("This is the first licence of the installation. A first licence is not announced.".to_owned());
    } else if !announces && !ended {
        remark("Dates alone are not announced; the customer finds them on the page about the licence.".to_owned());
    }
    if let Some(before) = newest {
        if lost(before.maintenance_until, after.maintenance_until) {
            remark("Maintenance ends earlier than before.".to_owned());
        }
        let perpetual_ends = before.expires_on.is_none() && after.expires_on.is_some();
        if !ended && (perpetual_ends || before.expires_on.zip(after.expires_on).is_some_and(|(from, to)| to < from)) {
            remark("The licence ends earlier than before.".to_owned());
        }
        if after.users < before.users {
            remark(format!("{} users less than before.", before.users - after.users));
        }
    }
    if let Some(days) = installation.days_late(now) {
        let (newest, installed) = (installation.newest, installation.installed);
        remark(format!(
            "Sequence {newest} was issued {days} days ago and is not installed; the installation has {installed}."
        ));
    }
    if !installation.registered {
        remark(
            "The signer does not know this serial number yet: an administrator has to register it first.".to_owned(),
        );
    }
    remarks
}

/// Whether a contract ends earlier, or altogether.
fn lost(from: Option<Day>, to: Option<Day>) -> bool {
    match (from, to) {
        (Some(_), None) => true,
        (Some(from), Some(to)) => to < from,
        (None, _) => false,
    }
}
