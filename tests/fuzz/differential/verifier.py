"""A second verifier of licences, key lists and time files, written from docs/licence-format.md alone.

It shares no code and no library with the first one: its own reader of JSON, its own base64, dates and limits; Ed25519 is OpenSSL's.
Every function follows a section of that document, in its order and its words.
"""

import datetime
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strict import Number, Refused, base64, demand, is_text, read_object

LICENCE = "application/vnd.ors.licence+json"
KEYS = "application/vnd.ors.keys+json"
TIME = "application/vnd.ors.time+json"
LARGEST_FILE = 1 << 20
LARGEST_LIST = 256 << 10
LARGEST_NUMBER = (1 << 53) - 1


def envelope(data):
    """Section 6, down to the well formed envelope."""
    demand(len(data) <= LARGEST_FILE, "too-large")
    return envelope_of(read_object(data))


def envelope_of(members):
    demand(is_text(members.get("payloadType")))
    demand(is_text(members.get("payload")))
    signatures = members.get("signatures")
    demand(isinstance(signatures, list))
    demand(1 <= len(signatures) <= 8, "amount")
    found = []
    for signature in signatures:
        demand(isinstance(signature, dict))
        keyid = signature.get("keyid")
        demand(keyid is None or is_text(keyid))
        found.append((keyid, base64(signature.get("sig"))))
    return members["payloadType"], base64(members["payload"]), found


