#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Wrong signaling at both gateways and at the REST calls, while two stock bots talk: each mistake gets
# its close code or its status, and the others on the node notice nothing.
# usage: signaling_abuse_test.py BUILD
import json
import os

from harness import HERE, NODE_IP, Process, Site, compare, main, run, wait_for

VOICE = f"wss://{NODE_IP}:8443/?v="
MAIN = f"ws://{NODE_IP}:8480/?encoding=json&v=10"
AES = "aead_aes256_gcm_rtpsize"
FRAMES = 1500


def frame(op, **d):
    return json.dumps({"op": op, "d": d})


class Mallory(Process):
    """Raw connections, by number."""

    def __init__(self, site):
        site.net.add_host("mallory")
        super().__init__(site.net, "mallory", ["node", "--no-warnings", os.path.join(
            HERE, "clients/abuse.mjs")], log=site.path("mallory.log"),
            env={"NODE_EXTRA_CA_CERTS": site.path("tls/ca.pem")})
        self.site = site
        self.count = 0
        wait_for("abuse.mjs", lambda: self.history, 20)

    def events(self, wire):
        return [e for e in map(json.loads, self.history) if e.get("id") == wire]

    def until(self, wire, what, match, seconds=20):
        def look():
            for event in self.events(wire):
                if match(event):
                    return event
                assert event["ev"] != "closed", f"closed with {event['code']} instead of {what}"
            return None
        return wait_for(what, look, seconds)

    def open(self, url, hello=True):
        self.count += 1
        self.send(do="open", id=self.count, url=url)
        if hello:
            self.op(self.count, 8 if url.startswith("wss") else 10)
        return self.count

    def say(self, wire, *texts, **more):
        for text in texts:
            self.send(do="send", id=wire, text=text)
        if more:
            self.send(do="send", id=wire, **more)

    def op(self, wire, op, event=None):
        def match(e):
            if e["ev"] != "message":
                return False
            got = json.loads(e["text"])
            return got["op"] == op and (event is None or got.get("t") == event)
        return json.loads(self.until(wire, f"op {op} {event or ''}", match)["text"])

    def closes(self, what, code, wire):
        def look():
            return [e for e in self.events(wire) if e["ev"] == "closed"]
        got = wait_for(f"close {code} after {what}", look, 20)[0]["code"]
        assert got == code, f"{what}: closed with {got}, not {code}"
        print(f"{code} {what}")

    def login(self, user):
        wire = self.open(MAIN)
        self.say(wire, frame(2, token=f"tok-{user}", intents=1 | 128, properties={}))
        self.op(wire, 0, "READY")
        return wire

    def invite(self, wire, user, guild, channel):
        """What a voice Identify needs, from the main gateway."""
        before = len(self.events(wire))
        self.say(wire, frame(4, guild_id=guild, channel_id=channel, self_mute=False, self_deaf=False))
        found = {}

        def look():
            for event in self.events(wire)[before:]:
                got = json.loads(event["text"]) if event["ev"] == "message" else {}
                if got.get("t") == "VOICE_SERVER_UPDATE" and got["d"]["endpoint"]:
                    found["token"] = got["d"]["token"]
                if got.get("t") == "VOICE_STATE_UPDATE" and got["d"]["user_id"] == user:
                    found["session_id"] = got["d"]["session_id"]
            return len(found) == 2
        wait_for("invitation to voice", look, 20)
        return {"server_id": guild, "user_id": user, **found}

    def invite_again(self, wire, user, guild, channel):
        """Leaves, then joins: the main gateway gives a new token."""
        before = len(self.events(wire))
        self.say(wire, frame(4, guild_id=guild, channel_id=None, self_mute=False, self_deaf=False))

        def gone():
            return any('"channel_id":null' in e.get("text", "").replace(": ", ":") and
                       f'"{user}"' in e["text"] for e in self.events(wire)[before:])
        wait_for("leave", gone, 20)
        return self.invite(wire, user, guild, channel)


