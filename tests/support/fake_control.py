#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# A control (and supervisor) of a few lines, to run voicenode-dataplane alone: makes the link and the
# progress memfd, says HELLO, sends commands, checks ACKs. System tests import it; by hand:
#   fake_control.py DATAPLANE null
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time

HELLO, PEER_DOWN, GUILD_OPEN, GUILD_CLOSE, ROOM_OPEN, ROOM_CLOSE = 1, 2, 3, 4, 5, 6
SESSION_ADD, SESSION_KEY, SESSION_HINT, SESSION_SET, SESSION_REMOVE, REPLAYED = 7, 8, 9, 10, 11, 12
ROOM_SET, ACK, DEVICE = 13, 16, 17
API = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../dataplane/api")
with open(os.path.join(API, "dp_counter.h")) as header:
    COUNTERS = re.findall(r"^\tX\((\w+),", header.read(), re.M)  # in the order of the memfd
with open(os.path.join(API, "dp_msg.h")) as header:
    VERSION = int(re.search(r"^#define DP_CONTRACT_VERSION (\d+)u$", header.read(), re.M).group(1))
HEADER = struct.Struct("=IIHHHH")  # epoch, seq, type, size, worker, reserved
SIZES = {HELLO: 80, PEER_DOWN: 24, GUILD_OPEN: 40, GUILD_CLOSE: 24, ROOM_OPEN: 48, ROOM_CLOSE: 24,
         SESSION_ADD: 48, SESSION_KEY: 80, SESSION_HINT: 48, SESSION_SET: 40, SESSION_REMOVE: 24,
         REPLAYED: 16, ROOM_SET: 32, ACK: 24, DEVICE: 512}
BODIES = {GUILD_OPEN: "=IIQQ", GUILD_CLOSE: "=II", ROOM_OPEN: "=IIIIQQ", ROOM_CLOSE: "=II",
          SESSION_ADD: "=IIIIIIII", SESSION_KEY: "=IIII32s14s2x", SESSION_HINT: "=II16sHBBI",
          SESSION_SET: "=IIIIII", SESSION_REMOVE: "=II", ROOM_SET: "=IIQ"}
PREFIX = "voicenode_test"
NODES = []  # that were started


def end_all():
    """Kills what is still running, for the end of a test that failed."""
    for node in NODES:
        if node.process.poll() is None:
            node.process.kill()
            node.process.wait()
    NODES.clear()


def text(field):
    return field.split(b"\0", 1)[0].decode()


