#!/usr/bin/env bash
# A back office whose disk is full says so, loses nothing that it answered, issues nothing twice, and goes on when there is room.
# needs: cc=gcc mount=mount python3=python3
# soak
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/office.sh"

# A disk of its own, small enough to fill.
disk=$TARGET/office-disk
umount "$disk" 2>/dev/null || true
mkdir -p "$disk"
mount -t tmpfs -o size=12m ors-office "$disk"
unmount() { office_stop; umount "$disk" || true; }
office_start "$disk/office"
trap unmount EXIT

office organisation add 4711 Prints >/dev/null
office installation add prismaprepare A-1 --customer 'Print Room' --organisation 4711 >/dev/null
echo "prismaprepare A-1" | office signer register - --socket "$OFFICE/signer.sock" >/dev/null
issue() { office licence issue prismaprepare A-1 "$@" >"$TARGET/office-disk.out" 2>"$TARGET/office-disk.err"; }
newest() { office licence list prismaprepare A-1 | head -n 1 | awk '{print $1}'; }
issue --users 5 --expires-on never --maintenance-until none

free_kib() { df --output=avail -k "$disk" | tail -n 1 | tr -dc 0-9; }
tried=0 full=0 harmed=0
# However much is left, another write is the first that fails: the order's, the signer's record, the licence's own.
for left in $(seq 0 "$(count 8 2)" 120); do
  fill=$(($(free_kib) - left))
  [ "$fill" -le 0 ] || head -c "${fill}K" /dev/zero >"$disk/fill" || true
  before=$(newest)
  status=0
  issue --add-users 1 || status=$?
  tried=$((tried + 1))
  case $status in
    0) [ "$(newest)" -eq $((before + 1)) ] || harmed=$((harmed + 1)) ;;
    3 | 5)
      full=$((full + 1))
      grep -qiE 'disk is full|no space|signer' "$TARGET/office-disk.err" || {
        cat "$TARGET/office-disk.err"
        harmed=$((harmed + 1))
      }
      ;;
    *) cat "$TARGET/office-disk.err"; harmed=$((harmed + 1)) ;;
  esac
  rm -f "$disk/fill"
  # With room again the next order is carried out; one that was begun is finished before.
  before=$(newest)
  issue --add-users 1 || issue --add-users 1 || { cat "$TARGET/office-disk.err"; harmed=$((harmed + 1)); }
  [ "$(newest)" -gt "$before" ] || harmed=$((harmed + 1))
done
last=$(newest)
[ "$(office licence list prismaprepare A-1 | wc -l)" -eq "$last" ] || fail "there is a gap"
office licence file prismaprepare A-1 >"$TARGET/office-disk.ors.json"
"$ISSUER_BIN" show "$TARGET/office-disk.ors.json" --keys "$OFFICE/trusted_keys.txt" >/dev/null
[ "$full" -gt 0 ] || fail "the disk was never full"
# Each licence adds one user: as many users as licences say that none was made twice of the same one.
office licence file prismaprepare A-1 | python3 -c '
import base64, json, sys
licence = json.loads(base64.b64decode(json.load(sys.stdin)["payload"]))
assert licence["users"] == 4 + licence["sequence"], licence'
row 'orders on a full disk' "$tried" "$harmed"
