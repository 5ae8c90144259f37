"""Licences between this project and securesystemslib, an independent implementation of DSSE.

    interop.py sign FOLDER             makes keys and signs licences: FOLDER/keys.txt and FOLDER/CASE/licence.ors.json
    interop.py verify KEYS LICENCE     says whether LICENCE is signed by a key of KEYS ("role key-id base64" lines)
"""

import base64
import datetime
import json
import pathlib
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD_TYPE = "application/vnd.ors.licence+json"


def day(ahead):
    return (datetime.date.today() + datetime.timedelta(days=ahead)).isoformat()


def payload():
    # Spaces, line ends and escapes as a program of somebody else's might write them: exactly these bytes are signed.
    licence = {
        "format": 1,
        "product": "prismaprepare",
        "serial": "1234567890",
        "customer": "Print Room Zürich",
        "sequence": 3,
        "issued_at": day(-1) + "T10:00:00Z",
        "expires_on": day(400),
        "maintenance_until": day(200),
        "users": 5,
        "features": [{"id": "pdf-toolbox", "name": "PDF Toolbox", "expires_on": None}],
        "made_by": "another program: unknown fields are ignored",
    }
    return json.dumps(licence, indent=3).replace("\n", "\r\n").encode()


def sign(folder):
    known = CryptoSigner.generate_ed25519(keyid="licence-2026")
    # The library's own key ids are hashes; ours are names. The id only helps to find the key.
    unnamed = CryptoSigner.generate_ed25519()
    foreign = CryptoSigner.generate_ed25519(keyid="licence-foreign")
    lines = []
    for name, signer in (("licence-2026", known), ("licence-2027", unnamed)):
        public = base64.b64encode(bytes.fromhex(signer.public_key.keyval["public"])).decode()
        lines.append(f"licence {name} {public}\n")
    (folder / "keys.txt").write_text("".join(lines))
    for case, signers in {
        "named": [known],
        "unnamed": [unnamed],
        "two-signatures": [foreign, known],
        "foreign": [foreign],
    }.items():
        envelope = Envelope(payload(), PAYLOAD_TYPE, {})
        for signer in signers:
            envelope.sign(signer)
        (folder / case).mkdir()
        (folder / case / "licence.ors.json").write_text(json.dumps(envelope.to_dict()))


def read_keys(path):
    keys = []
    for line in path.read_text().splitlines():
        role, name, public = line.split()
        if role == "licence":
            keys.append(SSlibKey(name, "ed25519", "ed25519", {"public": base64.b64decode(public).hex()}))
    return keys


def is_signed(envelope, keys):
    try:
        envelope.verify(keys, 1)
        return True
    except VerificationError:
        return False


def verify(keys_path, licence_path):
    keys = read_keys(keys_path)
    text = licence_path.read_text()
    envelope = Envelope.from_dict(json.loads(text))
    if envelope.payload_type != PAYLOAD_TYPE or not is_signed(envelope, keys):
        sys.exit(f"{licence_path.name}: not signed by these keys")
    serial = json.loads(envelope.payload)["serial"]
    changed = Envelope.from_dict(json.loads(text))
    changed.payload = changed.payload.replace(serial.encode(), serial[::-1].encode())
    if is_signed(changed, keys):
        sys.exit("a changed payload counts as signed: this check proves nothing")
    print(f"{licence_path.name}: signed, serial {serial}")


def main(arguments):
    match arguments:
        case ["sign", folder]:
            sign(pathlib.Path(folder))
        case ["verify", keys, licence]:
            verify(pathlib.Path(keys), pathlib.Path(licence))
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
