#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# How many packets a second one core puts on a real wire: our packet engine on AF_PACKET and AF_XDP
# against Janus's RTP forwarder, in one run, by one harness. bench/janus.sh calls it.
#
# Two network namespaces and a veth pair; the system under test is pinned to the first CPU, talkers
# (bench/wire_talk) to the second. N talkers, each heard by 50 receivers with keys of their own. The
# rate of the talkers is searched for the highest at which less than 0.1 % of the copies are missing.
# Copies are counted, and dropped, at the far end of the wire, before any IP stack.
import argparse
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "support"))
import fake_control as control  # noqa: E402

SFU, FAR = "vn-wire-sfu%d" % os.getpid(), "vn-wire-far%d" % os.getpid()
SFU_IP, FAR_IP = "10.97.0.1", "10.97.0.2"
FIRST_RECEIVER_PORT, FIRST_SSRC = 20000, 4096
PAYLOAD, MS, LOSS_MAX = 100, 2000, 0.001
CM, GCM = "aes_cm_128_hmac_sha1_80", "aead_aes256_gcm_rtpsize"
SUITES = {GCM: 1, CM: 5}  # numbers of dp_media.h
OVERHEADS = {GCM: 20, CM: 10}


def run(*words, check=True, text=None):
    done = subprocess.run(words, capture_output=True, text=True, input=text)
    if check and done.returncode != 0:
        sys.exit(f"wire.py: {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def within(namespace, *words):
    return ["ip", "netns", "exec", namespace, *words]


def make_wire():
    for namespace in (SFU, FAR):
        run("ip", "netns", "add", namespace)
    run("ip", "link", "add", "near", "netns", SFU, "type", "veth", "peer", "name", "far",
        "netns", FAR)
    macs = {}
    for namespace, link, address in ((SFU, "near", SFU_IP), (FAR, "far", FAR_IP)):
        run("ip", "-n", namespace, "address", "add", address + "/24", "dev", link)
        for name in ("lo", link):
            run("ip", "-n", namespace, "link", "set", name, "up")
        # What the sender leaves to a device's checksum engine never gets one on a veth.
        run(*within(namespace, "ethtool", "-K", link, "tx", "off", "gso", "off", "tso", "off"),
            check=False)
        macs[link] = run(*within(namespace, "cat", f"/sys/class/net/{link}/address")).strip()
    # AF_XDP without a supervisor takes every packet: nobody answers ARP.
    run("ip", "-n", FAR, "neighbour", "replace", SFU_IP, "lladdr", macs["near"], "dev", "far")
    run("ip", "-n", SFU, "neighbour", "replace", FAR_IP, "lladdr", macs["far"], "dev", "near")


def remove_wire():
    for namespace in (SFU, FAR):
        run("ip", "netns", "delete", namespace, check=False)


def count_copies():
    """From here on what arrives for receivers is counted and goes no further."""
    run(*within(FAR, "nft", "-f", "-"), text="table netdev wire {\ncounter copies { }\nchain in {\n"
        "type filter hook ingress device far priority 0;\n"
        "udp dport 20000-29999 counter name copies drop\n}\n}\n")


def copies(what="packets"):
    got = json.loads(run(*within(FAR, "nft", "-j", "list", "counter", "netdev", "wire",
                                 "copies")))
    return next(e["counter"][what] for e in got["nftables"] if "counter" in e)


def settled_copies():
    """After what the system under test still had in hand."""
    last = copies()
    for _ in range(40):
        time.sleep(0.25)
        now = copies()
        if now == last:
            break
        last = now
    return last


class Talkers:
    def __init__(self, build, port, step, count, slots, ssrc, suite):
        self.count = count
        self.process = subprocess.Popen(
            within(FAR, "taskset", "-c", "1", os.path.join(build, "bench", "wire_talk"), SFU_IP,
                   *map(str, (port, step, count, slots, ssrc, PAYLOAD)), suite),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, words):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit("wire.py: wire_talk ended")
        return answer

    def discover(self, slot_count):
        found = int(self.ask(f"discover 0 {slot_count}")[1])
        if found != slot_count:
            sys.exit(f"wire.py: {found} of {slot_count} receivers got an answer to IP discovery")

    def talk(self, rate, ms):
        """Packets sent, and how late the latest hundredth was, in microseconds."""
        _, sent, _, late = self.ask(f"talk {rate} {ms}")
        return int(sent), float(late)

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


class Ours:
    """voicenode-dataplane alone: one worker on the first CPU, everything else on the second."""

    def __init__(self, args, device, suite):
        self.args, self.suite = args, suite
        slots = args.rooms * (args.fanout + 1)
        # The kernel would answer "port unreachable" for every packet: the supervisor's rule.
        run(*within(SFU, "nft", "-f", "-"), text="table netdev wire {\nchain in {\n"
            "type filter hook ingress device near priority 0;\nudp dport 50000 drop\n}\n}\n")
        self.node = control.Node(
            os.path.join(args.build, "dataplane", "host", "voicenode-dataplane"), device + ":near",
            address=SFU_IP + "/24", namespace=SFU, cores="0",
            options={"main-core": "1", "mbufs": "32768", "sessions": str(slots),
                     "guilds": str(args.rooms), "legs": str(slots + 2), "idle": "poll",
                     "capacity-pps": "100000000"})
        self.node.start(stderr=subprocess.DEVNULL)
        self.crypto = self.node.connect()["crypto"]
        self.talkers = Talkers(args.build, 50000, 0, args.rooms, args.fanout + 1, FIRST_SSRC, suite)
        self.join(slots)

    def join(self, slots):
        for room in range(self.args.rooms):
            self.must(control.GUILD_OPEN, room, 1, room + 1, 1)
            self.must(control.ROOM_OPEN, room, 1, room, 1, room + 1, 0)
        for slot in range(slots):
            room = slot // (self.args.fanout + 1)
            key = slot.to_bytes(4, "little").ljust(32, b"\0")
            self.must(control.SESSION_ADD, slot, 1, room, 1, room, 1, FIRST_SSRC + 16 * slot, 0)
            self.must(control.SESSION_KEY, slot, 1, 1, SUITES[self.suite], key, b"")
        self.talkers.discover(slots)
        address = bytes(map(int, FAR_IP.split("."))).ljust(16, b"\0")
        for slot in range(slots):
            self.must(control.SESSION_HINT, slot, 1, address, FIRST_RECEIVER_PORT + slot, 4, 0, 0)

    def must(self, kind, *fields):
        error = self.node.command(kind, *fields)
        if error != 0:
            sys.exit(f"wire.py: the node refused command {kind}: {os.strerror(-error)}")

    def end(self):
        self.talkers.end()
        self.node.stop()
        run(*within(SFU, "nft", "delete", "table", "netdev", "wire"), check=False)


class Janus:
    """Debian's Janus: a VideoRoom with a remote publisher per talker, each forwarded 50 times."""

    NAME = "janus"

    def __init__(self, args):
        self.args, self.suite = args, CM
        self.folder = tempfile.TemporaryDirectory()
        self.configure()
        with open(os.path.join(self.folder.name, "log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                within(SFU, "taskset", "-c", "0", "janus", "-F", self.folder.name),
                stdout=log, stderr=subprocess.STDOUT)
        self.crypto = "libsrtp2 " + run("dpkg-query", "-W", "-f", "${Version}",
                                        "libsrtp2-1").strip()
        done = subprocess.run(within(SFU, sys.executable, os.path.abspath(__file__), "--janus-rooms",
                                     str(args.rooms), "--janus-fanout", str(args.fanout)),
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.stop()
            sys.exit(f"wire.py: Janus: {done.stderr.strip()}")
        # SSRC 1000: what a remote publisher's first stream has.
        self.talkers = Talkers(args.build, int(done.stdout), 2, args.rooms, 0, 1000, "plain")

    def configure(self):
        plugins = "/usr/lib/" + os.uname().machine + "-linux-gnu/janus"
        files = {
            "janus.jcfg": f'''general: {{ configs_folder = "{self.folder.name}"
  plugins_folder = "{plugins}/plugins" transports_folder = "{plugins}/transports"
  events_folder = "{plugins}/events" loggers_folder = "{plugins}/loggers" debug_level = 2
  session_timeout = 0 }}
media: {{ rtp_port_range = "40000-49999" }}
plugins: {{ disable = "{DISABLED_PLUGINS}" }}
transports: {{ disable = "{DISABLED_TRANSPORTS}" }}
''',
            "janus.transport.http.jcfg": 'general: { json = "compact" base_path = "/janus" '
                                         'http = true port = 8088 ip = "127.0.0.1" https = false }'
                                         '\nadmin: { admin_http = false admin_https = false }\n',
            "janus.plugin.videoroom.jcfg": "general: { }\n"}
        for name, words in files.items():
            with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
                file.write(words)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def end(self):
        self.talkers.end()
        self.stop()


DISABLED_PLUGINS = ",".join(
    f"libjanus_{name}.so" for name in ("audiobridge", "duktape", "echotest", "lua", "nosip",
                                       "recordplay", "sip", "streaming", "textroom", "videocall",
                                       "voicemail"))
DISABLED_TRANSPORTS = ",".join(f"libjanus_{name}.so" for name in ("mqtt", "nanomsg", "pfunix",
                                                                  "rabbitmq", "websockets"))


class JanusApi:
    """Janus's HTTP interface, from within its namespace."""

    def __init__(self):
        self.path = "http://127.0.0.1:8088/janus"
        for attempt in range(100):
            try:
                self.path += "/%d" % self.ask({"janus": "create"})["data"]["id"]
                break
            except OSError:
                if attempt == 99:
                    raise
                time.sleep(0.1)
        self.path += "/%d" % self.ask({"janus": "attach",
                                       "plugin": "janus.plugin.videoroom"})["data"]["id"]

    def ask(self, body):
        request = urllib.request.Request(
            self.path, json.dumps({**body, "transaction": "t"}).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def room(self, body):
        answer = self.ask({"janus": "message", "body": body})
        data = answer.get("plugindata", {}).get("data", {})
        if "error" in data or not data:
            sys.exit(f"{body['request']}: {data or answer}")
        return data


def janus_rooms(rooms, fanout):
    """Run within the namespace: makes the rooms, prints the first port that listens."""
    api = JanusApi()
    first = 40000  # and every second one: RTCP has the others
    for room in range(1, rooms + 1):
        port = first + 2 * (room - 1)
        api.room({"request": "create", "room": room, "publishers": 10, "audiocodec": "opus"})
        made = api.room({"request": "add_remote_publisher", "room": room, "id": 1, "display": "a",
                         "port": port, "iface": SFU_IP,
                         "streams": [{"type": "audio", "mid": "0", "mindex": 0, "codec": "opus"}]})
        if made.get("port") != port:
            sys.exit(f"asked for port {port}, got {made}")
        for n in range(fanout):
            slot = (room - 1) * (fanout + 1) + 1 + n
            # Of its own: forwarders of one key share one sealed packet.
            crypto = base64.b64encode(slot.to_bytes(4, "little").ljust(30, b"\0")).decode()
            api.room({"request": "rtp_forward", "room": room, "publisher_id": 1, "host": FAR_IP,
                      "srtp_suite": 80, "srtp_crypto": crypto,  # in a stream they do nothing
                      "streams": [{"mid": "0", "port": FIRST_RECEIVER_PORT + slot}]})
    print(first)


def attempt(system, rate, ms=MS):
    """Share of copies that are missing, copies a second, how late the talkers were."""
    before = settled_copies()
    start = time.monotonic()
    sent, late = system.talkers.talk(rate, ms)
    seconds = time.monotonic() - start
    got = settled_copies() - before
    wanted = sent * system.args.fanout
    return 1 - got / wanted, got / seconds, late


def check_sealed(suite):
    """Janus forwards in clear, and does not say so, where its parameters stand in a wrong place."""
    wanted = 20 + 8 + 12 + PAYLOAD + OVERHEADS[suite]
    got = copies("bytes") / max(1, copies())
    if round(got) != wanted:
        sys.exit(f"wire.py: packets of {got:.1f} bytes arrive, not {wanted} as {suite} makes them:"
                 " nothing is comparable")


def search(system, rate, progress):
    """The highest rate of the talkers that loses less than LOSS_MAX, and what it gave; doubles from
    'rate' on, then halves the gap."""
    attempt(system, 5, 500)  # streams begin, tables warm up
    check_sealed(system.suite)
    low = high = 0
    best = (0, 0.0, 0.0)
    while rate != low and (high == 0 or high - low > max(1, high // 25)):
        loss, pps, late = attempt(system, rate)
        progress(f"  {rate} packets/s of each talker: {pps:,.0f} copies/s, {loss:.2%} missing,"
                 f" talkers {late:.0f} us late")
        if loss < LOSS_MAX:
            low, best = rate, (rate, pps, late)
        else:
            high = rate
        if high == 0 and rate == RATE_MAX:
            break
        rate = min(rate * 2, RATE_MAX) if high == 0 else (low + high) // 2
    return best + (high == 0,)


RATE_MAX = 200  # packets a second that the node takes of one stream


def measure(args, name, make, suite, progress):
    progress(name)
    system = make()
    try:
        count_copies()
        rounds = [search(system, 5, progress)]
        while len(rounds) < args.rounds:
            rounds.append(search(system, max(5, rounds[0][0] // 2), progress))
        rounds.sort(key=lambda r: r[1])
        rate, pps, late, open_end = rounds[len(rounds) // 2]
        crypto = system.crypto
    finally:
        system.end()
        run(*within(FAR, "nft", "delete", "table", "netdev", "wire"), check=False)
    return {"schema": "voicenode-wire/1", "mode": "wire", "system": name, "wire": "veth",
            "suite": suite, "rooms": args.rooms, "members": args.fanout + 1, "talkers": 1,
            "payload": PAYLOAD, "workers": 1, "packets_per_second": round(pps),
            "packets_per_second_range": [round(rounds[0][1]), round(rounds[-1][1])],
            "ns_per_packet": round(1e9 / pps) if pps else None, "rate": rate,
            "not_saturated": open_end, "talkers_late_us": late, "crypto": crypto,
            "machine": machine()}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    facts = {key.strip(): value.strip() for key, value in lines.items()}
    return {"cpu": facts.get("model name", "unknown"), "kernel": os.uname().release,
            "virtual": "hypervisor" in facts.get("flags", ""),
            "load_average": round(os.getloadavg()[0], 2)}


def show(cases):
    base = next((c["packets_per_second"] for c in cases if c["system"] == Janus.NAME), 0)
    print(f"{'one core, ' + str(PAYLOAD) + ' B, each packet to 50':28} {'suite':26} "
          f"{'packets/s':>10} {'ns':>7} {'times janus':>11}  cipher")
    for c in cases:
        times = f"{c['packets_per_second'] / base:11.1f}" if base else f"{'-':>11}"
        more = " (not saturated: more than that)" if c["not_saturated"] else ""
        print(f"{c['system']:28} {c['suite']:26} {c['packets_per_second']:10,} "
              f"{c['ns_per_packet'] or 0:7,} {times}  {c['crypto']}{more}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.add_argument("--out")
    parser.add_argument("--rooms", type=int, default=60)
    parser.add_argument("--fanout", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="names of systems, by comma")
    parser.add_argument("--janus-rooms", type=int)
    parser.add_argument("--janus-fanout", type=int)
    args = parser.parse_args()
    if args.janus_rooms:
        janus_rooms(args.janus_rooms, args.janus_fanout)
        return
    systems = [("janus", lambda: Janus(args), CM)]
    for device in ("afpacket", "afxdp"):
        for suite in (CM, GCM):
            systems.append((f"voicenode {device}",
                            lambda d=device, s=suite: Ours(args, d, s), suite))
    if args.only:
        systems = [s for s in systems if s[0].split()[-1] in args.only.split(",")]
    cases = []
    try:
        for name, make, suite in systems:
            make_wire()
            cases.append(measure(args, name, make, suite,
                                 lambda text: print(text, file=sys.stderr, flush=True)))
            remove_wire()
    finally:
        control.end_all()
        remove_wire()
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump({"schema": "voicenode-bench/1", "cases": cases}, file, indent=1)
        file.write("\n")
    show(cases)


main()
