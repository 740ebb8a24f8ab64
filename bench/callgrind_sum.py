#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Sums a callgrind profile of engine_bench --count into instructions per packet, by whose they are:
#   route    the packet engine without its crypto folder, and what it calls beside the next three
#   glue     dataplane/crypto: jobs and nonces for the library, batches, the sealer where it runs
#   library  libIPSec_MB (or libsrtp2): the cipher itself, and not the same path as without valgrind
#   device   DPDK's net_null
# usage: callgrind_sum.py PROFILE LINE.json LIBCRYPTO.a   one JSON object: LINE with these numbers
import json
import re
import subprocess
import sys

FUNCTIONS_SHOWN = 20
CIPHER_OBJECTS = ("libIPSec_MB", "libsrtp2", "libcrypto.so", "libnss", "libfreebl", "libsoftokn")


def self_costs(path):
    """Yields (object, function, instructions) of every line that is a function's own."""
    names, objects = {}, {}
    obj = fn = ""
    after_call = False
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            m = re.match(r"(ob|fn)=(?:\((\d+)\))?(?: ?(.*))?$", line)
            if m:
                table = objects if m.group(1) == "ob" else names
                if m.group(2) and m.group(3):
                    table[m.group(2)] = m.group(3)
                value = table.get(m.group(2), m.group(3) or "")
                if m.group(1) == "ob":
                    obj = value
                else:
                    fn = value
                continue
            m = re.match(r"(cob|cfn)=\((\d+)\) (.+)$", line)
            if m:  # names are spelled out where they come first, which may be here
                (objects if m.group(1) == "cob" else names)[m.group(2)] = m.group(3)
                continue
            if line.startswith("calls="):
                after_call = True
                continue
            if re.match(r"[0-9+*-]", line):
                if not after_call:
                    yield obj, fn, int(line.split()[1])
                after_call = False


def crypto_functions(archive):
    done = subprocess.run(["nm", "--defined-only", archive], capture_output=True, text=True,
                          check=True)
    return {line.split()[2] for line in done.stdout.split("\n")
            if len(line.split()) == 3 and line.split()[1] in "tT"}


def whose(obj, fn, crypto):
    name = obj.rsplit("/", 1)[-1]
    if name.startswith(CIPHER_OBJECTS):
        return "library"
    if name.startswith("librte_net_null"):
        return "device"
    return "glue" if fn.split("'")[0] in crypto else "route"


def main():
    profile, line_path, archive = sys.argv[1:]
    crypto = crypto_functions(archive)
    with open(line_path, encoding="utf-8") as file:
        line = json.load(file)
    sums = {"route": 0, "glue": 0, "library": 0, "device": 0}
    functions = {}
    for obj, fn, cost in self_costs(profile):
        owner = whose(obj, fn, crypto)
        sums[owner] += cost
        if owner in ("route", "glue"):
            functions[fn] = functions.get(fn, 0) + cost
    if sum(sums.values()) == 0:
        sys.exit(f"callgrind_sum.py: {profile} counts nothing: was bench_counted_turns inlined?")
    for name, cost in sums.items():
        line["instructions_" + name] = round(cost / line["counted_copies"], 2)
    most = sorted(functions.items(), key=lambda item: -item[1])[:FUNCTIONS_SHOWN]
    line["functions"] = {fn: round(cost / line["counted_copies"], 2) for fn, cost in most}
    print(json.dumps(line))


main()
