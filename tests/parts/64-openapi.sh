#!/usr/bin/env bash
# A fuzzer that reads the back office's contract finds no answer that breaks it, and a contract that lies is caught.
# needs: cc=gcc python3=python3 python:ensurepip=python3-venv
# soak
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/office.sh"

fuzzer() {
  local venv=$TARGET/schemathesis
  if [ ! -f "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet 'schemathesis>=4.32,<5'
    touch "$venv/complete"
  fi
}
locked schemathesis fuzzer

office_start "$TARGET/openapi"
office organisation add 4711 'Prints & Co' >/dev/null
for serial in A-1 A-2; do
  office installation add prismaprepare "$serial" --customer "Print Room $serial" --organisation 4711 >/dev/null
  echo "prismaprepare $serial" | office signer register - --socket "$OFFICE/signer.sock" >/dev/null
  office licence issue prismaprepare "$serial" --users 5 --expires-on never --maintenance-until 2090-05-31 >/dev/null
done
token=$(office token add fuzzer --scope read,issue,import)

# Everything that breaks the contract counts; "positive data" is left out, since an installation that a schema allows need not exist.
fuzz() {
  # It leaves a folder where it runs.
  cd "$OFFICE"
  "$TARGET/schemathesis/bin/st" run "$1" --url "$OFFICE_URL" --header "Authorization: Bearer $token" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection,unsupported_method,use_after_free,ignored_auth \
    --max-examples "$(count 25 1000)" --seed 1 --workers 1 --no-color --request-timeout 10 >"$OFFICE/fuzz.log" 2>&1
}
fuzz "$ROOT/examples/back_office/docs/openapi.json" || { tail -n 120 "$OFFICE/fuzz.log"; fail "the contract is broken"; }
tried=$(grep -oE '[0-9]+ generated' "$OFFICE/fuzz.log" | tail -n 1 | tr -dc 0-9)

# A contract in which a customer is a number is not the server's.
python3 - "$ROOT/examples/back_office/docs/openapi.json" "$OFFICE/lies.json" <<'END'
import json, sys
contract = json.load(open(sys.argv[1]))
contract["components"]["schemas"]["Installation"]["properties"]["customer"] = {"type": "integer"}
json.dump(contract, open(sys.argv[2], "w"))
END
if fuzz "$OFFICE/lies.json"; then fail "a contract that lies was not caught"; fi

office licence list prismaprepare A-1 | head -n 1 | grep -q issued || fail "the licences are gone"
row 'requests made from the contract' "${tried:?nothing was tried}" 0
