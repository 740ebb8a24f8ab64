#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# An operator restarts a node in order, twice, under bots that talk: they are told to wait, wait, join
# the new one, and nothing that they saw was wrong. Then its children die, both at once and the engine
# alone: each death is counted, whoever was there to see it, and the node is as old as it was.
# usage: node_restart_test.py BUILD
import json
import os
import signal
import time

from harness import NODE_IP, Process, Site, main, wait_for


def deaths_are_counted(site):
    def counts():
        status = site.status()
        return status and (status["dataplane"]["restarts"], status["control"]["restarts"])

    def kill(*names):
        children = site.children()
        for name in names:
            os.kill(children[name], signal.SIGKILL)
        wait_for("children that are new", lambda: all(
            site.children().get(name, children[name]) != children[name] for name in names))

    assert counts() == (0, 0), counts()
    age = site.status()["uptime_s"]
    kill("voicenode-dataplane", "voicenode-control")
    wait_for("both counted", lambda: counts() == (1, 1))
    wait_for("node that serves", site.serving)
    kill("voicenode-dataplane")
    kill("voicenode-dataplane")
    wait_for("each of two in a row counted", lambda: counts() == (3, 1))
    assert site.status()["uptime_s"] >= age


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
    deaths_are_counted(site)
    site.stop()


main(test)
