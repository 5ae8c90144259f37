//! A signed time, as if the vendor had signed it.

use crate::allocation::bounded;
use crate::expand::expand;
use crate::fixture::{CHALLENGE, fixture};
use crate::promises;
use issuer::sign;
use ors::licence::{Mark, Moment, Reason, TIME_TYPE, TimeFile, verify_time};

pub fn run(data: &[u8]) {
    let payload = expand(data, 600 << 10);
    let known = fixture();
    let read = bounded("a time file is read", || TimeFile::parse(&payload));
    let signed = sign(TIME_TYPE, &payload, &[&known.keys.statement]);
    let challenge = read.as_ref().map_or(CHALLENGE, |read| &read.challenge);
    for challenge in [challenge, CHALLENGE, "another"] {
        let time = bounded("a time file is verified", || {
            verify_time(&signed, &known.rings[1], &known.product, &known.serial, challenge)
        });
        match (&read, time) {
            (Ok(read), Ok(time)) => {
                promises::sound_json(&payload);
                assert_eq!(
                    (&read.product, &read.serial, read.challenge.as_str(), read.time),
                    (&known.product, &known.serial, challenge, time)
                );
                let mut mark = Mark::default();
                mark.time_file(time);
                let moment = Moment { local: 0, boot: String::new(), boot_seconds: 0 };
                assert!(mark.judge(&moment).now(0) >= time);
            }
            (Ok(read), Err(refusal)) => {
                promises::refusal(&refusal);
                let wrong = match refusal.reason {
                    Reason::Product => read.product != known.product,
                    Reason::Serial => read.serial != known.serial,
                    Reason::Clock => read.challenge != challenge,
                    _ => false,
                };
                assert!(wrong, "{refusal:?} for {read:?}");
            }
            (Err(unread), Err(refusal)) => {
                promises::refusal(&refusal);
                assert_eq!(unread.reason, refusal.reason);
            }
            (Err(unread), Ok(_)) => panic!("taken although it is {unread:?}"),
        }
    }
}
