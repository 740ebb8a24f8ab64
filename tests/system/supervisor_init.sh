# SPDX-License-Identifier: BSD-3-Clause
#
# Sourced by supervisor_*_test.sh: `voicenode run` with throw-away children between two namespaces.
# Needs root. The first argument is the build folder, default: build/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
voicenode=${VOICENODE:-${1:-$here/../../build}/control/cli/voicenode}
id=sv$$
ns=vn-$id-a
dir=$(mktemp -d "/tmp/vn-$id-XXXXXX")
export VOICENODE_LIBEXEC=$dir/lib VOICENODE_RUNTIME_DIR=$dir/run RUNTIME_DIRECTORY=$dir/rtd FAKE_DIR=$dir
tests=0 failures=0 supervisor=

[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }

clean_up() {
	[ -z "$supervisor" ] || kill -9 "$supervisor" 2>/dev/null || true
	ip netns del "$ns" 2>/dev/null || true
	ip netns del "$ns-far" 2>/dev/null || true
	rm -rf "$dir"
}
trap clean_up EXIT

ip netns add "$ns"
ip netns add "$ns-far"
ip link add near netns "$ns" type veth peer name far netns "$ns-far"
ip -n "$ns" address add 10.99.0.1/24 dev near
ip -n "$ns-far" address add 10.99.0.2/24 dev far
for link in lo near; do ip -n "$ns" link set "$link" up; done
ip -n "$ns-far" link set far up

# Children that write down what they were given, then whatever comes in on the link.
mkdir -p "$dir/lib" "$dir/state"
cat >"$dir/lib/fake" <<'END'
#!/usr/bin/env python3
import os, signal, socket, sys, time
name, root = os.path.basename(sys.argv[0]), os.environ['FAKE_DIR']
fds = sorted(int(f) for f in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + f))
with open('%s/%s.log' % (root, name), 'a') as f:
    f.write(' '.join(sys.argv[1:]) + '\nfds %s\n' % ' '.join(str(n) for n in fds))
if '--file-prefix' in sys.argv: # as DPDK does
    os.makedirs(os.path.join(os.environ['RUNTIME_DIRECTORY'], 'dpdk', sys.argv[sys.argv.index('--file-prefix') + 1]), exist_ok=True)
refuse = os.path.join(root, 'refuse')
if name == 'voicenode-dataplane' and os.path.exists(refuse):
    if any(line.strip() in sys.argv for line in open(refuse)):
        if os.path.exists(os.path.join(root, 'down')):
            os.system('ip link set near down')
        sys.exit(3)
def end(*_): # in half a second, in order
    if name == 'voicenode-control' and os.path.exists(os.path.join(root, 'slow')):
        time.sleep(0.5)
        with open('%s/%s.log' % (root, name), 'a') as f:
            f.write('ended\n')
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
link = socket.socket(fileno=3)
link.setblocking(True)
while True:
    record = link.recv(512)
    with open('%s/%s.records' % (root, name), 'a') as f:
        f.write(record.hex() + '\n')
END
chmod +x "$dir/lib/fake"
ln -s fake "$dir/lib/voicenode-dataplane"
ln -s fake "$dir/lib/voicenode-control"

# config DEVICE [INSTANCE] [PORTS] [VOICE PORT]: writes a configuration and prints its path.
config() {
	local file=$dir/${2:-one}.cfg
	printf 'node = { name = "n"; instance = "%s"; state_dir = "%s/state"; };\n' "${2:-one}" "$dir" >"$file"
	printf 'network = { device = "%s"; media_ports = "%s"; };\n' "$1" "${3:-50000-50001}" >>"$file"
	printf 'voice = { listen = [ "127.0.0.1:%s" ]; };\n' "${4:-8443}" >>"$file"
	printf 'control = { socket = "%s/node.sock"; };\n' "$dir" >>"$file"
	echo "$file"
}

in_ns() { ip netns exec "$ns" "$@"; }
start() { # DEVICE: in the background; returns when both children have run
	rm -f "$dir"/*.log "$dir"/*.records
	ip netns exec "$ns" "$voicenode" run --config "$(config "$1")" >"$dir/out" 2>&1 &
	supervisor=$!
	eventually test -s "$dir/voicenode-control.log" -a -s "$dir/voicenode-dataplane.log"
}
stop() { # SIGNAL: returns the supervisor's status
	local status=0
	kill "-$1" "$supervisor"
	wait "$supervisor" || status=$?
	supervisor=
	return "$status"
}
child() { pgrep -P "$supervisor" -f "$1"; }
eventually() {
	for _ in $(seq 200); do "$@" && return 0; sleep 0.05; done
	return 1
}
never() { ! "$@"; }
has_table() { in_ns nft list table inet voicenode_one >/dev/null 2>&1; }
program_id() { ip -n "$ns" -d link show near | sed -n 's/.*prog\/xdp id \([0-9]*\).*name xsk_def_prog.*/\1/p'; }
has_program() { [ -n "$(program_id)" ]; }
says() { grep -qF -- "$1" "$dir/out"; }

check() { # CLAIM COMMAND...
	local claim=$1
	shift
	tests=$((tests + 1))
	if "$@"; then
		echo "ok $tests - $claim"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $claim"
		sed 's/^/# /' "$dir/out" | tail -20
	fi
}
# refuses CLAIM SENTENCE COMMAND...: the command ends with status 1 and says the sentence.
refuses() {
	local claim=$1 sentence=$2 status=0
	shift 2
	in_ns timeout 60 "$@" >"$dir/out" 2>&1 || status=$?
	check "$claim" eval "[ $status = 1 ] && says '$sentence'"
}
finish() {
	echo "1..$tests"
	exit $((failures > 0))
}
