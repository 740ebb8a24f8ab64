# SPDX-License-Identifier: BSD-3-Clause
#
# Result files of bench/: what a case is called, which of its numbers count, how a file is read.
# A file is one line of a bench ("schema": "voicenode-engine/1"), or a set of cases that a script
# wrote ("schema": "voicenode-bench/1", "cases": [...]).
import json

SET_SCHEMA = "voicenode-bench/1"
LINE_SCHEMAS = ("voicenode-engine/1", "voicenode-wire/1")
# What names a case, beside its schema. A key that a bench does not have is None.
CASE_KEYS = ("mode", "suite", "engine", "rooms", "members", "talkers", "payload", "workers",
             "system", "wire")
# Number, unit, +1 where more is better.
METRICS = (("pipeline_ns", "ns", -1), ("seal_only_ns", "ns", -1), ("open_only_ns", "ns", -1),
           ("ratio", "", -1), ("mpps", "M/s", 1), ("scaling", "", 1),
           ("instructions_route", "instr", -1), ("instructions_glue", "instr", -1),
           ("instructions_device", "instr", -1), ("packets_per_second", "/s", 1),
           ("ns_per_packet", "ns", -1))


class Refused(Exception):
    """What cannot be compared or read, in words."""


def case_name(case):
    """'fanout 40x26/1 100B aead_aes_128_gcm auto'"""
    if case.get("system"):
        return "{wire} {members}x{payload}B {suite} {system}".format(**case)
    workers = case.get("workers", 1)
    return "{mode} {rooms}x{members}/{talkers} {payload}B {suite} {engine}".format(**case) + (
        f" {workers}w" if workers > 1 else "")


def case_key(case):
    return (case.get("schema"),) + tuple(case.get(k) for k in CASE_KEYS)


def spread(case, metric):
    """(min, median, max) of a case's number, or None. Counts have no spread: they are exact."""
    value = case.get(metric)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    low, high = case.get(metric + "_range", (value, value))
    if metric == "mpps" and "mpps_range" not in case and case.get("pipeline_ns"):
        low_ns, high_ns = case.get("pipeline_ns_range", (case["pipeline_ns"],) * 2)
        low, high = value * case["pipeline_ns"] / high_ns, value * case["pipeline_ns"] / low_ns
    return min(low, value), value, max(high, value)


def load(path):
    """The cases of a file, each with its machine."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except OSError as e:
        raise Refused(f"{path}: {e.strerror}") from e
    except (ValueError, RecursionError) as e:
        raise Refused(f"{path}: not one JSON value: {e}") from e
    if not isinstance(data, dict):
        raise Refused(f"{path}: not an object")
    schema = data.get("schema")
    if schema in LINE_SCHEMAS:
        cases = [data]
    elif schema == SET_SCHEMA:
        cases = data.get("cases")
    else:
        raise Refused(f"{path}: schema {schema!r}; known are {SET_SCHEMA!r} and "
                      + ", ".join(repr(s) for s in LINE_SCHEMAS))
    if not isinstance(cases, list) or not cases:
        raise Refused(f"{path}: no cases in it")
    for case in cases:
        if not isinstance(case, dict) or not isinstance(case.get("machine"), dict):
            raise Refused(f"{path}: a case without its machine")
        if case.get("schema") not in LINE_SCHEMAS:
            raise Refused(f"{path}: a case of schema {case.get('schema')!r}")
    return cases
