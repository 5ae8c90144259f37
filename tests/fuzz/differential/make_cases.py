"""Makes cases.json: files at the edges of docs/licence-format.md, by name, each with the answer that is right: `make_cases.py > cases.json`."""

import base64
import json
import zlib

import vendor
import verifier

SOUND = {
    "format": 1, "product": vendor.PRODUCT, "serial": vendor.SERIAL, "customer": "Print Room", "sequence": 7,
    "issued_at": "2026-11-23T10:00:00Z", "expires_on": None, "maintenance_until": None, "users": 5, "features": [],
}


def licence(members=None, signers=("licence-1",), text=None, **changes):
    """A licence with changes: in its payload, in its text, in its envelope."""
    payload = json.dumps(SOUND | changes)
    for old, new in (text or {}).items():
        assert old in payload, old
        payload = payload.replace(old, new)
    sealed = vendor.seal(verifier.LICENCE, payload.encode("utf-8", "surrogatepass"), signers)
    return json.dumps(sealed | (members or {})).encode()


def signature(make, keyid="licence-1"):
    payload = json.dumps(SOUND).encode()
    message = verifier.signed_bytes(verifier.LICENCE, payload)
    sealed = vendor.seal(verifier.LICENCE, payload, [])
    sealed["signatures"] = [{"keyid": keyid, "sig": base64.b64encode(make(vendor.SIGNERS["licence-1"], message)).decode()}]
    return json.dumps(sealed).encode()


def plus_order(signer, message):
    sig = signer.sign(message)
    return sig[:32] + (int.from_bytes(sig[32:], "little") + vendor.ORDER).to_bytes(32, "little")


def renamed(data, keyid, other):
    return data.replace(f'"keyid": "{keyid}"'.encode(), f'"keyid": "{other}"'.encode())


def unknown(text):
    """A sound licence with a member that nobody knows, written as `text`."""
    return licence(text={'"users"': f'"unknown": {text}, "users"'})


def wrapped(text):
    """The same in the envelope."""
    return licence()[:-1] + f', "unknown": {text}}}'.encode()


def file(name, text):
    return {"name": name, "text": text}


CASES = [
    # On these, document and library were of two minds.
    ("too many features are told before what is wrong in one of them", "amount", licence(features=[0] * 1_001)),
    ("too many features are told before a wrong file", "amount", licence(features=[0] * 1_001, fls=[0])),
    ("a wrong feature is told before too many files", "malformed", licence(features=[0], fls=[0] * 5)),
    ("a file that is too large is told before a wrong one after it", "too-large", licence(fls=[file("a", "x" * 65_537), 0])),
    ("a wrong name is told before the size of its file", "malformed", licence(fls=[file("con", "x" * 65_537)])),
    ("of two keys that signed, the named one is told", "good",
     renamed(licence(signers=("licence-1", "licence-2")), "licence-1", "somebody")),
    ("more values than are read", "malformed", wrapped("[" + "0," * 32_768 + "0]")),
    ("a long text with an escape", "malformed", wrapped('"' + "x" * 524_287 + '\\n"')),
    ("a long text without one", "good", wrapped('"' + "x" * 524_289 + '"')),
    # These are where a second reading of the document is most likely to go another way.
    ("a number beyond a double", "malformed", unknown("1e400")),
    ("a number of 309 digits", "malformed", unknown("9" * 309)),
    ("a number of 308 digits", "good", unknown("9" * 308)),
    ("a number that is nothing however it is shifted", "good", unknown("0e99999999999")),
    ("half a character", "malformed", unknown('"\\ud83d"')),
    ("half a character as a key", "malformed", unknown('{"\\udc00": 1}')),
    ("two halves of a character", "good", unknown('"\\ud83d\\ude00"')),
    ("a key twice, once with an escape", "malformed", unknown('{"a": 1, "\\u0061": 1}')),
    ("a key twice in what nobody knows", "malformed", wrapped('[{"a": 1, "a": 1}]')),
    ("nesting of 32", "good", wrapped("[" * 31 + "]" * 31)),
    ("nesting of 33", "malformed", wrapped("[" * 32 + "]" * 32)),
    ("nesting of 32 in the payload", "good", unknown("[" * 31 + "]" * 31)),
    ("nesting of 33 in the payload", "malformed", unknown("[" * 32 + "]" * 32)),
    ("a byte order mark", "malformed", b"\xef\xbb\xbf" + licence()),
    ("white space that JSON has not", "malformed", licence() + b"\x0c"),
    ("NaN", "malformed", unknown("NaN")),
    ("format 1.0", "format", licence(format=1.0)),
    ("format 1e0", "format", licence(text={'"format": 1': '"format": 1e0'})),
    ("format true", "malformed", licence(format=True)),
    ("format 2 with nothing else that is right", "format", licence(format=2, product=0)),
    ("minus zero users", "malformed", licence(text={'"users": 5': '"users": -0'})),
    ("users 5.0", "malformed", licence(users=5.0)),
    ("a sequence of 2^53", "malformed", licence(sequence=2**53)),
    ("a missing member is not null", "malformed", licence(text={'"expires_on": null, ': ""})),
    ("fls null", "malformed", licence(fls=None)),
    ("200 characters of four bytes", "good", licence(customer="😀" * 200)),
    ("a delete character", "malformed", licence(customer="\x7f")),
    ("a zero width joiner", "good", licence(customer="\u200d")),
    ("the file name COM1.x.lic", "malformed", licence(fls=[file("COM1.x.lic", "")])),
    ("the file name com10", "good", licence(fls=[file("com10", "")])),
    ("file names that differ in case", "malformed", licence(fls=[file("a.lic", ""), file("A.LIC", "")])),
    ("the 29th of February 2027", "malformed", licence(expires_on="2027-02-29")),
    ("digits of another script", "malformed", licence(expires_on="٢٠٢٧-١١-٢٣")),
    ("the year 9998", "good", licence(expires_on="9998-12-31")),
    ("the year 9999", "malformed", licence(expires_on="9999-01-01")),
    ("a second 60", "malformed", licence(issued_at="2026-12-31T23:59:60Z")),
    ("R of small order", "signature", signature(lambda key, message: key.with_small_r(message))),
    ("S beyond the order", "signature", signature(plus_order)),
    ("a signature of 65 bytes", "signature", signature(lambda key, message: key.sign(message) + b"\0")),
    ("an empty signature of nobody", "unknown-key", signature(lambda key, message: b"", "nobody")),
    ("a key id that is a number", "malformed", signature(lambda key, message: key.sign(message), 5)),
    ("a key id of another key", "good", signature(lambda key, message: key.sign(message), "root-a")),
    ("nine signatures", "amount", licence(signers=("licence-1",) * 9)),
    ("eight signatures", "good", licence(signers=("licence-1",) * 8)),
    ("no signature", "amount", licence(signers=())),
    ("nine signatures that are none", "amount", licence(members={"signatures": [0] * 9})),
    ("URL-safe base64", "good", licence(members={"payload": base64.urlsafe_b64encode(json.dumps(SOUND).encode()).decode()})),
    ("base64 without padding", "malformed", licence(members={"payload": "e30"})),
    ("base64 with unused bits", "malformed", licence(members={"payload": "e31="})),
]


def packed(name, answer, data):
    text = base64.b64encode(zlib.compress(data, 9)).decode()
    return {"name": name, "kind": "licence", "ring": 0, "answer": answer, "file": text}


print(json.dumps([packed(*case) for case in CASES], indent=1, ensure_ascii=False))
