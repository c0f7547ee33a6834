#!/usr/bin/env bash
# Fails when what is generated (docs, CRDs, deepcopy) is not what its source says; the tree then holds the right files.
# It compares the tree before and after `go generate`, so changes that are not committed yet do not disturb it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fingerprints() {
  git ls-files -z --cached --others --exclude-standard | { xargs -0 cksum 2>/dev/null || true; } | sort -k 3
}

before=$(fingerprints)
go generate ./...
after=$(fingerprints)
[[ $before == "$after" ]] && exit 0

echo "These generated files had drifted and are up to date now; commit them:" >&2
{ diff <(echo "$before") <(echo "$after") || true; } | awk '/^[<>]/ { print "  " $4 }' | sort -u >&2
exit 1
