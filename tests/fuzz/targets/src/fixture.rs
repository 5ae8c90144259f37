//! One vendor and one installation, the same in every run: what the targets sign with, and what is genuine.

use issuer::{KeyListDraft, SigningKey, sign, sign_key_list, sign_licence, sign_time};
use ors::licence::{
    Advance, Changes, Content, Day, Digest, Envelope, Feature, FlsFile, Instant, KeyStatus, Keyring, LICENCE_TYPE,
    Licence, Product, Role, Sequence, Serial,
};
use serde_json::{Value, json};
use std::sync::OnceLock;

pub const PRODUCT: &str = "prismaprepare";
pub const SERIAL: &str = "1234567890";
/// What the installation's signed time has to answer.
pub const CHALLENGE: &str = "5f2c91aa";

/// The vendor's keys. `retired` and `revoked` are active in the host's own lines and what their names say from list 1 on.
pub struct Keys {
    pub roots: [SigningKey; 2],
    pub licence: SigningKey,
    pub retired: SigningKey,
    pub revoked: SigningKey,
    pub statement: SigningKey,
    /// A key that nobody trusts.
    pub stranger: SigningKey,
}

impl Keys {
    fn new() -> Keys {
        let key = |id, role, seed| SigningKey::from_seed(id, role, [seed; 32]);
        Keys {
            roots: [key("root-a", Role::Root, 1), key("root-b", Role::Root, 2)],
            licence: key("licence-1", Role::Licence, 3),
            retired: key("licence-2", Role::Licence, 4),
            revoked: key("licence-3", Role::Licence, 5),
            statement: key("statement-1", Role::Statement, 6),
            stranger: key("stranger-1", Role::Licence, 7),
        }
    }

    fn trusted(&self) -> [&SigningKey; 6] {
        [&self.roots[0], &self.roots[1], &self.licence, &self.retired, &self.revoked, &self.statement]
    }

    /// The keys that may stand under an envelope, for inputs that choose signers by number.
    pub fn all(&self) -> [&SigningKey; 7] {
        [&self.roots[0], &self.roots[1], &self.licence, &self.retired, &self.revoked, &self.statement, &self.stranger]
    }

    /// Those that the bits of `chosen` name, root-a being the lowest.
    pub fn chosen(&self, chosen: u8) -> Vec<&SigningKey> {
        (0..7).filter(|bit| chosen & 1 << bit != 0).map(|bit| self.all()[bit]).collect()
    }

    /// The draft of the key list of a version.
    pub fn draft(&self, version: u64) -> KeyListDraft {
        let status = |key: &SigningKey| match key.id() {
            "licence-2" => KeyStatus::Retired,
            "licence-3" => KeyStatus::Revoked,
            _ => KeyStatus::Active,
        };
        let member = |key: &SigningKey| (key.id().to_owned(), key.role(), key.public_bytes(), status(key));
        KeyListDraft { version, threshold: 2, keys: self.trusted().map(member).to_vec() }
    }

    /// The key list of a version, signed by both roots.
    pub fn list(&self, version: u64) -> Vec<u8> {
        sign_key_list(&self.draft(version), &[&self.roots[0], &self.roots[1]])
    }
}

pub struct Fixture {
    pub keys: Keys,
    /// What a host gives as `trusted_keys`.
    pub trusted: String,
    /// The host's own keys, and those of list 1.
    pub rings: [Keyring; 2],
    pub product: Product,
    pub serial: Serial,
    /// Good licences, the sequence growing.
    pub licences: Vec<Vec<u8>>,
    /// A good time file.
    pub time: Vec<u8>,
}

/// A licence with everything that one can have.
pub fn licence(sequence: u64) -> Licence {
    let feature = |id: &str, name: &str, last| Feature { id: id.to_owned(), name: name.to_owned(), expires_on: last };
    Licence {
        product: Product::parse(PRODUCT).expect("a product"),
        serial: Serial::parse(SERIAL).expect("a serial"),
        customer: "Druckerei Müller & <img src=x onerror=alert(1)>".to_owned(),
        sequence: Sequence::new(sequence).expect("a sequence"),
        issued_at: Instant::parse("2026-11-23T10:00:00Z").expect("an instant"),
        expires_on: Day::parse("2027-11-23").ok(),
        maintenance_until: Day::parse("2027-05-31").ok(),
        users: 5 + u32::try_from(sequence % 100).expect("below 100"),
        features: vec![
            feature("pdf-toolbox", "PDF Toolbox", None),
            feature("imposition", "Ausschießen", Day::parse("2026-12-31").ok()),
        ],
        fls: vec![FlsFile { name: "prismaprepare.lic".to_owned(), text: "FEATURE x\r\n".to_owned() }],
    }
}

/// The body of a leader's document that has something to announce.
pub fn state() -> Value {
    let day = Day::parse("2026-12-01").expect("a day");
    let (before, after) = (Content::of(&licence(7), day), Content::of(&licence(8), day));
    let entry =
        json!({ "id": 8, "raised_at": 1_796_000_000, "content": after, "changes": Changes::between(&before, &after) });
    json!({
        "serial": SERIAL,
        "path_revision": 1,
        "confirmed_revision": 0,
        "announcements": { "baseline": before, "content": after, "entries": [entry], "last_id": 8, "current": 8 },
        "mark": { "at": 1_796_000_000, "above": 3_600, "lowest": 1_796_000_100, "signed": null },
        "challenge": CHALLENGE,
        "journaled_settings": 1,
        "journaled_acknowledged": 0,
        "journaled_licence": "00",
        "put_back": [100, 200],
        "put_back_boot": "boot",
    })
}

impl Fixture {
    fn new() -> Fixture {
        let keys = Keys::new();
        let mut trusted = "threshold 2\n".to_owned();
        keys.trusted().iter().for_each(|key| trusted.push_str(&format!("{}\n", key.trusted_line())));
        let host = Keyring::from_host(&trusted).expect("the host's keys");
        let list = Envelope::parse(&keys.list(1)).expect("a key list");
        let Ok(Advance::Next(next)) = host.advance(&list) else { panic!("list 1 follows the host's keys") };
        let mut licences: Vec<_> = (7..10).map(|sequence| sign_licence(&licence(sequence), &keys.licence)).collect();
        licences.push(sign_licence(&licence(10), &keys.retired));
        licences.push(sign_licence(&licence(11), &keys.revoked));
        // One that carries several signatures.
        licences.push(sign(LICENCE_TYPE, &licence(12).to_json(), &keys.all()));
        let time = sign_time(PRODUCT, SERIAL, CHALLENGE, instant(), &keys.statement);
        Fixture {
            trusted,
            rings: [host, next],
            product: Product::parse(PRODUCT).expect("a product"),
            serial: Serial::parse(SERIAL).expect("a serial"),
            licences,
            time,
            keys,
        }
    }

    /// The one payload of a time file that the vendor signed.
    pub fn time_payload(&self) -> Option<Vec<u8>> {
        Envelope::parse(&self.time).ok().map(|envelope| envelope.payload)
    }

    /// Whether the vendor signed this payload: nobody else's licence may be taken.
    pub fn signed(&self, digest: Digest) -> bool {
        self.licences.iter().any(|file| Envelope::parse(file).is_ok_and(|envelope| envelope.digest() == digest))
    }
}

fn instant() -> Instant {
    Instant::parse("2026-12-01T09:30:00Z").expect("an instant")
}

pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(Fixture::new)
}
