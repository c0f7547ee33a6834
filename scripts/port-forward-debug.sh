#!/usr/bin/env bash
# Brings the debug server of a control plane in a cluster to localhost:9091, until it is interrupted:
#
#   scripts/port-forward-debug.sh [NAMESPACE]        # fsm-system unless given
#   go tool pprof http://localhost:9091/debug/pprof/heap
#
# The debug server must be on (enableDebugServer of the MeshConfig). FSM_NAMESPACE names the namespace too, FSM_CONTROLLER
# another thing than deploy/fsm-controller, such as one of its pods, and FSM_DEBUG_PORT another port than 9091.
set -euo pipefail

namespace=${1:-${FSM_NAMESPACE:-fsm-system}}
controller=${FSM_CONTROLLER:-deploy/fsm-controller}
port=${FSM_DEBUG_PORT:-9091}

command -v kubectl >/dev/null || {
  echo "kubectl is missing. Without a cluster no forwarding is needed: --debug-address of fsmc serve is where its debug server listens." >&2
  exit 1
}
echo "http://localhost:$port/debug/ is the debug server of $controller in $namespace, if that is on; Ctrl+C ends it." >&2
exec kubectl port-forward --namespace "$namespace" "$controller" "$port:9092"
