//! Key lists: by upload and beside the licence, step by step, and what they do to the licence in use.

use crate::support::host::Host;
use crate::support::{Site, licence};
use crate::tools::{changed, is_sentence, key, key_list, log};
use issuer::{SigningKey, sign_licence};
use ors::ffi::*;
use ors::licence::{KeyChain, KeyStatus, Keyring, Role};
use std::fs;
use std::path::Path;

const OURS: &str = "prismaprepare-1234567890.ors.json";

/// The vendor, with a second root key and a second licence key in reserve.
struct Keys {
    site: Site,
    root_2: SigningKey,
    next: SigningKey,
}

use KeyStatus::{Active, Retired, Revoked};

impl Keys {
    fn new() -> Keys {
        Keys { site: Site::with(7), root_2: key("root-2", Role::Root, 11), next: key("licence-2", Role::Licence, 12) }
    }

    /// A list in which the first licence key has that status, signed by the first root.
    fn list(&self, version: u64, first: KeyStatus) -> Vec<u8> {
        let vendor = &self.site.vendor;
        let keys =
            [(&vendor.root, Active), (&vendor.licence, first), (&vendor.statement, Active), (&self.next, Active)];
        key_list(version, 1, &keys, &[&vendor.root])
    }

    fn by_next(&self, sequence: u64) -> Vec<u8> {
        sign_licence(&licence(sequence), &self.next)
    }

    fn open(&self) -> Host {
        let host = self.site.open();
        host.until("read", |host| host.diagnostics()["installed"]["source"] == "folder");
        host
    }

    fn chain(&self, path: &Path) -> Result<u64, String> {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let host = Keyring::from_host(&self.site.vendor.trusted()).unwrap();
        host.advance_chain(&bytes).map(|(ring, _)| ring.version()).map_err(|refusal| refusal.detail)
    }
}

fn version(host: &Host) -> u64 {
    host.about()["keys_version"].as_u64().unwrap()
}

fn chain_of(lists: &[&[u8]]) -> Vec<u8> {
    let mut chain = KeyChain::default();
    for list in lists {
        assert!(chain.push(KeyChain::parse(list).unwrap().lists.remove(0)));
    }
    chain.to_json()
}

#[test]
fn an_uploaded_list_is_in_force_on_return_and_lies_beside_the_licence_for_the_installer() {
    let keys = Keys::new();
    let host = keys.open();
    assert_eq!(version(&host), 0);
    assert_eq!(host.install(&keys.by_next(8)).0.reason, ORS_REASON_UNKNOWN_KEY);
    let (result, done) = host.install(&keys.list(1, Active));
    done.unwrap();
    assert_eq!((result.state, result.changes, result.sequence), (ORS_INSTALL_ACCEPTED, ORS_CHANGED_KEYS, 0));
    assert_eq!(version(&host), 1);
    assert_eq!(keys.chain(&keys.site.state().join("keys.json")), Ok(1));
    host.until("beside the licence", |_| keys.chain(&keys.site.file("ors-keys.json")) == Ok(1));
    assert_eq!(host.install(&keys.list(1, Active)).0.state, ORS_INSTALL_PRESENT);

    // The next version, and several at once.
    let chain = chain_of(&[&keys.list(2, Active), &keys.list(3, Active)]);
    host.install(&chain).1.unwrap();
    assert_eq!(version(&host), 3);
    host.until("beside the licence", |_| keys.chain(&keys.site.file("ors-keys.json")) == Ok(3));
    host.install(&keys.by_next(8)).1.unwrap();
    host.until_sequence(8);
    assert_eq!(host.notices().notices & ORS_NOTICE_MANUAL_COPY, 0);
    drop(host);
    assert_eq!(version(&keys.open()), 3, "over a restart");
}

#[test]
fn lists_never_make_a_licence_be_put_back_that_is_there() {
    let keys = Keys::new();
    let host = keys.open();
    for version in 1..=6 {
        host.install(&keys.list(version, Active)).1.unwrap();
        host.until("read anew", |host| host.diagnostics()["installed"]["source"] == "folder");
    }
    let lines = log(&host);
    assert!(!lines.iter().any(|line| line.contains("put back")), "{lines:#?}");
    assert_eq!(host.notices().notices, 0);
}

