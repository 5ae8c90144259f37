# Sourced by the parts that run foreign hosts: licences to show them, and what every host has to say about these, in one place
# for C and C#, Linux and Windows. A host is started as `"${host[@]}" --option value ...`; `local_path` turns a path into
# what that host understands.

local_path() { printf '%s' "$1"; }

# Makes once:  $HOSTS/keys.txt           what the product trusts
#              $HOSTS/licence-1/         a good licence whose maintenance ends in ten days
#              $HOSTS/newer.ors.json     the next one: more users, one more feature
#              $HOSTS/forged.ors.json    the same, signed by somebody else
licences() { locked licences make_licences; }
make_licences() {
  [ -f "$HOSTS/complete-$(date +%F)" ] && return
  rm -rf "$HOSTS"
  mkdir -p "$HOSTS/licence-1"
  cargo build --quiet --locked -p issuer
  local issuer=$TARGET/debug/issuer pass=$HOSTS/passphrase name
  local terms=(--product prismaprepare --serial 1234567890 --customer 'Müller & <img src=x onerror=alert(1)>' --users 5
    --expires-on "$(date -d '+400 days' +%F)" --maintenance-until "$(date -d '+10 days' +%F)" --feature 'pdf-toolbox=PDF Toolbox')
  echo 'seven paper planes over the press' >"$pass"
  for name in good other; do
    "$issuer" key new --role licence --id "$name" --out "$HOSTS/$name.key" --passphrase-file "$pass"
  done
  "$issuer" keys host-line "$HOSTS/good.key" >"$HOSTS/keys.txt"
  "$issuer" licence new --key "$HOSTS/good.key" --passphrase-file "$pass" "${terms[@]}" --out "$HOSTS/licence-1"
  "$issuer" licence next "$HOSTS"/licence-1/*.ors.json --key "$HOSTS/good.key" --passphrase-file "$pass" \
    --users 7 --add-feature 'imposition=Imposition' --out "$HOSTS/newer.ors.json"
  "$issuer" licence new --key "$HOSTS/other.key" --passphrase-file "$pass" "${terms[@]}" --out "$HOSTS/forged.ors.json"
  touch "$HOSTS/complete-$(date +%F)"
}

# expect STATUS TEXT... -- COMMAND...: runs the command; its exit code and every TEXT in its output have to be as said.
expect() {
  local wanted=$1 texts=() status=0 output text
  shift
  while [ "$1" != -- ]; do texts+=("$1"); shift; done
  shift
  output=$("$@" 2>&1) || status=$?
  output=${output//$'\r'/}
  printf '$ %s\n%s\n(exit code %s)\n' "$*" "$output" "$status"
  [ "$status" -eq "$wanted" ] || fail "exit code $status instead of $wanted"
  for text in "${texts[@]}"; do
    grep -qF -- "$text" <<<"$output" || fail "nothing says: $text"
  done
}

# A folder of its own for every story; with a name that ASCII does not cover.
story_folder() {
  story=$HOSTS/$1
  rm -rf "$story"
  mkdir -p "$story/licence žlutý" "$story/empty" "$story/forged"
  cp "$HOSTS"/licence-1/*.ors.json "$story/licence žlutý/"
  cp "$HOSTS/forged.ors.json" "$story/forged/"
  keys=$(local_path "$HOSTS/keys.txt")
}

# The installer's question, by its exit codes.
check_update_story() { # check_update_story NAME
  story_folder "$1"
  local good empty forged
  good=$(local_path "$story/licence žlutý")
  empty=$(local_path "$story/empty")
  forged=$(local_path "$story/forged")
  local ask=("${host[@]}" --product prismaprepare --keys "$keys")
  expect 0 -- "${ask[@]}" --licence-folder "$good" --release-date "$(date +%F)"
  expect 0 -- "${ask[@]}" --licence-folder "$good" --release-date "$(date -d '+10 days' +%F)"
  expect 1 -- "${ask[@]}" --licence-folder "$good" --release-date "$(date -d '+11 days' +%F)"
  expect 2 -- "${ask[@]}" --licence-folder "$empty" --release-date "$(date +%F)"
  expect 2 -- "${ask[@]}" --licence-folder "$forged" --release-date "$(date +%F)"
  expect 2 -- "${ask[@]}" --licence-folder "$good-gone" --release-date "$(date +%F)"
  expect 3 -- "${ask[@]}" --licence-folder "$good" --release-date 20261201
  expect 3 '--release-date is required' -- "${ask[@]}" --licence-folder "$good"
  expect 3 'not an option' -- "${ask[@]}" --licence-folder "$good" --release-date 2026-12-01 --force yes
  expect 3 'cannot be read' -- "${host[@]}" --product prismaprepare --keys "$empty" --licence-folder "$good" --release-date 2026-12-01
}

# A web tier's life: nothing, a forgery, a good licence, a newer one that arrives while it runs.
page_story() { # page_story NAME
  story_folder "$1"
  local output=$story/output pid last
  local ask=("${host[@]}" --product prismaprepare --keys "$keys")

  local good
  good=$(local_path "$story/licence žlutý")
  expect 0 'licence missing' '  no-licence: ' -- \
    "${ask[@]}" --licence-folder "$(local_path "$story/empty")" --state-folder "$(local_path "$story/state-1")"
  expect 0 'licence refused' '  no-licence: ' -- \
    "${ask[@]}" --licence-folder "$(local_path "$story/forged")" --state-folder "$(local_path "$story/state-2")"
  expect 0 'licence valid, sequence 1' '  maintenance-expiring: ' 'users 5' -- \
    "${ask[@]}" --licence-folder "$good" --state-folder "$(local_path "$story/state-3")"

  "${ask[@]}" --licence-folder "$good" --state-folder "$(local_path "$story/state-4")" \
    --pages 8 --wait-ms 1000 --acknowledge 'Žofie' >"$output" 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    grep -q '^page 1' "$output" && break
    sleep 0.1
  done
  cp "$HOSTS/newer.ors.json" "$story/licence žlutý/.ors-story.tmp"
  mv "$story/licence žlutý/.ors-story.tmp" "$story/licence žlutý/newer.ors.json"
  wait "$pid" || fail "the host ended with $?: $(tail -n 5 "$output")"
  cat "$output"
  for text in 'users 7' '  new-features: ' 'Imposition' '  acknowledged '; do
    grep -qF -- "$text" "$output" || fail "after the newer licence nothing says: $text"
  done
  # Acknowledged is acknowledged: the last page is quiet again.
  last=$(sed -n '/^page 8:/,$p' "$output")
  grep -q 'users 7, announcement 0' <<<"$last" || fail "the announcement came back: $last"
}
