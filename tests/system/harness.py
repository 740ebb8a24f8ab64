# SPDX-License-Identifier: BSD-3-Clause
#
# Hosts, node, gateway and stock clients for the system tests: network namespaces around a router, each
# client in a subnet of its own, so that one client's address can only reach another through our
# programs. Everything made here is removed at exit; everything waits with a bound.
import atexit
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NODE_IP = "10.77.0.2"
NODE_IP6 = "fd77::2"
PORTS = "50000-50001"
SECRET = "system-test-node-secret-0123456789"


def run(*argv, check=True):
    return subprocess.run(argv, check=check, capture_output=True, text=True)


def wait_for(what, fn, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = fn()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {seconds} s")


SITES = []  # for their logs, should the test fail


class Net:
    """A router with one subnet per host: 10.77.N.2/24 behind 10.77.N.1, fd77:N::2 behind fd77:N::1."""

    def __init__(self, node_queues):
        self.tag = f"vnt{os.getpid()}"
        self.hosts = {}
        atexit.register(self.close)
        self.router = self.netns("rt")
        run("ip", "netns", "exec", self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1")
        self.add_host("node", queues=node_queues)

    def netns(self, name):
        full = f"{self.tag}-{name}"
        run("ip", "netns", "add", full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def add_host(self, name, queues=1):
        number = len(self.hosts)
        space = self.netns(name)
        prefix6 = "fd77::" if number == 0 else f"fd77:{number}::"
        run("ip", "link", "add", "name", "eth0", "netns", space, "numrxqueues", str(queues),
            "numtxqueues", str(queues), "type", "veth", "peer", "name", f"p{number}",
            "netns", self.router, "numrxqueues", str(queues), "numtxqueues", str(queues))
        for ns, dev, last in ((space, "eth0", "2"), (self.router, f"p{number}", "1")):
            run("ip", "-n", ns, "addr", "add", f"10.77.{number}.{last}/24", "dev", dev)
            run("ip", "-n", ns, "addr", "add", f"{prefix6}{last}/64", "dev", dev, "nodad")
            run("ip", "-n", ns, "link", "set", dev, "up")
            run("ip", "netns", "exec", ns, "ethtool", "-K", dev, "tx", "off", check=False)
        run("ip", "-n", space, "route", "add", "default", "via", f"10.77.{number}.1")
        run("ip", "-n", space, "-6", "route", "add", "default", "via", f"{prefix6}1")
        self.hosts[name] = (space, f"10.77.{number}.2")
        return space

    def ip(self, name):
        return self.hosts[name][1]

    def argv(self, name, argv):
        return ["ip", "netns", "exec", self.hosts[name][0], *argv]

    def close(self):
        for space in [self.router, *(s for s, _ in self.hosts.values())]:
            run("ip", "netns", "del", space, check=False)
        self.hosts = {}


class Process:
    """A program in a host, its stdout read as lines by a thread."""

    def __init__(self, net, host, argv, env=None, log=None):
        self.lines = queue.Queue()
        self.history = []
        self.child = subprocess.Popen(
            net.argv(host, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(log, "ab") if log else None, text=True, env={**os.environ, **(env or {})})
        threading.Thread(target=self._read, daemon=True).start()
        atexit.register(self.stop)

    def _read(self):
        for line in self.child.stdout:
            self.history.append(line.rstrip("\n"))
            self.lines.put(line.rstrip("\n"))

    def send(self, **command):
        self.child.stdin.write(json.dumps(command) + "\n")
        self.child.stdin.flush()

    def stop(self, how=signal.SIGTERM, seconds=10):
        if self.child.poll() is None:
            self.child.send_signal(how)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


class Site:
    """One gateway and one node in the host "node"."""

    def __init__(self, build, device="afpacket", guilds=1, users=4, channels=2, modes=None,
                 capacity_pps=None):
        SITES.append(self)
        self.build = build
        self.dir = tempfile.mkdtemp(prefix="vnt-")
        atexit.register(shutil.rmtree, self.dir, True)
        # The driver of AF_XDP takes one queue of a veth: the two workers then share it by hand-over.
        self.net = Net(node_queues=1 if device == "afxdp" else 2)
        self.users = [str(1001 + i) for i in range(users)]
        self.guilds = [str(2001 + i) for i in range(guilds)]
        self.channels = channels
        self.write_gateway_config()
        self.write_node_config(device, modes, capacity_pps)
        self.gateway = self.node = None

    def path(self, name):
        return os.path.join(self.dir, name)

    def channel(self, guild, number=0):
        return str(int(guild) * 10 + number)

    def program(self, name):
        for folder in ("control/cli", "control/gateway", "control/node", "control", "dataplane/host",
                       "bench/load", "."):
            at = os.path.join(self.build, folder, name)
            if os.access(at, os.X_OK) and os.path.isfile(at):
                return at
        raise AssertionError(f"{name} is not built in {self.build}")

    def write_gateway_config(self):
        members = ", ".join(f'"{u}"' for u in self.users)
        text = [f'gateway = {{ name = "gw"; listen = "{NODE_IP}:8480"; node_secrets = [ "{SECRET}" ];',
                f'  socket = "{self.path("gateway.sock")}"; }};', "guilds = ("]
        text.append(",\n".join(
            f'  {{ id = "{g}"; name = "guild {g}"; channels = ( ' + ", ".join(
                f'{{ id = "{self.channel(g, c)}"; name = "voice {c}"; }}'
                for c in range(self.channels)) +
            f' ); members = [ {members} ]; moderators = [ "{self.users[0]}" ]; }}'
            for g in self.guilds))
        text.append(");\nusers = (")
        text.append(",\n".join(f'  {{ id = "{u}"; name = "user {u}"; bot = true; token = "tok-{u}"; }}'
                               for u in self.users))
        text.append(");\n")
        with open(self.path("gateway.cfg"), "w", encoding="utf-8") as f:
            f.write("\n".join(text))

    def write_node_config(self, device, modes, capacity_pps):
        with open(self.path("secret"), "w", encoding="utf-8") as f:
            f.write(SECRET + "\n")
        os.chmod(self.path("secret"), 0o600)
        modes = f'  modes = [ "{modes}" ];' if modes else ""
        workers = f"workers = {{ capacity_pps = {capacity_pps}; }};\n" if capacity_pps else ""
        with open(self.path("voicenode.cfg"), "w", encoding="utf-8") as f:
            f.write(f'''node = {{ name = "node-1"; state_dir = "{self.dir}"; instance = "{self.net.tag}"; }};
network = {{ device = "{device}:eth0"; media_ports = "{PORTS}"; }};
{workers}memory = {{ hugepages = "off"; mbufs = 4096; }};
limits = {{ sessions = 256; guilds = 64; legs = 4096; }};
voice = {{ listen = [ "{NODE_IP}:8443" ]; endpoint = "{NODE_IP}:8443"; {modes} }};
gateway = {{ url = "ws://{NODE_IP}:8480/node"; secret_file = "{self.path("secret")}"; }};
metrics = {{ listen = "127.0.0.1:9477"; }};
control = {{ socket = "{self.path("node.sock")}"; }};
''')

    def start(self):
        self.start_gateway()
        self.start_node()

    def start_gateway(self):
        self.gateway = Process(self.net, "node", [self.program("voicenode-gateway"), "--config",
                               self.path("gateway.cfg")], log=self.path("gateway.log"))
        wait_for("gateway that is ready", lambda: any(
            l.startswith("ready") for l in self.gateway.history))

    def start_node(self):
        self.node = Process(self.net, "node", [self.program("voicenode"), "run", "--config",
                            self.path("voicenode.cfg")], log=self.path("node.log"))
        wait_for("node that serves", self.serving, 30)

    def serving(self):
        if self.node.child.poll() is not None:
            raise AssertionError("the node ended: " + open(self.path("node.log")).read()[-2000:])
        status = self.status()
        return status and status["state"] == "serving" and status["gateway"]["connected"] \
            and status["dataplane"]["up"] and all(w["turning"] for w in status["workers"])

    def operator(self, what):
        done = run(self.program("voicenode"), what, "--json", "--socket", self.path("node.sock"),
                   check=False)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None

    def status(self):
        return self.operator("status")

    def drops(self):
        return self.status()["drops"]

    def bot(self, host, user):
        return Bot(self, host, user)

    def children(self):
        """pids of the supervisor's children by program name."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
                args = open(f"/proc/{pid}/cmdline", encoding="utf-8").read()
                instance = self.net.tag in args or self.dir in args
            except OSError:
                continue
            if instance and name.startswith("voicenode-"):
                found[name] = int(pid)
        return found

    def check_ledger(self):
        """The ledger balances once nothing is on its way."""
        wait_for("ledger that balances", lambda: self.status()["ledger"]["balanced"], 5)

    def stop(self):
        code = self.node.stop()
        if code != 0:
            raise AssertionError(f"the node ended with {code}: " +
                                 open(self.path("node.log")).read()[-2000:])
        if self.gateway.stop() != 0:
            raise AssertionError("the gateway did not end cleanly")

    def logs(self):
        names = sorted(n for n in os.listdir(self.dir) if n.endswith(".log"))
        return "\n".join(f"-- {n}\n" + open(self.path(n), errors="replace").read()[-3000:]
                         for n in names)


class Bot(Process):
    """A stock discord.js client in a host of its own."""

    def __init__(self, site, host, user):
        self.user = user
        if host not in site.net.hosts:
            site.net.add_host(host)
        options = {"api": f"http://{NODE_IP}:8480/api", "token": f"tok-{user}"}
        super().__init__(site.net, host, ["node", "--no-warnings", os.path.join(HERE, "clients/bot.mjs"),
                         json.dumps(options)], log=site.path(f"bot-{user}.log"),
                         env={"NODE_EXTRA_CA_CERTS": site.path("tls/ca.pem")})
        self.events = []
        self.taken = 0
        self.until(lambda e: e["ev"] == "login", "login")

    def pump(self):
        while self.taken < len(self.history):
            self.events.append(json.loads(self.history[self.taken]))
            self.taken += 1
        return self.events

    def until(self, match, what, seconds=20, since=0):
        """The first event from index 'since' on that matches."""
        def look():
            self.pump()
            for event in self.events[since:]:
                if event["ev"] == "error":
                    raise AssertionError(f"bot {self.user}: {event['what']}")
                if match(event):
                    return event
            if self.child.poll() is not None:
                raise AssertionError(f"bot {self.user} ended")
            return None
        return wait_for(f"{what} at bot {self.user}", look, seconds)

    def mark(self):
        return len(self.pump())

    def join(self, guild, channel, deaf=False):
        at = self.mark()
        self.send(do="join", guild=guild, channel=channel, deaf=deaf)
        self.until(lambda e: e["ev"] == "voice" and e["state"] == "ready", "voice that is ready",
                   since=at)

    def speak(self, frames, seed=1, wait=True):
        at = self.mark()
        self.send(do="speak", frames=frames, seed=seed)
        if wait:
            self.until(lambda e: e["ev"] == "spoken", "end of speech", 20 + frames / 50, at)
        return at

    def sent(self, since=0):
        return [e["h"] for e in self.pump()[since:] if e["ev"] == "sent"]

    def heard(self, user, since=0):
        return [e for e in self.pump()[since:] if e["ev"] == "heard" and e["user"] == user]

    def heard_hashes(self, user, since=0):
        return [e["h"] for e in self.heard(user, since)]

    def voice_text(self):
        """All that the gateways told this client, as text."""
        return "\n".join(json.dumps(e) for e in self.pump() if e["ev"] in ("dispatch", "debug"))

    def quit(self):
        self.send(do="quit")
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.stop()


def compare(sent, heard, least=0.99):
    """Every heard frame was sent, in that order, none twice; at least so many arrived."""
    at = 0
    for h in heard:
        assert h in sent[at:], f"frame {h} was never sent, or came twice, or out of order"
        at = sent.index(h, at) + 1
    share = len(heard) / max(1, len(sent))
    assert share >= least, f"{len(heard)} of {len(sent)} frames heard"
    return share


def main(test):
    """Runs test(build, *arguments), prints the logs when it fails."""
    build, arguments = sys.argv[1], sys.argv[2:]
    try:
        test(build, *arguments)
    except BaseException:
        for site in SITES:
            print(site.logs(), file=sys.stderr)
        raise
