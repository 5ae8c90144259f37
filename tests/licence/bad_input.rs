//! Every file that must not be taken, as a row: dropped into the folder and uploaded, the old licence stays in use, and
//! the reason is told in a code, a sentence, diagnostics and the log.

mod rows;

use crate::support::host::Host;
use crate::support::{Site, Vendor, licence};
use crate::tools::{is_sentence, key, key_list, log};
use issuer::{SigningKey, sign_licence};
use ors::ffi::*;
use ors::licence::{Envelope, KeyStatus, Role};
use rows::{Table, of_bytes, of_dates, of_installation, of_keys, of_members, of_texts};

struct Row {
    name: String,
    file: Vec<u8>,
    reason: i32,
}

/// The vendor's keys, and two that are vendor keys no more.
struct Keys {
    vendor: Vendor,
    retired: SigningKey,
    revoked: SigningKey,
}

impl Keys {
    fn new() -> Keys {
        Keys {
            vendor: Vendor::new(),
            retired: key("licence-retired", Role::Licence, 5),
            revoked: key("licence-revoked", Role::Licence, 6),
        }
    }

    /// A host whose licence 7 is by the retired key, and who has taken the list that says so.
    fn open(&self, site: &Site) -> Host {
        site.drop_file("installed.ors.json", &sign_licence(&licence(7), &self.retired));
        let mut options = site.options();
        let lines = [&self.retired, &self.revoked].map(SigningKey::trusted_line).join("\r\n");
        options.trusted_keys = format!("# the vendor\r\n{}\r\n{lines}\r\n", options.trusted_keys);
        let host = Host::open(&options).unwrap();
        host.until_sequence(7);
        let Vendor { root, licence, statement, .. } = &self.vendor;
        let active = [root, licence, statement].map(|key| (key, KeyStatus::Active));
        let gone = [(&self.retired, KeyStatus::Retired), (&self.revoked, KeyStatus::Revoked)];
        host.install(&key_list(1, 1, &[&active[..], &gone[..]].concat(), &[root])).1.unwrap();
        host.until("the key list is in force", |host| host.about()["keys_version"] == 1);
        assert_eq!(host.licence().sequence, 7, "a licence installed by a retired key stays good");
        host
    }
}

/// The sound licence without the one member that no signature covers and nobody trusts: the key id.
fn bare(vendor: &Vendor) -> Vec<u8> {
    let mut envelope = Envelope::parse(&vendor.file(8)).unwrap();
    envelope.signatures[0].keyid = None;
    envelope.to_json()
}

fn flipped(file: &[u8], bit: usize) -> Vec<u8> {
    let mut file = file.to_owned();
    file[bit / 8] ^= 1 << (bit % 8);
    file
}

/// Uploads one row and looks at everything that has to be told.
fn upload_is_refused(host: &Host, row: &Row) {
    let (result, done) = host.install(&row.file);
    let failure = done.expect_err(&row.name);
    assert_eq!((failure.code, result.reason), (ORS_E_REFUSED, row.reason), "{}: {}", row.name, failure.message);
    assert_eq!((result.state, result.changes, result.sequence, result.announcement), (ORS_INSTALL_REFUSED, 0, 0, 0));
    assert!(is_sentence(&failure.message), "{}: {:?}", row.name, failure.message);
    let diagnostics = host.diagnostics();
    let last = diagnostics["log"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(last.contains("An upload was refused (") && last.contains(&failure.message), "{}: {last}", row.name);
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7), "{}", row.name);
}

