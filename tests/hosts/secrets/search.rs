//! Canaries, and the search for what is left of them: whole or in pieces, in every form in which a program keeps a text.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A secret that no other text has a piece of.
#[derive(Clone)]
pub struct Canary {
    pub name: String,
    pub text: String,
}

impl Canary {
    /// Random, so that a piece of it is found nowhere by chance.
    pub fn new(name: &str, letters: usize) -> Canary {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut random = vec![0u8; letters];
        getrandom::fill(&mut random).expect("random bytes");
        let text = random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
        Canary { name: name.to_owned(), text }
    }

    /// The same with what JSON escapes, and with more than ASCII.
    pub fn awkward(name: &str, letters: usize) -> Canary {
        let canary = Canary::new(name, letters);
        let parts: Vec<String> =
            canary.text.as_bytes().chunks(9).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        Canary { text: parts.join("\"é\\"), ..canary }
    }

    /// As a JSON text, quotes included.
    pub fn json(&self) -> String {
        serde_json::Value::from(self.text.as_str()).to_string()
    }

    pub fn utf16(&self) -> Vec<u8> {
        self.text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    pub fn base64(&self) -> Vec<u8> {
        STANDARD_NO_PAD.encode(&self.text).into_bytes()
    }

    pub fn hex(&self) -> Vec<u8> {
        self.text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()
    }

    /// Every form with the shortest piece of it that counts: eight characters or bytes of the secret.
    fn forms(&self) -> Vec<(&'static str, Vec<u8>, usize)> {
        let plain = self.text.as_bytes();
        let mut forms = vec![
            ("plain", plain.to_vec(), 8),
            ("JSON", self.json().into_bytes(), 10),
            ("UTF-16LE", self.utf16(), 16),
            ("hex", self.hex(), 16),
            ("HEX", self.hex().to_ascii_uppercase(), 16),
        ];
        // Base64 of the same text differs by where in a group of three bytes it begins.
        for skipped in 0..3 {
            let rest = plain.get(skipped..).unwrap_or_default();
            forms.push(("base64", STANDARD_NO_PAD.encode(rest).into_bytes(), 11));
            forms.push(("base64url", URL_SAFE_NO_PAD.encode(rest).into_bytes(), 11));
        }
        forms
    }
}

struct Piece {
    bytes: Vec<u8>,
    /// Canary and form.
    of: usize,
}

/// A search for pieces of any of some canaries.
pub struct Search {
    labels: Vec<String>,
    /// By their first eight bytes.
    pieces: HashMap<u64, Vec<Piece>>,
    /// What of these eight bytes a hash of 16 bits says: nearly every place is passed over by one look in here.
    filter: Vec<bool>,
}

fn head(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

fn short(head: u64) -> usize {
    (head.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize
}

impl Search {
    pub fn new(canaries: &[Canary]) -> Search {
        let mut search = Search { labels: Vec::new(), pieces: HashMap::new(), filter: vec![false; 1 << 16] };
        for canary in canaries {
            for (form, bytes, piece) in canary.forms() {
                let of = search.labels.len();
                search.labels.push(format!("{} ({form})", canary.name));
                for bytes in bytes.windows(piece) {
                    let head = head(bytes).expect("a piece has eight bytes");
                    search.filter[short(head)] = true;
                    search.pieces.entry(head).or_default().push(Piece { bytes: bytes.to_vec(), of });
                }
            }
        }
        search
    }

    /// What was found where: each run of bytes once, with its length.
    pub fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut open: BTreeMap<usize, Found> = BTreeMap::new();
        let mut found = Vec::new();
        let mut at = 0;
        let mut next = || {
            const PAGE: [u8; 4096] = [0; 4096];
            // Most of a process is empty, and no piece begins with a NUL.
            while at % PAGE.len() == 0 && bytes.get(at..).is_some_and(|rest| rest.starts_with(&PAGE)) {
                at += PAGE.len();
            }
            at += 1;
            (at + 7 <= bytes.len()).then_some(at - 1)
        };
        while let Some(at) = next() {
            let Some(head) = head(&bytes[at..]) else { break };
            if !self.filter[short(head)] {
                continue;
            }
            for piece in self.pieces.get(&head).into_iter().flatten().filter(|p| bytes[at..].starts_with(&p.bytes)) {
                let end = at + piece.bytes.len();
                match open.get_mut(&piece.of) {
                    Some(run) if run.at + run.length >= at => run.length = end - run.at,
                    _ => {
                        let run = Found { what: self.labels[piece.of].clone(), at, length: piece.bytes.len() };
                        found.extend(open.insert(piece.of, run));
                    }
                }
            }
        }
        found.extend(open.into_values());
        found.sort_by_key(|run| run.at);
        found
    }
}

/// A piece of a canary.
#[derive(Debug)]
pub struct Found {
    pub what: String,
    pub at: usize,
    pub length: usize,
}
