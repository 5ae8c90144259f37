"""Signs and verifies our envelopes with securesystemslib, a DSSE implementation that knows nothing of ours.

    interop.py sign PAYLOAD PAYLOAD_TYPE ROLE ENVELOPE TRUSTED_KEYS KEYID...
        signs PAYLOAD with an Ed25519 key for each KEYID (always the same for the same id: these are test keys);
        writes ENVELOPE, and the public keys as lines for a host's trusted_keys
    interop.py verify ENVELOPE TRUSTED_KEYS ROLE THRESHOLD PAYLOAD
        verifies ENVELOPE with the keys of ROLE in TRUSTED_KEYS, and writes the payload that was verified

Needs: pip install 'securesystemslib[crypto]'. Written for version 1.x.
"""

import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey


def sign(payload_file, payload_type, role, envelope_file, trusted_keys_file, *keyids):
    with open(payload_file, "rb") as file:
        envelope = Envelope(file.read(), payload_type, {})
    lines = []
    for keyid in keyids:
        private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(keyid.encode()).digest())
        public = SSlibKey.from_crypto(private.public_key(), keyid=keyid)
        envelope.sign(CryptoSigner(private, public))
        raw = bytes.fromhex(public.keyval["public"])
        lines.append(f"{role} {keyid} {base64.b64encode(raw).decode()}\n")
    with open(envelope_file, "w", encoding="utf-8") as file:
        json.dump(envelope.to_dict(), file)
    with open(trusted_keys_file, "w", encoding="utf-8") as file:
        file.writelines(lines)


def verify(envelope_file, trusted_keys_file, role, threshold, payload_file):
    keys = []
    with open(trusted_keys_file, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if len(words) == 3 and words[0] == role:
                public = base64.b64decode(words[2], validate=True).hex()
                keys.append(SSlibKey(words[1], "ed25519", "ed25519", {"public": public}))
    with open(envelope_file, encoding="utf-8") as file:
        envelope = Envelope.from_dict(json.load(file))
    signers = envelope.verify(keys, int(threshold))
    with open(payload_file, "wb") as file:
        file.write(envelope.payload)
    print("signed by", ", ".join(sorted(signers)))


if __name__ == "__main__":
    verbs = {"sign": sign, "verify": verify}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    try:
        verbs[sys.argv[1]](*sys.argv[2:])
    except VerificationError as error:
        print("refused:", error)
        sys.exit(1)
