#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The published table as one page: no script, no network, plots drawn as SVG, readable on a phone.
# usage: page.py bench.json > bench.html
import html
import json
import sys

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.45 system-ui, sans-serif; color: #1d2430; background: #fff; margin: 0 auto;
  padding: 1rem; max-width: 62rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .3rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; } .dim { color: #5b6675; }
.plot { border: 1px solid #e3e7ec; border-radius: 6px; padding: .5rem; margin: .5rem 0; }
.plot svg { display: block; width: 100%; max-width: 40rem; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; width: 100%; }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #e3e7ec;
  vertical-align: top; }
th { color: #5b6675; font-weight: 600; } td.n, th.n { text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child { min-width: 11rem; }
.met { color: #146c43; font-weight: 600; } .not { color: #a3261b; font-weight: 600; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .3em 0 .9em; }
"""
BARE, ROUTE, LINE, TEXT, DIM, GRID = "#9db4d6", "#2f5d9e", "#c2410c", "#1d2430", "#5b6675", "#e3e7ec"
GOOD, BAD = "#2f855a", "#b7372c"
WIDTH = 400  # of a plot in its own units: text of 12 units is readable on a phone
SHORT = {"aead_aes256_gcm_rtpsize": "256-gcm rtpsize", "aead_aes_128_gcm": "128-gcm SRTP",
         "aead_aes_256_gcm": "256-gcm SRTP", "aes_cm_128_hmac_sha1_80": "cm-sha1 SRTP",
         "aead_xchacha20_poly1305_rtpsize": "xchacha rtpsize"}


def esc(text):
    return html.escape(str(text))


def label(row):
    return f"{row['row']} · {SHORT.get(row['suite'], row['suite'])} · {row['engine']}"


def text(x, y, what, size=12, fill=TEXT, anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" '
            f'text-anchor="{anchor}">{esc(what)}</text>')


def bar(x, y, width, height, fill):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, .5):.1f}" height="{height}" rx="2" fill="{fill}"/>'


def svg(body, height, title):
    return (f'<div class="plot"><svg viewBox="0 0 {WIDTH} {height}" role="img" '
            f'font-family="system-ui, sans-serif" aria-label="{esc(title)}">'
            f'<title>{esc(title)}</title>{"".join(body)}</svg></div>')


def ticks(top, bottom, scale, largest, step):
    out, value = [], 0.0
    while value <= largest:
        x = 4 + value * scale
        out.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{GRID}"/>')
        out.append(text(x, bottom + 12, f"{value:g}", 10, DIM,
                        "start" if value == 0 else "middle"))
        value = round(value + step, 6)
    return out


def step_for(largest):
    for step in (.25, .5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        if largest / step <= 8:
            return step
    return 5000


def ratio_plot(rows):
    """A bar per row, its target as a line across it."""
    rows = [r for r in rows if r["metric"] == "ratio" and r["value"] is not None]
    if not rows:
        return ""
    largest = max(max(r["value"], r["target"] or 0) for r in rows) * 1.08
    scale = (WIDTH - 50) / largest
    bottom = 34 * len(rows)
    body = ticks(2, bottom, scale, largest, step_for(largest))
    for i, r in enumerate(rows):
        y = 34 * i
        fill = {True: GOOD, False: BAD, None: ROUTE}[r["met"]]
        body.append(text(4, y + 12, label(r), 11))
        body.append(bar(4, y + 16, r["value"] * scale, 12, fill))
        end = max(r["value"], r["target"] or 0) * scale  # not under the target's line
        body.append(text(8 + end, y + 26, f"{r['value']:.2f}", 11))
        if r["target"] is not None:
            x = 4 + r["target"] * scale
            body.append(f'<line x1="{x:.1f}" y1="{y + 14}" x2="{x:.1f}" y2="{y + 30}" '
                        f'stroke="{LINE}" stroke-width="2"/>')
    return svg(body, bottom + 16, "whole route, in times of the cipher alone")


def cost_plot(cases):
    """The cipher alone, and the route around it, in ns per packet."""
    cases = [c for c in cases if c["workers"] == 1]
    if not cases:
        return ""
    largest = max(max(c["pipeline_ns"], c["bare_ns"]) for c in cases) * 1.02
    scale = (WIDTH - 50) / largest
    bottom = 34 * len(cases)
    body = ticks(2, bottom, scale, largest, step_for(largest))
    for i, c in enumerate(cases):
        y = 34 * i
        name = (f"{c['mode']} {c['rooms']:,}×{c['members']:,}, {c['payload']:,} B · "
                f"{SHORT.get(c['suite'], c['suite'])} · {c['engine']}")
        body.append(text(4, y + 12, name, 11))
        body.append(bar(4, y + 16, c["pipeline_ns"] * scale, 12, ROUTE))
        body.append(bar(4, y + 16, min(c["bare_ns"], c["pipeline_ns"]) * scale, 12, BARE))
        body.append(text(8 + c["pipeline_ns"] * scale, y + 26, f"{c['pipeline_ns']:.0f}", 11))
    return svg(body, bottom + 16, "nanoseconds per packet")


def instructions_plot(counted):
    if not counted:
        return ""
    parts = (("instructions_route", ROUTE), ("instructions_glue", BARE),
             ("instructions_device", "#c9ced6"))
    largest = max(sum(c[k] for k, _ in parts) for c in counted) * 1.02
    scale = (WIDTH - 60) / largest
    bottom = 34 * len(counted)
    body = ticks(2, bottom, scale, largest, step_for(largest))
    for i, c in enumerate(counted):
        x, y = 4.0, 34 * i
        body.append(text(4, y + 12, f"{c['mode']} {c['rooms']:,}×{c['members']:,}, "
                         f"{c['talkers']} talking, {c['payload']:,} B", 11))
        for key, fill in parts:
            body.append(bar(x, y + 16, c[key] * scale, 12, fill))
            x += c[key] * scale
        body.append(text(x + 4, y + 26, f"{sum(c[k] for k, _ in parts):.0f}", 11))
    return svg(body, bottom + 16, "instructions per packet outside the cipher")


def key(*pairs):
    return '<p class="dim">' + "".join(
        f'<span class="key" style="background:{fill}"></span>{esc(words)}'
        for fill, words in pairs) + "</p>"


def target_text(row):
    if row["target"] is None:
        return ""
    return f"≤ {row['target']:,g}" if row["target"] > 0 else f"≥ {-row['target']:,g}"


def table(rows):
    out = ['<div class="scroll"><table><tr><th>case</th><th>suite</th><th>by</th>'
           '<th class="n">route ns</th><th class="n">alone ns</th><th class="n">value</th>'
           '<th class="n">target</th><th></th></tr>']
    for r in rows:
        met = {True: '<span class="met">met</span>', False: '<span class="not">not met</span>',
               None: ""}[r["met"]]
        ns = [f"{r[k]:.1f}" if k in r else "" for k in ("pipeline_ns", "bare_ns")]
        value = f"{r['value']:,.2f}" if r["value"] is not None else "–"
        out.append(f"<tr><td>{esc(r['row'])}</td><td>{esc(r['suite'])}</td><td>{esc(r['engine'])}"
                   f'</td><td class="n">{ns[0]}</td><td class="n">{ns[1]}</td><td class="n">{value}'
                   f'</td><td class="n">{target_text(r)}</td><td>{met} '
                   f'<span class="dim">{esc(r["note"])}</span></td></tr>')
    return "".join(out) + "</table></div>"


def summary(result):
    rows = [r for r in result["rows"] if r["target"] is not None]
    met = sum(r["met"] is True for r in rows)
    missed = sum(r["met"] is False for r in rows)
    disturbed = sum(bool(r.get("disturbed")) for r in rows)
    return (f"{met} met, {missed} not met, {len(rows) - met - missed} not measured, of {len(rows)}"
            + (f"; {disturbed} of them disturbed by other work: measure on a quiet machine"
               if disturbed else ""))


def render(result):
    m = result["machine"]
    cases = result["cases"]
    parts = [
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        f"<title>voicenode bench</title><style>{STYLE}</style></head><body>",
        "<h1>voicenode: the packet engine against its cipher</h1>",
        f'<p class="dim">{esc(m["cpu"])}{", virtual" if m["virtual"] else ""}, {m["cores"]} cores, '
        f'about {m["clock_ghz"]:.1f} GHz · Linux {esc(m["kernel"])} · {esc(m["dpdk"])} · '
        f'{esc(m["crypto"])} · {esc(m["compiler"])} · {esc(m["memory"])} · load average '
        f'{result["load_average"][0]:.1f} to {result["load_average"][1]:.1f} · '
        f'{esc(result["when"])}</p>',
        f"<p><b>{esc(summary(result))}.</b></p>",
        "<h2>Whole route, in times of the cipher alone</h2>",
        "<p>A packet's way from a worker's receive ring to its device, per copy sent, against the "
        "cipher library alone over 1,000 keys, in the same run. Medians.</p>",
        key((GOOD, "target met"), (BAD, "target not met"), (ROUTE, "no target"),
            (LINE, "target")),
        ratio_plot(result["rows"]),
        "<h2>Nanoseconds per packet</h2>",
        key((BARE, "cipher library alone"), (ROUTE, "the rest of the route")),
        cost_plot(cases)]
    if result["instructions"]:
        parts += ["<h2>Instructions per packet outside the cipher</h2>",
                  "<p>Counted by callgrind: the same on every run, however busy the machine.</p>",
                  key((ROUTE, "route"), (BARE, "calls of the cipher"), ("#c9ced6", "device")),
                  instructions_plot(result["instructions"])]
    parts += ["<h2>The table</h2>", table(result["rows"]), "</body></html>\n"]
    return "".join(parts)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as f:
        sys.stdout.write(render(json.load(f)))