#[test]
fn a_list_beside_the_licence_is_taken_like_an_upload() {
    let keys = Keys::new();
    let host = keys.open();
    keys.site.drop_file("ors-keys.json", &keys.list(1, Active));
    host.until("taken", |host| version(host) == 1);
    keys.site.drop_file("ors-keys.json", &chain_of(&[&keys.list(1, Active), &keys.list(2, Active)]));
    keys.site.drop_file("new.ors.json", &keys.by_next(8));
    host.until("taken", |host| version(host) == 2);
    host.until_sequence(8);
    // Somebody takes it away, or spoils it: what was taken stays taken.
    keys.site.drop_file("ors-keys.json", b"{");
    host.until("told", |host| {
        log(host).iter().any(|line| line.contains("ors-keys.json beside the licence was refused (malformed)"))
    });
    fs::remove_file(keys.site.file("ors-keys.json")).unwrap();
    drop(host);
    let host = keys.site.open();
    assert_eq!((version(&host), host.licence().sequence), (2, 8));
    host.until("it lies there again", |_| keys.chain(&keys.site.file("ors-keys.json")) == Ok(2));
}

#[test]
fn a_retired_key_keeps_the_installed_licence_and_brings_no_new_one() {
    let keys = Keys::new();
    let host = keys.open();
    host.install(&keys.list(1, Retired)).1.unwrap();
    let (result, done) = host.install(&keys.site.vendor.file(8));
    assert_eq!((done.unwrap_err().code, result.reason), (ORS_E_REFUSED, ORS_REASON_KEY_RETIRED));
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    // The installed one goes on through a restart, a lost copy, and being put back.
    drop(host);
    fs::remove_file(keys.site.state().join("installed.ors.json")).unwrap();
    let host = keys.open();
    assert_eq!(host.licence().sequence, 7);
    fs::remove_file(keys.site.file(OURS)).unwrap();
    host.until("put back", |_| keys.site.file(OURS).exists());
    host.until("read", |host| host.diagnostics()["installed"]["source"] == "folder");
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    keys.site.drop_file("next.ors.json", &keys.by_next(8));
    host.until_sequence(8);
}

#[test]
fn a_revoked_key_takes_its_licence_and_its_floor_with_it() {
    let keys = Keys::new();
    // A thief has used the stolen key to raise the floor as far as it goes.
    keys.site.drop_file("stolen.ors.json", &keys.site.vendor.file(1_000_000));
    let host = keys.open();
    host.until_sequence(1_000_000);
    host.install(&keys.list(1, Active)).1.unwrap();
    assert_eq!(host.install(&keys.by_next(9)).0.reason, ORS_REASON_SEQUENCE, "the floor stands");
    host.install(&keys.list(2, Revoked)).1.unwrap();
    host.until("revoked", |host| host.licence().reason == ORS_REASON_KEY_REVOKED);
    let status = host.licence();
    assert_eq!((status.state, status.sequence, status.notices), (ORS_LICENCE_REFUSED, 0, ORS_NOTICE_NO_LICENCE));
    assert!(is_sentence(&host.text(ORS_TEXT_LICENCE_REASON)));
    assert_eq!(host.diagnostics()["floor"], 0);
    assert_eq!(host.settings()["serial"], "1234567890", "the serial stays fixed");
    let (result, done) = host.install(&sign_licence(&changed(9, |licence| licence.users = 50), &keys.next));
    done.unwrap();
    assert_eq!(result.sequence, 9);
    host.until_sequence(9);
    assert_eq!((host.licence().state, host.notices().users), (ORS_LICENCE_VALID, 50));
    drop(host);
    assert_eq!(keys.open().licence().sequence, 9, "over a restart");
}