def voice_before_identify(m):
    deep = '{"op":3,"d":' + "[" * 2000 + "]" * 2000 + "}"
    for what, code, text in (
            ("text that is no JSON", 4002, "{nonsense"),
            ("an array", 4002, "[0,1]"), ("an empty frame", 4002, ""),
            ("op of a wrong type", 4002, '{"op":"zero","d":{}}'),
            ("op left out", 4002, '{"d":{}}'), ("a member twice", 4002, '{"op":3,"op":3,"d":1}'),
            ("deep nesting", 4002, deep),
            ("identify whose d is a list", 4002, '{"op":0,"d":[]}'),
            ("identify with wrong types", 4002, frame(0, server_id=[], user_id={}, token=7)),
            ("resume with wrong types", 4002, frame(7, server_id="x", session_id=1, token=[])),
            ("identify with an id beyond 64 bits", 4002, frame(0, server_id="9" * 40)),
            ("a heartbeat that is a text", 4002, '{"op":3,"d":"now"}'),
            ("select protocol before identify", 4003, frame(1, protocol="udp", data={})),
            ("speaking before identify", 4003, frame(5, speaking=1, ssrc=1)),
            ("an unknown opcode before identify", 4003, frame(99))):
        wire = m.open(VOICE + "8")
        m.say(wire, text)
        m.closes(f"voice: {what}", code, wire)
    for size, name in ((5000, "5 KB"), (300000, "300 KB")):
        wire = m.open(VOICE + "8")
        m.say(wire, fill=size)
        m.closes(f"voice: a frame of {name} before identify", 1009, wire)
    wire = m.open(VOICE + "8")
    m.say(wire, hex="1a00ff")
    m.closes("voice: a binary frame before identify", 4003, wire)
    wire = m.open(VOICE + "8")
    m.say(wire, text='{"op":3,"d":1}', times=400)
    m.closes("voice: a flood of heartbeats", 4021, wire)
    for version in ("3", "", "10", "8x"):
        m.closes(f"voice: version \"{version}\"", 4020, m.open(VOICE + version, hello=False))


def voice_identify(m, guild, channel, user):
    gateway = m.login(user)
    good = m.invite(gateway, user, guild, channel)
    for what, code, change in (("a wrong token", 4004, {"token": "0" * 16}),
                               ("a token of 1 KB", 4004, {"token": "0" * 1000}),
                               ("an unknown session", 4006, {"session_id": "f" * 32}),
                               ("another user's id", 4006, {"user_id": "999999"}),
                               ("an unknown guild", 4011, {"server_id": "999999"})):
        wire = m.open(VOICE + "8")
        m.say(wire, frame(0, **{**good, **change}))
        m.closes(f"voice: identify with {what}", code, wire)
    for what, code, change in (("an unknown session", 4006, {"session_id": "f" * 32}),
                               ("a session that never was", 4006, {})):
        wire = m.open(VOICE + "8")
        m.say(wire, frame(7, **{**good, **change}, seq_ack=0))
        m.closes(f"voice: resume of {what}", code, wire)
    wire = m.open(VOICE + "8")
    m.say(wire, frame(0, **good))
    m.op(wire, 2)
    return gateway, good, wire