# ---- section 1: signatures -------------------------------------------------------------------------------------------

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
# The eight points of small order, as they are written.
SMALL = {
    bytes.fromhex(text)
    for text in (
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "00" * 32,
        "00" * 31 + "80",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
}


def is_public_key(data):
    """A canonically encoded point of Ed25519, not of small order."""
    if len(data) != 32 or data in SMALL:
        return False
    y = int.from_bytes(data, "little") % 2**255
    if y >= P:
        return False
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    return square != 0 and pow(square, (P - 1) // 2, P) == 1


class Key:
    def __init__(self, id, role, public, status):
        self.id, self.role, self.public, self.status = id, role, public, status
        self.verifier = Ed25519PublicKey.from_public_bytes(public)

    def made(self, signature, message):
        if len(signature) != 64 or signature[:32] in SMALL:
            return False
        try:
            self.verifier.verify(signature, message)
            return True
        except InvalidSignature:
            return False

    def fingerprint(self):
        return hashlib.sha256(self.public).hexdigest()[:16]


def signed_bytes(payload_type, payload):
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def signer(ring, parsed, role):
    """Section 6: the trusted key of this role that made one of the signatures, or why there is none."""
    payload_type, payload, signatures = parsed
    message = signed_bytes(payload_type, payload)
    named = {keyid for keyid, _ in signatures}
    in_order = sorted(ring.keys, key=lambda key: key.id not in named)
    made = [key for key in in_order if any(key.made(sig, message) for _, sig in signatures)]
    for status in ("active", "retired"):
        for key in made:
            if key.role == role and key.status == status:
                return key
    demand(all(key.status != "revoked" for key in made), "key-revoked")
    demand(not made, "key-role")
    demand(all(key.id not in named for key in ring.keys), "signature")
    raise Refused("unknown-key")


# ---- sections 2 and 3: a licence -------------------------------------------------------------------------------------


def member(members, name, check):
    demand(name in members)
    value = members[name]
    demand(check(value))
    return value


def matches(pattern):
    pattern = re.compile(pattern)
    return lambda value: is_text(value) and pattern.fullmatch(value) is not None


PRODUCT = matches(r"[a-z0-9._-]{1,64}")
SERIAL = matches(r"[A-Za-z0-9._-]{1,64}")
KEY_ID = matches(r"[A-Za-z0-9._:-]{1,128}")
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def text(longest):
    return lambda value: is_text(value) and len(value) <= longest and FORBIDDEN.search(value) is None


def whole(smallest, largest):
    """A number written as digits."""

    def check(value):
        return isinstance(value, Number) and value.isdecimal() and smallest <= int(value) <= largest

    return check


def is_day(value):
    if not is_text(value) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is None:
        return False
    year, month, day = int(value[:4]), int(value[5:7]), int(value[8:])
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return 1970 <= year <= 9998


def is_day_or_null(value):
    return value is None or is_day(value)


def is_instant(value):
    if not is_text(value) or re.fullmatch(r".{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", value) is None:
        return False
    return is_day(value[:10]) and int(value[11:13]) <= 23 and int(value[14:16]) <= 59 and int(value[17:19]) <= 59


def format_1(members):
    demand(isinstance(members.get("format"), Number))
    demand(members["format"] == "1", "format")


DEVICES = {"con", "prn", "aux", "nul", "conin", "conout"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(10)}


def is_file_name(value):
    if not SERIAL(value) or value[0] == "." or value[-1] == ".":
        return False
    value = value.lower()
    return not value.endswith(".ors.json") and value != "ors-keys.json" and value.split(".")[0] not in DEVICES


def licence(payload):
    """Section 2: the members in the order of its table; the first that is wrong is the reason."""
    members = read_object(payload)
    format_1(members)
    found = {
        "product": member(members, "product", PRODUCT),
        "serial": member(members, "serial", SERIAL),
        "customer": member(members, "customer", text(200)),
        "sequence": int(member(members, "sequence", whole(1, LARGEST_NUMBER))),
        "issued_at": member(members, "issued_at", is_instant),
        "expires_on": member(members, "expires_on", is_day_or_null),
        "maintenance_until": member(members, "maintenance_until", is_day_or_null),
        "users": int(member(members, "users", whole(0, 1_000_000))),
        "features": [],
        "fls": [],
    }
    features = member(members, "features", lambda value: isinstance(value, list))
    demand(len(features) <= 1_000, "amount")
    ids = set()
    for feature in features:
        demand(isinstance(feature, dict))
        id = member(feature, "id", PRODUCT)
        demand(id not in ids)
        ids.add(id)
        name = member(feature, "name", text(200))
        last = member(feature, "expires_on", is_day_or_null)
        found["features"].append({"id": id, "name": name, "expires_on": last})
    if "fls" in members:
        files = member(members, "fls", lambda value: isinstance(value, list))
        demand(len(files) <= 4, "amount")
        names = set()
        for file in files:
            demand(isinstance(file, dict))
            name = member(file, "name", is_file_name)
            demand(name.lower() not in names)
            names.add(name.lower())
            content = member(file, "text", is_text)
            demand(len(content.encode()) <= 65_536, "too-large")
            found["fls"].append({"name": name, "text": content})
    return found


def verify_licence(data, ring, product):
    """Section 6."""
    parsed = envelope(data)
    demand(parsed[0] == LICENCE)
    key = signer(ring, parsed, "licence")
    found = licence(parsed[1])
    demand(found["product"] == product, "product")
    found.update(digest=hashlib.sha256(parsed[1]).hexdigest(), key=key.fingerprint(), status=key.status)
    return found


# ---- section 4: keys -------------------------------------------------------------------------------------------------


class Ring:
    def __init__(self, version, threshold, keys, digest=None, before=None):
        self.version, self.threshold, self.keys, self.digest, self.before = version, threshold, keys, digest, before

    def signed(self, parsed):
        """How many of the active roots signed: each counts once."""
        message = signed_bytes(parsed[0], parsed[1])
        roots = [key for key in self.keys if key.role == "root" and key.status == "active"]
        return sum(any(root.made(sig, message) for _, sig in parsed[2]) for root in roots)


def trusted_keys(lines):
    threshold, keys = 1, []
    for line in lines.removeprefix("\ufeff").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "threshold":
            threshold = int(words[1])
        else:
            keys.append(Key(words[1], words[0], base64(words[2]), "active"))
    return Ring(0, threshold, keys)


def key_list(payload):
    members = read_object(payload)
    format_1(members)
    version = int(member(members, "version", whole(1, LARGEST_NUMBER)))
    threshold = int(member(members, "threshold", whole(1, 8)))
    listed = member(members, "keys", lambda value: isinstance(value, list))
    demand(len(listed) <= 64, "amount")
    keys = []
    for entry in listed:
        demand(isinstance(entry, dict))
        id = member(entry, "id", KEY_ID)
        role = member(entry, "role", lambda value: value in ("root", "licence", "statement"))
        public = base64(member(entry, "public", is_text))
        status = member(entry, "status", lambda value: value in ("active", "retired", "revoked"))
        demand(is_public_key(public))
        demand(all(key.id != id and key.public != public for key in keys))
        keys.append(Key(id, role, public, status))
    return version, threshold, keys


def judge_list(parsed, ring):
    """Whether this key list is the next version, is the one that is held, or has been passed; the ring from then on."""
    demand(parsed[0] == KEYS)
    demand(len(parsed[1]) <= LARGEST_LIST and written(parsed) <= LARGEST_LIST, "too-large")
    version, threshold, keys = key_list(parsed[1])
    digest = hashlib.sha256(parsed[1]).digest()
    if version < ring.version:
        return "older", ring
    if version == ring.version:
        if ring.digest == digest:
            return "present", ring
        enough = ring.signed(parsed) >= ring.threshold
        enough = enough or (ring.before is not None and ring.before.signed(parsed) >= ring.before.threshold)
        demand(not enough, "key-list-fork")
    demand(version <= ring.version + 1, "sequence")
    count = ring.signed(parsed)
    if count == 0:
        signer(ring, parsed, "root")
    demand(count >= ring.threshold, "signature")
    following = Ring(version, threshold, keys, digest, ring)
    demand(following.signed(parsed) >= threshold, "signature")
    return "next", following


def follow(data, ring):
    """A file of key lists: how many steps it leads on, and the ring from then on."""
    demand(len(data) <= LARGEST_FILE, "too-large")
    members = read_object(data)
    if "payload" in members:
        lists = [envelope_of(members)]
    else:
        format_1(members)
        listed = member(members, "lists", lambda value: isinstance(value, list))
        demand(len(listed) <= 4_096, "amount")
        lists = []
        for one in listed:
            demand(isinstance(one, dict))
            lists.append(envelope_of(one))
            demand(written(lists[-1]) <= LARGEST_LIST, "too-large")
    steps = 0
    for one in lists:
        try:
            how, ring = judge_list(one, ring)
        except Refused:
            if steps == 0:
                raise
            break
        steps += how == "next"
    return steps, ring


def written(parsed):
    """The size of an envelope without white space and members that are not known."""

    def quoted(text):
        escapes = len(re.findall('["\\\\\b\f\n\r\t]', text)) + 5 * len(re.findall("[\x00-\x07\x0b\x0e-\x1f]", text))
        return len(text.encode()) + 2 + escapes

    size = len('{"payloadType":,"payload":"","signatures":[]}') + quoted(parsed[0]) + -(-len(parsed[1]) // 3) * 4
    for keyid, sig in parsed[2]:
        size += len('{"sig":""},') + -(-len(sig) // 3) * 4
        size += 0 if keyid is None else len('"keyid":,') + quoted(keyid)
    return size - 1


# ---- section 5: time files -------------------------------------------------------------------------------------------


def verify_time(data, ring, product, serial, challenge):
    parsed = envelope(data)
    demand(parsed[0] == TIME)
    key = signer(ring, parsed, "statement")
    demand(key.status == "active", "key-retired")
    members = read_object(parsed[1])
    format_1(members)
    found = (
        member(members, "product", PRODUCT),
        member(members, "serial", SERIAL),
        member(members, "challenge", lambda value: text(128)(value) and value != ""),
    )
    time = member(members, "time", is_instant)
    for is_, should, reason in zip(found, (product, serial, challenge), ("product", "serial", "clock")):
        demand(is_ == should, reason)
    return {"time": time}
