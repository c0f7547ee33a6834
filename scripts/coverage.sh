#!/usr/bin/env bash
# Runs the tests and measures how many of the module's own statements they reach, generated files left out.
# Writes coverage/index.html; exit code 1 below the minimum (COVERAGE_MIN, in percent, 80 unless set).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
minimum=${COVERAGE_MIN:-80}

rm -rf coverage
mkdir -p coverage/data

# The command-line tests run fsmc as a process of its own, which leaves its counters in GOCOVERDIR.
GOCOVERDIR=$PWD/coverage/data go test -timeout 20m -coverpkg=./... -coverprofile=coverage/tests.out ./...
go tool covdata textfmt -i=coverage/data -o=coverage/processes.out
touch coverage/processes.out # which covdata leaves out when no process left counters

# A profile line starts with the file's import path; `go tool cover` adds up the lines that say the same block.
go list -f '{{$p := .}}{{range .GoFiles}}{{$p.ImportPath}}/{{.}} {{$p.Dir}}/{{.}}{{"\n"}}{{end}}' ./... |
  while read -r name file; do
    if [[ -n $file ]] && grep -qE '^// Code generated .* DO NOT EDIT\.$' "$file"; then echo "$name"; fi
  done >coverage/generated.txt
awk '
  FILENAME ~ /generated\.txt$/ { generated[$1]; next }
  /^mode:/ { if (!seen++) print; next }
  { name = $1; sub(/:[^:]*$/, "", name); if (!(name in generated)) print }
' coverage/generated.txt coverage/tests.out coverage/processes.out >coverage/profile.out

go tool cover -html=coverage/profile.out -o coverage/index.html
total=$(go tool cover -func=coverage/profile.out | awk '/^total:/ { sub(/%/, "", $NF); print $NF }')
echo "$total % of statements are covered, and $minimum % is the minimum. Line by line: coverage/index.html"
awk -v total="$total" -v minimum="$minimum" 'BEGIN { exit total + 0 < minimum + 0 }'
