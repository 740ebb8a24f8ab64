#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Two strangers hear each other: stock discord.js bots in networks of their own, through the real
# gateway, control and packet engine. Then a third, who joins late.
# usage: speech_test.py BUILD afpacket|afxdp aes|xchacha
from harness import Site, compare, main

MODES = {"aes": "aead_aes256_gcm_rtpsize", "xchacha": "aead_xchacha20_poly1305_rtpsize"}
FRAMES = 150


def test(build, device, mode):
    site = Site(build, device=device, modes=MODES[mode])
    site.start()
    guild, channel = site.guilds[0], site.channel(site.guilds[0])
    anna, bert = site.bot("anna", site.users[0]), site.bot("bert", site.users[1])
    anna.join(guild, channel)
    bert.join(guild, channel)
    for speaker, listener, seed in ((anna, bert, 1), (bert, anna, 2)):
        speaker.speak(FRAMES, seed)
        assert len(speaker.sent()) == FRAMES
        listener.until(lambda e: e["ev"] == "heard" and e["h"] == speaker.sent()[-1],
                       "the last frame", 5)
        share = compare(speaker.sent(), listener.heard_hashes(speaker.user))
        loud = [e["level"] for e in listener.heard(speaker.user)]
        assert sum(l > 1000 for l in loud) >= 0.95 * len(loud), "what was decoded is not the tone"
        print(f"{device} {mode}: user {listener.user} heard {share:.1%} of user {speaker.user}")
    carl = site.bot("carl", site.users[2])
    at = anna.speak(FRAMES, 3, wait=False)
    carl.join(guild, channel)  # while anna speaks
    anna.until(lambda e: e["ev"] == "spoken", "end of speech", 20, at)
    carl.until(lambda e: e["ev"] == "heard" and e["h"] == anna.sent(at)[-1], "the last frame", 5)
    heard = carl.heard_hashes(anna.user)
    tail = anna.sent(at)[anna.sent(at).index(heard[0]):]
    compare(tail, heard)
    print(f"{device} {mode}: a late joiner heard the last {len(heard)} of {FRAMES}")
    drops = {k: v for k, v in site.drops().items() if k not in ("no_receiver",)}
    assert not drops, f"drops that nobody expected: {drops}"
    site.check_ledger()
    for bot in (anna, bert, carl):
        bot.quit()
    site.stop()


main(test)
