#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# voicenode-dataplane alone, on every device that this machine can have: what it refuses and how it
# says so, that it serves with no privilege left, that a client's IP discovery comes back.
# Needs root. Usage: dataplane_device_test.py [BUILD]
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import fake_control as control  # noqa: E402

BUILD = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "..", "build")
PROGRAM = os.path.join(BUILD, "dataplane", "host", "voicenode-dataplane")
NEAR, FAR = "vn-host%d-near" % os.getpid(), "vn-host%d-far" % os.getpid()
TWO = {"ports": "50000-50001", "cores": "0,1" if os.cpu_count() > 1 else "0,0"}

CLIENT = r'''
import socket, struct, sys
def echo(ip):
    six = ":" in ip
    family, proto = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, 1)
    s = socket.socket(family, socket.SOCK_RAW, proto)
    s.settimeout(3)
    body = struct.pack(">BBHHH", 128 if six else 8, 0, 0, 77, 1) + b"voicenode" * 6
    if not six:  # the kernel fills in ICMPv6's own checksum
        total = sum(struct.unpack(">%dH" % (len(body) // 2), body))
        total = (total & 0xffff) + (total >> 16)
        total = (total & 0xffff) + (total >> 16)
        body = body[:2] + struct.pack(">H", 0xffff - total) + body[4:]
    s.sendto(body, (ip, 0))
    while True:
        got = s.recv(2000)[0 if six else 20:]
        if got[0] == (129 if six else 0) and got[4:] == body[4:]:
            return True
def discover(ip, port, ssrc):
    # Not connected: the kernel's own "port unreachable" (there is no nftables rule here) is not ours.
    s = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.bind(("::" if ":" in ip else "0.0.0.0", 0))
    s.sendto(struct.pack(">HHI", 1, 70, ssrc) + bytes(66), (ip, port))
    got, sender = s.recvfrom(2000)
    assert sender[:2] == (ip, port), sender
    assert len(got) == 74 and struct.unpack(">HHI", got[:8]) == (2, 70, ssrc), got
    assert struct.unpack(">H", got[72:])[0] == s.getsockname()[1], got
    return True
for word in sys.argv[1:]:
    what, ip, *rest = word.split(",")
    try:
        assert echo(ip) if what == "echo" else discover(ip, *map(int, rest))
    except TimeoutError:
        sys.exit("no answer: " + word)
'''


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


def client(namespace, *words):
    done = run("ip", "netns", "exec", namespace, "python3", "-c", CLIENT, *words, check=False)
    assert done.returncode == 0, done.stderr


def refused(status, sentence, device="null", between=None, **options):
    node = control.Node(PROGRAM, device, **options).start(stderr=subprocess.PIPE)
    if between:
        between(node)
    text = node.process.communicate(timeout=30)[1]
    assert node.process.returncode == status, (node.process.returncode, text)
    assert sentence in text, text


def privileges_are_gone(node):
    tasks = "/proc/%d/task" % node.process.pid
    names = []
    for task in os.listdir(tasks):
        with open("%s/%s/status" % (tasks, task)) as status:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
        names.append(fields["Name"])
        for capability in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(fields[capability], 16) == 0, (fields["Name"], capability)
        assert fields["NoNewPrivs"] == "1", fields["Name"]
    assert len(names) >= 3, names
    with open("/proc/%d/limits" % node.process.pid) as limits:
        core = [line.split() for line in limits if line.startswith("Max core file size")][0]
    assert core[4:6] == ["0", "0"], core


def serve(device, address, **options):
    """A node with one session on each of two workers, SSRCs 32 and 48."""
    node = control.Node(PROGRAM, device, address=address, namespace=NEAR, **TWO, **options)
    node.start()
    again(node)
    privileges_are_gone(node)
    return node


def again(node):
    said = node.connect()
    for worker in (0, 1):
        assert node.command(control.GUILD_OPEN, 0, 1, 41, 1, worker=worker) == 0
        assert node.command(control.SESSION_ADD, 0, 1, 0, 1, 0, 0, 32 + 16 * worker, 0,
                            worker=worker) == 0
    return said


def discoveries(ip, rounds=4):
    return ["discover,%s,%d,%d" % (ip, 50000 + n % 2, 32 + n % 2 * 16) for n in range(2 * rounds)]


