"""JSON and base64 as section 1 of docs/licence-format.md wants them: stricter than any reader that Python brings along."""

import binascii
import re
import string


class Refused(Exception):
    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def demand(holds, reason="malformed"):
    if not holds:
        raise Refused(reason)


# ---- section 1: JSON within its limits -------------------------------------------------------------------------------

TOKEN = re.compile(
    r'[ \t\n\r]*(?:([{}\[\],:])'
    r'|"([^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*)"'
    r"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.eE+-]))"
    r"|(true|false|null))"
)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
WORDS = {"true": True, "false": False, "null": None}
NESTING, VALUES, ESCAPED = 32, 32_768, 524_288


class Number(str):
    """A number as it was written."""


def resolved(body):
    """What stands between two quotes, with its escapes resolved."""
    if "\\" not in body:
        return body
    demand(len(body.encode()) <= ESCAPED)
    text = ESCAPE.sub(lambda found: SHORT.get(found[1]) or chr(int(found[1][1:], 16)), body)
    # Pairs become characters; half a character stays and is found.
    text = text.encode("utf-16", "surrogatepass")
    try:
        return text.decode("utf-16")
    except UnicodeDecodeError:
        raise Refused("malformed") from None


def read_json(data):
    """The one value of a JSON text, or Refused."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed") from None
    at, values = 0, 0
    opened = []  # (container, key that waits for its value)
    state = "value"  # value, first (a value or the end), key, first-key, colon, after
    result = None

    def place(value):
        nonlocal result
        if not opened:
            result = value
        elif isinstance(opened[-1][0], list):
            opened[-1][0].append(value)
        else:
            opened[-1][0][opened[-1][1]] = value

    while True:
        token = TOKEN.match(text, at)
        if token is None:
            break
        at = token.end()
        mark, body, number, word = token.groups()
        if state in ("value", "first") and mark not in ("]", "}", ",", ":"):
            values += 1
            demand(values <= VALUES)
            if mark is not None:
                demand(len(opened) < NESTING)
                value = {} if mark == "{" else []
                place(value)
                opened.append([value, None])
                state = "first-key" if mark == "{" else "first"
                continue
            if body is not None:
                place(resolved(body))
            elif number is not None:
                demand(abs(float(number)) != float("inf"))
                place(Number(number))
            else:
                place(WORDS[word])
            state = "after"
        elif state in ("key", "first-key") and body is not None:
            key = resolved(body)
            demand(key not in opened[-1][0])
            opened[-1][1] = key
            state = "colon"
        elif state == "colon" and mark == ":":
            state = "value"
        elif state == "after" and mark == "," and opened:
            state = "value" if isinstance(opened[-1][0], list) else "key"
        elif mark == "]" and state in ("first", "after") and opened and isinstance(opened[-1][0], list):
            opened.pop()
            state = "after"
        elif mark == "}" and state in ("first-key", "after") and opened and isinstance(opened[-1][0], dict):
            opened.pop()
            state = "after"
        else:
            raise Refused("malformed")
    demand(not text[at:].strip(" \t\n\r") and state == "after" and not opened)
    return result


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def read_object(data):
    value = read_json(data)
    demand(isinstance(value, dict))
    return value


STANDARD = set(string.ascii_letters + string.digits + "+/")
URL_SAFE = set(string.ascii_letters + string.digits + "-_")


def base64(text):
    """One alphabet, padded, unused bits zero, no white space: the bytes, written again, are the very text."""
    demand(is_text(text) and len(text) % 4 == 0)
    letters = set(text.rstrip("="))
    demand(letters <= STANDARD or letters <= URL_SAFE)
    text = text.replace("-", "+").replace("_", "/")
    try:
        data = binascii.a2b_base64(text)
    except binascii.Error:
        raise Refused("malformed") from None
    demand(binascii.b2a_base64(data, newline=False).decode() == text)
    return data
