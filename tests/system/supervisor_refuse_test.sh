#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What is missing is said in one sentence with its cure, with status 1, and nothing is left behind.
. "$(dirname "$0")/supervisor_init.sh"

refuses "a missing interface, with those that exist" "network.device: no interface eth9; found: lo, near" \
	"$voicenode" run --config "$(config afpacket:eth9)"
refuses "a missing capability, with how to give it" "afpacket needs CAP_NET_RAW: run as root" \
	setpriv --bounding-set -net_raw "$voicenode" run --config "$(config afpacket:near)"
refuses "af_xdp without CAP_SYS_ADMIN" "afxdp needs CAP_SYS_ADMIN" \
	setpriv --bounding-set -sys_admin "$voicenode" run --config "$(config afxdp:near)"
ip -n "$ns" address flush dev near
refuses "an interface without an address" "network.addresses: near has no address" \
	"$voicenode" run --config "$(config afpacket:near)"
ip -n "$ns" address add 10.99.0.1/24 dev near
sed -i 's/device =/addresses = [ "192.0.2.77\/24" ]; device =/' "$(config afpacket:near)"
refuses "an address that is not this machine's" "192.0.2.77 is not an address of this machine" \
	"$voicenode" run --config "$dir/one.cfg"
sed -i 's/listen =/tls = { certificate = "\/nonexistent.pem"; key = "\/nonexistent.key"; }; listen =/' "$(config afpacket:near)"
refuses "an unreadable certificate" "/nonexistent.pem" "$voicenode" run --config "$dir/one.cfg"
mv "$dir/lib/voicenode-control" "$dir/lib/away"
refuses "a missing program" "voicenode-control is not beside this program" \
	"$voicenode" run --config "$(config afpacket:near)"
mv "$dir/lib/away" "$dir/lib/voicenode-control"
ip netns exec "$ns" python3 -c 'import socket, time
s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("10.99.0.1", 50001)); time.sleep(60)' &
taker=$!
eventually eval 'in_ns ss -uln | grep -q 50001'
refuses "a taken port" "udp port 50001 of 10.99.0.1 is taken by another program" \
	"$voicenode" run --config "$(config afpacket:near)"
kill "$taker"
check "nothing is left behind" never has_table
for command in demo run status guilds config; do
	check "help of $command ends with an example" eval \
		'"$voicenode" help $command | tail -n 1 | grep -q "^example: voicenode $command "'
done

echo afpacket:near >"$dir/refuse"
refuses "a device that does not start, without a ladder" "voicenode-dataplane could not start (exit status 3)" \
	"$voicenode" run --config "$(config afpacket:near)"
rm "$dir/refuse"

start afxdp:near
refuses "a second instance of the same name" "node.instance: one is running already (pid $(cat "$dir/run/one.lock"))" \
	"$voicenode" run --config "$dir/one.cfg"
refuses "a second instance on the same ports" "is a second voicenode running?" \
	"$voicenode" run --config "$(config afpacket:near two 50001-50002)"
refuses "a second steering program on one interface" "another voicenode steers near" \
	"$voicenode" run --config "$(config afxdp:near three 50010-50011 8444)"
check "the first notices nothing" eval 'kill -0 $supervisor && has_table && has_program'
stop TERM
finish
