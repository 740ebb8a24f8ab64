#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The attacker of hostile_packets_test.py, in the router, with the node's link in its hands: it reads
# what bots send to the node, and writes frames of its own. For each line on stdin it does the next kind
# of attack and tells, on one line, what the node should have counted, and the bytes of UDP and ICMP
# that the attacker's addresses sent to the node and got from it. Seeded; bounded.
# usage: hostile.py DEV NODE_IP VICTIM_IP OWN_IP MTU
import json
import random
import socket
import struct
import sys
import time

DEV, NODE, VICTIM, OWN, MTU = sys.argv[1:5] + [int(sys.argv[5])]
COUNT = 800  # of each kind
rng = random.Random(20241124)
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
link.bind((DEV, 0))
link.setblocking(False)
sent = 0
bytes_in = bytes_out = 0
heard = {}  # of the victim: ssrc -> frames


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def address(text):
    return socket.inet_aton(text)


def ipv4(source, body, proto=17, flags=0x4000, size=None, bad=False):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size if size is not None else 20 + len(body),
                         rng.randrange(65536), flags, 64, proto, 0, address(source), address(NODE))
    return header[:10] + struct.pack(">H", checksum(header) ^ (0x0101 if bad else 0)) + header[12:] + body


def udp(source, sport, port, payload, size=None, check=None):
    size = size if size is not None else 8 + len(payload)
    packet = struct.pack(">HHHH", sport, port, size, 0) + payload
    pseudo = address(source) + address(NODE) + struct.pack(">HH", 17, 8 + len(payload))
    right = checksum(pseudo + packet) or 0xffff
    wrong = right ^ 0x5555
    # A kernel's unfinished sum is that of the pseudo header, and accepted: not that one, nor none.
    while wrong in (0, 0xffff - checksum(pseudo)):
        wrong ^= 0x0100
    return packet[:6] + struct.pack(">H", wrong if check == "wrong" else right) + payload


def ether(packet, kind=0x0800):
    return macs + struct.pack(">H", kind) + packet


def datagram(payload, source=OWN, sport=None, port=50000):
    return ether(ipv4(source, udp(source, sport or rng.randrange(1024, 65536), port, payload)))


def rtp(ssrc, size=120, kind=0x78):
    return struct.pack(">BBHII", 0x80, kind, rng.randrange(65536), rng.randrange(1 << 32), ssrc) + \
        rng.randbytes(size)


def either(n):
    return 50000 + n % 2


def receive():
    """What came by on the link. Frames that we write are not shown to the socket that wrote them."""
    global bytes_out
    while True:
        try:
            frame, where = link.recvfrom(65536)
        except BlockingIOError:
            return
        if frame[12:14] != b"\x08\x00" or len(frame) < 42:
            continue
        source, target, proto = frame[26:30], frame[30:34], frame[23]
        if where[2] != socket.PACKET_OUTGOING:  # from the node
            if target == address(OWN) and proto in (1, 17):
                bytes_out += len(frame)
        elif source == address(VICTIM) and target == address(NODE) and proto == 17:
            payload = frame[42:]
            if len(payload) >= 32 and payload[0] & 0xc0 == 0x80 and payload[1] & 0x7f == 0x78:
                frames = heard.setdefault(payload[8:12], [])
                frames.append(frame)
                del frames[:-200]


def write(frame, own=True):
    global sent, bytes_in
    while True:
        try:
            link.send(frame)
            break
        except (BlockingIOError, OSError) as error:
            if getattr(error, "errno", 0) not in (11, 105):
                raise
            time.sleep(0.001)
    sent += 1
    if own:
        bytes_in += len(frame)
    if sent % 20 == 0:  # some 5,000 a second: a flood, but none that fills the link
        receive()
        time.sleep(0.004)


def victim():
    """SSRC, source port, port, newest payload of the victim's bots."""
    receive()
    ssrc = rng.choice(sorted(heard))
    frame = heard[ssrc][-1]
    sport, port = struct.unpack(">HH", frame[34:38])
    return int.from_bytes(ssrc, "big"), sport, port, frame[42:]


def foreign_ssrc():
    while True:
        ssrc = rng.randrange(1 << 32)
        if struct.pack(">I", ssrc) not in heard:
            return ssrc


# --- the kinds: each yields frames (or, not its own address, a tuple) ---

