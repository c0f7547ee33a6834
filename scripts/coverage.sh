#!/usr/bin/env bash
# Runs the tests and measures how many of the module's own statements they reach, generated files left out.
# Writes coverage/index.html; exit code 1 below the minimum (COVERAGE_MIN, in percent, 80 unless set).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
minimum=${COVERAGE_MIN:-80}

rm -rf coverage
mkdir coverage
go test -timeout 20m -coverpkg=./... -coverprofile=coverage/tests.out ./...

# A profile line starts with the file's import path: leave out the lines of files that say they are generated.
go list -f '{{$p := .}}{{range .GoFiles}}{{$p.ImportPath}}/{{.}} {{$p.Dir}}/{{.}}{{"\n"}}{{end}}' ./... |
  while read -r name file; do
    if [[ -n $file ]] && grep -qE '^// Code generated .* DO NOT EDIT\.$' "$file"; then echo "$name"; fi
  done >coverage/generated.txt
awk '
  FILENAME ~ /generated\.txt$/ { generated[$1]; next }
  { name = $1; sub(/:[^:]*$/, "", name); if (!(name in generated)) print }
' coverage/generated.txt coverage/tests.out >coverage/profile.out

go tool cover -html=coverage/profile.out -o coverage/index.html
total=$(go tool cover -func=coverage/profile.out | awk '/^total:/ { sub(/%/, "", $NF); print $NF }')
echo "$total % of statements are covered, and $minimum % is the minimum. Line by line: coverage/index.html"
awk -v total="$total" -v minimum="$minimum" 'BEGIN { exit total + 0 < minimum + 0 }'
