#!/usr/bin/env bash
# Runs every fuzz target of the module for a while each: scripts/fuzz.sh [DURATION], 30s unless given.
# `go test -fuzz` takes one target at a time, hence the loop. An input that fails is kept under the package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
duration=${1:-30s}

targets=$(go list -f '{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}' ./... |
  while read -r file; do
    if [[ -n $file ]]; then sed -nE "s|^func (Fuzz[A-Za-z0-9_]*)\(.*|${file%/*} \1|p" "$file"; fi
  done)
[[ -n $targets ]] || { echo "There is no fuzz target yet."; exit 0; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Go up to 1.26 may call it a failure when the time is over while an input is being tried (go.dev/issue/75804): all that it says then
# is this one line, directly below the name of the target. A failure of ours writes its input down, or says more.
only_out_of_time() {
  grep -A 1 '^--- FAIL' "$log" | grep -q '^    context deadline exceeded$' &&
    ! grep -qE 'Failing input written|panic:|_test\.go:|^    --- FAIL' "$log"
}

while read -r package target; do
  echo "== $target in ${package#"$PWD/"}, for $duration"
  go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$duration" 2>&1 | tee "$log" || only_out_of_time
done <<<"$targets"