def truncated():
    whole = datagram(rtp(1))
    for n in range(COUNT):  # inside IP's header; what is shorter, Ethernet does not send
        yield whole[:rng.randrange(15, 34)]


def cut():
    whole = datagram(rtp(1))
    for n in range(COUNT):
        yield whole[:rng.randrange(46, len(whole) - 1)]


def fragments():
    for n in range(COUNT):
        body = udp(OWN, 4000, either(n), rtp(1, 600))
        yield ether(ipv4(OWN, body[:304], flags=0x2000)) if n % 2 else \
            ether(ipv4(OWN, body[304:], flags=38))


def vlan():
    for n in range(COUNT):
        yield ether(struct.pack(">HH", rng.randrange(1, 4095), 0x0800) +
                    ipv4(OWN, udp(OWN, 4000, either(n), rtp(1))), 0x8100)


def ip_checksum():
    for n in range(COUNT):
        yield ether(ipv4(OWN, udp(OWN, 4000, either(n), rtp(1)), bad=True))


def ip_length():
    for n in range(COUNT):
        yield ether(ipv4(OWN, udp(OWN, 4000, either(n), rtp(1)), size=rng.randrange(20)))


def udp_checksum():
    for n in range(COUNT):
        yield ether(ipv4(OWN, udp(OWN, 4000, either(n), rtp(1), check="wrong")))


def udp_length():
    for n in range(COUNT):
        lie = rng.choice([0, 7, 8, 100, 141, 65535])
        yield ether(ipv4(OWN, udp(OWN, 4000, either(n), rtp(1), size=lie)))


def no_source():
    for n in range(COUNT):
        source = ("127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", NODE)[n % 5]
        yield (ether(ipv4(source, udp(source, 4000, either(n), rtp(1)))),)


def long():
    for n in range(COUNT if MTU > 2000 else 0):
        yield datagram(rtp(1, rng.choice([1600, 1700, 1900])), port=either(n))


def jumbo():  # more than af_packet's 1,982 bytes
    for n in range(COUNT if MTU > 2000 else 0):
        yield datagram(rtp(1, rng.choice([1982, 2100, 5000, 8900])), port=either(n))


def unknown_ssrc():
    for n in range(COUNT):
        yield datagram(rtp(foreign_ssrc()), port=either(n))


def unknown_rtcp():
    for n in range(COUNT):
        yield datagram(struct.pack(">BBHI", 0x80, 200, 6, foreign_ssrc()) + rng.randbytes(40), port=either(n))


def forged():
    for n in range(COUNT):
        ssrc, _, port, newest = victim()
        yield datagram(newest[:2] + struct.pack(">H", (newest[2] << 8 | newest[3]) + 3 + n % 5 & 0xffff) +
                       newest[4:12] + rng.randbytes(100), port=port)


def forged_from_the_victim():
    for n in range(COUNT):
        ssrc, sport, port, newest = victim()
        yield (datagram(newest[:2] + struct.pack(">H", (newest[2] << 8 | newest[3]) + 3 + n % 5 & 0xffff) +
                        newest[4:12] + rng.randbytes(100), VICTIM, sport, port),)


def forged_rtcp():
    for n in range(COUNT):
        ssrc, sport, port, _ = victim()
        yield datagram(struct.pack(">BBHI", 0x80, 200, 6, ssrc) + rng.randbytes(40), port=port)


def replayed():
    for n in range(COUNT):
        receive()
        frame = rng.choice(heard[rng.choice(sorted(heard))][:-20])
        yield (macs + frame[12:],)


def replayed_from_elsewhere():
    for n in range(COUNT):
        receive()
        frame = rng.choice(heard[rng.choice(sorted(heard))][:-20])
        yield datagram(frame[42:], port=struct.unpack(">H", frame[36:38])[0])


def others_stream():
    """One member's sealed packet with another member's SSRC, from where the first one is."""
    for n in range(COUNT):
        receive()
        one, other = rng.sample(sorted(heard), 2)
        frame = heard[one][-1]
        newest = heard[other][-1]
        payload = frame[42:44] + struct.pack(">H", struct.unpack(">H", newest[44:46])[0] + 3 & 0xffff) + \
            frame[46:50] + other + frame[54:]
        sport = struct.unpack(">H", frame[34:36])[0]
        yield (datagram(payload, VICTIM, sport, struct.unpack(">H", newest[36:38])[0]),)


