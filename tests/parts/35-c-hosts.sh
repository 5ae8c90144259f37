#!/usr/bin/env bash
# The C examples, with the shared and the static library, tell what each licence folder says.
# needs: gcc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_linux
licences
strict=(-std=c99 -O1 -Wall -Wextra -Wpedantic -Werror -I"$ROOT/include")
read -ra system <"$SHIP/linux/static-libraries"
mkdir -p "$HOSTS/bin"
for program in page_refresh check_update; do
  gcc "${strict[@]}" "$ROOT/examples/c/$program.c" -o "$HOSTS/bin/$program" -L"$SHIP/linux" -lors -Wl,-rpath,"$SHIP/linux"
  gcc "${strict[@]}" -DORS_STATIC "$ROOT/examples/c/$program.c" -o "$HOSTS/bin/$program-static" "$SHIP/linux/libors.a" "${system[@]}"
done
for kind in "" -static; do
  host=("$HOSTS/bin/check_update$kind")
  check_update_story "c-check$kind"
  host=("$HOSTS/bin/page_refresh$kind")
  page_story "c-page$kind"
done
