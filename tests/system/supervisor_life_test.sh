#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What outlives the children: descriptors, rule, steering program, reserved ports; through deaths, an
# orderly stop, and a SIGKILL of everything.
. "$(dirname "$0")/supervisor_init.sh"

start afxdp:near
check "dataplane has the link and the progress memfd, not the intent" \
	grep -qx "fds 0 1 2 3 4" "$dir/voicenode-dataplane.log"
check "control has the intent and the voice listener as well" grep -qx "fds 0 1 2 3 4 5 6" "$dir/voicenode-control.log"
check "the rule is there" has_table
check "the steering program is attached" has_program
check "media ports are reserved" never in_ns python3 -c \
	'import socket; socket.socket(type=socket.SOCK_DGRAM).bind(("10.99.0.1", 50001))' 2>/dev/null

first=$(program_id)
kill -9 "$(child voicenode-dataplane)"
check "a killed dataplane is started again, in its next epoch" \
	eventually grep -q -- "--epoch 2 " "$dir/voicenode-dataplane.log"
# epoch 0, seq 0, type 2, size 24, worker 0, reserved 0, peer epoch 1, reserved 0
check "control is told which epoch died" eventually grep -qx \
	000000000000000002001800000000000100000000000000 "$dir/voicenode-control.records"
check "the steering program stayed" [ "$(program_id)" = "$first" ]
kill -9 "$(child voicenode-control)"
check "a killed control learns which dataplane was the first" \
	eventually grep -q -- "--epoch 2 .*--dataplane-first 1 --started-ms [1-9]" "$dir/voicenode-control.log"
check "the dataplane is told" eventually grep -qx \
	000000000000000002001800000000000100000000000000 "$dir/voicenode-dataplane.records"

ip -n "$ns" link set near xdp off
kill -9 "$(child voicenode-dataplane)"
check "a detached steering program is attached again after a death" eventually has_program
check "before the next dataplane starts" eventually grep -q -- "--epoch 3 " "$dir/voicenode-dataplane.log"

ip -n "$ns" link del near
make_link() {
	ip link add near netns "$ns" type veth peer name far netns "$ns-far"
	ip -n "$ns" address add 10.99.0.1/24 dev near
	ip -n "$ns-far" link set far up
}
make_link
check "no dataplane starts on an interface that is made anew and still down" never has_program
before=$(child voicenode-dataplane)
ip -n "$ns" link set near up
check "the steering program follows to an interface of the same name" eventually has_program
check "and the dataplane starts anew" eventually eval '[ -n "$(child voicenode-dataplane)" ] && [ "$(child voicenode-dataplane)" != "$before" ]'
check "in its next epoch" eventually grep -q -- "--epoch 4 " "$dir/voicenode-dataplane.log"
check "control is told" eventually grep -qx \
	000000000000000002001800000000000300000000000000 "$dir/voicenode-control.records"
check "the lock is the new interface's" [ "$(ls "$dir/run" | grep -c xdp-)" = 1 ]
ip -n "$ns" link del near
kill -9 "$(child voicenode-dataplane)"
check "without its interface no dataplane starts" eventually says "device is not ready"
make_link
ip -n "$ns" link set near up
check "and with it, it does" eventually grep -q -- "--epoch 5 " "$dir/voicenode-dataplane.log"
check "steered" eventually has_program

check "an orderly stop ends with 0" stop TERM
check "and leaves no rule" never has_table
check "and no steering program" never has_program
check "and no lock" [ -z "$(ls "$dir/run")" ]
check "and no directory of DPDK's" [ -z "$(ls "$dir/rtd/dpdk")" ]

mkdir -p "$dir/rtd/dpdk/voicenode_two_1" "$dir/rtd/dpdk/rte" "$dir/rtd/dpdk/voicenode_one_1"
touch "$dir/rtd/dpdk/voicenode_one_1/in_use"
start afxdp:near
children=$(pgrep -P "$supervisor")
stop KILL || true
check "children die with a killed supervisor" eventually never kill -0 $children 2>/dev/null
check "a SIGKILL leaves the rule" has_table
check "a SIGKILL leaves the steering program" has_program
left=$(program_id)
start afxdp:near
check "the next start works over what was left" eventually has_table
check "with a steering program of its own" [ "$(program_id)" != "$left" ]
stop KILL || true
start afpacket:near
check "a start on another device removes the steering program" eventually never has_program
check "an interrupt ends with 0" stop INT
check "and leaves no rule" never has_table
check "and no lock, also of what was killed" [ -z "$(ls "$dir/run")" ]
mkfifo "$dir/pipe"
rm -f "$dir"/*.log
head -n 1 "$dir/pipe" >"$dir/out" & # whoever reads the log goes after its first line
reader=$!
ip netns exec "$ns" "$voicenode" run --config "$(config afpacket:near)" >"$dir/pipe" 2>&1 &
supervisor=$!
wait "$reader"
eventually test -s "$dir/voicenode-dataplane.log"
kill -9 "$(child voicenode-dataplane)"
check "a log that nobody reads stops nothing" eventually grep -q -- "--epoch 2 " "$dir/voicenode-dataplane.log"
check "and it ends in order" stop TERM
check "without a rule" never has_table

start 'tap:vntap0"; addresses = [ "10.98.1.1/24" ]; steering = "auto'
ip -n "$ns" link add vntap0 type veth peer name vntap1 # as the dataplane would
ip -n "$ns" link set vntap0 up
sleep 0.3
ip -n "$ns" link del vntap0
check "a tap that was deleted comes back with the next dataplane" \
	eventually grep -q -- "--epoch 2 " "$dir/voicenode-dataplane.log"
check "it is said" says "the tap was deleted"
check "an interrupt ends with 0" stop INT

# As `timeout` does: the program and its process group, so that the supervisor gets the signal twice.
start afpacket:near
kill -9 $(child voicenode-dataplane) $(child voicenode-control)
check "two deaths at once are both said" eventually eval \
	'says "died child=voicenode-dataplane" && says "died child=voicenode-control"'
eventually child voicenode-control >/dev/null
touch "$dir/slow"
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/node.sock"
kill -INT "$supervisor"
sleep 0.1
check "a signal that comes twice ends with 0" stop INT
check "and lets control end by itself" grep -qx "ended" "$dir/voicenode-control.log"
check "and leaves no socket of a control that was killed" [ ! -e "$dir/node.sock" ]
check "nobody else's directory is touched, nor what is in use" [ "$(ls "$dir/rtd/dpdk" | tr '\n' ' ')" = "rte voicenode_one_1 voicenode_two_1 " ]
finish