/// Puts rows into the folder together and looks at everything that has to be told.
fn files_are_refused(site: &Site, host: &Host, rows: &[Row]) {
    // Fewer than the 64 files that are looked at.
    for batch in rows.chunks(50) {
        let name = |index: usize| format!("bad-{index}.ors.json");
        for (index, row) in batch.iter().enumerate() {
            site.drop_file(&name(index), &row.file);
        }
        let refused = |host: &Host| {
            let found = host.diagnostics();
            found["licences"].as_array().unwrap().iter().filter(|row| row["state"] == "refused").count()
        };
        host.until("all files refused", |host| refused(host) == batch.len());
        let lines = log(host);
        for (index, row) in batch.iter().enumerate() {
            let found = host.row(&name(index)).unwrap();
            let (text, token) = (found["text"].as_str().unwrap(), found["reason"].as_str().unwrap());
            assert_eq!(found["reason_code"], row.reason, "{}: {found}", row.name);
            assert!(is_sentence(text), "{}: {text:?}", row.name);
            let line = format!("{} was refused ({token}): {text}", name(index));
            assert!(lines.contains(&line), "{}: not in the log: {line}; {lines:#?}", row.name);
            assert_eq!(std::fs::read(site.file(&name(index))).unwrap(), row.file, "{}: the file stays", row.name);
        }
        assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
        assert_eq!(host.notices().notices, 0, "the user is not bothered");
        for index in 0..batch.len() {
            std::fs::remove_file(site.file(&name(index))).unwrap();
        }
        host.until("all files gone", |host| refused(host) == 0);
    }
}

#[test]
fn no_bad_file_is_taken_from_the_folder_or_as_an_upload_and_the_old_licence_stays_in_use() {
    let keys = Keys::new();
    let site = Site::new();
    let host = keys.open(&site);
    let mut table = Table(Vec::new());
    for part in [of_keys, of_installation, of_members, of_texts, of_dates, of_bytes] {
        part(&mut table, &keys);
    }
    for row in &table.0 {
        upload_is_refused(&host, row);
    }
    // Only as an upload: what somebody put into the folder counts as installed.
    let retired = sign_licence(&licence(8), &keys.retired);
    upload_is_refused(
        &host,
        &Row { name: "retired key, new licence".to_owned(), file: retired, reason: ORS_REASON_KEY_RETIRED },
    );
    files_are_refused(&site, &host, &table.0);
    // The table would show nothing if nothing were ever taken.
    site.drop_file("good.ors.json", &keys.vendor.file(8));
    host.until_sequence(8);
}

#[test]
fn an_older_licence_is_refused_as_an_upload_and_superseded_in_the_folder() {
    let keys = Keys::new();
    let site = Site::new();
    let host = keys.open(&site);
    let row = Row { name: "older".to_owned(), file: keys.vendor.file(6), reason: ORS_REASON_SEQUENCE };
    upload_is_refused(&host, &row);
    site.drop_file("older.ors.json", &row.file);
    host.until("seen", |host| host.row("older.ors.json").is_some_and(|row| row["state"] == "superseded"));
    assert_eq!(host.licence().sequence, 7);
    // Nor does it come into use when it lies there alone.
    let before = std::fs::read(site.file("installed.ors.json")).unwrap();
    std::fs::remove_file(site.file("installed.ors.json")).unwrap();
    host.until("put back", |_| std::fs::read(site.file("installed.ors.json")).is_ok_and(|bytes| bytes == before));
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_licence_is_taken() {
    let keys = Keys::new();
    let site = Site::new();
    let host = keys.open(&site);
    let file = bare(&keys.vendor);
    let refused = |file: &[u8], what: String| {
        let (result, done) = host.install(file);
        assert_eq!(done.expect_err(&what).code, ORS_E_REFUSED, "{what}");
        let known = [ORS_REASON_MALFORMED, ORS_REASON_SIGNATURE, ORS_REASON_UNKNOWN_KEY, ORS_REASON_AMOUNT];
        assert!(known.contains(&result.reason), "{what}: {}", result.reason);
        result.reason
    };
    let mut sample = Vec::new();
    for bit in 0..file.len() * 8 {
        let reason = refused(&flipped(&file, bit), format!("bit {bit} flipped"));
        if bit % 151 == 0 {
            sample.push(Row { name: format!("bit {bit}"), file: flipped(&file, bit), reason });
        }
    }
    for length in 0..file.len() {
        let reason = refused(&file[..length], format!("cut at {length}"));
        if length % 23 == 0 {
            sample.push(Row { name: format!("cut at {length}"), file: file[..length].to_owned(), reason });
        }
    }
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    files_are_refused(&site, &host, &sample);
    host.install(&file).1.expect("unharmed it is taken");
    host.until_sequence(8);
}
