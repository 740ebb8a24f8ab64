#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# `voicenode demo` alone: throw-away programs stand in for gateway, control, dataplane and bots. What it
# makes, what it prints, and that nothing stays behind however it ends.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
voicenode=${VOICENODE:-${1:-$here/../../build}/control/cli/voicenode}
dir=$(mktemp -d /tmp/vn-svdemo-XXXXXX)
export VOICENODE_LIBEXEC=$dir/lib FAKE_DIR=$dir
tests=0 failures=0 demo=
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
trap '[ -z "$demo" ] || kill -9 "$demo" 2>/dev/null || true; rm -rf "$dir"' EXIT

mkdir "$dir/lib"
mkfifo "$dir/pipe"
cat >"$dir/lib/fake" <<'END'
#!/usr/bin/env python3
import json, os, re, signal, socket, sys, time
name, root = os.path.basename(sys.argv[0]), os.environ['FAKE_DIR']
def has(what): return os.path.exists(os.path.join(root, what))
def option(flag): return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else None
def config(pattern): return re.search(pattern, open(option('--config')).read()).group(1)
if name == 'voicenode-dataplane':
    time.sleep(1000)
if name == 'voicenode-gateway':
    if has('no-gateway'):
        print('no gateway today', file=sys.stderr); sys.exit(1)
    host, port = config(r'listen = "([^"]*)"').rsplit(':', 1)
    s = socket.create_server((host, int(port)))
    while True: s.accept()
if name == 'voicenode-control':
    s = socket.socket(socket.AF_UNIX); s.bind(config(r'socket = "([^"]*)"')); s.listen()
    while True:
        c, _ = s.accept()
        asked = json.loads(c.makefile().readline())['cmd']
        answer = {'status': {'gateway': {'connected': True}, 'dataplane': {'up': True},
                             'workers': [{'received': 40, 'sent': 100}, {'received': 2, 'sent': 20}],
                             'drops': {'replay': 0}},
                  'guilds': {'guilds': [{'guild': '1100000000000000100', 'packets_in': 7, 'packets_out': 21}]
                             if not has('left') else []}}[asked]
        c.sendall((json.dumps(answer) + '\n').encode()); c.close()
if name == 'voicenode-load':
    joins = [sys.argv[i + 1] for i, a in enumerate(sys.argv) if a == '--join']
    json.dump(joins, open(os.path.join(root, 'joins'), 'w'))
    signal.signal(signal.SIGTERM, lambda *a: finish())
    joined = 7 if has('seven') else 3 if has('slow') else 8
    def second(speakers):
        print(json.dumps({'t_ms': int(1000 * (time.monotonic() - start)), 'joined': joined,
                          'guilds': [{'guild': '1100000000000000100', 'members': 4, 'speakers': speakers}]}), file=out, flush=True)
    def finish(): # silent, then gone, as the real one
        second(0); open(os.path.join(root, 'left'), 'w'); time.sleep(0.3)
        print(json.dumps({'joined': joined, 'loss_ratio': 0.0, 'latency_us': {'p50': 90, 'p99': 200}}), flush=True)
        time.sleep(0.1); os._exit(0)
    start = time.monotonic()
    out = os.fdopen(int(option('--progress-fd')), 'w')
    if has('left'): os.unlink(os.path.join(root, 'left'))
    if has('slow'): time.sleep(1000)
    while time.monotonic() < start + float(option('--seconds') or 1000):
        second(4)
        time.sleep(0.2)
    finish()
END
chmod +x "$dir/lib/fake"
for name in dataplane control gateway load; do ln -s fake "$dir/lib/voicenode-$name"; done

