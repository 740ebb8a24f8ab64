#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# voicenode-load that cannot join: a wrong token, guild or channel, a certificate that it does not trust, a
# gateway or node that is not there. It says which and what cures it, once, and ends with a status that is
# not 0; where nothing can get better, at once. No token is ever repeated.
# usage: load_refusals_test.py BUILD
import subprocess

from harness import NODE_IP, Site, main, run


def load(site, join, seconds, *, ca=True, gateway=f"http://{NODE_IP}:8480"):
    """A run of 600 seconds that ends within the time limit has ended by itself."""
    arguments = [site.program("voicenode-load"), "--gateway", gateway, "--seconds", str(seconds), "--json"]
    if ca:
        arguments += ["--ca", site.path("tls/ca.pem") if ca is True else ca]
    for one in join if isinstance(join, list) else [join]:
        arguments += ["--join", one]
    return subprocess.run(site.net.argv("load", arguments), capture_output=True, text=True, timeout=90)


def refused(what, done, *words, status=1):
    assert done.returncode == status, (what, done)
    for word in words:
        assert done.stderr.count(word) == 1, f"{what}: not once: {word!r} in: {done.stderr}"
    assert "tok-" not in done.stderr, f"{what}: a token is repeated: {done.stderr}"
    print(f"status {done.returncode}: {what}: {[l for l in done.stderr.splitlines() if words[0] in l][0]}")


def test(build):
    site = Site(build, users=2)
    site.net.add_host("load")
    user, guild = site.users[0], site.guilds[0]
    channel = site.channel(guild)
    good = f"tok-{user}:{guild}:{channel}:talk"

    refused("no gateway", load(site, [good, good], 2, ca=False), "2 bots not logged in: is a gateway running at")
    site.start_gateway()
    refused("no node", load(site, good, 3, ca=False), "1 bot waiting for a voice node: the gateway has none")
    assert site.gateway.stop() == 0

    site.start()
    refused("a wrong token", load(site, f"tok-nobody:{guild}:{channel}:talk", 600),
            "--join number 1: the gateway does not know this token")
    refused("a guild that is not there", load(site, f"tok-{user}:777:{channel}:talk", 600),
            "its user is no member of a guild 777", f"guilds are: {guild};")
    refused("a channel that is not there", load(site, f"tok-{user}:{guild}:777:listen", 600),
            f"guild {guild} has no channel 777", f"channels are: {channel}")
    refused("no --ca", load(site, [good, f"tok-{site.users[1]}:{guild}:{channel}:talk"], 600, ca=False),
            "certificate refused", "trust its authority with --ca FILE")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
        "2", "-subj", "/CN=other", "-keyout", site.path("other.key"), "-out", site.path("other.pem"))
    refused("another --ca", load(site, good, 600, ca=site.path("other.pem")),
            f"--ca {site.path('other.pem')} is not the authority that signed it")
    refused("a --ca that is not there", load(site, good, 600, ca="/nowhere/ca.pem"),
            "--ca /nowhere/ca.pem cannot be read: No such file", status=2)

    # One that can never join does not keep the others from talking, nor the run from failing.
    done = load(site, [good, f"tok-nobody:{guild}:{channel}:talk"], 4)
    refused("one of two", done, "--join number 2: the gateway does not know this token")
    assert '"joined":1,' in done.stdout, done
    done = load(site, good, 4)
    assert done.returncode == 0 and done.stderr == "", done
    site.stop()


main(test)
