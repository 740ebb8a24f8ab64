#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# `auto:IFACE`: which rung is taken, and that a device that does not start costs one rung.
. "$(dirname "$0")/supervisor_init.sh"

was_given() { eventually grep -q -- "--device $1:near --rung-note .*$2" "$dir/voicenode-dataplane.log"; }
attach_foreign() {
	printf '%s\n' '#include <linux/bpf.h>' \
		'__attribute__((section("xdp"), used)) int foreign(struct xdp_md *c) { return XDP_PASS; }' |
		clang -O2 -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -x c -c - -o "$dir/foreign.o"
	ip -n "$ns" link set near xdp obj "$dir/foreign.o" sec xdp
}

start auto:near
check "af_xdp where it can be had" was_given afxdp "af_xdp"
check "it is said in the log" says "device=afxdp name=near"
check "and why not the one above" says 'rung=pci why="near is no PCI device"'
stop TERM

echo afxdp:near >"$dir/refuse"
start auto:near
check "a device that does not start costs one rung" was_given afpacket "did not start"
check "the rung left behind takes its steering program along" eventually never has_program
check "it is said why not the one above" says 'rung=af_xdp why="voicenode-dataplane could not start it; its reason'
stop TERM

echo afpacket:near >>"$dir/refuse"
in_ns timeout 20 "$voicenode" run --config "$(config auto:near)" >"$dir/out" 2>&1 && status=0 || status=$?
check "no rung left: status 1 and a sentence" eval '[ $status = 1 ] && says "cannot be started in any way"'
check "and nothing left behind" never has_table

echo afxdp:near >"$dir/refuse"
touch "$dir/down"
rm -f "$dir"/*.log
refuses "no rung helps where the interface went down" "near is down; ip link set near up" \
	"$voicenode" run --config "$(config auto:near)"
check "so none is tried" eval '! grep -q afpacket:near "$dir/voicenode-dataplane.log"'
rm "$dir/refuse"
refuses "and where it was down before" "network.device: near is down; ip link set near up" \
	"$voicenode" run --config "$(config auto:near)"
ip -n "$ns" link set near up

ip -n "$ns" link set near mtu 9000
start auto:near
check "af_packet where frames are too long for af_xdp" was_given afpacket "MTU"
stop TERM
ip -n "$ns" link set near mtu 1500

attach_foreign
start auto:near
check "af_packet beside a foreign XDP program" was_given afpacket "another XDP program"
stop TERM
check "which stays" eval 'ip -n "$ns" link show near | grep -q "prog/xdp"'
refuses "afxdp is refused beside a foreign XDP program" "another XDP program is attached to near" \
	"$voicenode" run --config "$(config afxdp:near)"
check "which stays" eval 'ip -n "$ns" link show near | grep -q "prog/xdp"'
ip -n "$ns" link del near
ip link add near numrxqueues 2 netns "$ns" type veth peer name far netns "$ns-far"
ip -n "$ns" address add 10.99.0.1/24 dev near
ip -n "$ns" link set near up
ip -n "$ns-far" link set far up
start auto:near
check "af_packet where AF_XDP would serve one of two queues" was_given afpacket "rx queues not combined"
check "without asking the dataplane" eval '! grep -q afxdp:near "$dir/voicenode-dataplane.log"'
check "with the cure" says "AF_XDP can serve 1 of them with 2 workers (only combined queues, or else the first): ethtool -L near rx 1"
stop TERM
refuses "afxdp is refused there, with the cure" "ethtool -L near rx 1; or use afpacket:near" \
	"$voicenode" run --config "$(config afxdp:near)"
finish
