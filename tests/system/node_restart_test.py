#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# An operator restarts a node in order, twice, under bots that talk: they are told to wait, wait, join
# the new one, and nothing that they saw was wrong.
# usage: node_restart_test.py BUILD
import json
import time

from harness import NODE_IP, Process, Site, main


def test(build):
    site = Site(build)
    site.start()
    site.net.add_host("load")
    guild = site.guilds[0]
    joins = []
    for user in site.users:
        joins += ["--join", f"tok-{user}:{guild}:{site.channel(guild)}:talk"]
    load = Process(site.net, "load", [
        site.program("voicenode-load"), "--gateway", f"http://{NODE_IP}:8480", "--ca",
        site.path("tls/ca.pem"), "--seconds", "30", "--json", *joins], log=site.path("load.log"))
    for _ in range(2):
        time.sleep(3)  # of talk
        assert site.node.stop() == 0
        time.sleep(3)  # the gateway names no node meanwhile
        site.start_node()
    code = load.child.wait(60)
    result = json.loads(load.history[-1])
    print(json.dumps(result))
    assert code == 0, open(site.path("load.log")).read()[-2000:]
    assert result["joined"] == len(site.users) and result["bad"] == 0 and result["leaks"] == 0
    site.stop()


main(test)
