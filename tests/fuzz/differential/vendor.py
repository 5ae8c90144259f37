"""Makes signed files, sound ones and ones with mistakes of every kind. The same seed makes the same files."""

import base64
import copy
import hashlib
import json
import random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import verifier

PRODUCT, SERIAL, CHALLENGE = "prismaprepare", "1234567890", "5f2c91aa"
ORDER = 2**252 + 27742317777372353535851937790883648493
ROLES = {"root-a": "root", "root-b": "root", "licence-1": "licence", "licence-2": "licence", "licence-3": "licence",
         "statement-1": "statement", "statement-2": "statement", "stranger": "licence"}
STATUS = {"licence-2": "retired", "licence-3": "revoked", "statement-2": "retired"}


class Signer:
    """The same id always gives the same key."""

    def __init__(self, id):
        self.id, self.role = id, ROLES[id]
        self.seed = hashlib.sha256(id.encode()).digest()
        self.private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message):
        return self.private.sign(message)

    def with_small_r(self, message):
        """R is the neutral point: the equation holds, and only the rule about small order refuses it."""
        r = bytes([1]) + bytes(31)
        scalar = bytearray(hashlib.sha512(self.seed).digest()[:32])
        scalar[0] &= 248
        scalar[31] = scalar[31] & 63 | 64
        h = int.from_bytes(hashlib.sha512(r + self.public + message).digest(), "little")
        return r + (h * int.from_bytes(scalar, "little") % ORDER).to_bytes(32, "little")


SIGNERS = {id: Signer(id) for id in ROLES}
TRUSTED = "threshold 2\n" + "".join(
    f"{key.role} {key.id} {base64.b64encode(key.public).decode()}\n" for key in SIGNERS.values() if key.id != "stranger")


def list_payload(version, ids=tuple(id for id in ROLES if id != "stranger"), threshold=2):
    keys = [{"id": id, "role": ROLES[id], "public": base64.b64encode(SIGNERS[id].public).decode(),
             "status": STATUS.get(id, "active")} for id in ids]
    return {"format": 1, "version": version, "threshold": threshold, "keys": keys}


def seal(payload_type, payload, signers):
    """An envelope as members."""
    message = verifier.signed_bytes(payload_type, payload)
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": id, "sig": base64.b64encode(SIGNERS[id].sign(message)).decode()} for id in signers],
    }


def sealed(payload_type, value, signers):
    return json.dumps(seal(payload_type, json.dumps(value).encode(), signers)).encode()


# ---- values that are wrong, or at the edge of what is right ----------------------------------------------------------

TEXTS = ["", "x", "x" * 64, "x" * 65, "x" * 200, "x" * 201, "é" * 200, "漢" * 201, "😀" * 200, "a\u202eb", "a\nb", "\u200f", "\ufeff",
         "\u00a0", "A", "a b", "a/b", "a_b-c.d", "<img src=x>", "\ud800", "\x7f", "\x85", "\u2028", "\u061c"]
DAYS = ["2027-11-23", "2028-02-29", "2027-02-29", "1970-01-01", "1969-12-31", "9998-12-31", "9999-01-01", "20271123", "+002027-11-23",
        "2027-11-23 ", "2027-13-01", "2027-00-10", "2027-04-31", "2027-1-1", "٢٠٢٧-١١-٢٣", "2027-11-23T00:00:00Z", None, "", 0]
INSTANTS = ["2026-11-23T10:00:00Z", "2026-11-23T23:59:59Z", "2026-11-23T24:00:00Z", "2026-11-23T10:00:60Z", "2026-11-23T10:60:00Z",
            "2026-11-23t10:00:00Z", "2026-11-23T10:00:00z", "2026-11-23T10:00:00+00:00", "2026-11-23T10:00:00.0Z", "2026-02-30T10:00:00Z",
            "9998-12-31T23:59:59Z", "2026-11-23 10:00:00Z", None, 5, "２026-11-23T10:00:00Z"]
NUMBERS = [0, 1, 2, 7, 8, 9, 64, 65, 1_000_000, 1_000_001, 2**53 - 1, 2**53, 2**63, 2**64, 2**64 - 1, -1, 1.0, 7.5, "7", True, None]
# Spellings of numbers that json.dumps does not make.
SPELLINGS = ["1e0", "1E5", "-0", "1.0", "01", "+1", "1.", ".5", "0x1", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "1" * 400,
             "9" * 308, "18446744073709551616", "0.1e1", "1e", "--1", "0e999999999", "0.0000e99999", "1_000"]
