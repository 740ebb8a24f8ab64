#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# bench/callgrind.sh counts the same twice, and compare says so.
# usage: callgrind_test.py CALLGRIND_SH COMPARE BUILD
import json
import os
import subprocess
import sys
import tempfile

SCRIPT, COMPARE, BUILD = sys.argv[1:]


def check(good, what):
    if not good:
        sys.exit(f"callgrind_test: {what}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("a.json", "b.json")]
        for path in paths:
            done = subprocess.run([SCRIPT, "--build", BUILD, "--quick", "--out", path],
                                  capture_output=True, text=True, timeout=300)
            check(done.returncode == 0, done.stderr)
        done = subprocess.run([COMPARE, *paths, "--json"], capture_output=True, text=True,
                              timeout=60)
        check(done.returncode == 0, done.stderr)
        got = {n["metric"]: n for n in json.loads(done.stdout)["pairs"][0]["numbers"]}
        check({"instructions_route", "instructions_glue", "instructions_device"} <= set(got), got)
        for n in got.values():  # time stands in a branch or two
            check(0 < n["a"] < 10000 and abs(n["ratio"] - 1) < 0.001, n)


main()
