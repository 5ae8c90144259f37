//! The one file format that keeps a signing key on disk, under a passphrase.
//!
//! A JSON object: id, role and public half in the clear, so that a list can be made without the passphrase; the 32
//! secret bytes under ChaCha20-Poly1305 with a key that argon2id derives from the passphrase. Everything in the clear
//! is authenticated with the secret: a changed role does not open. Salt and nonce are new for every sealing.
//!
//! `check` is a plain SHA-256 over all the rest. It protects nothing; it tells a damaged file ("take the backup") from
//! a wrong passphrase ("type again"), which the cipher alone cannot.
//!
//! This room reads and makes bytes; where they lie is [`crate::files`], and how a passphrase is asked for is the
//! command's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ors::licence::{Role, hex, sha256};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::signing::{NoRandomness, SigningKey, public_line};

/// Larger files are not read.
pub const MAX_BYTES: usize = 16 << 10;
/// Passphrases for new files have at least this many characters.
pub const SHORTEST_PASSPHRASE: usize = 12;

const KIND: &str = "ors-signing-key";
const SALT_LEN: usize = 16;
const SEALED_LEN: usize = 32 + 16;

/// What deriving the key from the passphrase costs whoever guesses, and us at each use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106, section 4, second recommended option: 64 MiB, 3 passes, 4 lanes.
    pub const RECOMMENDED: Cost = Cost { memory_kib: 64 << 10, passes: 3, lanes: 4 };

    /// A file that asks for more than 1 GiB, 64 passes or 64 lanes is refused, or opening it could take the machine
    /// down.
    fn is_bearable(self) -> bool {
        self.memory_kib <= 1 << 20 && self.passes <= 64 && self.lanes <= 64
    }
}

/// Why a key file was not made or opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFileError {
    /// Not a key file at all; why, in words.
    NotAKeyFile(String),
    /// A later version's format.
    NewerFormat(u64),
    /// Some byte is not as it was written.
    Damaged,
    /// The passphrase is not the one the file was sealed with.
    WrongPassphrase,
    /// A passphrase too short for a new file.
    PassphraseTooShort,
    /// A cost no machine should be asked for, or that argon2 does not know.
    Cost,
    /// The id cannot stand in a key list.
    Id,
    /// No random numbers.
    Randomness,
}

impl std::fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyFileError::NotAKeyFile(why) => write!(f, "this is not a key file: {why}"),
            KeyFileError::NewerFormat(format) => {
                write!(f, "this key file has format {format}, which a later issuer made; this one knows format 1")
            }
            KeyFileError::Damaged => {
                f.write_str("the key file is damaged: its checksum does not fit; take it from a backup")
            }
            KeyFileError::WrongPassphrase => f.write_str("the passphrase is wrong"),
            KeyFileError::PassphraseTooShort => {
                write!(f, "the passphrase is too short: at least {SHORTEST_PASSPHRASE} characters")
            }
            KeyFileError::Cost => f.write_str("the key file asks for a key derivation that is out of bounds"),
            KeyFileError::Id => f.write_str("a key's id is 1 to 128 of the characters A-Z a-z 0-9 . _ : -"),
            KeyFileError::Randomness => NoRandomness.fmt(f),
        }
    }
}

impl std::error::Error for KeyFileError {}

impl From<NoRandomness> for KeyFileError {
    fn from(_: NoRandomness) -> KeyFileError {
        KeyFileError::Randomness
    }
}

/// A key file that was read but not opened: what stands in the clear.
#[derive(Clone, Debug)]
pub struct KeyFile {
    id: String,
    role: Role,
    public: [u8; 32],
    cost: Cost,
    salt: [u8; SALT_LEN],
    nonce: [u8; NONCE_LEN],
    sealed: [u8; SEALED_LEN],
}

