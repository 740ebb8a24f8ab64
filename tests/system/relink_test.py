#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The node's interface is deleted and made again under its name: another interface, with another MAC.
# Packets must reach the workers again, nobody restarts anything by hand, and the kernel keeps what
# is not media. Before, it is only down, and then its other end: status, metrics and log say each.
# Usage: relink_test.py BUILD afpacket|afxdp
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import NODE_IP, SITES, Site, run, wait_for  # noqa: E402

SEND = ("import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for n in range(20): s.sendto(b'\\x80\\x78' + bytes(30), (sys.argv[1], 50000 + n % 2))")

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 8480), 10)"


def packets_reach_the_workers(site):
    before = site.status()["packets_in"]

    def arrived():
        run(*site.net.argv("far", ["python3", "-c", SEND, NODE_IP]))
        return site.status()["packets_in"] > before
    wait_for("packet at a worker", arrived, 30)


def make_interface_anew(site):
    node, router, queues = site.net.hosts["node"][0], site.net.router, site.queues
    run("ip", "-n", node, "link", "del", "eth0")
    wait_for("interface that is gone", lambda: site.status()["device"]["link"] == "gone")
    run("ip", "link", "add", "name", "eth0", "netns", node, "numrxqueues", str(queues),
        "numtxqueues", str(queues), "type", "veth", "peer", "name", "p0", "netns", router,
        "numrxqueues", str(queues), "numtxqueues", str(queues))
    for space, name, last in ((node, "eth0", "2"), (router, "p0", "1")):
        run("ip", "-n", space, "addr", "add", f"10.77.0.{last}/24", "dev", name)
        run("ip", "-n", space, "addr", "add", f"fd77::{last}/64", "dev", name, "nodad")
        run("ip", "-n", space, "link", "set", name, "up")
        run("ip", "netns", "exec", space, "ethtool", "-K", name, "tx", "off", check=False)
    run("ip", "-n", node, "route", "add", "default", "via", "10.77.0.1")


def losses_are_seen(site):
    node, router = site.net.hosts["node"][0], site.net.router
    epoch = site.status()["dataplane"]["epoch"]

    def port_up():
        page = run(*site.net.argv("node", ["curl", "-s", "http://127.0.0.1:9477/metrics"])).stdout
        return [line[-1] for line in page.splitlines() if line.startswith("voicenode_port_up{")]

    for space, name, link, words in ((node, "eth0", "down", "the interface is down"),
                                     (router, "p0", "no_carrier", "the interface has no carrier")):
        run("ip", "-n", space, "link", "set", name, "down")
        wait_for(f"link that is {link}", lambda: site.status()["device"]["link"] == link)
        assert site.status()["state"] == "no_link" and port_up() == ["0"], site.status()
        assert words in open(site.path("node.log"), encoding="utf-8").read()
        text = run(site.program("voicenode"), "status", "--socket", site.path("node.sock")).stdout
        assert "DOWN" in text or "NO CARRIER" in text, text
        run("ip", "-n", space, "link", "set", name, "up")
        wait_for("link that is up", lambda: site.status()["device"]["link"] == "up")
        run("ip", "-n", node, "route", "replace", "default", "via", "10.77.0.1")
        assert port_up() == ["1"]
        wait_for("node that serves", site.serving, 30)
        packets_reach_the_workers(site)
    assert site.status()["dataplane"]["epoch"] == epoch


def main():
    build, device = sys.argv[1], sys.argv[2]
    site = Site(build, device)
    site.queues = 1 if device == "afxdp" else 2
    site.net.add_host("far")
    site.start()
    packets_reach_the_workers(site)
    losses_are_seen(site)
    for _ in range(2):
        epoch = site.status()["dataplane"]["epoch"]
        make_interface_anew(site)
        wait_for("dataplane that started anew", lambda: site.status()["dataplane"]["epoch"] > epoch)
        wait_for("node that serves", site.serving, 30)
        packets_reach_the_workers(site)
        run(*site.net.argv("far", ["python3", "-c", CONNECT, NODE_IP]))
    program = run("ip", "-n", site.net.hosts["node"][0], "-d", "link", "show", "eth0").stdout
    assert ("xsk_def_prog" in program) == (device == "afxdp"), program
    site.stop()
    print("packets reach the workers of a new interface of the old name:", device)


if __name__ == "__main__":
    if os.getuid() != 0:
        sys.exit(77)
    try:
        main()
    except Exception:
        traceback.print_exc()
        for failed in SITES:
            print(failed.logs())
        sys.exit(1)
