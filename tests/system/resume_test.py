#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Control ends in order (close 4015) and is killed (cut TCP): stock clients resume on the same key and
# the same UDP socket, and no packet of the speech is lost meanwhile. Then the packet engine is killed:
# it comes back by itself, and clients are asked for nothing.
# usage: resume_test.py BUILD afpacket|afxdp
import os
import signal
import time

from harness import Site, compare, main, wait_for

FRAMES = 250


def ended(bot, since):
    return [e for e in bot.pump()[since:] if e["ev"] == "voice"]


def media(bot, since=0):
    """Keys and UDP ports that it had whenever its voice was ready."""
    return {(e["h"], e["port"]) for e in bot.pump()[since:] if e["ev"] == "key"}


def test(build, device):
    site = Site(build, device=device)
    site.start()
    guild, channel = site.guilds[0], site.channel(site.guilds[0])
    anna, bert = site.bot("anna", site.users[0]), site.bot("bert", site.users[1])
    anna.join(guild, channel)
    bert.join(guild, channel)
    before = {bot: media(bot) for bot in (anna, bert)}
    assert all(len(seen) == 1 for seen in before.values()), before
    for seed, (how, code) in enumerate(((signal.SIGTERM, 4015), (signal.SIGKILL, 1006)), 1):
        mark = bert.mark()
        at = anna.speak(FRAMES, seed, wait=False)
        time.sleep(1)
        os.kill(site.children()["voicenode-control"], how)
        anna.until(lambda e: e["ev"] == "spoken", "end of speech", 30, at)
        for bot, since in ((anna, at), (bert, mark)):
            bot.until(lambda e: e["ev"] == "key", "resume", 10, since)
            closed = [e["code"] for e in bot.pump()[since:] if e["ev"] == "closed"]
            assert closed == [code], f"closed with {closed}, not once with {code}"
            assert media(bot, since) == before[bot], f"{media(bot, since)}, before {before[bot]}"
        wait_for("node that serves", site.serving, 15)
        time.sleep(0.3)
        compare(anna.sent(at), bert.heard_hashes(anna.user, mark), least=0.999)
        states = [e["state"] for e in ended(bert, mark)]
        assert "signalling" not in states, f"a new session instead of a resume: {states}"
        print(f"{device}: control and {how.name}: nothing lost, closed with {code}, resumed by {states} "
              "on the same key and UDP port")
    mark = bert.mark()
    at = anna.speak(2 * FRAMES, 7, wait=False)
    time.sleep(1)
    os.kill(site.children()["voicenode-dataplane"], signal.SIGKILL)
    anna.until(lambda e: e["ev"] == "spoken", "end of speech", 30, at)
    bert.until(lambda e: e["ev"] == "heard" and e["h"] == anna.sent(at)[-1], "the last frame", 5)
    # How long it is away is printed, not judged: a cold start on a busy machine takes seconds.
    share = compare(anna.sent(at), bert.heard_hashes(anna.user, mark), least=0.1)
    assert not ended(bert, mark), "the client was told of the packet engine's death"
    print(f"{device}: packet engine killed: {share:.1%} of {2 * FRAMES} frames heard")
    for bot in (anna, bert):
        bot.quit()
    site.stop()


main(test)
