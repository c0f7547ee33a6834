#!/usr/bin/env bash
# Sees to it that iptables-restore and ip6tables-restore are there, which the mesh on one machine needs. Where they are
# missing they are installed by apt-get, as root; elsewhere a sentence says what to install, and nothing fails here: the
# tests that need them will say so themselves.
set -euo pipefail

command -v iptables-restore >/dev/null && command -v ip6tables-restore >/dev/null && exit 0
[[ -x /usr/sbin/iptables-restore && -x /usr/sbin/ip6tables-restore ]] && exit 0

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing iptables, which the mesh on one machine needs." >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq iptables; } >&2
else
  echo "There is no iptables-restore here: install iptables (Debian: apt-get install iptables) for the mesh on one machine." >&2
fi