def unpublished_ssrc():
    for n in range(COUNT):  # a session owns a block of sixteen, and publishes the first
        ssrc, _, port, _ = victim()
        yield datagram(rtp(ssrc + 1 + n % 15), port=port)


def other_type():
    for n in range(COUNT):
        ssrc, _, port, _ = victim()
        yield datagram(rtp(ssrc, kind=rng.choice([0, 8, 96, 111])), port=port)


def extension_lies():
    for n in range(COUNT):
        ssrc, _, port, _ = victim()
        head = bytearray(rtp(ssrc))
        head[0] |= 0x1f
        head[72 + 2:72 + 4] = b"\xff\xff"
        yield datagram(bytes(head), port=port)


def discovery_unknown():
    for n in range(COUNT):
        yield datagram(struct.pack(">HHI", 1, 70, foreign_ssrc()) + bytes(66), port=either(n))


def discovery_flood():
    ssrc, _, port, _ = victim()
    for n in range(COUNT):
        yield datagram(struct.pack(">HHI", 1, 70, ssrc) + bytes(66), port=port, sport=4001)


def pings():
    for n in range(COUNT):
        yield datagram(struct.pack(">II", 0x1337cafe, n), port=either(n))


def stun():
    for n in range(COUNT):
        yield datagram(struct.pack(">HHI", 1, 8, 0x2112a442) + rng.randbytes(20), port=either(n))


def dtls():
    for n in range(COUNT):
        yield datagram(b"\x16\xfe\xff" + bytes(8) + struct.pack(">H", 100) + b"\x01" + rng.randbytes(99),
                       port=either(n))


def noise():
    for n in range(COUNT):  # 64 to 127 begin nothing that we know
        yield datagram(bytes([rng.randrange(64, 128)]) + rng.randbytes(rng.randrange(10, 1400)),
                       port=either(n))


# kind: what it counts as; the share of its frames that must be (the rest may be something else of the
# same list); whether the node may answer.
KINDS = [
    (truncated, ["frame_short"]), (cut, ["frame_cut"]), (fragments, ["ip_fragment"]), (vlan, ["vlan"]),
    (ip_checksum, ["ip_checksum"]), (ip_length, ["ip_header"]), (udp_checksum, ["udp_checksum"]),
    (udp_length, ["udp_length"]), (no_source, ["ip_source"]), (long, ["frame_long"]),
    (jumbo, ["frame_cut"]),
    (unknown_ssrc, ["no_session"]), (unknown_rtcp, ["no_session"]),
    (forged, ["srtp_auth"]), (forged_from_the_victim, ["srtp_auth"]), (forged_rtcp, ["srtp_auth"]),
    (replayed, ["srtp_replay"]), (replayed_from_elsewhere, ["srtp_replay"]),
    (others_stream, ["srtp_auth"]), (unpublished_ssrc, ["no_stream"]), (other_type, ["rtp_type"]),
    (extension_lies, ["rtp_short"]), (discovery_unknown, ["discovery_ssrc"]),
    (discovery_flood, ["discovery_rate"]), (pings, ["ping_source"]), (stun, ["not_served"]),
    (dtls, ["not_served"]), (noise, ["unclassified"]),
]


def tell(**what):
    print(json.dumps(what), flush=True)


end = time.monotonic() + 15
while len(heard) < 2 or min(len(f) for f in heard.values()) < 60:
    receive()
    if time.monotonic() > end:
        sys.exit("no bots are to be heard")
    time.sleep(0.01)
macs = next(iter(heard.values()))[0][:12]
tell(kind="ready")
for kind, names in KINDS:
    sys.stdin.readline()
    count, bytes_in, bytes_out = 0, 0, 0
    for frame in kind():
        write(*((frame[0], False) if isinstance(frame, tuple) else (frame,)))
        count += 1
    answered = kind is discovery_flood
    end = time.monotonic() + (1 if answered else 0.15)
    while time.monotonic() < end:
        receive()
        time.sleep(0.01)
    # Of the flood, ten at once and five a second are answered.
    least = count - 40 if answered else count
    # A bot's own packet may overtake the forged one and make it old.
    if kind in (forged, forged_from_the_victim, others_stream):
        names, least = names + ["srtp_replay"], count * 9 // 10
    tell(kind=kind.__name__, drops={n: least if n == names[0] else 0 for n in names}, answered=answered,
         sent=count, **{"in": bytes_in, "out": bytes_out})
sys.stdin.readline()
tell(kind="done", sent=sent)
