#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# A voice channel that outgrows its guild's home worker: with budgets of a few members each, five of
# them spread over two workers, are told different ports, and hear each other whole; a sixth is refused
# and seen to be out while they talk on. Either program may be killed meanwhile.
# usage: spread_test.py BUILD afpacket|afxdp
import json
import os
import re
import signal
import subprocess
import time

from harness import NODE_IP, Process, Site, compare, main, wait_for

CAPACITY_PPS = 200  # three members of one channel, or two and what a few more make them hear
OWN = ("talk", "talk", "listen")
FRAMES = 100


def port_of(bot):
    """The media port that its last Ready told."""
    ports = [int(p) for e in bot.pump() if e["ev"] == "debug" and '"op":2,' in e["text"].replace(" ", "")
             for p in re.findall(r'"port":\s*(\d+)', e["text"])]
    return ports[-1]


def speak_and_hear(speaker, listener, seed):
    at, heard = speaker.mark(), listener.mark()
    speaker.speak(FRAMES, seed)
    time.sleep(0.3)
    return compare(speaker.sent(at), listener.heard_hashes(speaker.user, heard))


def gateway_metric(site, name):
    text = subprocess.run(["curl", "-s", "--unix-socket", site.path("gateway.sock"), "http://g/metrics"],
                          check=True, capture_output=True, text=True).stdout
    return int(re.search(rf"^voicenode_gateway_{name} (\d+)$", text, re.M).group(1))


def sessions(site):
    return sorted(w["sessions"] for w in site.status()["workers"])


def kill(site, program):
    """Kills a child of the supervisor and waits until the node serves again."""
    before = site.children()[program]
    os.kill(before, signal.SIGKILL)
    wait_for(f"another {program}", lambda: site.children().get(program, before) != before, 20)
    wait_for("node that serves", site.serving, 20)


def start_load(site, guild, seconds):
    site.net.add_host("load")
    joins = []
    for user, role in zip(site.users[3:], OWN):
        joins += ["--join", f"tok-{user}:{guild}:{site.channel(guild)}:{role}"]
    return Process(site.net, "load", [
        site.program("voicenode-load"), "--gateway", f"http://{NODE_IP}:8480", "--ca",
        site.path("tls/ca.pem"), "--seconds", str(seconds), "--json", *joins], log=site.path("load.log"))


def check_load(site, load):
    code = load.child.wait(60)
    result = json.loads(load.history[-1])
    print(json.dumps(result))
    assert code == 0, open(site.path("load.log")).read()[-2000:]
    assert result["joined"] == len(OWN) and result["expected"] > 1000
    assert result["leaks"] == 0 and result["bad"] == 0 and result["duplicates"] == 0
    assert result["reordered"] == 0 and result["lost"] == 0, result


def refused(site, guild, bot):
    at = bot.mark()
    bot.send(do="join", guild=guild, channel=site.channel(guild), deaf=False)
    bot.until(lambda e: e["ev"] == "dispatch" and e["t"] == "VOICE_STATE_UPDATE"
              and e["d"]["user_id"] == bot.user and e["d"]["channel_id"] is None, "end of its stay", since=at)
    told = [e for e in bot.pump()[at:] if e["ev"] == "dispatch" and e["t"] == "VOICE_SERVER_UPDATE"]
    assert not told, f"an endpoint was handed out: {told}"
    assert gateway_metric(site, "joins_no_budget_total") == 1
    log = open(site.path("node.log")).read()
    line = re.search(r'no worker has budget for a member" (.*)', log).group(1)
    assert f"capacity_pps={CAPACITY_PPS}" in line and "used_pps=" in line and "price_pps=" in line, line
    return line


def test(build, device):
    site = Site(build, device=device, users=3 + len(OWN), capacity_pps=CAPACITY_PPS)
    guild = site.guilds[0]
    site.start()
    first, second, third = [site.bot(f"c{n}", site.users[n]) for n in range(3)]
    first.join(guild, site.channel(guild))
    load = start_load(site, guild, 12)
    wait_for("bots that are in", lambda: sum(sessions(site)) == 4)
    second.join(guild, site.channel(guild))
    assert sessions(site) == [2, 3], site.status()["workers"]
    assert sorted(site.operator("guilds")["guilds"][0]["workers"]) == [0, 1]
    assert {port_of(first), port_of(second)} == {50000, 50001}, (port_of(first), port_of(second))
    speak_and_hear(first, second, 1)
    line = refused(site, guild, third)
    speak_and_hear(second, first, 2)
    check_load(site, load)
    site.check_ledger()
    print(f"{device}: five on two workers, the sixth refused: {line}")

    wait_for("place that is free", lambda: sum(sessions(site)) == 2)
    kill(site, "voicenode-dataplane")
    speak_and_hear(first, second, 3)
    kill(site, "voicenode-control")
    speak_and_hear(second, first, 4)
    third.join(guild, site.channel(guild))
    speak_and_hear(third, first, 5)
    print(f"{device}: after the death of either program they hear each other, and a third comes")
    for bot in (first, second, third):
        bot.quit()
    site.stop()


main(test)
