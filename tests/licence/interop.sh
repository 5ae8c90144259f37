#!/bin/sh
# A licence signed by PyPI's securesystemslib is accepted by ours, and ours by theirs; altered ones by neither.
#
#     tests/licence/interop.sh PYTHON
#
# PYTHON is that of a virtual environment with the package:
#     python3 -m venv VENV && VENV/bin/pip install 'securesystemslib[crypto]'
set -eu

[ $# -eq 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
python=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
desk=$(mktemp -d)
trap 'rm -rf "$desk"' EXIT INT TERM

issuer() { (cd "$root" && "${CARGO:-cargo}" run --quiet -p issuer -- "$@"); }
theirs() { "$python" "$here/interop.py" "$@"; }
fail() { echo "FAILED: $1" >&2; exit 1; }
# Runs the rest, which must end with exit code 1.
refuses() {
    what=$1
    shift
    code=0
    "$@" >"$desk/said" 2>&1 || code=$?
    [ "$code" -eq 1 ] || { cat "$desk/said" >&2; fail "$what: exit code $code instead of 1"; }
}
# One character of the payload becomes another.
alter() {
    "$python" - "$1" "$2" <<'PYTHON'
import json, sys
envelope = json.load(open(sys.argv[1], encoding="utf-8"))
payload = envelope["payload"]
envelope["payload"] = payload[:40] + ("A" if payload[40] != "A" else "B") + payload[41:]
json.dump(envelope, open(sys.argv[2], "w", encoding="utf-8"))
PYTHON
}

"$python" -c 'import securesystemslib.dsse, cryptography' || fail "$python has no securesystemslib[crypto]"
echo 'a passphrase for the test' >"$desk/pass"
pass="--passphrase-file $desk/pass"

# Ours, verified by theirs.
# shellcheck disable=SC2086
{
    issuer key new --role licence --id licence-2026 --out "$desk/licence.key" $pass >"$desk/trusted"
    issuer licence new --key "$desk/licence.key" --out "$desk/ours.ors.json" $pass --product prismaprepare --serial 42 \
        --customer 'Print Rööm' --users 5 --expires-on 2027-11-23 --maintenance-until none
}
theirs verify "$desk/ours.ors.json" "$desk/trusted" licence 1 "$desk/payload.json" || fail "securesystemslib refuses our licence"
alter "$desk/ours.ors.json" "$desk/altered.ors.json"
refuses "securesystemslib takes an altered licence" theirs verify "$desk/altered.ors.json" "$desk/trusted" licence 1 "$desk/x"

# Theirs, verified by ours: the payload that they have just verified, and one that Python wrote.
"$python" - "$desk/payload.json" "$desk/python.json" <<'PYTHON'
import json, sys
licence = json.load(open(sys.argv[1], encoding="utf-8"))
licence["sequence"] += 1
json.dump(licence, open(sys.argv[2], "w", encoding="utf-8"), indent=4)
PYTHON
for payload in payload python; do
    theirs sign "$desk/$payload.json" application/vnd.ors.licence+json licence "$desk/theirs.ors.json" "$desk/their-keys" theirs-1
    issuer show "$desk/theirs.ors.json" --keys "$desk/their-keys" >"$desk/said" || { cat "$desk/said" >&2; fail "our library refuses their licence"; }
    grep -q 'yes: signed by "theirs-1"' "$desk/said" || fail "the signer is not named"
    alter "$desk/theirs.ors.json" "$desk/altered.ors.json"
    refuses "our library takes an altered licence" issuer show "$desk/altered.ors.json" --keys "$desk/their-keys"
done
refuses "our library takes a foreign key" issuer show "$desk/theirs.ors.json" --keys "$desk/trusted"

# A key list with two roots: ours by theirs.
# shellcheck disable=SC2086
{
    issuer key new --role root --id root-a --out "$desk/a.key" $pass >>"$desk/trusted"
    issuer key new --role root --id root-b --out "$desk/b.key" $pass >>"$desk/trusted"
    issuer keys new --add "$desk/a.key" --add "$desk/b.key" --add "$desk/licence.key" --threshold 2 --out "$desk/waiting.json"
    issuer keys sign "$desk/waiting.json" --root "$desk/a.key" --root "$desk/b.key" --out "$desk/ors-keys.json" $pass
}
"$python" -c 'import json, sys; json.dump(json.load(open(sys.argv[1]))["lists"][0], open(sys.argv[2], "w"))' \
    "$desk/ors-keys.json" "$desk/list.json"
theirs verify "$desk/list.json" "$desk/trusted" root 2 "$desk/x" || fail "securesystemslib refuses our key list"

# Theirs by ours: a list that names two roots of theirs and is signed by both; one of them alone is not enough.
theirs sign "$desk/payload.json" text/plain root "$desk/x" "$desk/their-roots" their-a their-b
issuer keys new --add "$desk/their-roots" --add "$desk/licence.key" --threshold 2 --out "$desk/waiting.json" --force
"$python" -c 'import base64, json, sys; open(sys.argv[2], "wb").write(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))' \
    "$desk/waiting.json" "$desk/list"
echo 'threshold 2' >>"$desk/their-roots"
theirs sign "$desk/list" application/vnd.ors.keys+json root "$desk/list.json" "$desk/x" their-a their-b
issuer show "$desk/list.json" --keys "$desk/their-roots" >"$desk/said" || { cat "$desk/said" >&2; fail "our library refuses their key list"; }
grep -q 'version 1 follows version 0' "$desk/said" || fail "their key list was not judged"
theirs sign "$desk/list" application/vnd.ors.keys+json root "$desk/list.json" "$desk/x" their-a
refuses "our library takes a key list with one of two signatures" issuer show "$desk/list.json" --keys "$desk/their-roots"

echo "licences and key lists pass both ways, altered ones neither"
