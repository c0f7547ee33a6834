#!/usr/bin/env bash
# The main job, for people: compiles the bookstore, has a real Envoy load every proxy, shows the mesh, and then runs it on
# this machine for a while with its real programs, as a table of who calls whom. While it runs, its manifests are edited:
# bookthief is admitted and refused again, and the split goes to 0/100; the sidecars follow over ADS.
#
# SECONDS_LIVE is how long it runs (24). Where the machine does not let one make network namespaces, the mesh is shown and
# not run, and one line says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

manifests=demo/bookstore/split
live=${SECONDS_LIVE:-24}
program=$PWD/bin/fsm-demo
logs=$PWD/out/bookstore-logs
edited=$PWD/out/bookstore-manifests
notes=$PWD/out/bookstore-notes

bin/fsmc show "$manifests" -o out/bookstore --validate

rm -rf "$logs" "$edited" "$notes"
mkdir -p "$logs" "$edited"
cp "$manifests"/*.yaml "$edited"
echo
echo "LIVE  the same mesh on this machine, for $live s: real sidecars served over ADS, real programs, no cluster"
bin/fsmc up "$edited" --name demo-$$ --for "${live}s" --logs "$logs" \
  --exec "bookbuyer/bookbuyer=$program bookbuyer --log json --pause 0.05" \
  --exec "bookthief/bookthief=$program bookthief --log json --pause 0.2" \
  --exec "bookstore/bookstore-v1=$program bookstore --log json --delay 0 --identity bookstore-v1" \
  --exec "bookstore/bookstore-v2=$program bookstore --log json --delay 0 --identity bookstore-v2" \
  --exec "bookwarehouse/bookwarehouse=$program bookwarehouse --log json" \
  --exec "bookwarehouse/mysql=$program mysql" >"$logs/up.txt" 2>&1 &
mesh=$!
editor=
trap 'kill $editor 2>/dev/null || true; kill -TERM "$mesh" 2>/dev/null || true; wait "$mesh" 2>/dev/null || true' EXIT

for _ in $(seq 100); do
  grep -q '^up:' "$logs/up.txt" && break
  kill -0 "$mesh" 2>/dev/null || break
  sleep 0.1
done
if ! grep -q '^up:' "$logs/up.txt"; then
  echo "It does not run here: $(tail -n 3 "$logs/up.txt" | tr '\n' ' ')"
  exit 0
fi
grep -m 1 '^up:' "$logs/up.txt"
echo "      its manifests are in ${edited#"$PWD"/}: edit them, and watch"

# edit exchanges the policy as an editor does, and says so below the table.
edit() {
  cat >"$edited/.policy.new" && mv "$edited/.policy.new" "$edited/policy.yaml"
  echo "$(date +%T)  $1" >>"$notes"
}
pause=$(((live - 4) / 4))
{
  sleep "$pause"
  sed 's/weight: 100/weight: 50/; s/weight: 0/weight: 50/' demo/bookstore/admitted/policy.yaml | edit "a TrafficTarget lists bookthief: it is admitted"
  sleep "$pause"
  cat "$manifests/policy.yaml" | edit "it is taken out again: bookthief is refused"
  sleep "$pause"
  sed '0,/weight: 50/s//weight: 0/; s/weight: 50/weight: 100/' "$manifests/policy.yaml" | edit "the split moves from 50/50 to 0/100"
} &
editor=$!
bin/fsm-demo table --journals "$logs" --notes "$notes" --for "$((live > 2 ? live - 2 : live))s"
