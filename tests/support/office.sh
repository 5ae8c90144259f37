# A back office as a vendor starts one: keys by the issuer, signer and server as processes. Sourced by parts.
# After `office_start FOLDER`: OFFICE (its folder), OFFICE_URL, and `office ARGUMENTS...` for the command line.

office_build() {
  cargo build --quiet -p back_office -p issuer
  OFFICE_BIN=$TARGET/debug/back_office
  ISSUER_BIN=$TARGET/debug/issuer
}

office() { "$OFFICE_BIN" --config "$OFFICE/office.toml" "$@"; }

office_keys() {
  local role
  echo "a passphrase for tests" >"$OFFICE/passphrase"
  for role in root licence statement; do
    "$ISSUER_BIN" key new --role "$role" --id "$role-1" --out "$OFFICE/$role.key" --passphrase-file "$OFFICE/passphrase" >/dev/null 2>&1
  done
  "$ISSUER_BIN" keys host-line "$OFFICE"/{root,licence,statement}.key >"$OFFICE/trusted_keys.txt" 2>/dev/null
}

office_start() {
  OFFICE=$1
  rm -rf "$OFFICE"
  mkdir -p "$OFFICE"
  office_build
  office_keys
  cat >"$OFFICE/office.toml" <<END
[server]
listen = "127.0.0.1:0"
url = "https://office.example"
[data]
folder = "data"
[keys]
trusted = "trusted_keys.txt"
statement = "statement.key"
[signer]
socket = "signer.sock"
END
  trap office_stop EXIT
  # Not by way of the function: `$!` has to be the process itself.
  "$OFFICE_BIN" signer --socket "$OFFICE/signer.sock" --keys "$OFFICE/licence.key" --trusted "$OFFICE/trusted_keys.txt" \
    --passphrase-fd 0 <"$OFFICE/passphrase" >"$OFFICE/signer.out" 2>&1 &
  OFFICE_SIGNER=$!
  "$OFFICE_BIN" --config "$OFFICE/office.toml" serve --passphrase-fd 0 <"$OFFICE/passphrase" >"$OFFICE/serve.out" 2>"$OFFICE/serve.log" &
  OFFICE_SERVER=$!
  office_wait signer.out 'signing at'
  office_wait serve.out 'listening on'
  OFFICE_URL=http://$(sed -n 's/^listening on //p' "$OFFICE/serve.out")
}

office_wait() {
  for _ in $(seq 600); do
    grep -q "$2" "$OFFICE/$1" && return
    sleep 0.05
  done
  cat "$OFFICE"/*.out "$OFFICE/serve.log" >&2
  fail "the back office did not start"
}

office_stop() {
  [ -z "${OFFICE_SERVER:-}" ] || kill "$OFFICE_SERVER" 2>/dev/null || true
  [ -z "${OFFICE_SIGNER:-}" ] || kill "$OFFICE_SIGNER" 2>/dev/null || true
  wait 2>/dev/null || true
}
