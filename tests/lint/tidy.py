#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# What no compiler checks and every reader relies on: licence lines, sizes of files and functions,
# order of includes, who may include whom, banned calls, headers that compile alone, formatting.
# Prints one line per fault, path:line: what; exit status 1 if there is one.
# usage: tidy.py SOURCE_ROOT
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(sys.argv[1])
FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 70
HEADER_LINES_MAX = 300
LINE_COLUMNS_MAX = 100
ORDER = ["api", "proto", "crypto", "table", "session", "worker", "stage", "run", "host"]
BANNED = {
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "strcpy": "snprintf or memcpy",
    "strcat": "snprintf", "strncpy": "snprintf", "gets": "fgets", "atoi": "strtol",
    "atol": "strtol", "atof": "strtod", "strtok": "strtok_r", "alloca": "a bounded array",
    "rand": "a seeded generator or getrandom", "srand": "a seed as a parameter",
    "system": "posix_spawn with an argv", "popen": "posix_spawn with an argv",
    "bcopy": "memmove", "usleep": "nanosleep", "gethostbyname": "getaddrinfo",
}
# The packet path: nothing that allocates, logs, calls the kernel for time, or computes in floats.
SACRED = ["dataplane/stage/", "dataplane/crypto/", "dataplane/proto/", "dataplane/session/",
          "dataplane/table/"]
SACRED_BANNED = {"malloc": "memory of worker_create()", "calloc": "memory of worker_create()",
                 "printf": "a counter", "fprintf": "a counter", "RTE_LOG": "a counter",
                 "clock_gettime": "w->now_tsc", "pthread_mutex_lock": "ownership"}
SACRED_EXCEPT = {"dataplane/crypto/engine.c", "dataplane/crypto/selftest.c"}  # start-up only
faults = []


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}")


def tracked():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True)
    names = listed.stdout.split("\n") if listed.returncode == 0 else [
        os.path.relpath(os.path.join(d, f), ROOT) for d, _, fs in os.walk(ROOT) for f in fs]
    return sorted(n for n in names if n and os.path.isfile(os.path.join(ROOT, n)))