NAMES = ["prismaprepare.lic", "a", ".a", "a.", "A.LIC", "con", "CON.lic", "con.x.lic", "com0", "com1.lic", "COM10", "lpt9", "lpt", "conin.a",
         "conout", "console", "nul", "x.ors.json", "X.ORS.JSON", "ors-keys.json", "ORS-KEYS.JSON", "x" * 64, "x" * 65, "a b", "ä", "..", ""]
OTHERS = [None, True, False, 0, 1, "", "x", [], {}, [[]], {"a": 1}, 1.5, [None]]


class Maker:
    """Files out of one stream of random numbers."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one_in(self, n):
        return self.random.randrange(n) == 0

    def pick(self, values):
        # A copy: what is put into a file may be spoiled there.
        return copy.deepcopy(self.random.choice(values))

    def licence(self):
        features = [{"id": f"option-{n}", "name": self.pick(["PDF Toolbox", "Ausschießen", "漢字", ""]), "expires_on": self.pick([None, "2027-11-23"])}
                    for n in range(self.random.randrange(4))]
        payload = {
            "format": 1, "product": self.pick([PRODUCT] * 15 + ["another"]), "serial": SERIAL, "customer": self.pick(["Print Room", "Müller & <b>", ""]),
            "sequence": self.random.randrange(1, 2**53), "issued_at": self.pick(INSTANTS[:2]), "expires_on": self.pick(["2027-11-23", None]),
            "maintenance_until": self.pick(["2027-05-31", None]), "users": self.random.randrange(1_000_001), "features": features,
        }
        if self.one_in(3):
            payload["fls"] = [{"name": f"f{n}.lic", "text": self.pick(["", "FEATURE x\r\n", "\0\"\\"])} for n in range(self.random.randrange(5))]
        return payload

    def time(self):
        product, serial = self.pick([PRODUCT] * 15 + ["another"]), self.pick([SERIAL] * 15 + ["another"])
        return {"format": 1, "product": product, "serial": serial, "challenge": CHALLENGE, "time": self.pick(INSTANTS[:2])}

    # -- mistakes in a payload

    def pool(self, name):
        for words, values in ((("expires_on", "maintenance_until"), DAYS), (("issued_at", "time"), INSTANTS), (("name",), NAMES + TEXTS),
                              (("sequence", "users", "version", "threshold", "format"), NUMBERS),
                              (("role", "status"), ["root", "licence", "statement", "active", "retired", "revoked", "Root", ""]),
                              (("public",), [base64.b64encode(key).decode() for key in PUBLICS])):
            if name in words:
                return values
        return TEXTS

    def spoil(self, value):
        """One mistake somewhere in a payload, in place."""
        places = []

        def walk(inner):
            items = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
            for key, member in items:
                places.append((inner, key))
                walk(member)

        walk(value)
        holder, key = self.random.choice(places)
        how = self.random.randrange(10)
        if how == 0:
            del holder[key]
        elif how == 1:
            holder[key] = self.pick(OTHERS)
        elif how == 2 and isinstance(holder, dict):
            holder[self.pick(["unknown", "Format", key + " ", "fls", "payload"])] = self.pick(OTHERS)
        elif how == 3 and isinstance(holder[key], list) and holder[key]:
            again = copy.deepcopy(self.random.choice(holder[key]))
            holder[key] = holder[key] + [again] * self.pick([1, 1, 4, 65, 1_001])
        elif how == 4 and isinstance(holder, dict):
            holder[key] = Spelling(self.pick(SPELLINGS))
        else:
            holder[key] = self.pick(self.pool(key) if isinstance(key, str) else OTHERS)

    # -- ways to write JSON

    def write(self, value):
        """JSON text of a value in one of the ways in which it can be written, as bytes."""
        self.escapes = self.pick([0, 0, 0, 1, 2])
        self.space = self.pick(["", "", "", " ", "\n\t", "\r\n  "])
        self.twice = self.one_in(25)
        text = self.written(value)
        encoded = text.encode("utf-8", "surrogatepass")
        if self.one_in(12):
            encoded = self.flipped(encoded)
        return encoded

    def written(self, value):
        space = self.space
        if isinstance(value, Spelling):
            return str(value)
        if isinstance(value, dict):
            members = [self.quoted(key) + space + ":" + space + self.written(member) for key, member in value.items()]
            if self.twice and members and self.one_in(3):
                key = self.pick(list(value))
                self.escapes = self.random.randrange(3)
                members.insert(self.random.randrange(len(members) + 1), self.quoted(key) + ":" + self.pick(["1", "null", self.written(value[key])]))
            return "{" + space + ("," + space).join(members) + space + "}"
        if isinstance(value, list):
            return "[" + space + ("," + space).join(map(self.written, value)) + "]"
        if isinstance(value, str):
            return self.quoted(value)
        return json.dumps(value)

    def quoted(self, text):
        if self.escapes == 0:
            return json.dumps(text, ensure_ascii=False)
        out = []
        for c in text:
            if self.escapes == 2 or self.one_in(4):
                units = c.encode("utf-16-be", "surrogatepass")
                out.append("".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2)))
            elif c == "/" and self.one_in(2):
                out.append("\\/")
            else:
                out.append(json.dumps(c, ensure_ascii=False)[1:-1])
        return '"' + "".join(out) + '"'

    def flipped(self, data):
        """A change that knows nothing of JSON."""
        if not data:
            return b"{"
        at, how = self.random.randrange(len(data)), self.random.randrange(6)
        if how == 0:
            return data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1:]
        if how == 1:
            return data[:at]
        if how == 2:
            return data[:at] + data[at + 1:]
        if how == 3:
            other = self.random.randrange(at, min(len(data), at + 40))
            return data[:at] + data[at:other] * 2 + data[other:]
        if how == 4:
            return data + self.pick([b" ", b"\0", b"{}", b"x", b"\n\n", b","])
        return data[:at] + self.pick(TOKENS) + data[at:]

    # -- mistakes in an envelope

    def envelope(self, payload_type, payload, signers):
        members = seal(payload_type, payload, signers)
        for _ in range(self.pick([0, 0, 0, 0, 1, 1, 2])):
            self.spoil_envelope(members, verifier.signed_bytes(payload_type, payload))
        return self.write(members)

    def spoil_envelope(self, members, message):
        how = self.random.randrange(14)
        signatures = members.get("signatures")
        first = signatures[0] if isinstance(signatures, list) and signatures and isinstance(signatures[0], dict) else {}
        if how == 0:
            first["keyid"] = self.pick([None, "", "licence-1", "licence-3", "root-a", "nobody", 5, "é"])
        elif how == 1:
            first.pop("keyid", None)
        elif how == 2:
            first["sig"] = self.spelled(first.get("sig"))
        elif how == 3:
            members["payload"] = self.spelled(members.get("payload"))
        elif how == 4:
            signer = SIGNERS[self.pick(list(SIGNERS))]
            sig = bytearray(signer.sign(message))
            kind = self.random.randrange(6)
            if kind == 0:
                sig = bytearray(signer.with_small_r(message))
            elif kind == 1:
                sig[32:] = (int.from_bytes(sig[32:], "little") + ORDER).to_bytes(32, "little")
            elif kind == 2:
                sig[self.random.randrange(64)] ^= 1 << self.random.randrange(8)
            elif kind == 3:
                sig = sig[:self.pick([0, 32, 63])] if self.one_in(2) else sig + b"\0"
            elif kind == 4:
                sig[:32] = self.pick(sorted(verifier.SMALL))
            first.update(keyid=signer.id, sig=base64.b64encode(bytes(sig)).decode())
        elif how == 5 and isinstance(signatures, list):
            members["signatures"] = (signatures * 10)[:self.pick([0, 2, 7, 8, 9, 10])]
        elif how == 6:
            members["payloadType"] = self.pick([verifier.LICENCE, verifier.KEYS, verifier.TIME, "", "text/plain", 5, "x" * 300, "é"])
        elif how == 7:
            members[self.pick(list(members) or ["x"])] = self.pick(OTHERS)
        elif how == 8:
            members.pop(self.pick(list(members) or ["x"]), None)
        elif how == 9:
            members["unknown"] = self.pick([nested(30), nested(31), nested(32), [0] * 100, Spelling(self.pick(SPELLINGS))] + OTHERS)
        elif how == 10 and isinstance(signatures, list):
            signatures.insert(self.random.randrange(len(signatures) + 1), self.pick([{"sig": ""}, {"sig": "AAAA"}, {}, None, [], {"keyid": "x"}]))
        elif how == 11 and isinstance(signatures, list):
            self.random.shuffle(signatures)
        elif how == 12:
            members[self.pick(["payloadtype", "Payload", "payload\u0000"])] = "x"
        elif isinstance(members.get("payload"), str):
            members["payload"] = members["payload"].replace("A", "B", 1)

    def spelled(self, text):
        """Other ways to write base64, most of them wrong."""
        if not isinstance(text, str) or not text:
            return ""
        return self.pick([
            text.replace("+", "-").replace("/", "_"), text.replace("+", "-"), text.rstrip("="), text + "=", text + "====", text[:-1], text + "\n",
            " " + text, text[:5] + "\r\n" + text[5:], self.last_bits(text), text.lower(), "", "=", "A", "AAA", "AA=A", "é" + text,
        ])

    def last_bits(self, text):
        bare = text.rstrip("=")
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        if bare in ("", text) or bare[-1] not in letters:
            return text
        return bare[:-1] + letters[(letters.index(bare[-1]) + 1) % 64] + text[len(bare):]

    def signers(self, usual):
        if not self.one_in(4):
            return usual
        ids = list(SIGNERS)
        self.random.shuffle(ids)
        return ids[:self.pick([1, 1, 1, 2, 2, 3, 8])]

    # -- whole files

    def list(self):
        ids = [id for id in ROLES if not self.one_in(10)]
        return list_payload(self.pick([0, 1, 1, 2, 2, 2, 3, 3, 4]), ids, self.pick([1, 1, 2, 2, 2, 3]))

    def roots(self):
        return self.pick([["root-a", "root-b"], ["root-a", "root-b"], ["root-a", "root-b"], ["root-b"], ["root-a", "root-a"]])

    def chain(self):
        """A file of key lists; mostly each follows the one before."""
        lists = []
        for version in range(self.pick([1, 1, 2, 3]), 5):
            value = list_payload(version) if self.one_in(2) else list_payload(version, threshold=self.pick([1, 2, 3]))
            if self.one_in(6):
                self.spoil(value)
            payload = json.dumps(value).encode() if self.one_in(2) else self.write(value)
            lists.append(seal(verifier.KEYS, payload, self.signers(self.roots() if self.one_in(4) else ["root-a", "root-b"])))
        members = {"format": 1, "lists": lists}
        if self.one_in(20):
            lists.extend([{}] * 4_097)
        elif self.one_in(3):
            self.spoil(members)
        return self.write(members)

    def file(self):
        """A kind (licence, list, time), and a file of it."""
        kind = self.pick(["licence"] * 12 + ["list"] * 4 + ["chain"] + ["time"] * 2)
        if kind == "licence":
            payload_type, value, usual = verifier.LICENCE, self.licence(), ["licence-1"]
        elif kind == "time":
            payload_type, value, usual = verifier.TIME, self.time(), [self.pick(["statement-1", "statement-1", "statement-2"])]
        else:
            if kind == "chain":
                return kind, self.chain()
            payload_type, value, usual = verifier.KEYS, self.list(), self.roots()
            if self.one_in(6):
                # The very list that may be held.
                return kind, self.envelope(payload_type, json.dumps(list_payload(self.pick([1, 2]))).encode(), self.signers(usual))
        for _ in range(self.pick([0, 0, 1, 1, 2, 3])):
            if value:
                self.spoil(value)
        data = self.envelope(payload_type, self.write(value), self.signers(usual))
        if self.one_in(2_000):
            data += b" " * (verifier.LARGEST_FILE - len(data) + self.random.randrange(2))
        return kind, data


class Spelling(str):
    """Text that stands in JSON as it is."""


def nested(levels):
    value = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


TOKENS = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\t", b"\0", b"\x0b", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
          b"\xef\xbb\xbf", b"null", b"tru", b"-", b"0", b"1e5", b"\\u12", b"\\ud800", b"\\x", b"//", b"'", b"\xe2\x80\xae"]
PUBLICS = [SIGNERS["root-a"].public, SIGNERS["stranger"].public, bytes([2]) + bytes(31), bytes([3]) + bytes(31), bytes(31), bytes(33),
           (2**255 - 18).to_bytes(32, "little"), (2**255 - 19 + 2**255).to_bytes(32, "little")] + sorted(verifier.SMALL)
