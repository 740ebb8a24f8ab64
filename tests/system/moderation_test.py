#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Server mute, deafen, move and kick by a moderator's stock client, and a leave: each in force at the
# packet engine, and nothing lost for the rest.
# usage: moderation_test.py BUILD afpacket|afxdp
import time

from harness import Site, compare, main

FRAMES = 50


def moderate(bot, guild, user, what, value):
    at = bot.mark()
    bot.send(do="moderate", guild=guild, user=user, what=what, value=value)
    done = bot.until(lambda e: e["ev"] == "moderated", f"answer to {what}", since=at)
    assert "failed" not in done, done


def speech(speaker, listener, expected, seed):
    """One speech; the listener hears all of it, or nothing."""
    mark = listener.mark()
    at = speaker.speak(FRAMES, seed)
    time.sleep(0.3)
    heard = listener.heard_hashes(speaker.user, mark)
    if expected:
        compare(speaker.sent(at), heard)
    else:
        assert not heard, f"{len(heard)} frames heard that nobody should hear"


def test(build, device):
    site = Site(build, device=device)
    site.start()
    guild = site.guilds[0]
    first, second = site.channel(guild, 0), site.channel(guild, 1)
    anna, bert, carl = (site.bot(n, u) for n, u in zip(("anna", "bert", "carl"), site.users))
    for bot in (anna, bert, carl):
        bot.join(guild, first)
    speech(bert, carl, True, 1)

    moderate(anna, guild, bert.user, "mute", True)
    speech(bert, carl, False, 2)
    assert site.drops().get("muted", 0) >= FRAMES
    moderate(anna, guild, bert.user, "mute", False)
    speech(bert, carl, True, 3)

    moderate(anna, guild, carl.user, "deaf", True)
    speech(bert, carl, False, 4)
    moderate(anna, guild, carl.user, "deaf", False)
    speech(bert, carl, True, 5)

    moderate(anna, guild, carl.user, "channel", second)
    speech(bert, carl, False, 6)
    moderate(anna, guild, bert.user, "channel", second)
    mark = anna.mark()
    speech(bert, carl, True, 7)
    assert not anna.heard(bert.user, mark), "heard after they moved away"

    mark = carl.mark()
    moderate(anna, guild, carl.user, "channel", None)
    carl.until(lambda e: e["ev"] == "voice" and e["state"] == "disconnected", "the kick", since=mark)
    speech(bert, carl, False, 8)

    carl.send(do="rejoin", guild=guild, channel=second)
    carl.until(lambda e: e["ev"] == "voice" and e["state"] == "ready", "the return", since=mark + 1)
    speech(bert, carl, True, 9)
    mark = carl.mark()
    bert.send(do="leave")
    carl.until(lambda e: e["ev"] == "gone" and e["user"] == bert.user or
               e["ev"] == "dispatch" and e["t"] == "VOICE_STATE_UPDATE" and
               e["d"]["user_id"] == bert.user and e["d"]["channel_id"] is None, "the leave", since=mark)
    site.check_ledger()
    for bot in (anna, bert, carl):
        bot.quit()
    site.stop()


main(test)
