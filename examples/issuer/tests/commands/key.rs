use crate::desk::{Desk, PASSPHRASE, ended};
use issuer::key_file::KeyFile;
use ors::licence::{Keyring, Role};
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_new_key_is_sealed_and_its_public_line_is_what_hosts_read() {
    let desk = Desk::new();
    for (role, word) in [(Role::Root, "root"), (Role::Licence, "licence"), (Role::Statement, "statement")] {
        let printed = desk.with_pass(&format!("key new --role {word} --id {word}-1 --out {word}.key")).ok();
        let ring = Keyring::from_host(&printed).unwrap();
        let key = KeyFile::parse(&desk.bytes(&format!("{word}.key"))).unwrap().open(PASSPHRASE).unwrap();
        assert_eq!((ring.keys()[0].public_bytes(), ring.keys()[0].role), (key.public_bytes(), role));
        assert_eq!(desk.run(&["key", "show", &format!("{word}.key")]).ok(), printed);
        assert!(printed.contains(&ring.keys()[0].fingerprint()));
    }
    assert_eq!(desk.names(), ["licence.key", "pass", "root.key", "statement.key"], "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_key_file() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.with_pass("key new --role licence --id a --out a.key").ok();
    assert_eq!(desk.path("a.key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_existing_key_is_left_alone_without_force() {
    let desk = Desk::new();
    desk.key("licence", "a");
    let before = desk.bytes("a.key");
    let said = desk.with_pass("key new --role root --id b --out a.key").failed(3);
    assert!(said.contains("a.key exists") && said.contains("--force"), "{said}");
    assert_eq!(desk.bytes("a.key"), before);
    desk.with_pass("key new --role root --id b --out a.key --force").ok();
    assert_ne!(desk.bytes("a.key"), before);
}

#[test]
fn wrong_passphrases_and_damaged_files_are_told_apart() {
    let desk = Desk::new();
    desk.key("licence", "a");
    desk.with_pass("key show a.key --check").ok();
    desk.put("other", "another long passphrase\n");
    let said = desk.run(&["key", "show", "a.key", "--check", "--passphrase-file", "other"]).failed(4);
    assert!(said.contains("a.key: the passphrase is wrong"), "{said}");
    let good = String::from_utf8(desk.bytes("a.key")).unwrap();
    desk.put("damaged.key", &good.replace("\"licence\"", "\"root\""));
    desk.put("cut.key", &good[..good.len() / 2]);
    desk.put("newer.key", &good.replace("\"format\": 1", "\"format\": 7"));
    desk.put("none.key", "licence a AAAA");
    for (file, words) in [
        ("damaged.key", "damaged"),
        ("cut.key", "not a key file"),
        ("newer.key", "format 7"),
        ("none.key", "not a key file"),
    ] {
        let said = desk.with_pass(&format!("key show {file} --check")).failed(4);
        assert!(said.contains(file) && said.contains(words), "{file}: {said}");
    }
    assert_eq!(desk.with_pass("key show missing.key").code, 3);
}

#[test]
fn a_passphrase_comes_from_a_file_a_descriptor_or_standard_input() {
    let desk = Desk::new();
    desk.key("licence", "a");
    for (input, code) in [
        (format!("{PASSPHRASE}\n"), 0),
        (format!("{PASSPHRASE}\r\nmore\n"), 0),
        (PASSPHRASE.to_owned(), 0),
        (String::new(), 3),
        ("\n".to_owned(), 3),
        ("x".repeat(5000), 3),
        ("wrong".to_owned(), 4),
    ] {
        let mut command = desk.command(&["key", "show", "a.key", "--check", "--passphrase-fd", "0"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        assert_eq!(ended(child.wait_with_output().unwrap()).code, code, "{input:.40?}");
    }
    assert_eq!(desk.run(&["key", "show", "a.key", "--check", "--passphrase-fd", "77"]).code, 3);
    let both = desk.run(&["key", "show", "a.key", "--check", "--passphrase-fd", "0", "--passphrase-file", "pass"]);
    assert_eq!(both.code, 2);
}

#[cfg(unix)]
#[test]
fn a_passphrase_comes_from_an_inherited_pipe() {
    let desk = Desk::new();
    desk.key("licence", "a");
    let line = format!(
        "printf '%s\\n' '{PASSPHRASE}' | {{ exec 9<&0; exec \"$0\" key show a.key --check --passphrase-fd 9 </dev/null; }}"
    );
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_issuer")]).current_dir(desk.path(""));
    ended(shell.output().unwrap()).ok();
}

#[test]
fn a_weak_passphrase_or_a_bad_id_makes_no_key() {
    let desk = Desk::new();
    desk.put("short", "elevenchars\n");
    let said = desk
        .run(&["key", "new", "--role", "root", "--id", "r", "--out", "r.key", "--passphrase-file", "short"])
        .failed(4);
    assert!(said.contains("at least 12"), "{said}");
    let said = desk
        .run(&["key", "new", "--role", "root", "--id", "two words", "--out", "r.key", "--passphrase-file", "pass"])
        .failed(2);
    assert!(said.contains("id"), "{said}");
    assert_eq!(desk.names(), ["pass", "short"]);
}

#[test]
fn passwd_changes_the_passphrase_and_nothing_else() {
    let desk = Desk::new();
    desk.key("licence", "a");
    let line = desk.run(&["key", "show", "a.key"]).ok();
    desk.put("new", "quite another passphrase\n");
    desk.with_pass("key passwd a.key --new-passphrase-file new").ok();
    assert_eq!(desk.run(&["key", "show", "a.key", "--check", "--passphrase-file", "new"]).ok(), line);
    assert_eq!(desk.with_pass("key show a.key --check").code, 4);
    let before = desk.bytes("a.key");
    assert_eq!(desk.with_pass("key passwd a.key --new-passphrase-file pass").code, 4, "the old one no longer opens it");
    assert_eq!(desk.bytes("a.key"), before);
}
