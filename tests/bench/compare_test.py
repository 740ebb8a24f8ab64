#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# bench/compare: ratios with their bounds between files that can be compared, reasons and exit status
# 2 for those that cannot.
# usage: compare_test.py COMPARE
import copy
import json
import os
import subprocess
import sys
import tempfile

COMPARE = sys.argv[1]
LINE = {
    "schema": "voicenode-engine/1", "mode": "fanout", "suite": "aead_aes_128_gcm",
    "engine": "auto", "receivers": 1000, "fanout": 25, "payload": 100, "workers": 1, "rooms": 40,
    "members": 26, "talkers": 1, "seal_only_ns": 30.0, "open_only_ns": 31.0, "pipeline_ns": 50.0,
    "ratio": 1.67, "mpps": 20.0, "seal_only_ns_range": [29.5, 30.5],
    "pipeline_ns_range": [48.0, 52.0], "ratio_range": [1.6, 1.7], "instructions": None,
    "disturbed": False, "machine": {"cpu": "A CPU", "bare_crypto": "ipsec-mb 1.3.0 avx512",
                                    "crypto": "ipsec-mb 1.3.0 avx512", "memory": "hugepages",
                                    "virtual": True}}
checks = 0


def check(good, what):
    global checks
    checks += 1
    if not good:
        sys.exit(f"compare_test: {what}")


def changed(**changes):
    line = copy.deepcopy(LINE)
    for key, value in changes.items():
        line["machine" if key in line["machine"] else key] = (
            {**line["machine"], key: value} if key in line["machine"] else value)
    return line


def bundle(*cases):
    return {"schema": "voicenode-bench/1", "cases": list(cases)}


def compare(folder, a, b, *options):
    paths = []
    for name, data in (("a", a), ("b", b)):
        paths.append(os.path.join(folder, name + ".json"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(data if isinstance(data, str) else json.dumps(data))
    return subprocess.run([COMPARE, *paths, *options], capture_output=True, text=True, timeout=60)


def numbers(done):
    pair = json.loads(done.stdout)["pairs"][0]
    return {n["metric"]: n for n in pair["numbers"]}


def compares(folder):
    done = compare(folder, LINE, LINE, "--json")
    check(done.returncode == 0, done.stderr)
    got = numbers(done)
    check(got["pipeline_ns"]["ratio"] == 1 and got["pipeline_ns"]["verdict"] == "same", got)
    check("instructions_route" not in got, got)

    done = compare(folder, LINE, changed(pipeline_ns=25.0, pipeline_ns_range=[24.0, 26.0],
                                         mpps=40.0), "--json")
    got = numbers(done)
    check(done.returncode == 0 and got["pipeline_ns"]["ratio"] == .5, got)
    check(got["pipeline_ns"]["ratio_range"] == [round(24 / 52, 4), round(26 / 48, 4)], got)
    check(got["pipeline_ns"]["verdict"] == "better" and got["mpps"]["verdict"] == "better", got)

    done = compare(folder, LINE, changed(pipeline_ns=51.0, pipeline_ns_range=[49.0, 53.0]), "--json")
    check(numbers(done)["pipeline_ns"]["verdict"] == "unclear", done.stdout)
    done = compare(folder, LINE, changed(pipeline_ns=80.0, pipeline_ns_range=[79.0, 81.0]))
    check(done.returncode == 0 and "worse" in done.stdout, done.stdout)
    done = compare(folder, LINE, changed(disturbed=True, crypto="ipsec-mb and a sealer"))
    check("B was disturbed" in done.stdout and "and a sealer in B" in done.stdout, done.stdout)

    two = bundle(LINE, changed(payload=1100))
    check(compare(folder, two, two).returncode == 0, "a set with itself")
    done = compare(folder, two, LINE)
    check(done.returncode == 2 and "only in" in done.stderr, done.stderr)
    check(compare(folder, two, LINE, "--common").returncode == 0, "--common")


def refuses(folder):
    reasons = [
        (LINE, changed(cpu="Another"), "other CPU: 'A CPU' in A, 'Another' in B"),
        (LINE, changed(bare_crypto="ipsec-mb 1.3.0 avx2"), "other path of the cipher library"),
        (LINE, changed(memory="small pages"), "other page size"),
        (LINE, changed(suite="aes_cm_128_hmac_sha1_80"), "no case is in both"),
        (LINE, changed(members=11), "no case is in both"),
        (LINE, changed(engine="libsrtp2"), "no case is in both"),
        (LINE, changed(schema="voicenode-engine/2"), "schema 'voicenode-engine/2'"),
        (bundle(changed(schema="voicenode-engine/2")), LINE, "schema 'voicenode-engine/2'"),
        (LINE, bundle(), "no cases"),
        (LINE, bundle({"schema": "voicenode-engine/1"}), "without its machine"),
        (bundle(LINE, LINE), LINE, "is there twice"),
        (LINE, "{", "not one JSON value"),
        (LINE, "[]", "not an object"),
    ]
    for a, b, words in reasons:
        done = compare(folder, a, b)
        check(done.returncode == 2 and words in done.stderr, f"{words}: {done.stderr}")
        done = compare(folder, a, b, "--json")
        check(done.returncode == 2 and "refused" in done.stdout, f"{words}: {done.stdout}")
    done = subprocess.run([COMPARE, "/nonexistent.json", "/nonexistent.json"], capture_output=True,
                          text=True, timeout=60)
    check(done.returncode == 2 and "/nonexistent.json: No such file" in done.stderr, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        compares(folder)
        refuses(folder)
    print(f"{checks} checks")


main()