def says_how_it_is_started():
    done = run(PROGRAM, check=False)
    assert done.returncode == 2 and "`voicenode run` starts it" in done.stderr, done
    done = run(PROGRAM, "--epoch", "1", check=False)
    assert done.returncode == 2 and "missing" in done.stderr, done
    node = control.Node(PROGRAM, "null")
    node.process_epoch = 1
    done = run(*node.arguments(), check=False)
    assert done.returncode == 2 and "voicenode run" in done.stderr, done


def refuses_with_the_cure():
    refused(3, "interface \\\"nosuch0\\\"", "afpacket:nosuch0", namespace=NEAR)
    refused(3, "ip link set idle up", "afpacket:idle", namespace=NEAR)
    refused(3, "mtu 1500", "afxdp:jumbo", namespace=NEAR)
    refused(3, "is no tap", "tap:near", namespace=NEAR)
    for device, capability in (("afpacket:near", "net_raw"), ("afpacket:near", "net_admin"),
                               ("afxdp:near", "sys_admin"), ("tap:new0", "net_admin")):
        refused(3, "needs CAP_" + capability.upper(), device, namespace=NEAR, wrapper=[
            "setpriv", "--bounding-set=-" + capability, "--inh-caps=-all"])
    refused(3, "apt install librte-net-af-packet23", "afpacket:near", wrapper=[
        "unshare", "-m", "sh", "-c",
        "mount -t tmpfs none /usr/lib/*/dpdk/pmds-* && exec \"$@\"", "sh"])
    refused(2, "core 1000", cores="1000")
    refused(4, "sysctl -w vm.nr_hugepages", options={"hugepages": "required",
                                                     "mbufs": "262144"})
    refused(3, "network.steering", options={"steering": "flow"})
    refused(3, "one queue for 1 workers", options={"steering": "rss"})
    refused(3, "does not spread", options={"steering": "rss"}, **TWO)
    # No device: another would not find more memory either.
    refused(1, "lower memory.mbufs", options={"hugepages": "off", "mbufs": "65536"},
            extra=["-m", "48"])
    # Said at once, where a machine has less than 40 GiB: nothing is taken first.
    if os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") < 40 << 30:
        refused(1, "lower memory.mbufs", ports="50000-50063", cores=",".join(["0"] * 64),
                options={"hugepages": "off", "mbufs": "262144"})


def refuses_another_contract():
    refused(5, "another contract", between=lambda node: node.hello(1, version=control.VERSION + 1))


def serves_without_privileges_and_stops_in_order():
    node = control.Node(PROGRAM, "null", **TWO).start()
    said = node.connect()
    assert said["driver"] == "net_null" and said["crypto"], said
    privileges_are_gone(node)
    before = node.heartbeat()
    time.sleep(0.5)
    assert node.heartbeat() > before
    assert node.stop() == 0


def measures_once_unless_it_is_told():
    node = control.Node(PROGRAM, "null", **TWO).start(stderr=subprocess.PIPE)
    first = node.connect()["capacity_pps"]
    assert len(first) == 2 and all(pps > 1000 for pps in first), first
    node.process.kill()
    said = node.process.communicate(timeout=30)[1]
    assert said.count("worker measured") == 2, said
    node.start(stderr=subprocess.PIPE)
    assert node.connect()["capacity_pps"] == first, node.device
    assert node.stop() == 0
    assert "worker measured" not in node.process.stderr.read()
    node = control.Node(PROGRAM, "null", options={"capacity-pps": "1234567"}).start()
    assert node.connect()["capacity_pps"] == [1234567], node.device
    assert node.stop() == 0
    refused(2, "a budget of zero", options={"capacity-pps": "0"})


def a_successor_keeps_progress_and_meets_control():
    node = control.Node(PROGRAM, "null", **TWO).start()
    again(node)
    assert node.counter("COMMANDS") == 2
    node.process.kill()
    node.process.wait()
    # Meant for the dead one: its successor must not apply it, and does not know the guild either.
    node.send(node.record(control.GUILD_OPEN, struct.pack("=IIQQ", 0, 1, 41, 1)))
    node.start()
    again(node)
    assert node.counter("COMMANDS") == 4
    assert node.restart_control() and node.command(control.GUILD_OPEN, 0, 1, 41, 1) == -17
    assert node.stop() == 0