def strip_text(line):
    """The line without strings, characters and comments."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    line = re.sub(r"'(\\.|[^'\\])'", "''", line)
    return line.split("//")[0]


def check_lines(path, lines):
    is_header = path.endswith(".h")
    if lines[0] != "// SPDX-License-Identifier: BSD-3-Clause":
        fault(path, 1, "first line is not the SPDX licence line")
    if len(lines) < 3 or not lines[2].startswith("// "):
        fault(path, 3, "no file comment that says what this is")
    limit = HEADER_LINES_MAX if is_header else FILE_LINES_MAX
    if len(lines) > limit:
        fault(path, len(lines), f"{len(lines)} lines, more than {limit}")
    if is_header and "#pragma once" not in lines:
        fault(path, 1, "header without #pragma once")
    for n, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > LINE_COLUMNS_MAX:
            fault(path, n, f"longer than {LINE_COLUMNS_MAX} columns")
        if line != line.rstrip():
            fault(path, n, "space at the end of the line")
        code = strip_text(line)
        if "/*" in code:
            fault(path, n, "block comment; comments are // sentences")
        check_calls(path, n, code)


def check_calls(path, n, code):
    if path.startswith("tests/"):
        return
    bans = dict(BANNED)
    if any(path.startswith(p) for p in SACRED) and path not in SACRED_EXCEPT:
        bans.update(SACRED_BANNED)
        if re.search(r"\b(float|double)\b", code):
            fault(path, n, "floating point in the packet path")
    for name in re.findall(r"\b([A-Za-z_]\w*)\s*\(", code):
        if name in bans:
            fault(path, n, f"{name}() is banned here; use {bans[name]}")


def check_functions(path, lines):
    start = None
    for n, line in enumerate(lines, 1):
        if line == "{":
            start = n
        elif line == "}" and start is not None:
            if n - start - 1 > FUNCTION_LINES_MAX:
                fault(path, start, f"function of {n - start - 1} lines, more than "
                      f"{FUNCTION_LINES_MAX}")
            start = None


def check_includes(path, lines):
    system, project, seen_project = [], [], False
    own = re.sub(r"\.c$", ".h", path).split("/", 1)[-1]
    for n, line in enumerate(lines, 1):
        m = re.match(r'#include ([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        name = m.group(2)
        check_border(path, n, m.group(1), name)
        if m.group(1) == "<":
            if seen_project and not (path.startswith("tests/") and name == "cmocka.h"):
                fault(path, n, f"<{name}> after project headers: system headers come first")
            system.append((n, name))
        elif path.endswith(".c") and name == own and not system and not project:
            continue  # its own header, first
        else:
            seen_project = True
            project.append((n, name))
    for group in (project,):
        for (_, a), (n, b) in zip(group, group[1:]):
            if a > b and not b.startswith(a.rsplit("/", 1)[0] + "/"):
                fault(path, n, f'"{b}" after "{a}": not in alphabetical order')


def check_border(path, n, kind, name):
    parts = path.split("/")
    if kind == "<":
        if name.startswith("rte_") and not re.match(r"(dataplane|tests|bench)/", path):
            fault(path, n, f"<{name}>: DPDK outside dataplane/")
        if parts[0] == "dataplane" and parts[1] in ("api", "proto", "crypto", "table") \
                and name.startswith("rte_"):
            fault(path, n, f"<{name}>: no DPDK in {parts[1]}/")
        return
    target = name.split("/")[0]
    if parts[0] == "control" and target in ORDER and target != "api" \
            and not os.path.isdir(os.path.join(ROOT, "control", target)):
        fault(path, n, f'"{name}": control may include only dataplane/api')
    if parts[0] == "dataplane" and len(parts) > 2 and target in ORDER and parts[1] in ORDER \
            and ORDER.index(target) > ORDER.index(parts[1]):
        if not (path.endswith(".c") and {parts[1], target} <= {"session", "worker"}):
            fault(path, n, f'"{name}": {parts[1]}/ may not include {target}/, which is to its right')


def check_headers_alone(paths):
    flags = subprocess.run(
        ["pkg-config", "--cflags", "libdpdk", "jansson", "libconfig", "libwebsockets", "opus"],
        capture_output=True, text=True).stdout.split()
    flags = ["-isystem" + f[2:] if f.startswith("-I") else f for f in flags]
    for path in paths:
        roots = [f"-I{ROOT}/{d}" for d in ("dataplane", "control", "tests", "bench", "bench/load")]
        done = subprocess.run(
            ["cc", "-std=c17", "-D_GNU_SOURCE", '-DVN_VERSION="0"', "-Wall", "-Wextra", "-Werror",
             "-fsyntax-only", *flags, *roots, "-x", "c", "-"],
            input=f'#include "{ROOT}/{path}"\n', capture_output=True, text=True)
        if done.returncode != 0:
            first = next((l for l in done.stderr.split("\n") if "error" in l), done.stderr)
            fault(path, 1, "header does not compile alone: " + first.strip())


def check_format(paths):
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *paths], cwd=ROOT,
                          capture_output=True, text=True)
    for line in done.stderr.split("\n"):
        m = re.match(r"([^:]+):(\d+):\d+: error: (.*)", line)
        if m:
            fault(m.group(1), m.group(2), "clang-format would write it differently")


def check_scripts(paths):
    for path in paths:
        text = open(os.path.join(ROOT, path), encoding="utf-8").read()
        if "SPDX-License-Identifier: BSD-3-Clause" not in text[:300]:
            fault(path, 1, "no SPDX licence line")
        if text.startswith("#!") and not os.access(os.path.join(ROOT, path), os.X_OK):
            fault(path, 1, "script without run bit")


def main():
    names = tracked()
    sources = [p for p in names if p.endswith((".c", ".h"))]
    for path in sources:
        lines = open(os.path.join(ROOT, path), encoding="utf-8").read().split("\n")
        if lines[-1] == "":
            lines.pop()
        check_lines(path, lines)
        check_functions(path, lines)
        check_includes(path, lines)
    check_scripts([p for p in names if p.endswith((".py", ".sh", ".mjs"))])
    check_headers_alone([p for p in sources if p.endswith(".h")])
    check_format([p for p in sources if not p.endswith(".bpf.c")])
    for line in faults:
        print(line)
    print(f"{len(names)} files, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
