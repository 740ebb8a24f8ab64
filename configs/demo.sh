#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what it needs (Debian 12, as root), builds, and runs `voicenode demo` with the same
# arguments: demo.sh [--seconds N] [--json] [--device afpacket|afxdp] [--verbose]. From anywhere.
# Everything but the demo's own output goes to stderr.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build

if [ "$(id -u)" != 0 ]; then
	echo "demo.sh: makes network namespaces: run it as root (sudo $0)" >&2
	exit 1
fi

missing=()
while read -r package; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing+=("$package")
done <"$root/configs/packages.txt"
if [ ${#missing[@]} -gt 0 ]; then
	echo "demo.sh: installing ${missing[*]}" >&2
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >&2
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

[ -f "$build/build.ninja" ] || meson setup "$build" "$root" >&2
# The programs and the bench; the tests are built by tests/run.sh.
meson compile -C "$build" voicenode voicenode-control voicenode-dataplane voicenode-gateway \
	voicenode-load engine_bench >&2
exec "$build/control/cli/voicenode" demo "$@"