class Node:
    """The dataplane as a child, with this process as its supervisor and control."""

    def __init__(self, program, device, address="127.0.0.1/8", ports="50000-50000", cores="0",
                 options=None, namespace=None, wrapper=None, extra=None):
        self.program, self.wrapper = program, wrapper or []
        self.namespace = namespace
        self.options = {"device": device, "rung-note": "test", "address": address, "ports": ports,
                        "cores": cores, "main-core": "0", "idle": "adaptive", "sleep-us-max": "50",
                        "hugepages": "auto", "mbufs": "8192", "sessions": "64", "guilds": "16",
                        "legs": "256", "steering": "auto",
                        "file-prefix": "%s_%d" % (PREFIX, os.getpid()), "log-level": "info"}
        self.options.update(options or {})
        self.extra = extra or []  # EAL's own arguments
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.memory = os.memfd_create("progress")
        self.epoch, self.peer, self.process_epoch, self.seq = 1, 0, 0, 0
        self.device, self.acks, self.hellos = None, {}, []
        self.process = None

    def arguments(self):
        argv = [self.program, "--epoch", str(self.process_epoch)]
        for name, value in self.options.items():
            for one in value if isinstance(value, list) else [value]:
                argv += ["--" + name, one]
        return argv + (["--"] + self.extra if self.extra else [])

    def start(self, stderr=None):
        self.process_epoch += 1
        argv = self.wrapper + self.arguments()
        if self.namespace:
            argv = ["ip", "netns", "exec", self.namespace] + argv

        def inherit():
            os.dup2(self.theirs.fileno(), 63)
            os.dup2(self.memory, 62)
            os.dup2(63, 3)
            os.dup2(62, 4)
            os.closerange(5, 64)

        self.process = subprocess.Popen(argv, preexec_fn=inherit, close_fds=False, stderr=stderr,
                                        text=True)
        NODES.append(self)
        return self

    def record(self, kind, body, worker=0, epoch=None, size=None):
        self.seq += 1
        head = HEADER.pack(self.epoch if epoch is None else epoch, self.seq, kind,
                           HEADER.size + len(body) if size is None else size, worker, 0)
        return head + body

    def send(self, record):
        self.ours.send(record)

    def hello(self, peer, version=VERSION):
        sizes = [SIZES.get(kind, 0) for kind in range(24)]
        self.send(self.record(HELLO, struct.pack("=IIHH24HI", version, peer, 0, 0, *sizes, 0)))

    def peer_down(self, epoch):
        self.send(self.record(PEER_DOWN, struct.pack("=II", epoch, 0), epoch=0))

    def receive(self, timeout):
        """One record of the dataplane, answered and filed. False: none came in time."""
        if not select.select([self.ours], [], [], timeout)[0]:
            return False
        data = self.ours.recv(512)
        epoch, seq, kind, size, worker, _ = HEADER.unpack_from(data)
        assert size == len(data) == SIZES[kind], (kind, size, len(data))
        body = data[HEADER.size:]
        if kind == HELLO:
            version, named, workers, first_port = struct.unpack_from("=IIHH", body)
            assert version == VERSION and epoch == self.process_epoch, (version, epoch)
            self.hellos.append((epoch, named, workers, first_port))
            known, self.peer = self.peer == epoch, epoch
            if not (named == self.epoch and known):
                self.hello(epoch)
        elif epoch != self.peer:
            return True
        elif kind == ACK:
            assert seq not in self.acks, seq
            self.acks[seq] = struct.unpack_from("=i", body)[0]
        elif kind == DEVICE:
            driver, name, rung, steering, crypto, countable, queues, *capacity = \
                struct.unpack_from("=24s32s96s16s64sBxH4x64I", body)
            self.device = {"driver": text(driver), "name": text(name), "rung": text(rung),
                           "steering": text(steering), "crypto": text(crypto),
                           "drops_countable": countable, "queues": queues,
                           "capacity_pps": [pps for pps in capacity if pps]}
        return True

    def until(self, condition, timeout=15.0):
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            if left <= 0 or (self.process and self.process.poll() is not None):
                return False
            self.receive(min(left, 0.1))
        return True

    def connect(self):
        """Until the dataplane has told its device."""
        self.device = None
        self.hello(0)
        if not self.until(lambda: self.device is not None):
            raise RuntimeError("dataplane said nothing, exit status %r" % self.process.poll())
        return self.device

    def command(self, kind, *fields, worker=0):
        """Sends a command, returns the error of its ACK."""
        self.send(self.record(kind, struct.pack(BODIES[kind], *fields), worker))
        seq = self.seq
        if not self.until(lambda: seq in self.acks):
            raise RuntimeError("no ACK for record type %d" % kind)
        return self.acks[seq]

    def heartbeat(self, worker_offset=64):
        return struct.unpack("=Q", os.pread(self.memory, 8, worker_offset))[0]

    def counter(self, name, worker_offset=64):
        """A counter of dp_counter.h of worker 0."""
        offset = worker_offset + 40 + 8 * COUNTERS.index(name)
        return struct.unpack("=Q", os.pread(self.memory, 8, offset))[0]

    def restart_control(self):
        """As if control had died and a new one had been started."""
        self.peer_down(self.epoch)
        self.epoch, self.peer, self.seq, self.acks = self.epoch + 1, 0, 0, {}
        return self.connect()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def main():
    program, device = sys.argv[1:3]
    node = Node(program, device).start()
    print(node.connect())
    print("guild:", node.command(GUILD_OPEN, 0, 1, 41, 1))
    print("exit status:", node.stop())


if __name__ == "__main__":
    main()
