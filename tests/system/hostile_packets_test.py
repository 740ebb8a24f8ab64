#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Everything wrong that can be put on the node's wire, while bots talk: each fault is counted under its
# name, nobody who proved nothing is answered, nobody gets more bytes than it sent, no speech is lost.
# The attacker (clients/hostile.py) writes frames to the link of the node, so that no kernel mends them.
# usage: hostile_packets_test.py BUILD afpacket|afxdp
import json
import os
import time

from harness import HERE, NODE_IP, Process, Site, main, run, wait_for

TALKERS = 4
SECONDS = 45
# What never comes out of the device. AF_XDP's steering program takes only whole headers of UDP; the
# sockets of net_af_packet ask their kernel to put fragments together (PACKET_FANOUT_FLAG_DEFRAG), so
# that those which lack a part end there.
KERNEL_S = {"afpacket": {"ip_fragment"},
            "afxdp": {"frame_short", "ip_fragment", "vlan", "frame_long"}}
# A late packet of a bot that left.
BENIGN = {"no_receiver", "no_session"}


def drops_since(site, before):
    now = site.drops()
    return {k: v - before.get(k, 0) for k, v in now.items() if v != before.get(k, 0)}


def check(told, expected, got):
    """What is wrong with the counts 'got' and the answers to one kind of attack."""
    if any(got.get(k, 0) < v for k, v in expected.items()):
        yield f"{told['kind']}: expected {expected}, counted {got}"
    if set(got) - set(told["drops"]) - BENIGN:
        yield f"{told['kind']}: also counted {got}"
    if told["out"] > told["in"] or (told["out"] > 0) != told["answered"]:
        yield f"{told['kind']}: {told['in']} bytes to the node, {told['out']} back"


def test(build, device):
    site = Site(build, device=device, users=TALKERS)
    if device == "afpacket":  # jumbo frames reach the node, where af_packet cuts them
        run("ip", "-n", site.net.hosts["node"][0], "link", "set", "eth0", "mtu", "9000")
        run("ip", "-n", site.net.router, "link", "set", "p0", "mtu", "9000")
    site.start()
    for host in ("load", "mallory"):
        site.net.add_host(host)
    site.net.hosts["router"] = (site.net.router, "10.77.0.1")
    guild = site.guilds[0]
    joins = []
    for user in site.users:
        joins += ["--join", f"tok-{user}:{guild}:{site.channel(guild)}:talk"]
    load = Process(site.net, "load", [
        site.program("voicenode-load"), "--gateway", f"http://{NODE_IP}:8480", "--ca",
        site.path("tls/ca.pem"), "--seconds", str(SECONDS), "--json", *joins], log=site.path("load.log"))
    wait_for("bots that talk", lambda: (site.operator("guilds") or {"guilds": []})["guilds"] and
             site.operator("guilds")["guilds"][0]["packets_in"] > 50 * TALKERS, 20)
    attacker = Process(site.net, "router", [
        "python3", os.path.join(HERE, "clients/hostile.py"), "p0", NODE_IP, site.net.ip("load"),
        site.net.ip("mallory"), "9000" if device == "afpacket" else "1500"],
        log=site.path("hostile.log"))

    def report():
        if attacker.history:
            return attacker.history[-1]
        assert attacker.child.poll() in (None, 0), open(site.path("hostile.log")).read()[-2000:]
        return None

    wait_for("attacker that listens", report, 20)
    total, problems = {}, []
    while True:
        before = site.drops()
        seen = len(attacker.history)
        attacker.send(go=True)
        wait_for("attack", lambda: len(attacker.history) > seen, 30)
        told = json.loads(attacker.history[-1])
        if told["kind"] == "done":
            break
        expected = {k: v for k, v in told["drops"].items()
                    if k not in KERNEL_S[device]}

        def counted(told=told, before=before, expected=expected):
            got = drops_since(site, before)
            time.sleep(0.1)
            return all(got.get(k, 0) >= v for k, v in expected.items()) and \
                got == drops_since(site, before) and (got,)
        try:
            got = wait_for("drops", counted, 5)[0]
        except AssertionError:
            got = drops_since(site, before)
        problems += check(told, expected, got)
        total[told["kind"]] = {k: got.get(k, 0) for k in told["drops"]}
    print(json.dumps({"device": device, "sent": told["sent"], "counted": total}))
    assert not problems, "\n".join(problems)
    assert load.child.poll() is None, "the bots ended before the attack: nothing was shown"
    code = load.child.wait(90)
    result = json.loads(load.history[-1])
    print(json.dumps(result))
    assert code == 0 and result["joined"] == TALKERS, open(site.path("load.log")).read()[-2000:]
    assert result["loss_ratio"] <= 0.001, result
    for fault in ("leaks", "bad", "duplicates", "reordered", "resumes", "rejoins", "foreign"):
        assert result[fault] == 0, (fault, result)
    status = site.status()
    assert status["dataplane"]["restarts"] == 0, status
    site.check_ledger()
    site.stop()


main(test)
