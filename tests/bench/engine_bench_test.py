#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Every mode of engine_bench for a moment: its line has every key, its ledger balances, and what it
# cannot do is refused in words. Never how fast.
# usage: engine_bench_test.py ENGINE_BENCH
import json
import subprocess
import sys

BENCH = sys.argv[1]
KEYS = {
    "schema", "mode", "suite", "engine", "receivers", "fanout", "payload", "workers", "rooms",
    "members", "talkers", "seal_only_ns", "open_only_ns", "bare_ns", "bare", "pipeline_ns",
    "ratio", "mpps", "seal_only_ns_range", "open_only_ns_range", "pipeline_ns_range",
    "ratio_range", "per_worker", "alone_ns", "scaling", "cycles", "instructions", "cache_misses",
    "counters", "rounds", "disturbed_rounds", "disturbed", "ledger", "memory", "machine"}
MACHINE = {"cpu", "cores", "kernel", "crypto", "bare_crypto", "dpdk", "compiler", "memory",
           "virtual", "load_average", "clock_ghz", "tsc_hz"}
GCM, CHACHA = "aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"
SRTP = ["aead_aes_128_gcm", "aead_aes_256_gcm", "aes_cm_128_hmac_sha1_80"]
CASES = [  # arguments, copies of a packet
    (["--mode", "fanout", "--suite", GCM, "--receivers", "100", "--fanout", "5"], 5),
    (["--mode", "fanout", "--suite", CHACHA, "--receivers", "100", "--fanout", "5"], 5),
    (["--mode", "fanout", "--engine", "ipsec-mb", "--receivers", "20", "--fanout", "20",
      "--payload", "1100"], 20),
    (["--mode", "rooms", "--rooms", "20"], 1),
    (["--mode", "rooms", "--rooms", "5", "--members", "10"], 9),
    (["--mode", "huge", "--receivers", "300"], 302),
    (["--mode", "open", "--rooms", "20"], 0),
]
REFUSED = [
    (["--mode", "bridge"], "WebRTC"),
    (["--mode", "open", "--fanout", "3"], "--mode open has no --fanout"),
    (["--mode", "nothing"], "there are: fanout rooms huge spread open bridge"),
    (["--suite", "rot13"], "there are: aead_aes256_gcm_rtpsize"),
    (["--engine", "steam"], "there are: auto ipsec-mb libsrtp2"),
    (["--receivers", "1001"], "use 1025"),
    (["--payload", "0"], "from 1 to"),
    (["--rooms"], "requires an argument"),
    (["--mode", "rooms", "--talkers", "3"], "no more talkers"),
    (["--mode", "spread", "--workers", "1"], "two workers or more"),
    (["--mode", "spread", "--receivers", "5"], "as many receivers on each worker"),
    (["--mode", "spread", "--talkers", "1"], "a talker at least"),
    (["--mode", "spread", "--count", "1"], "has no --count"),
    (["extra"], "is no option"),
]
checks = 0


def check(good, what):
    global checks
    checks += 1
    if not good:
        sys.exit(f"engine_bench_test: {what}")


def run(arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=300)


def line(arguments):
    done = run([*arguments, "--json"])
    check(done.returncode == 0, f"{arguments}: {done.stderr}")
    return json.loads(done.stdout)


def check_case(arguments, copies):
    got = line([*arguments, "--rounds", "1"])
    ledger, memory = got["ledger"], got["memory"]
    check(set(got) == KEYS, f"{arguments}: keys {set(got) ^ KEYS}")
    check(set(got["machine"]) == MACHINE, f"machine {set(got['machine']) ^ MACHINE}")
    check(ledger["fed"] > 0 and ledger["opened"] == ledger["fed"], f"{arguments}: {ledger}")
    check(ledger["forwarded"] == (ledger["fed"] if copies else 0), f"{arguments}: {ledger}")
    check(ledger["sent"] == ledger["fed"] * copies, f"{arguments}: {ledger}")
    check(got["seal_only_ns"] > 0 and got["open_only_ns"] > 0 and got["pipeline_ns"] > 0,
          f"{arguments}: {got}")
    check(len(got["per_worker"]) == got["workers"], f"{arguments}: {got['per_worker']}")
    check(0 < memory["session_bytes"] and 64 <= memory["leg_bytes"], f"{arguments}: {memory}")


def check_memory():
    """The promise is for a node of some size, where what every worker has does not count."""
    got = line(["--receivers", "1000", "--rounds", "1"])
    check(got["memory"]["session_bytes"] <= 4096, f"a session takes {got['memory']}")


def main():
    for arguments, copies in CASES:
        check_case(arguments, copies)
    for suite in SRTP:
        check_case(["--suite", suite, "--receivers", "50"], 25)
        check_case(["--suite", suite, "--mode", "rooms", "--rooms", "20"], 1)
    check_memory()
    counted = line(["--receivers", "50", "--count", "2000"])
    check(counted["counted_copies"] >= 2000, str(counted))
    check(counted["counted_copies"] == 25 * counted["counted_packets"], str(counted))
    two = run(["--receivers", "50", "--workers", "2", "--rounds", "1", "--json"])
    check(two.returncode == 0 or "CPUs" in two.stderr, two.stderr)  # a machine may have one
    if two.returncode == 0:
        check(len(json.loads(two.stdout)["per_worker"]) == 2, two.stdout)
        check_case(["--mode", "spread", "--receivers", "300"], 302)
        check_case(["--mode", "spread", "--receivers", "10", "--talkers", "5"], 14)
    done = run(["--suite", SRTP[2], "--engine", "libsrtp2", "--receivers", "50", "--rounds", "1"])
    check(done.returncode == 0 or "libsrtp2 does not start" in done.stderr, done.stderr)
    done = run(["--engine", "libsrtp2"])
    check(done.returncode == 1 and "libsrtp2 has no aead_aes256_gcm_rtpsize" in done.stderr,
          done.stderr)
    for arguments, words in REFUSED:
        done = run(arguments)
        check(done.returncode == 2 and words in done.stderr, f"{arguments}: {done.stderr}")
        check(done.stdout == "", f"{arguments}: {done.stdout}")
    print(f"{checks} checks")


main()
