#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Ten stock clients in three guilds on two workers: each guild has its canary (a speech of its own), and
# no frame of it is ever heard in another. A capture at every client proves that no other client's
# address reached it, in any form, neither on the wire nor in what the gateways told it.
# usage: crowd_test.py BUILD afpacket|afxdp
import ipaddress
import time

from harness import Process, Site, compare, main

FRAMES = 100
SIZES = (4, 3, 3)


def forms(ip):
    """An address as it may hide in a packet: binary, reversed, text, XORed with STUN's cookie."""
    packed = ipaddress.ip_address(ip).packed
    cookie = bytes((0x21, 0x12, 0xA4, 0x42))
    return [packed, packed[::-1], ip.encode(), bytes(a ^ b for a, b in zip(packed, cookie))]


def payloads(pcap):
    """IP packets of a pcap file without their addresses."""
    with open(pcap, "rb") as f:
        data = f.read()
    at = 24
    while at + 16 <= len(data):
        size = int.from_bytes(data[at + 8:at + 12], "little")
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        if frame[12:14] == b"\x08\x00":
            yield frame[26:30], frame[34:]  # source, what follows the IPv4 header


def check_capture(site, bots, bot, host):
    others = [(b.user, site.net.ip(h)) for h, b in bots if b is not bot]
    count = 0
    for source, payload in payloads(site.path(f"{host}.pcap")):
        count += 1
        for user, ip in others:
            assert source != ipaddress.ip_address(ip).packed, f"{host} got a packet from user {user}"
            for form in forms(ip):
                assert form not in payload, f"{host} learned the address of user {user}"
    assert count > (FRAMES if bot.sent() == [] else 10), f"only {count} packets captured at {host}"
    for user, ip in others:
        assert ip not in bot.voice_text(), f"the gateways told {host} the address of user {user}"


def test(build, device):
    site = Site(build, device=device, guilds=3, users=10)
    site.start()
    bots, groups, user = [], [], 0
    captures = []
    for guild, size in zip(site.guilds, SIZES):
        group = []
        for _ in range(size):
            host = f"c{user}"
            site.net.add_host(host)
            captures.append(Process(site.net, host, [
                "tcpdump", "--immediate-mode", "-U", "-n", "-i", "eth0", "-Q", "in", "-w", site.path(f"{host}.pcap"), "ip"]))
            bot = site.bot(host, site.users[user])
            bots.append((host, bot))
            group.append(bot)
            user += 1
        groups.append((guild, group))
    for guild, group in groups:
        for bot in group:
            bot.join(guild, site.channel(guild))
    marks = [group[0].speak(FRAMES, 10 + n, wait=False) for n, (_, group) in enumerate(groups)]
    for (_, group), at in zip(groups, marks):
        group[0].until(lambda e: e["ev"] == "spoken", "end of speech", 30, at)
    time.sleep(0.5)
    canaries = [set(group[0].sent()) for _, group in groups]
    for n, (_, group) in enumerate(groups):
        for bot in group[1:]:
            compare(group[0].sent(), bot.heard_hashes(group[0].user))
            everything = {e["h"] for e in bot.pump() if e["ev"] == "heard"}
            for k, canary in enumerate(canaries):
                assert k == n or not everything & canary, "a frame crossed guilds"
    workers = site.status()["workers"]
    assert len(workers) == 2 and all(w["guilds"] >= 1 for w in workers), workers
    site.check_ledger()
    for capture in captures:
        capture.stop()
    for host, bot in bots:
        check_capture(site, bots, bot, host)
    print(f"{device}: {len(bots)} clients, 3 guilds on 2 workers, no frame and no address crossed")
    for _, bot in bots:
        bot.quit()
    site.stop()


main(test)
