//! Explains a signed time file.

use ors::licence::{Envelope, TimeFile, verify_time};

use super::{Against, Page};

pub(super) fn time_file(page: &mut Page, bytes: &[u8], against: Against<'_>) {
    page.title("A time file: tells one installation what time it is");
    let envelope = match Envelope::parse(bytes) {
        Ok(envelope) => envelope,
        Err(refusal) => return page.refused(&refusal),
    };
    page.envelope(&envelope);
    let content = TimeFile::parse(&envelope.payload);
    match (against.keys, &content) {
        (None, _) => page.unchecked(),
        (Some(_), Err(_)) => page.line("Verified", "NO: see below"),
        (Some(keys), Ok(file)) => {
            // It is a product's question whether the challenge is its own; here the file answers its own.
            match verify_time(bytes, keys, against.product.unwrap_or(&file.product), &file.serial, &file.challenge) {
                Ok(_) => page.line("Verified", "yes: signed by an active statement key"),
                Err(refusal) => {
                    page.line("Verified", "NO: see below; what follows is only what the file claims");
                    page.refused(&refusal);
                }
            }
        }
    }
    match content {
        Err(refusal) => page.refused(&refusal),
        Ok(file) => {
            page.line("Product", file.product.as_str());
            page.line("Serial", file.serial.as_str());
            page.line("Challenge", &file.challenge);
            page.line("Time", file.time.to_string());
            page.note("Only the installation whose settings page shows this challenge takes it, and only once.");
        }
    }
}
