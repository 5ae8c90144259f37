use super::*;
use crate::domain::testkit::NOW;
use ors::licence::{Day, Feature};
use std::path::{Path, PathBuf};

struct Desk {
    folder: tempfile::TempDir,
}

fn key(role: Role, seed: u8) -> SigningKey {
    SigningKey::from_seed(&format!("{}-{seed}", role.token()), role, [seed; 32])
}

fn trusted() -> Keyring {
    let lines = [key(Role::Licence, 1), key(Role::Statement, 2), key(Role::Root, 3)].map(|key| key.trusted_line());
    Keyring::from_host(&lines.join("\n")).unwrap()
}

fn licence(serial: &str, sequence: u64) -> Licence {
    Licence {
        product: Product::parse("prismaprepare").unwrap(),
        serial: Serial::parse(serial).unwrap(),
        customer: "Print Room".into(),
        sequence: Sequence::new(sequence).unwrap(),
        issued_at: NOW,
        expires_on: Day::parse("2090-01-01").ok(),
        maintenance_until: None,
        users: 5,
        features: vec![Feature { id: "pdf".into(), name: "PDF".into(), expires_on: None }],
        fls: vec![],
    }
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    fn signer(&self) -> Signer {
        Signer::new(key(Role::Licence, 1), trusted(), Record::open(&self.path()).unwrap()).unwrap()
    }

    /// A signer that knows the serial number 1.
    fn knowing(&self) -> Signer {
        let mut signer = self.signer();
        signer.answer(Question::Register { names: vec![Name::new("prismaprepare", "1")] }, true, NOW).unwrap();
        signer
    }
}

fn sign(signer: &mut Signer, licence: &Licence, now: Instant) -> Result<String, No> {
    match signer.answer(Question::Sign { payload: licence.to_json() }, false, now)? {
        Said::File { file } => Ok(file),
        other => panic!("{other:?}"),
    }
}

fn adopt(signer: &mut Signer, file: &[u8]) -> Answer {
    signer.answer(Question::Adopt { file: String::from_utf8(file.to_vec()).unwrap() }, false, NOW)
}

#[test]
fn it_signs_the_next_sequence_of_a_serial_number_it_knows_and_nothing_else() {
    let desk = Desk::new();
    let mut signer = desk.knowing();
    for (licence, why) in [
        (licence("2", 1), "unknown serial"),
        (licence("1", 2), "skipped"),
        (Licence { product: Product::parse("other").unwrap(), ..licence("1", 1) }, "another product"),
        (Licence { issued_at: NOW.plus(86_400), ..licence("1", 1) }, "from the future"),
    ] {
        assert!(sign(&mut signer, &licence, NOW).is_err(), "{why}");
    }
    let file = sign(&mut signer, &licence("1", 1), NOW).unwrap();
    let product = Product::parse("prismaprepare").unwrap();
    assert_eq!(*verify(file.as_bytes(), &trusted(), &product).unwrap().licence(), licence("1", 1));
    let other = Licence { users: 6, ..licence("1", 1) };
    assert!(
        matches!(sign(&mut signer, &other, NOW), Err(No::Sequence { last: 1, .. })),
        "the same sequence with other bytes"
    );
    assert!(matches!(sign(&mut signer, &licence("1", 3), NOW), Err(No::Sequence { last: 1, .. })));
    sign(&mut signer, &licence("1", 2), NOW).unwrap();
}

#[test]
fn the_same_question_gets_the_same_envelope_again_after_a_restart_too() {
    let desk = Desk::new();
    let mut signer = desk.knowing();
    let first = sign(&mut signer, &licence("1", 1), NOW).unwrap();
    assert_eq!(sign(&mut signer, &licence("1", 1), NOW).unwrap(), first);
    let length = std::fs::metadata(desk.path()).unwrap().len();
    drop(signer);
    let mut signer = desk.signer();
    assert_eq!(sign(&mut signer, &licence("1", 1), NOW.plus(1000)).unwrap(), first);
    assert_eq!(std::fs::metadata(desk.path()).unwrap().len(), length, "and the record says it once");
}

#[test]
fn a_payload_that_is_no_plain_licence_is_not_signed() {
    let desk = Desk::new();
    let mut signer = desk.knowing();
    let json = String::from_utf8(licence("1", 1).to_json()).unwrap();
    for payload in [
        "{}".to_owned(),
        json.replace("\"users\":5", "\"users\":5,\"admin\":true"),
        json.replace("\"format\":1", "\"format\": 1"),
        json.replace("\"users\":5", "\"users\":-5"),
        "<html>".to_owned(),
    ] {
        let answer = signer.answer(Question::Sign { payload: payload.clone().into_bytes() }, false, NOW);
        assert!(matches!(answer, Err(No::Payload { .. })), "{payload}");
    }
}

