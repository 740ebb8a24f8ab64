#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Side by side with what a user would pick instead, on the same wire: packets a second of one core, our
# packet engine on AF_PACKET and AF_XDP against Debian's Janus RTP forwarder, every receiver with a key
# of its own, in one run of about eight minutes. Installs Janus when it is not there, and says so; needs
# root and two CPUs. Everything happens in network namespaces that it makes and removes.
#
# usage: bench/janus.sh [--build DIR] [--out FILE] [--rounds N] [--only janus,afpacket,afxdp]
#   --build DIR   a release build (build)
#   --out FILE    the result set (DIR/bench-results/wire.json of the build)
#   --rounds N    searches for each system, of which the median counts (3)
#   --only NAMES  some of the systems
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$bench/../build
out=
pass=()
while [ $# -gt 0 ]; do
  case $1 in
  --build) build=${2:?--build needs a folder} && shift 2 ;;
  --out) out=${2:?--out needs a file} && shift 2 ;;
  --rounds | --only) pass+=("$1" "${2:?$1 needs a value}") && shift 2 ;;
  *)
    echo "janus.sh: \"$1\" is no option; there are --build DIR, --out FILE, --rounds N, --only NAMES" >&2
    exit 2
    ;;
  esac
done
out=${out:-$build/bench-results/wire.json}
if [ "$(id -u)" != 0 ]; then
  echo "janus.sh: makes network namespaces and opens raw devices: run it as root (sudo $0)" >&2
  exit 1
fi
if [ "$(nproc)" -lt 2 ]; then
  echo "janus.sh: one CPU is here; two are needed: one is measured, the other talks" >&2
  exit 1
fi
for program in "$build/bench/wire_talk" "$build/dataplane/host/voicenode-dataplane"; do
  if [ ! -x "$program" ]; then
    echo "janus.sh: $program is not built: ninja -C $build, or --build DIR" >&2
    exit 1
  fi
done
missing=()
for package in janus ethtool nftables iproute2; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
    missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Debian starts what it installs; ours is started below, in a namespace.
  had_policy=1
  [ -e /usr/sbin/policy-rc.d ] || { had_policy= && printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d; }
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || status=$?
  [ -n "$had_policy" ] || rm -f /usr/sbin/policy-rc.d
  [ -z "${status:-}" ] || exit "$status"
fi
mkdir -p "$(dirname "$out")"
"$bench/wire.py" --build "$build" --out "$out" "${pass[@]}"
echo "$out"