/// The file as JSON. Unknown members are refused: there is one writer, and a stray member is damage.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    kind: String,
    id: String,
    role: String,
    public: String,
    kdf: WrittenKdf,
    cipher: WrittenCipher,
    check: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKdf {
    name: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCipher {
    name: String,
    nonce: String,
    sealed: String,
}

/// Enough of any version to say which it is.
#[derive(Deserialize)]
struct Heading {
    format: u64,
    kind: String,
}

impl KeyFile {
    /// Seals `key` under `passphrase`.
    ///
    /// # Errors
    /// [`KeyFileError::PassphraseTooShort`], [`KeyFileError::Id`], [`KeyFileError::Cost`], [`KeyFileError::Randomness`].
    pub fn seal(key: &SigningKey, passphrase: &str, cost: Cost) -> Result<KeyFile, KeyFileError> {
        if passphrase.chars().count() < SHORTEST_PASSPHRASE {
            return Err(KeyFileError::PassphraseTooShort);
        }
        if !is_key_id(key.id()) {
            return Err(KeyFileError::Id);
        }
        let mut file = KeyFile {
            id: key.id().to_owned(),
            role: key.role(),
            public: key.public_bytes(),
            cost,
            salt: random()?,
            nonce: random()?,
            sealed: [0; SEALED_LEN],
        };
        let aead = file.aead(passphrase)?;
        let mut seed = Zeroizing::new(key.seed().to_vec());
        let tag = aead
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(file.nonce),
                Aad::from(file.open_part()),
                &mut seed,
            )
            .map_err(|_| KeyFileError::Damaged)?;
        let bytes = seed.iter().chain(tag.as_ref());
        file.sealed.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(file)
    }

    /// Opens the file.
    ///
    /// # Errors
    /// [`KeyFileError::WrongPassphrase`], [`KeyFileError::Cost`], [`KeyFileError::Damaged`].
    pub fn open(&self, passphrase: &str) -> Result<SigningKey, KeyFileError> {
        let aead = self.aead(passphrase)?;
        let mut sealed = Zeroizing::new(self.sealed.to_vec());
        let seed = aead
            .open_in_place(Nonce::assume_unique_for_key(self.nonce), Aad::from(self.open_part()), &mut sealed)
            .map_err(|_| KeyFileError::WrongPassphrase)?;
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.iter_mut().zip(seed.iter()).for_each(|(to, from)| *to = *from);
        let key = SigningKey::from_seed(&self.id, self.role, *bytes);
        if key.public_bytes() == self.public { Ok(key) } else { Err(KeyFileError::Damaged) }
    }

    /// The key's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key's role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The public half. Only opening the file proves that the secret half fits.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.public
    }

    /// The `trusted_keys` line.
    pub fn trusted_line(&self) -> String {
        public_line(&self.id, self.role, &self.public)
    }

    /// The cost that the file asks for.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`KeyFileError::NotAKeyFile`], [`KeyFileError::NewerFormat`], [`KeyFileError::Damaged`], [`KeyFileError::Cost`].
    pub fn parse(bytes: &[u8]) -> Result<KeyFile, KeyFileError> {
        let not = |why: &str| KeyFileError::NotAKeyFile(why.to_owned());
        if bytes.len() > MAX_BYTES {
            return Err(not("it is too large"));
        }
        let heading: Heading = serde_json::from_slice(bytes).map_err(|_| not("it does not begin like one"))?;
        if heading.kind != KIND {
            return Err(not("it is another kind of file"));
        }
        if heading.format != 1 {
            return Err(KeyFileError::NewerFormat(heading.format));
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|_| KeyFileError::Damaged)?;
        let file = KeyFile::of(&written).ok_or(KeyFileError::Damaged)?;
        if file.check() != written.check {
            return Err(KeyFileError::Damaged);
        }
        if !file.cost.is_bearable() {
            return Err(KeyFileError::Cost);
        }
        Ok(file)
    }

    /// The file's bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let written = Written {
            format: 1,
            kind: KIND.to_owned(),
            id: self.id.clone(),
            role: self.role.token().to_owned(),
            public: STANDARD.encode(self.public),
            kdf: WrittenKdf {
                name: "argon2id".to_owned(),
                memory_kib: self.cost.memory_kib,
                passes: self.cost.passes,
                lanes: self.cost.lanes,
                salt: STANDARD.encode(self.salt),
            },
            cipher: WrittenCipher {
                name: "chacha20-poly1305".to_owned(),
                nonce: STANDARD.encode(self.nonce),
                sealed: STANDARD.encode(self.sealed),
            },
            check: self.check(),
        };
        let mut bytes = serde_json::to_vec_pretty(&written).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    fn of(written: &Written) -> Option<KeyFile> {
        if !is_key_id(&written.id) || written.kdf.name != "argon2id" || written.cipher.name != "chacha20-poly1305" {
            return None;
        }
        Some(KeyFile {
            id: written.id.clone(),
            role: Role::from_token(&written.role)?,
            public: decoded(&written.public)?,
            cost: Cost { memory_kib: written.kdf.memory_kib, passes: written.kdf.passes, lanes: written.kdf.lanes },
            salt: decoded(&written.kdf.salt)?,
            nonce: decoded(&written.cipher.nonce)?,
            sealed: decoded(&written.cipher.sealed)?,
        })
    }

    /// Everything that stands in the clear, as authenticated bytes. One field a line: none of them holds a line end.
    fn open_part(&self) -> Vec<u8> {
        let Cost { memory_kib, passes, lanes } = self.cost;
        format!(
            "{KIND} 1\n{}\nargon2id 19 {memory_kib} {passes} {lanes} {}\nchacha20-poly1305 {}\n",
            self.trusted_line(),
            STANDARD.encode(self.salt),
            STANDARD.encode(self.nonce),
        )
        .into_bytes()
    }

    fn check(&self) -> String {
        let mut all = self.open_part();
        all.extend_from_slice(&self.sealed);
        hex(&sha256(&all))
    }

    fn aead(&self, passphrase: &str) -> Result<LessSafeKey, KeyFileError> {
        if !self.cost.is_bearable() {
            return Err(KeyFileError::Cost);
        }
        let params = argon2::Params::new(self.cost.memory_kib, self.cost.passes, self.cost.lanes, Some(32))
            .map_err(|_| KeyFileError::Cost)?;
        let mut key = Zeroizing::new([0; 32]);
        argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, key.as_mut())
            .map_err(|_| KeyFileError::Cost)?;
        UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).map(LessSafeKey::new).map_err(|_| KeyFileError::Cost)
    }
}

/// Whether a text can be a key's id.
pub fn is_key_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || b"._:-".contains(&c))
}

fn random<const N: usize>() -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeyFileError::Randomness)?;
    Ok(bytes)
}

fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
