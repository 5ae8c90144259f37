//! The signed time file: how an installation without a network learns that its clock mark is too high.

use super::envelope::{Envelope, TIME_TYPE};
use super::fields::{self, Fields};
use super::{Instant, KeyStatus, Keyring, Product, Reason, Refusal, Role, Serial, text};

/// The most characters of a challenge.
pub const MAX_CHALLENGE: usize = 128;

/// What a time file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFile {
    pub product: Product,
    pub serial: Serial,
    /// The installation's question that this answers; it is used once.
    pub challenge: String,
    pub time: Instant,
}

impl TimeFile {
    /// Reads a payload; whether a trusted key vouches for it is for [`verify_time`].
    pub fn parse(payload: &[u8]) -> Result<TimeFile, Refusal> {
        let members = fields::object(payload, "time file")?;
        let fields = Fields::new(&members, "time file");
        fields.format_1()?;
        let product = Product::parse(fields.string("product")?).map_err(|error| fields.wrong("product", error.0))?;
        let serial = Serial::parse(fields.string("serial")?).map_err(|error| fields.wrong("serial", error.0))?;
        let challenge = fields.plain("challenge", MAX_CHALLENGE)?;
        if challenge.is_empty() {
            return Err(fields.wrong("challenge", "is empty"));
        }
        Ok(TimeFile { product, serial, challenge, time: fields.instant("time")? })
    }
}

/// Verifies a time file for this installation and this challenge, and gives its time.
///
/// Refuses as [`super::verify()`] does, and with `KeyRetired` (a retired key says nothing new), `Product`, `Serial`, and `Clock` when
/// it answers another challenge.
pub fn verify_time(
    file: &[u8],
    keys: &Keyring,
    product: &Product,
    serial: &Serial,
    challenge: &str,
) -> Result<Instant, Refusal> {
    let envelope = Envelope::parse(file)?;
    envelope.expect_type(TIME_TYPE)?;
    let key = keys.sealed_by(&envelope, Role::Statement)?;
    if key.status != KeyStatus::Active {
        let detail =
            format!("Signed by the key \"{}\", which signs nothing new any more. Ask for a new time file.", key.id);
        return Err(Refusal::new(Reason::KeyRetired, detail));
    }
    let found = TimeFile::parse(&envelope.payload)?;
    let refuse =
        |reason, detail: String| Err(Refusal::new(reason, detail).about(Some(found.serial.as_str().to_owned()), None));
    if found.product != *product {
        return refuse(
            Reason::Product,
            format!("This time file is for the product \"{}\", not for \"{product}\".", found.product),
        );
    }
    if found.serial != *serial {
        return refuse(
            Reason::Serial,
            format!("This time file is for the serial number {}, not for {serial}.", found.serial),
        );
    }
    if found.challenge != challenge {
        let shown = text::clean(challenge, 40);
        return refuse(
            Reason::Clock,
            format!("This time file answers another request. Ask for one with the clock challenge {shown}."),
        );
    }
    Ok(found.time)
}

#[cfg(test)]
#[path = "time_file_tests.rs"]
mod tests;
