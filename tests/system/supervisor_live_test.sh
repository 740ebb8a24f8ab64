#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# `voicenode demo` with the real programs: supervisor_live_test.sh BUILD DEVICE. Ten seconds of eight
# talking bots; every packet accounted for. The bound on loss is for a busy machine; the number is shown.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:-$here/../../build} device=${2:-afpacket}
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$build/control/cli/voicenode" demo --seconds 10 --device "$device" --json >"$out" &
demo=$!
wait "$demo"
result=$(cat "$out")
echo "$result"
python3 - "$result" <<'END'
import json, sys
lines = sys.argv[1].splitlines()
assert len(lines) == 1, 'one line'
r = json.loads(lines[0])
assert sorted(r) == ['drops', 'guilds', 'latency_us', 'loss_ratio', 'members', 'packets_in', 'packets_out'], sorted(r)
assert (r['guilds'], r['members']) == (2, 8), r
assert r['loss_ratio'] <= 0.01, r['loss_ratio']
assert r['packets_in'] > 8 * 50 * 4 and r['packets_out'] > 3 * 8 * 50 * 4, 'four of ten seconds of speech at least'
assert 0 < r['latency_us']['p50'] <= r['latency_us']['p99'], r['latency_us']
# A bot's last packets may arrive after it left.
unexplained = {k: n for k, n in r['drops'].items() if n and k != 'no_session'}
assert not unexplained, unexplained
END
if ip netns list | grep "vn-demo-$demo-" || ls -d "/tmp/vn-demo-$demo-"* 2>/dev/null; then
	echo "the demo left these behind"
	exit 1
fi
