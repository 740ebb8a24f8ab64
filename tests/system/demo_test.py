#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# `voicenode demo` with the real programs, however it ends: by its time, by Ctrl-C in the middle, by
# SIGKILL of all its processes. Nothing of it stays behind: namespaces, links, processes, files.
# usage: demo_test.py BUILD
import glob
import json
import os
import signal
import subprocess

from harness import main, run, wait_for

KEYS = ["drops", "guilds", "latency_us", "loss_ratio", "members", "packets_in", "packets_out"]
# A bot's last packets may arrive after it left.
BENIGN = {"no_session", "no_receiver"}


def descendants(pid):
    """All processes below 'pid', itself first."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry)] = int(fields[1])
    found = [pid]
    for parent in found:
        found += [child for child, of in parents.items() if of == parent]
    return found


def left(pid):
    """What the demo that had 'pid' made and that is still there."""
    name = f"vn-demo-{pid}"
    return [line.split()[0] for line in run("ip", "netns", "list").stdout.splitlines()
            if line.startswith(name + "-")] + \
        [line for line in run("ip", "-o", "link").stdout.splitlines()
         if f" {name}:" in line or f" {name}@" in line] + \
        glob.glob(f"/tmp/{name}-*") + glob.glob(f"/run/dpdk/{name}*") + \
        glob.glob(f"/run/voicenode/{name}*")


class Demo:
    def __init__(self, build, *arguments):
        self.program = os.path.join(build, "control/cli/voicenode")
        self.child = subprocess.Popen([self.program, "demo", *arguments],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.pid = self.child.pid
        self.everybody = []

    def wait_for_bots(self):
        def bots():
            assert self.child.poll() is None, self.child.communicate()[1]
            self.everybody = descendants(self.pid)
            names = [os.path.basename(os.readlink(f"/proc/{p}/exe")) for p in self.everybody
                     if os.path.exists(f"/proc/{p}/exe")]
            return {"voicenode-load", "voicenode-dataplane", "voicenode-control",
                    "voicenode-gateway"} <= set(names)
        wait_for("demo with all its programs", bots, 60)

    def wait_for_speech(self):
        """Interrupted before it knows that all bots are there, it has no result."""
        def speech():
            for sock in glob.glob(f"/tmp/vn-demo-{self.pid}-*/node.sock"):
                done = run(self.program, "status", "--json", "--socket", sock, check=False)
                return done.returncode == 0 and json.loads(done.stdout)["packets_in"] > 1500
            return False
        wait_for("demo that talks", speech, 60)

    def end(self, status=0):
        out, err = self.child.communicate(timeout=120)
        assert status is None or self.child.returncode == status, (self.child.returncode, out, err)
        for pid in self.everybody[1:]:
            wait_for(f"end of process {pid}", lambda p=pid: p not in descendants(p) or
                     not os.path.exists(f"/proc/{p}/exe"), 10)
        assert left(self.pid) == [], f"left behind: {left(self.pid)}"
        return out


def check_result(out):
    lines = out.splitlines()
    assert len(lines) == 1, f"not one line: {out!r}"
    result = json.loads(lines[0])
    assert sorted(result) == KEYS and sorted(result["latency_us"]) == ["p50", "p99"], result
    assert (result["guilds"], result["members"]) == (2, 8), result
    assert result["packets_in"] > 0 and result["packets_out"] > result["packets_in"], result
    assert result["loss_ratio"] == 0, result
    assert {name for name, count in result["drops"].items() if count} <= BENIGN, result
    return result


def test(build):
    demo = Demo(build, "--seconds", "8", "--json")
    demo.wait_for_bots()
    print(json.dumps(check_result(demo.end())))

    demo = Demo(build, "--json")
    demo.wait_for_bots()
    demo.wait_for_speech()
    demo.child.send_signal(signal.SIGINT)
    check_result(demo.end())
    print("Ctrl-C in the middle: ends with 0 and its result, nothing left")
    demo = Demo(build, "--json")
    demo.wait_for_bots()
    demo.child.send_signal(signal.SIGINT)
    demo.end(None)
    print("Ctrl-C while the bots join: nothing left")

    killed = Demo(build, "--json")
    killed.wait_for_bots()
    for pid in killed.everybody:
        os.kill(pid, signal.SIGKILL)
    killed.child.communicate(timeout=30)
    assert left(killed.pid), "a SIGKILL of everything leaves nothing: this test shows nothing"
    demo = Demo(build, "--seconds", "8", "--json")
    demo.wait_for_bots()
    check_result(demo.end())
    assert left(killed.pid) == [], f"the next demo left of the killed one: {left(killed.pid)}"
    print("SIGKILL of everything: the next demo removes what was left, and works")


main(test)
