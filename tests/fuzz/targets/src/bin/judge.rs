//! The library's verdict on files that another verifier judges too: `tests/fuzz/differential/compare.py` asks it over a pipe.
//!
//! A question is a letter, a length of four bytes (the lowest first) and as many bytes; an answer is a line of JSON. `K` sets the host's keys,
//! `A` follows a file of key lists from there on. A licence, a key list, a file of them and a time file are `L`, `C`, `F` and `T`, and change
//! nothing.

use ors::licence::{Advance, Envelope, Keyring, Product, Refusal, Serial, hex, verify, verify_time};
use serde_json::{Value, json};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};

const CHALLENGE: &str = "5f2c91aa";

fn main() -> io::Result<()> {
    let mut asked = BufReader::new(io::stdin().lock());
    let mut told = BufWriter::new(io::stdout().lock());
    let product = Product::parse("prismaprepare").expect("a product");
    let serial = Serial::parse("1234567890").expect("a serial");
    let mut ring: Option<Keyring> = None;
    let mut head = [0; 5];
    loop {
        match asked.read_exact(&mut head) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let length = u32::from_le_bytes(head[1..].try_into().expect("four bytes"));
        let mut file = vec![0; length as usize];
        asked.read_exact(&mut file)?;
        let keys = || ring.as_ref().expect("the host's keys come first");
        let answer = match head[0] {
            b'K' => {
                let text = String::from_utf8(file).expect("keys are text");
                ring = Some(Keyring::from_host(&text).expect("keys that are right"));
                Ok(json!({}))
            }
            b'A' => {
                let (next, steps) = keys().advance_chain(&file).expect("lists that follow");
                ring = Some(next);
                Ok(json!({ "steps": steps.len() }))
            }
            b'L' => verify(&file, keys(), &product).map(|genuine| {
                let mut said: Value = serde_json::from_slice(&genuine.licence().to_json()).expect("JSON");
                said["digest"] = hex(&genuine.digest()).into();
                said["key"] = genuine.key_fingerprint().into();
                said["status"] = genuine.key_status().token().into();
                said
            }),
            b'F' => keys()
                .advance_chain(&file)
                .map(|(next, steps)| json!({ "steps": steps.len(), "version": next.version() })),
            b'C' => list(keys(), &file),
            b'T' => {
                verify_time(&file, keys(), &product, &serial, CHALLENGE).map(|time| json!({ "time": time.to_string() }))
            }
            other => panic!("not a question: {other}"),
        };
        let answer = answer.unwrap_or_else(|refusal: Refusal| json!({ "refused": refusal.reason.token() }));
        serde_json::to_writer(&mut told, &answer)?;
        told.write_all(b"\n")?;
        told.flush()?;
    }
}

fn list(ring: &Keyring, file: &[u8]) -> Result<Value, Refusal> {
    Ok(match ring.advance(&Envelope::parse(file)?)? {
        Advance::Older => json!({ "is": "older" }),
        Advance::Present => json!({ "is": "present" }),
        Advance::Next(next) => {
            let key = |key: &ors::licence::Key| {
                json!([key.id, key.role.token(), key.status.token(), hex(&key.public_bytes())])
            };
            let keys: Vec<Value> = next.keys().iter().map(key).collect();
            json!({ "is": "next", "version": next.version(), "threshold": next.threshold(), "keys": keys })
        }
    })
}