def voice_member(m, guild, channel, user):
    gateway, good, wire = voice_identify(m, guild, channel, user)
    ready = m.op(wire, 2)["d"]
    again = m.open(VOICE + "8")
    m.say(again, frame(0, **good))
    m.closes("voice: a token once more", 4004, again)
    again = m.open(VOICE + "8")
    m.say(again, frame(7, **{**good, "token": "0" * 16}, seq_ack=0))
    m.closes("voice: resume with a wrong token", 4004, again)
    again = m.open(VOICE + "7")
    m.say(again, frame(7, **good, seq_ack=0))
    m.closes("voice: resume in another version", 4006, again)
    m.say(wire, frame(99), frame(17), frame(21, transition_id=1), frame(99, more="x" * 100000),
          '{"op":3,"d":42}')
    m.op(wire, 6)  # still there: unknown opcodes are passed over, and a member may send 256 KiB
    m.say(wire, frame(0, **good))
    m.closes("voice: a second identify", 4005, wire)
    others = ready["ssrc"] ^ 0x10  # of the block beside its own
    data = {"address": "192.0.2.1", "port": 9, "mode": AES}
    for what, code, text in (
            ("an unknown mode", 4016, frame(1, protocol="udp", data={**data, "mode": "xsalsa20_poly1305"})),
            ("an unknown protocol", 4012, frame(1, protocol="carrier-pigeon", data=data)),
            ("select protocol with wrong types", 4002, frame(1, protocol=1, data=2)),
            ("speaking with another's SSRC", 4020, frame(5, speaking=1, ssrc=others)),
            ("speaking with wrong types", 4002, frame(5, speaking="loud", ssrc=-1)),
            ("video with wrong types", 4002, frame(12, audio_ssrc=1, streams={"a": 1}))):
        good = m.invite_again(gateway, user, guild, channel)
        wire = m.open(VOICE + "8")
        m.say(wire, frame(0, **good))
        m.op(wire, 2)
        m.say(wire, text)
        m.closes(f"voice: {what}", code, wire)
    good = m.invite_again(gateway, user, guild, channel)
    wire = m.open(VOICE + "8")
    m.say(wire, frame(0, **good))
    m.op(wire, 2)
    m.say(wire, hex="1a00ff")
    m.closes("voice: a binary frame without DAVE", 4002, wire)
    m.say(gateway, frame(4, guild_id=guild, channel_id=None, self_mute=False, self_deaf=False))


def main_gateway(m, guild, user):
    for what, code, text in (
            ("an unknown token", 4004, frame(2, token="nobody's", intents=0, properties={})),
            ("text that is no JSON", 4002, "{nonsense"), ("an array", 4002, "[]"),
            ("a frame of 5 KB", 4002, '{"op":1,"d":"' + "x" * 5000 + '"}'),
            ("deep nesting", 4002, '{"op":1,"d":' + "[" * 1500 + "]" * 1500 + "}"),
            ("op of a wrong type", 4001, '{"op":"2"}'),
            ("identify without a token", 4002, frame(2, intents=0)),
            ("intents of a wrong type", 4013, frame(2, token=f"tok-{user}", intents="all")),
            ("a shard that cannot be", 4010, frame(2, token=f"tok-{user}", intents=0, shard=[3, 2])),
            ("voice state before identify", 4003, frame(4, guild_id=guild, channel_id=None))):
        wire = m.open(MAIN)
        m.say(wire, text)
        m.closes(f"gateway: {what}", code, wire)
    wire = m.open(MAIN)
    m.say(wire, hex="789c")
    m.closes("gateway: a binary frame", 4002, wire)
    wire = m.open(MAIN)
    m.say(wire, '{"op":1,"d":null}')
    m.op(wire, 11)  # a heartbeat may come first
    m.say(wire, text='{"op":1,"d":null}', times=130)
    m.closes("gateway: more than 120 frames in a minute", 4008, wire)
    wire = m.login(user)
    m.say(wire, frame(2, token=f"tok-{user}", intents=0, properties={}))
    m.closes("gateway: a second identify", 4005, wire)
    wire = m.open(MAIN)
    m.say(wire, frame(6, token=f"tok-{user}", session_id="f" * 32, seq=3))
    assert m.op(wire, 9)["d"] is False
    m.closes("gateway: version 3", 4012, m.open(MAIN.replace("v=10", "v=3"), hello=False))
    m.closes("gateway: another encoding", 4002, m.open(MAIN.replace("json", "etf"), hello=False))