#[test]
fn bad_lists_are_refused_and_the_old_keys_stay() {
    let keys = Keys::new();
    let host = keys.open();
    host.install(&keys.list(1, Active)).1.unwrap();
    let vendor = &keys.site.vendor;
    let both = [(&vendor.root, Active), (&keys.root_2, Active), (&vendor.licence, Active), (&keys.next, Active)];
    let list = |version, threshold, roots: &[&SigningKey]| key_list(version, threshold, &both, roots);
    let stranger_root = key("root-1", Role::Root, 77);
    let mut cut = list(2, 1, &[&vendor.root]);
    cut.truncate(cut.len() / 2);
    let rows: Vec<(&str, Vec<u8>, i32)> = vec![
        ("forked: another version 1", list(1, 1, &[&vendor.root]), ORS_REASON_KEY_LIST_FORK),
        ("a gap", list(3, 1, &[&vendor.root]), ORS_REASON_SEQUENCE),
        ("by a stranger", list(2, 1, &[&stranger_root]), ORS_REASON_SIGNATURE),
        ("by a root of the new list only", list(2, 1, &[&keys.root_2]), ORS_REASON_UNKNOWN_KEY),
        ("by a licence key", list(2, 1, &[&vendor.licence]), ORS_REASON_KEY_ROLE),
        ("unsigned", list(2, 1, &[]), ORS_REASON_AMOUNT),
        ("9 signatures", list(2, 1, &[&vendor.root; 9]), ORS_REASON_AMOUNT),
        ("fewer than its own threshold", list(2, 2, &[&vendor.root, &vendor.root]), ORS_REASON_SIGNATURE),
        ("a threshold of 0", list(2, 0, &[&vendor.root]), ORS_REASON_MALFORMED),
        ("a threshold of 9", list(2, 9, &[&vendor.root]), ORS_REASON_MALFORMED),
        ("version 0", list(0, 1, &[&vendor.root]), ORS_REASON_MALFORMED),
        ("cut", cut, ORS_REASON_MALFORMED),
        (
            "a chain whose first step is a fork",
            chain_of(&[&list(1, 1, &[&vendor.root]), &list(2, 1, &[&vendor.root])]),
            ORS_REASON_KEY_LIST_FORK,
        ),
    ];
    for (name, file, reason) in &rows {
        let (result, done) = host.install(file);
        let failure = done.expect_err(name);
        assert_eq!((failure.code, result.reason), (ORS_E_REFUSED, *reason), "{name}: {}", failure.message);
        assert!(is_sentence(&failure.message), "{name}: {}", failure.message);
        assert_eq!(version(&host), 1, "{name}");
    }
    for (name, file, reason) in &rows {
        let before = host.diagnostics()["notes"].as_array().unwrap().len();
        keys.site.drop_file("ors-keys.json", file);
        host.until(name, |host| {
            host.diagnostics()["notes"].as_array().unwrap().len() > before || {
                // A note that is known already is not repeated.
                let token = ors::licence::Reason::from_code(*reason).unwrap().token();
                let told = host.diagnostics()["notes"].to_string();
                told.contains(&format!("ors-keys.json beside the licence was refused ({token})"))
            }
        });
        assert_eq!(version(&host), 1, "{name}");
    }
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    host.install(&keys.list(2, Active)).1.expect("the right one is still taken");
}

#[test]
fn with_a_threshold_of_2_one_root_alone_changes_nothing() {
    let keys = Keys::new();
    let vendor = &keys.site.vendor;
    let mut options = keys.site.options();
    options.trusted_keys = format!("threshold 2\n{}\n{}", options.trusted_keys, keys.root_2.trusted_line());
    let host = Host::open(&options).unwrap();
    let all = [(&vendor.root, Active), (&keys.root_2, Active), (&vendor.licence, Revoked), (&keys.next, Active)];
    for roots in [&[&vendor.root][..], &[&keys.root_2], &[&vendor.root, &vendor.root]] {
        let (result, done) = host.install(&key_list(1, 2, &all, roots));
        assert_eq!((done.unwrap_err().code, result.reason), (ORS_E_REFUSED, ORS_REASON_SIGNATURE));
        assert_eq!(host.licence().sequence, 7);
    }
    assert_eq!(host.diagnostics()["keys"]["threshold"], 2);
    host.install(&key_list(1, 2, &all, &[&keys.root_2, &vendor.root])).1.unwrap();
    host.until("revoked", |host| host.licence().reason == ORS_REASON_KEY_REVOKED);
}

#[test]
fn a_stored_list_that_is_damaged_or_foreign_is_told_and_the_hosts_own_keys_count() {
    let keys = Keys::new();
    let host = keys.open();
    host.install(&keys.list(1, Active)).1.unwrap();
    host.until("beside the licence", |_| keys.site.file("ors-keys.json").exists());
    drop(host);
    let stored = keys.site.state().join("keys.json");
    let sound = fs::read(&stored).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    for (name, bytes) in [("empty", Vec::new()), ("flipped", flipped), ("cut", sound[..sound.len() - 9].to_owned())] {
        fs::write(&stored, bytes).unwrap();
        let host = keys.site.open();
        assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7), "{name}");
        let told = |host: &Host| host.diagnostics()["notes"].to_string().contains("The stored key list is not used");
        assert!(told(&host), "{name}: {}", host.diagnostics()["notes"]);
        // What lies beside the licence makes it good.
        host.until(name, |host| version(host) == 1);
        assert_eq!(keys.chain(&stored), Ok(1), "{name}");
    }
}
