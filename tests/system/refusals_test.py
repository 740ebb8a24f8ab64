#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# What keeps the real node from serving: it is said in one sentence with its cure, with a status that is
# not 0, and nothing of the attempt stays. A node that runs notices nothing of its neighbour's mistakes;
# what may get better (a gateway that is not there, an unknown secret) is waited for.
# supervisor_refuse_test.sh shows the supervisor's own refusals with stand-ins; here everything is real.
# usage: refusals_test.py BUILD
import os
import re
import subprocess

from harness import NODE_IP, Process, Site, main, run, wait_for


def state(site):
    """What a start makes: tables, programs on the link, UDP and TCP sockets, processes."""
    space = site.net.hosts["node"][0]
    tables = run("ip", "netns", "exec", space, "nft", "list", "tables").stdout
    link = run("ip", "-n", space, "-d", "link", "show", "eth0").stdout
    sockets = run("ip", "netns", "exec", space, "ss", "-Hlntu").stdout
    return (sorted(tables.split("\n")), "prog/xdp" in link,
            sorted(" ".join(l.split()[0:1] + l.split()[4:5]) for l in sockets.splitlines()),
            sorted(run("ip", "netns", "pids", space).stdout.split()))


def variant(site, name, *changes):
    """voicenode.cfg with (pattern, replacement) applied."""
    text = open(site.path("voicenode.cfg"), encoding="utf-8").read()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, lambda _, r=replacement: r, text)
        assert count == 1, (pattern, count)
    path = site.path(f"{name}.cfg")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def refused(site, what, words, config, wrapper=()):
    before = state(site)
    done = subprocess.run(
        site.net.argv("node", [*wrapper, site.program("voicenode"), "run", "--config", config]),
        capture_output=True, text=True, timeout=60)
    assert done.returncode not in (0, 124) and done.returncode > 0, (what, done)
    missing = [w for w in words if w not in done.stderr]
    assert not missing, f"{what}: {missing} is not said in: {done.stderr}"
    wait_for(f"tidy place after {what}, it was {before}, is {state(site)}",
             lambda: state(site) == before, 10)
    told = [l for l in done.stderr.splitlines() if words[0] in l]
    print(f"status {done.returncode}: {what}: {told[0]}")
    return done.stderr


def make_certificate(site, name):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2", "-subj", f"/CN={name}", "-keyout", site.path(f"{name}.key"), "-out",
        site.path(f"{name}.pem"))


def tls(site, certificate, key):
    return (r"voice = \{", f'voice = {{ tls = {{ certificate = "{certificate}"; key = "{key}"; }};')


def alone(site):
    """Refusals where no other node runs."""
    for name in ("one", "two"):
        make_certificate(site, name)
    os.chmod(site.path("one.key"), 0o600)
    refused(site, "a device that is not there", ["no interface eth7", "found:"],
            variant(site, "device", (":eth0", ":eth7")))
    for device, capability in (("afpacket", "net_raw"), ("afpacket", "net_admin"), ("afxdp", "sys_admin")):
        refused(site, f"{device} without {capability}", [f"CAP_{capability.upper()}", "root"],
                variant(site, "capability", (r'device = "\w+:', f'device = "{device}:')),
                ["setpriv", "--bounding-set", f"-{capability}"])
    os.chmod(site.dir, 0o777)
    refused(site, "nobody", ["CAP_", "root"], variant(
        site, "nobody", ("state_dir = \"[^\"]*", f'state_dir = "{site.path("nobody")}')),
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all",
             "env", f"VOICENODE_RUNTIME_DIR={site.path('run')}"])
    os.chmod(site.dir, 0o700)
    refused(site, "a certificate that is not there", [site.path("none.pem")],
            variant(site, "tls", tls(site, site.path("none.pem"), site.path("one.key"))))
    refused(site, "a certificate that is none", [site.path("secret")],
            variant(site, "tls", tls(site, site.path("secret"), site.path("one.key"))))
    refused(site, "a key of another certificate", [site.path("two.key")],
            variant(site, "tls", tls(site, site.path("one.pem"), site.path("two.key"))))
    taker = Process(site.net, "node", ["python3", "-c", "import socket\n"
                    f"s = socket.create_server(('{NODE_IP}', 8443)); print('ready', flush=True)\n"
                    "while True: s.accept()"])
    wait_for("taker of the port", lambda: taker.history)
    refused(site, "a port of voice.listen that is taken", ["8443", "another program listens there: stop it"], site.path("voicenode.cfg"))
    taker.stop()
    stderr = refused(site, "many mistakes at once", ["network.media_ports", "voice.heartbeat_ms",
                     "memory.mbufs", "nonsense"], variant(
                         site, "mistakes", ("50000-50001", "50001-50000"), ("mbufs = 4096", 'mbufs = "x"'),
                         (r"voice = \{", "voice = { heartbeat_ms = 5; "),
                         (r"metrics = \{", "metrics = { nonsense = 1; ")))
    lines = [l for l in stderr.splitlines() if re.search(r"mistakes\.cfg:\d+", l)]
    assert len(lines) >= 4, f"not every mistake has its line: {stderr}"


