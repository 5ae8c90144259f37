//! Explains a licence.

use ors::licence::{Day, Envelope, Instant, KeyStatus, Licence, Refusal, Role, verify};

use super::{Against, Page, distance};

pub(super) fn licence(page: &mut Page, bytes: &[u8], against: Against<'_>) {
    page.title("A licence");
    let envelope = match Envelope::parse(bytes) {
        Ok(envelope) => envelope,
        Err(refusal) => return page.refused(&refusal),
    };
    page.envelope(&envelope);
    let content = Licence::parse(&envelope.payload);
    signed(page, bytes, &envelope, &content, against);
    match content {
        Ok(licence) => told(page, &licence, against.now),
        Err(refusal) => unreadable(page, &refusal),
    }
}

fn signed(
    page: &mut Page,
    bytes: &[u8],
    envelope: &Envelope,
    content: &Result<Licence, Refusal>,
    against: Against<'_>,
) {
    let Some(keys) = against.keys else { return page.unchecked() };
    match keys.sealed_by(envelope, Role::Licence) {
        Err(refusal) => {
            page.line("Verified", "NO: see below; what follows is only what the file claims");
            page.refused(&refusal);
        }
        Ok(key) => {
            page.line(
                "Verified",
                format!(
                    "yes: signed by \"{}\", {} key, fingerprint {}",
                    key.id,
                    article(key.status),
                    key.fingerprint()
                ),
            );
            if key.status == KeyStatus::Retired {
                page.note(
                    "A retired key's licence stays good where it lies in the licence folder; a new one is refused.",
                );
            }
            // The signature is good; what else a product would ask is asked by its own code.
            if let Ok(licence) = content
                && let Err(refusal) = verify(bytes, keys, against.product.unwrap_or(&licence.product))
            {
                page.refused(&refusal);
            }
        }
    }
}

fn article(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "an active",
        KeyStatus::Retired => "a retired",
        KeyStatus::Revoked => "a revoked",
    }
}

fn unreadable(page: &mut Page, refusal: &Refusal) {
    if let Some(serial) = &refusal.serial {
        page.line("Serial", serial);
    }
    if let Some(sequence) = refusal.sequence {
        page.line("Sequence", sequence.to_string());
    }
    page.refused(refusal);
}

fn told(page: &mut Page, licence: &Licence, now: Instant) {
    let today = Day::at(now);
    page.line("Product", licence.product.as_str());
    page.line("Serial", licence.serial.as_str());
    page.line("Customer", &licence.customer);
    page.line("Sequence", licence.sequence.to_string());
    page.line("Issued", licence.issued_at.to_string());
    page.line("Users", licence.users.to_string());
    match licence.expires_on {
        None => page.line("Expires", "never: a perpetual licence"),
        Some(last) => date(page, "Expires", last, now, "expired", "the licence expires"),
    }
    match licence.maintenance_until {
        None => page.line("Maintenance", "no contract; no update is allowed"),
        Some(last) => date(page, "Maintenance", last, now, "over", "maintenance ends"),
    }
    page.line(
        "Features",
        if licence.features.is_empty() { "none".to_owned() } else { licence.features.len().to_string() },
    );
    for feature in &licence.features {
        let ends = match feature.expires_on {
            None => "as long as the licence".to_owned(),
            Some(last) if last < today => format!("ended, its last day was {last} ({})", distance(today, last)),
            Some(last) => format!("until {last} ({})", distance(today, last)),
        };
        page.line("", format!("{}: {}; {ends}", feature.id, feature.name));
    }
    for file in &licence.fls {
        page.line("For the FLS", format!("{}, {} bytes", file.name, file.text.len()));
    }
    page.line("File name", licence.file_name());
    if licence.issued_at > now.plus(3600) {
        page.note("It was issued later than now; check this computer's clock.");
    }
}

fn date(page: &mut Page, name: &str, last: Day, now: Instant, over: &str, ends: &str) {
    let today = Day::at(now);
    page.line(name, format!("{last} is the last good day everywhere on earth ({})", distance(today, last)));
    page.line("", format!("{over} from {}", last.ends_at()));
    page.line("", format!("the product warns that {ends} from {}", last.warns_from()));
    page.line(
        "",
        if now >= last.ends_at() {
            format!("now: {over}")
        } else if now >= last.warns_from() {
            "now: good, and the product warns".to_owned()
        } else {
            "now: good".to_owned()
        },
    );
}