#[test]
fn serial_numbers_are_registered_at_the_administrators_door_only() {
    let desk = Desk::new();
    let mut signer = desk.signer();
    let names = vec![Name::new("prismaprepare", "1"), Name::new("prismaprepare", "1")];
    let refused = signer.answer(Question::Register { names: names.clone() }, false, NOW);
    assert!(matches!(refused, Err(No::NotAllowed { .. })));
    assert_eq!(signer.answer(Question::Register { names }, true, NOW), Ok(Said::Registered { added: 1, known: 1 }));
    let wrong = vec![Name::new("prismaprepare", "2"), Name::new("UPPER", "a b")];
    assert!(signer.answer(Question::Register { names: wrong }, true, NOW).is_err());
    let names = vec![Name::new("prismaprepare", "1"), Name::new("prismaprepare", "2")];
    assert_eq!(signer.answer(Question::Known { names }, false, NOW), Ok(Said::Known { known: vec![true, false] }));
}

#[test]
fn no_more_than_500_are_signed_in_an_hour_even_after_a_restart_or_with_the_clock_set_back() {
    let desk = Desk::new();
    let mut signer = desk.knowing();
    // Half of them an hour before: written down as the record would have it.
    for sequence in 1..=PER_HOUR as u64 {
        sign(&mut signer, &licence("1", sequence), NOW.plus(i64::from(sequence > 250) * 1800)).unwrap();
    }
    let next = licence("1", PER_HOUR as u64 + 1);
    assert!(matches!(sign(&mut signer, &next, NOW.plus(1800)), Err(No::Limit { .. })));
    drop(signer);
    let mut signer = desk.signer();
    assert!(matches!(sign(&mut signer, &next, NOW.plus(1800)), Err(No::Limit { .. })));
    assert!(matches!(sign(&mut signer, &next, NOW.plus(-90_000 + 600)), Err(No::Payload { .. } | No::Limit { .. })));
    sign(&mut signer, &next, NOW.plus(3601)).unwrap();
}

#[test]
fn a_genuine_licence_with_a_higher_sequence_is_continued_from_and_no_other() {
    let desk = Desk::new();
    let mut signer = desk.knowing();
    let by = |licence: &Licence, key: &SigningKey| issuer::sign_licence(licence, key);
    let stranger = key(Role::Licence, 9);
    assert!(matches!(adopt(&mut signer, &by(&licence("1", 7), &stranger)), Err(No::Licence { .. })));
    assert!(matches!(adopt(&mut signer, &by(&licence("1", 7), &key(Role::Statement, 2))), Err(No::Licence { .. })));
    assert!(matches!(adopt(&mut signer, &by(&licence("2", 7), &key(Role::Licence, 1))), Err(No::UnknownSerial { .. })));
    let genuine = by(&licence("1", 7), &key(Role::Licence, 1));
    assert_eq!(adopt(&mut signer, &genuine), Ok(Said::Last { sequence: 7 }));
    assert_eq!(adopt(&mut signer, &genuine), Ok(Said::Last { sequence: 7 }));
    assert_eq!(adopt(&mut signer, &by(&licence("1", 3), &key(Role::Licence, 1))), Ok(Said::Last { sequence: 7 }));
    let fork = by(&Licence { users: 99, ..licence("1", 7) }, &key(Role::Licence, 1));
    assert!(matches!(adopt(&mut signer, &fork), Err(No::Licence { .. })));
    sign(&mut signer, &licence("1", 8), NOW).unwrap();
    let name = Name::new("prismaprepare", "1");
    let genuine = String::from_utf8(genuine).unwrap();
    for from in [1, 6, 7] {
        let signed = signer.answer(Question::Signed { name: name.clone(), sequence: from }, false, NOW);
        assert_eq!(signed, Ok(Said::File { file: genuine.clone() }), "from {from}");
    }
    assert!(signer.answer(Question::Signed { name, sequence: 9 }, false, NOW).is_err());
}

