#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The project's own bots, with what stock ones do not show: nonce counters of both byte orders,
# keepalives of 0, 4, 8 and 9 bytes, listeners who never speak, IPv6, both suites in one channel.
# usage: load_test.py BUILD afpacket|afxdp
import json

from harness import NODE_IP, Process, Site, main

KINDS = [  # user, role, options
    ("talk", "nonce=le"), ("talk", "nonce=be:keepalive=4"), ("listen", "keepalive=9"),
    ("listen", "keepalive=0"), ("talk", "ip6"), ("listen", "ip6:keepalive=8"),
    ("talk", "mode=aead_xchacha20_poly1305_rtpsize"),
    ("listen", "mode=aead_xchacha20_poly1305_rtpsize:ip6"),
]


def test(build, device):
    site = Site(build, device=device, guilds=2, users=2 * len(KINDS))
    site.start()
    site.net.add_host("load")
    joins = []
    for n, user in enumerate(site.users):
        guild = site.guilds[n // len(KINDS)]
        role, options = KINDS[n % len(KINDS)]
        joins += ["--join", f"tok-{user}:{guild}:{site.channel(guild)}:{role}:{options}"]
    load = Process(site.net, "load", [
        site.program("voicenode-load"), "--gateway", f"http://{NODE_IP}:8480", "--ca",
        site.path("tls/ca.pem"), "--seconds", "8", "--json", *joins], log=site.path("load.log"))
    code = load.child.wait(60)
    result = json.loads(load.history[-1])
    print(json.dumps(result))
    assert code == 0, open(site.path("load.log")).read()[-2000:]
    assert result["joined"] == len(site.users) and result["guilds"] == 2
    assert result["leaks"] == 0 and result["bad"] == 0 and result["duplicates"] == 0
    assert result["reordered"] == 0 and result["expected"] > 4000
    assert result["loss_ratio"] <= 0.001, result
    site.check_ledger()
    site.stop()


main(test)