def af_packet_answers_discovery():
    node = serve("afpacket:near", "10.98.0.1/24")
    assert node.device["drops_countable"] == 0
    assert node.device["steering"] == "rss", node.device  # by the kernel's hash, over two queues
    client(FAR, *discoveries("10.98.0.1"))
    node.process.kill()
    node.process.wait()
    node.start()
    again(node)
    client(FAR, *discoveries("10.98.0.1"))
    assert node.stop() == 0
    node = serve("afpacket:near", "10.98.0.1/24", options={"steering": "software"})
    assert node.device["steering"] == "software", node.device
    client(FAR, *discoveries("10.98.0.1"))
    assert node.stop() == 0


def a_tap_answers_for_itself():
    node = serve("tap:vntap0", ["10.98.1.1/24", "fd98::1/64"])
    run("ip", "-n", NEAR, "address", "add", "10.98.1.2/24", "dev", "vntap0")
    run("ip", "-n", NEAR, "address", "add", "fd98::2/64", "dev", "vntap0", "nodad")
    client(NEAR, "echo,10.98.1.1", "echo,fd98::1", *discoveries("10.98.1.1"),
           *discoveries("fd98::1", 3))
    told = run("ip", "-n", NEAR, "neighbour", "show", "dev", "vntap0").stdout
    own = run("ip", "netns", "exec", NEAR, "cat", "/sys/class/net/vntap0/address").stdout.strip()
    assert told.count("lladdr 02:76:") == 2 and own not in told, told
    assert node.stop() == 0
    assert run("ip", "-n", NEAR, "link", "show", "vntap0", check=False).returncode != 0


def af_xdp_serves_restarts_and_leaves_the_program():
    try:
        socket.socket(44, socket.SOCK_RAW, 0).close()
    except OSError:
        return "SKIP this kernel has no AF_XDP"
    node = serve("afxdp:near", "10.98.0.1/24")
    assert node.device["steering"] == "software", node.device  # this interface has one queue
    # Without the supervisor libxdp's own program takes all packets: neighbours must be told.
    mac = run("ip", "netns", "exec", NEAR, "cat", "/sys/class/net/near/address").stdout.strip()
    run("ip", "-n", FAR, "neighbour", "replace", "10.98.0.1", "lladdr", mac, "dev", "far")
    client(FAR, *discoveries("10.98.0.1"))
    refused(3, "AF_XDP socket", "afxdp:near", namespace=NEAR)
    assert node.stop() == 0
    # Whoever attached the program shall find it attached.
    assert "prog/xdp" in run("ip", "-n", NEAR, "link", "show", "near").stdout
    for _ in range(2):
        node.start()
        again(node)
        client(FAR, *discoveries("10.98.0.1"))
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
    return None


TESTS = [says_how_it_is_started, refuses_with_the_cure, refuses_another_contract,
         serves_without_privileges_and_stops_in_order, measures_once_unless_it_is_told,
         a_successor_keeps_progress_and_meets_control, af_packet_answers_discovery,
         a_tap_answers_for_itself, af_xdp_serves_restarts_and_leaves_the_program]


def main():
    if os.getuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    failures = 0
    try:
        for namespace in (NEAR, FAR):
            run("ip", "netns", "add", namespace)
        run("ip", "link", "add", "near", "netns", NEAR, "type", "veth", "peer", "name", "far",
            "netns", FAR)
        for name in ("idle", "jumbo"):
            run("ip", "-n", NEAR, "link", "add", name, "type", "veth", "peer", "name", name + "p")
        run("ip", "-n", NEAR, "link", "set", "jumbo", "mtu", "9000", "up")
        run("ip", "-n", NEAR, "address", "add", "10.98.0.1/24", "dev", "near")
        run("ip", "-n", FAR, "address", "add", "10.98.0.2/24", "dev", "far")
        for namespace, link in ((NEAR, "lo"), (NEAR, "near"), (FAR, "far")):
            run("ip", "-n", namespace, "link", "set", link, "up")
        print("1..%d" % len(TESTS))
        for number, test in enumerate(TESTS, 1):
            try:
                note, word = test(), "ok"
            except Exception:
                note, word, failures = None, "not ok", failures + 1
                traceback.print_exc()
            finally:
                control.end_all()
            print("%s %d - %s%s" % (word, number, test.__name__, " # " + note if note else ""),
                  flush=True)
    finally:
        for namespace in (NEAR, FAR):
            run("ip", "netns", "delete", namespace, check=False)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