#[test]
fn a_record_that_was_cut_at_any_byte_loses_nothing_that_was_answered() {
    let desk = Desk::new();
    let mut signer = desk.knowing();
    let mut answered = vec![(std::fs::metadata(desk.path()).unwrap().len(), 0u64)];
    for sequence in 1..=3 {
        sign(&mut signer, &licence("1", sequence), NOW).unwrap();
        answered.push((std::fs::metadata(desk.path()).unwrap().len(), sequence));
    }
    drop(signer);
    let whole = std::fs::read(desk.path()).unwrap();
    let from = usize::try_from(answered[1].0).unwrap();
    for cut in (from..=whole.len()).step_by(7).chain([from, whole.len() - 1, whole.len()]) {
        std::fs::write(desk.path(), &whole[..cut]).unwrap();
        let record = Record::open(&desk.path()).unwrap();
        let last = record.entry(&Name::new("prismaprepare", "1")).unwrap().last;
        let expected = answered.iter().filter(|(length, _)| *length <= cut as u64).map(|(_, last)| *last).max();
        assert_eq!(Some(last), expected, "cut at {cut}");
        drop(record);
        assert_eq!(std::fs::metadata(desk.path()).unwrap().len(), answered[usize::try_from(last).unwrap()].0);
    }
}

#[test]
fn a_record_that_was_changed_is_refused_with_its_line() {
    let desk = Desk::new();
    let mut signer = desk.knowing();
    (1..=3).for_each(|sequence| drop(sign(&mut signer, &licence("1", sequence), NOW).unwrap()));
    drop(signer);
    let whole = std::fs::read_to_string(desk.path()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without = |left_out: usize| {
        lines
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    let flipped = whole.replacen("\"sequence\":2", "\"sequence\":9", 1);
    let swapped = format!("{}\n{}\n{}\n", lines[0], lines[2], lines[1]);
    for (name, text) in [
        ("a line left out", without(1)),
        ("the first left out", without(0)),
        ("a number changed", flipped),
        ("two lines swapped", swapped),
        ("a stray line", whole.replacen('\n', "\nx\n", 1)),
        ("torn in the middle", whole.replacen("\"n\":2", "\"n\":\0", 1)),
    ] {
        std::fs::write(desk.path(), text).unwrap();
        assert!(matches!(Record::open(&desk.path()), Err(RecordError::Damaged { .. })), "{name}");
    }
}

#[test]
fn two_signers_never_share_a_record() {
    let desk = Desk::new();
    let _first = desk.signer();
    assert!(matches!(Record::open(&desk.path()), Err(RecordError::Held(_))));
}

#[test]
fn a_signer_does_not_start_with_a_key_that_no_product_would_believe() {
    let desk = Desk::new();
    for wrong in [key(Role::Statement, 2), key(Role::Licence, 7)] {
        let record = Record::open(&desk.path()).unwrap();
        assert!(Signer::new(wrong, trusted(), record).is_err());
    }
}

fn talk(socket: &Path, line: &[u8]) -> String {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.write_all(line).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn its_sockets_are_for_this_account_only_and_garbage_gets_a_sentence() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let socket = desk.folder.path().join("signer.sock");
    std::fs::write(&socket, "left by a killed one").unwrap();
    let serving = serve(desk.signer(), Doors { socket: socket.clone(), group: None }).unwrap();
    for path in [&socket, &serving.doors.administrator()] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let administrator = Client::new(&serving.doors.administrator());
    let names = vec![Name::new("prismaprepare", "1")];
    assert!(matches!(Client::new(&socket).register(names.clone()), Err(Unanswered::No(No::NotAllowed { .. }))));
    assert_eq!(administrator.register(names), Ok((1, 0)));
    let client = Client::new(&socket);
    let file = client.sign(&licence_now("1", 1).to_json()).unwrap();
    assert_eq!(client.signed(&Name::new("prismaprepare", "1"), 1).unwrap(), file);
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"{}\n",
        b"{\"ask\":\"sign\",\"payload\":\"%%\"}\n",
        b"\xff\xfe\n",
        b"{\"ask\":",
    ] {
        assert!(talk(&socket, garbage).contains("\"no\":\"question\""), "{garbage:?}");
    }
    assert_eq!(client.last(&Name::new("prismaprepare", "1")), Ok(1));
    assert!(matches!(Client::new(&desk.folder.path().join("nobody")).sign(b""), Err(Unanswered::Unreached(_))));
}

/// Issued at this moment, by the clock that a serving signer reads.
fn licence_now(serial: &str, sequence: u64) -> Licence {
    Licence { issued_at: crate::now(), ..licence(serial, sequence) }
}
