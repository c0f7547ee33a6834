#!/usr/bin/env bash
# The main job, for people: compiles the bookstore, has a real Envoy load every proxy, shows the mesh, and then runs it on
# this machine for a while with its real programs, as a table of who calls whom.
#
# SECONDS_LIVE is how long it runs (20). Where the machine does not let one make network namespaces, the mesh is shown and
# not run, and one line says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

manifests=demo/bookstore/split
live=${SECONDS_LIVE:-20}
program=$PWD/bin/fsm-demo
logs=$PWD/out/bookstore-logs

bin/fsmc show "$manifests" -o out/bookstore --validate

rm -rf "$logs"
mkdir -p "$logs"
echo
echo "LIVE  the same mesh on this machine, for $live s: real sidecars, real programs, no cluster"
bin/fsmc up "$manifests" --name demo-$$ --for "${live}s" --logs "$logs" \
  --exec "bookbuyer/bookbuyer=$program bookbuyer --log json --pause 0.1" \
  --exec "bookthief/bookthief=$program bookthief --log json --pause 0.4" \
  --exec "bookstore/bookstore-v1=$program bookstore --log json --delay 0 --identity bookstore-v1" \
  --exec "bookstore/bookstore-v2=$program bookstore --log json --delay 0 --identity bookstore-v2" \
  --exec "bookwarehouse/bookwarehouse=$program bookwarehouse --log json" \
  --exec "bookwarehouse/mysql=$program mysql" >"$logs/up.txt" 2>&1 &
mesh=$!
trap 'kill -TERM "$mesh" 2>/dev/null || true; wait "$mesh" 2>/dev/null || true' EXIT

for _ in $(seq 100); do
  grep -q '^up:' "$logs/up.txt" && break
  kill -0 "$mesh" 2>/dev/null || break
  sleep 0.1
done
if ! grep -q '^up:' "$logs/up.txt"; then
  echo "It does not run here: $(tail -n 3 "$logs/up.txt" | tr '\n' ' ')"
  exit 0
fi
head -n 1 "$logs/up.txt"
bin/fsm-demo table --journals "$logs" --for "$((live > 2 ? live - 2 : live))s"
echo "bookthief is refused because no TrafficTarget lists it: its sidecar does not know the bookstore. Try demo/bookstore/admitted."