check() { # CLAIM COMMAND...
	local claim=$1
	shift
	tests=$((tests + 1))
	if "$@"; then echo "ok $tests - $claim"; else
		failures=$((failures + 1))
		echo "not ok $tests - $claim"
		tail -n 20 "$dir/err" | sed 's/^/# /'
	fi
}
run() { status=0; "$voicenode" demo "$@" >"$dir/out" 2>"$dir/err" & demo=$!; }
ended() { status=0; wait "$demo" || status=$?; }
eventually() { for _ in $(seq 300); do "$@" && return 0; sleep 0.05; done; return 1; }
left() { { ip netns list; ip -o link; ls -d /tmp/vn-demo-* /run/dpdk/*; } 2>/dev/null | grep -c "$1" || true; }
nothing_left() { [ "$(left "vn-demo-$demo\b")" = 0 ]; }

run --seconds 1 --json
eventually test -e "$dir/joins"
check "three namespaces and a link while it runs" [ "$(ip netns list | grep -c "vn-demo-$demo-")" = 3 ]
if command -v ethtool >/dev/null; then
	for end in "bots bots0" "node node0"; do
		check "no checksum offload at ${end#* }" eval \
			"ip netns exec vn-demo-$demo-${end% *} ethtool -k ${end#* } | grep -q '^tx-checksumming: off'"
	done
	check "no checksum offload at this end" eval "ethtool -k vn-demo-$demo | grep -q '^tx-checksumming: off'"
fi
ended
check "--json ends with 0" [ $status = 0 ]
check "and exactly one line" [ "$(cat "$dir/out")" = \
	'{"guilds":2,"members":8,"packets_in":42,"packets_out":120,"drops":{"replay":0},"loss_ratio":0.0,"latency_us":{"p50":90,"p99":200}}' ]
check "eight talkers in two guilds" [ "$(python3 -c "
import json; j = [s.split(':') for s in json.load(open('$dir/joins'))]
print(len(set(t[0] for t in j)), sorted(set((t[1][-3:], t[2][-3:], t[3]) for t in j)))")" = \
	"8 [('100', '101', 'talk'), ('200', '201', 'talk')]" ]
check "nothing is left" nothing_left

rm "$dir/joins"
run
eventually test -e "$dir/joins"
eventually grep -q 'packets in' "$dir/out"
check "tells a client of this machine where to go" grep -q 'guest 1   token [0-9a-f]\{32\}' "$dir/out"
last_guild() { awk '$1 == "1100000000000000100" { n++; s = $2 " " $3 " " $4 " " $5 } END { print (n > 0 ? s : "none") }' "$dir/out"; }
check "the authority's file is there for everybody" [ "$(stat -c %a /tmp/vn-demo-"$demo"-*/ca.pem)" = 644 ]
kill -INT "$demo"
ended
check "Ctrl-C ends with 0" [ $status = 0 ]
check "the last table shows the speakers of the run, and its packets" [ "$(last_guild)" = "4 4 7 21" ]
check "nothing is left" nothing_left

rm -f "$dir/joins"
run --seconds 1
ended
check "the same where it ends by itself" eval '[ $status = 0 ] && [ "$(last_guild)" = "4 4 7 21" ]'

touch "$dir/slow"
rm -f "$dir/joins"
run
eventually test -e "$dir/joins"
kill -INT "$demo"
ended
check "interrupted while the bots join: says what stood and that it is gone" eval \
	'[ $status = 1 ] && grep -q "interrupted while the bots joined: network, gateway and node stood, 3 of 8 bots were in; everything the demo made was removed" "$dir/err"'
check "in one line" [ "$(wc -l <"$dir/err")" = 1 ]
check "nothing is left" nothing_left
rm "$dir/slow"

touch "$dir/seven"
run --seconds 1 --json
ended
check "a bot that does not join: status 1, said, no object" eval \
	'[ $status = 1 ] && grep -q "only 7 of 8 bots joined" "$dir/err" && [ ! -s "$dir/out" ]'
check "nothing is left" nothing_left
rm "$dir/seven"

touch "$dir/no-gateway"
run --seconds 1 --json
ended
check "a gateway that does not start: status 1, said, with its own words" eval \
	'[ $status = 1 ] && grep -q "voicenode-gateway ended (exit status 1)" "$dir/err" && grep -q "no gateway today" "$dir/err"'
check "nothing is left" nothing_left
rm "$dir/no-gateway" "$dir/joins"

"$voicenode" demo 2>"$dir/err" >"$dir/pipe" & demo=$!
head -n 3 "$dir/pipe" >"$dir/out"
ended
check "a reader that goes ends it: status 1, said" eval \
	'[ $status = 1 ] && [ "$(wc -l <"$dir/out")" = 3 ] && grep -q "nobody reads its output any more" "$dir/err"'
check "nothing is left" nothing_left

rm -f "$dir/joins"
run
eventually test -e "$dir/joins"
kill -9 "$demo"
ended
check "a SIGKILL leaves things" [ "$(left "vn-demo-$demo\b")" != 0 ]
killed=$demo
run --seconds 1 --json
ended
check "the next demo works" [ $status = 0 ]
check "and removes what was left" [ "$(left "vn-demo-$killed\b")" = 0 ]
check "and its own" nothing_left
demo=
echo "1..$tests"
exit $((failures > 0))
