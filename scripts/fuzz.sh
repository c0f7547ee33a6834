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

while read -r package target; do
  echo "== $target in ${package#"$PWD/"}, for $duration"
  go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$duration"
done <<<"$targets"
