//! Signing keys, and the envelopes they sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;
use ors::licence::{Envelope, Instant, KEYS_TYPE, LICENCE_TYPE, Licence, Role, Signature, TIME_TYPE};
use serde_json::json;
use zeroize::Zeroizing;

/// The operating system gave no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl std::fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the operating system gave no random numbers")
    }
}

impl std::error::Error for NoRandomness {}

/// The private half of a key, with the id and the role under which a key list names it.
///
/// It has no `Debug` and no `Clone`; the seed is wiped when it goes.
pub struct SigningKey {
    id: String,
    role: Role,
    secret: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Panics
    /// When the operating system has no random numbers; [`SigningKey::try_generate`] returns that as an error.
    pub fn generate(id: &str, role: Role) -> SigningKey {
        match SigningKey::try_generate(id, role) {
            Ok(key) => key,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// Makes a new key.
    ///
    /// # Errors
    /// [`NoRandomness`] when the operating system refuses.
    pub fn try_generate(id: &str, role: Role) -> Result<SigningKey, NoRandomness> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|_| NoRandomness)?;
        Ok(SigningKey::from_seed(id, role, *seed))
    }

    /// The key that these 32 secret bytes stand for.
    pub fn from_seed(id: &str, role: Role, seed: [u8; 32]) -> SigningKey {
        let seed = Zeroizing::new(seed);
        SigningKey { id: id.to_owned(), role, secret: ed25519_dalek::SigningKey::from_bytes(&seed) }
    }

    /// The id under which key lists and signatures name this key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What this key may sign.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The public half.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.secret.verifying_key().to_bytes()
    }

    /// The line that a host puts into its `trusted_keys`: role, id, public half.
    pub fn trusted_line(&self) -> String {
        public_line(&self.id, self.role, &self.public_bytes())
    }

    /// The secret half, for [`crate::key_file`] only.
    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// This key's signature over a payload, as it stands in an envelope.
    pub(crate) fn signature(&self, payload_type: &str, payload: &[u8]) -> Signature {
        let sig = self.secret.sign(&Envelope::pae(payload_type, payload)).to_bytes().to_vec();
        Signature { keyid: Some(self.id.clone()), sig }
    }
}

/// The `trusted_keys` line of a public key.
pub fn public_line(id: &str, role: Role, public: &[u8; 32]) -> String {
    format!("{} {id} {}", role.token(), STANDARD.encode(public))
}

/// Signs any payload with any keys. It checks nothing: tests use it to make what must be refused.
pub fn sign(payload_type: &str, payload: &[u8], keys: &[&SigningKey]) -> Vec<u8> {
    let signatures = keys.iter().map(|key| key.signature(payload_type, payload)).collect();
    Envelope { payload_type: payload_type.to_owned(), payload: payload.to_vec(), signatures }.to_json()
}

/// Signs a licence.
pub fn sign_licence(licence: &Licence, key: &SigningKey) -> Vec<u8> {
    sign(LICENCE_TYPE, &licence.to_json(), &[key])
}

/// Signs what a clock shows, for an installation that cannot ask. `challenge` is what that installation's settings
/// page shows; it is used up by the file.
pub fn sign_time(product: &str, serial: &str, challenge: &str, time: Instant, key: &SigningKey) -> Vec<u8> {
    let payload = json!({
        "format": 1, "product": product, "serial": serial, "challenge": challenge, "time": time.to_string(),
    });
    sign(TIME_TYPE, payload.to_string().as_bytes(), &[key])
}

/// Signs a key list's payload.
pub(crate) fn sign_list_payload(payload: &[u8], roots: &[&SigningKey]) -> Vec<u8> {
    sign(KEYS_TYPE, payload, roots)
}
