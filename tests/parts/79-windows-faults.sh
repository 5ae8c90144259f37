#!/usr/bin/env bash
# Under wine: files held by another process, paths that are long or not ASCII, and DLLs planted in the current folder.
# alone
# needs: /usr/bin/rustc=rustc-web /usr/bin/rustdoc=rustc-web /usr/lib/rustlib/src/rust/library/std/Cargo.toml=rust-web-src x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64=wine64
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

began=$SECONDS
windows_toolchain
(
  windows_env
  tests=(--locked -p ors --test windows_faults --target x86_64-pc-windows-gnu --target-dir "$WINDOWS/build")
  cargo test "${tests[@]}" --no-run
  sync
  cargo test "${tests[@]}" -- --nocapture
)
echo "held files and paths: $((SECONDS - began)) s"

ship_windows
licences
windows_env

# Everything that the DLL names, and what the system's DPAPI and random numbers load late. kernel32, ntdll and the like are loaded
# before any search, but planting them costs nothing. Not proven under wine: how Windows searches for a DLL that its system folder
# lacks; every name here is one that system folders have.
out=$TARGET/planted
rm -rf "$out"
mkdir -p "$out/current" "$out/licences" "$out/bin"
cp "$HOSTS"/licence-1/*.ors.json "$out/licences/"
cp "$SHIP/windows/ors.dll" "$out/bin/"
compile=(x86_64-w64-mingw32-gcc -std=gnu11 -O1 -s -Wall -Wextra -Werror)
"${compile[@]}" -shared "$ROOT/tests/windows/planted/planted.c" -o "$out/planted.dll"
"${compile[@]}" -I"$ROOT/include" "$ROOT/tests/windows/planted/host.c" -o "$out/bin/host.exe"
imports=$(x86_64-w64-mingw32-objdump -p "$SHIP/windows/ors.dll" | sed -n 's/.*DLL Name: //p' | tr 'A-Z' 'a-z' | sort -u)
grep -qx crypt32.dll <<<"$imports" && grep -qx bcryptprimitives.dll <<<"$imports" || fail "not the imports of ors.dll: $imports"
late="dpapi.dll crypt32.dll cryptbase.dll cryptsp.dll cryptnet.dll rsaenh.dll bcrypt.dll bcryptprimitives.dll ncrypt.dll msasn1.dll
  rpcrt4.dll secur32.dll sspicli.dll profapi.dll userenv.dll version.dll ws2_32.dll iphlpapi.dll winhttp.dll dbghelp.dll netapi32.dll"
names=$(printf '%s\n' $imports $late | sort -u)
for name in $names ors-nowhere.dll; do cp "$out/planted.dll" "$out/current/$name"; done
status=0
(cd "$out/current" && timeout 60 "$WINE" "$(wine_path "$out/bin/host.exe")" "$(wine_path "$out/bin/ors.dll")" "$(wine_path "$out/state")" \
  "$(wine_path "$out/licences")" "$(wine_path "$HOSTS/keys.txt")" "$(wine_path "$HOSTS/newer.ors.json")" ors-nowhere.dll) || status=$?
[ "$status" -eq 0 ] || fail "exit code $status"
[ -e "$out/current/ors-nowhere.dll.loaded" ] || fail "a DLL that was loaded from the current folder left no trace"
rm "$out/current/ors-nowhere.dll.loaded"
loaded=$(find "$out/current" -name '*.loaded' -printf '%f ')
[ -z "$loaded" ] || echo "loaded from the current folder: $loaded"
row "Windows: DLLs planted in the current folder" "$(wc -w <<<"$names")" "$(wc -w <<<"$loaded")"
echo "windows faults: $((SECONDS - began)) s"
