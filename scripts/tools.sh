#!/usr/bin/env bash
# Sees to it that what the mesh on one machine needs is there: iptables-restore and ip6tables-restore, and curl, with which
# its tests look into pods. What is missing is installed by apt-get, as root; elsewhere a sentence says what to install, and
# nothing fails here: the tests that need it will say so themselves.
set -euo pipefail

# here says whether a program is there, also where an ordinary user's PATH does not lead.
here() { command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]]; }

missing=()
{ here iptables-restore && here ip6tables-restore; } || missing+=(iptables)
here curl || missing+=(curl)
[[ ${#missing[@]} == 0 ]] && exit 0

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]}, which the mesh on one machine needs." >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >&2
else
  echo "Install ${missing[*]} (Debian: apt-get install ${missing[*]}) for the mesh on one machine and its tests." >&2
fi
