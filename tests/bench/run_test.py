#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# bench/run.sh --quick from end to end: the table, the file that compare reads, the page.
# usage: run_test.py RUN_SH COMPARE BUILD
import html.parser
import json
import os
import subprocess
import sys
import tempfile

RUN, COMPARE, BUILD = sys.argv[1:]


def check(good, what):
    if not good:
        sys.exit(f"run_test: {what}")


class Page(html.parser.HTMLParser):
    """Tags that are left open, and whatever would be fetched."""

    VOID = {"meta", "rect", "line", "br"}  # or closed by themselves

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.plots = [], [], 0

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.plots += tag == "svg"
        self.fetched += [v for k, v in attrs if k in ("src", "href")]
        self.fetched += [tag] if tag in ("script", "link") else []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, f"</{tag}> closes another")


def main():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([RUN, "--build", BUILD, "--quick", "--out", folder],
                              capture_output=True, text=True, timeout=300)
        check(done.returncode == 0, done.stderr)
        check("<= 1.7" in done.stdout and "not measured, of" in done.stdout, done.stdout)
        path = os.path.join(folder, "bench.json")
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        check(result["schema"] == "voicenode-bench/1" and result["rows"], str(result)[:500])
        check(all(c["ledger"]["fed"] > 0 for c in result["cases"]), str(result)[:500])
        done = subprocess.run([COMPARE, path, path], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, done.stderr)
        page = Page()
        with open(os.path.join(folder, "bench.html"), encoding="utf-8") as file:
            page.feed(file.read())
        check(not page.open and not page.fetched and page.plots == 2, vars(page))
    done = subprocess.run([RUN, "--fast"], capture_output=True, text=True, timeout=60)
    check(done.returncode == 2 and '"--fast" is no option' in done.stderr, done.stderr)


main()