def beside(site):
    """Refusals where one runs, which notices nothing."""
    site.start()
    epoch = site.status()["dataplane"]["epoch"]
    refused(site, "the same instance twice", ["running already (pid"], site.path("voicenode.cfg"))
    refused(site, "another instance on the same ports", ["50000", "second voicenode"], variant(
        site, "second", (f'instance = "{site.net.tag}"', f'instance = "{site.net.tag}b"'),
        ("node.sock", "second.sock"), (":8443\" ]", ":8444\" ]"), ("9477", "9478")))
    assert site.serving() and site.status()["dataplane"]["epoch"] == epoch
    assert site.status()["dataplane"]["restarts"] == 0
    site.stop()


def without_gateway(site):
    """It serves without, says so, and registers once there is one that knows it."""
    site.node = Process(site.net, "node", [site.program("voicenode"), "run", "--config",
                        site.path("voicenode.cfg")], log=site.path("node.log"))

    def said(text):
        with open(site.path("node.log"), encoding="utf-8") as f:
            f.seek(start)
            return f.read().count(text)
    start = os.path.getsize(site.path("node.log"))
    wait_for("node that says what it misses", lambda: said("gateway not reached, trying again") >= 2, 60)
    status = site.status()
    assert status["dataplane"]["up"] and not status["gateway"]["connected"], status
    print("no gateway: the node starts, and says that it tries again")

    with open(site.path("gateway.cfg"), encoding="utf-8") as f:
        good = f.read()
    with open(site.path("gateway.cfg"), "w", encoding="utf-8") as f:
        f.write(good.replace("system-test-node-secret", "another-nodes-secret"))
    site.start_gateway()
    wait_for("word about the secret, twice", lambda: said(
        "the gateway does not know this node's secret; cure:") >= 2, 60)
    assert site.node.child.poll() is None and not site.status()["gateway"]["connected"]
    assert "system-test-node-secret" not in open(site.path("node.log"), encoding="utf-8").read()
    print("a wrong secret: said with its cure, tried again, never logged")
    assert site.gateway.stop() == 0
    with open(site.path("gateway.cfg"), "w", encoding="utf-8") as f:
        f.write(good)
    site.start_gateway()
    wait_for("node that registered after all", site.serving, 90)
    print("a gateway that came later: registered")
    before = site.status()
    assert before["dataplane"]["restarts"] == 0, before
    site.stop()


def parts_typed_by_hand(site):
    """The two programs that only `voicenode run` starts say so, and where to go."""
    for program in ("voicenode-dataplane", "voicenode-control"):
        asked = subprocess.run([site.program(program), "--help"], capture_output=True, text=True, timeout=60)
        alone = subprocess.run([site.program(program)], capture_output=True, text=True, timeout=60)
        assert asked.returncode == 0 and "`voicenode run` starts it" in asked.stdout, asked
        assert alone.returncode == 2 and alone.stderr == asked.stdout and alone.stdout == "", alone
    print("the parts say who starts them")


def test(build):
    site = Site(build)
    parts_typed_by_hand(site)
    clean = state(site)
    alone(site)
    beside(site)
    without_gateway(site)
    wait_for(f"tidy place at the end, it was {clean}, is {state(site)}", lambda: state(site) == clean, 10)
    print("nothing is left: no table, no program, no socket, no process")


main(test)