def rest(site, guild, moderator, member):
    base = f"http://{NODE_IP}:8480/api/v10"
    path = f"/guilds/{guild}/members/{member}"
    for what, status, code, argv in (
            ("no token", 401, 0, [base + "/gateway/bot"]),
            ("a wrong token", 401, 0, ["-H", "Authorization: Bot nobody's", base + "/gateway/bot"]),
            ("an unknown path", 404, 0, ["-H", f"Authorization: Bot tok-{moderator}", base + "/nowhere"]),
            ("outside the API", 404, 0, [f"http://{NODE_IP}:8480/etc/passwd"]),
            ("an unknown guild", 404, 10004, ["-H", f"Authorization: Bot tok-{moderator}",
                                              base + f"/guilds/77/members/{member}"]),
            ("an unknown member", 404, 10007, ["-H", f"Authorization: Bot tok-{moderator}",
                                               base + f"/guilds/{guild}/members/77"]),
            ("no moderator", 403, 50013, ["-X", "PATCH", "-d", '{"mute":true}', "-H",
                                          f"Authorization: Bot tok-{member}", base + path]),
            ("a body that is no JSON", 400, 50035, ["-X", "PATCH", "-d", "{nonsense", "-H",
                                                    f"Authorization: Bot tok-{moderator}", base + path]),
            ("wrong types", 400, 50035, ["-X", "PATCH", "-d", '{"mute":"yes"}', "-H",
                                         f"Authorization: Bot tok-{moderator}", base + path]),
            ("a member who is in no channel", 400, 40032, [
                "-X", "PATCH", "-d", '{"mute":true}', "-H", f"Authorization: Bot tok-{moderator}",
                base + f"/guilds/{guild}/members/{site.users[3]}"]),
            ("a method that is not there", 405, 0, ["-X", "DELETE", "-H",
                                                    f"Authorization: Bot tok-{moderator}", base + path])):
        done = run(*site.net.argv("mallory", ["curl", "-s", "-m", "10", "-w", "\n%{http_code}", *argv]))
        body, got = done.stdout.rsplit("\n", 1)
        assert int(got) == status and json.loads(body)["code"] == code, (what, got, body)
        assert json.loads(body)["message"], (what, body)
        print(f"{status} {code} REST: {what}")


def test(build):
    site = Site(build, guilds=1)
    site.start()
    guild, channel = site.guilds[0], site.channel(site.guilds[0])
    anna, bert = site.bot("anna", site.users[0]), site.bot("bert", site.users[1])
    anna.join(guild, channel)
    bert.join(guild, channel)
    for speaker, listener in ((anna, bert), (bert, anna)):
        speaker.speak(25, 3)  # stock clients lose what comes before they know who speaks
        listener.until(lambda e, s=speaker: e["ev"] == "heard" and e["h"] == s.sent()[-1], "first words")
    marks = {anna: anna.mark(), bert: bert.mark()}
    starts = [anna.speak(FRAMES, 1, wait=False), bert.speak(FRAMES, 2, wait=False)]
    mallory = Mallory(site)
    voice_before_identify(mallory)
    voice_member(mallory, guild, site.channel(guild, 1), site.users[2])
    main_gateway(mallory, guild, site.users[2])
    rest(site, guild, anna.user, bert.user)
    for bot, at in zip((anna, bert), starts):
        bot.until(lambda e: e["ev"] == "spoken", "end of speech", 60, at)
    for speaker, listener in ((anna, bert), (bert, anna)):
        sent = speaker.sent(marks[speaker])
        listener.until(lambda e, last=sent[-1]: e["ev"] == "heard" and e["h"] == last, "the last frame", 10)
        assert len(sent) == FRAMES
        compare(sent, listener.heard_hashes(speaker.user, marks[listener]), 1)
        strange = [e for e in listener.pump()[marks[listener]:]
                   if e["ev"] == "voice" and e["state"] != "ready"]
        assert not strange, f"user {listener.user} noticed: {strange}"
    print(f"two bots heard all {FRAMES} frames of each other, and noticed nothing")
    assert site.status()["dataplane"]["restarts"] == 0
    assert site.node.child.poll() is None and site.gateway.child.poll() is None
    site.check_ledger()
    for bot in (anna, bert):
        bot.quit()
    site.stop()


main(test)
