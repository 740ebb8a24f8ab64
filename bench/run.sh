#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The published table in under ten minutes: builds, measures every row, prints the table with its
# targets, and writes bench.json and bench.html (one file, no network). As root it reserves huge
# pages while it runs and gives back what it took.
#
# usage: bench/run.sh [--build DIR] [--out DIR] [--quick] [--no-instructions]
#   --build DIR         a release build; made when it is not there (build)
#   --out DIR           results (DIR/bench-results of the build)
#   --quick             two small cases, one round: whether it works, not how fast
#   --no-instructions   without callgrind's counts, which need valgrind and about two minutes
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$bench/.." && pwd)
build=$root/build
out=
quick=
instructions=1
huge_pages=256 # of 2 MiB: two workers' pools and rings, with room
huge_file=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
while [ $# -gt 0 ]; do
  case $1 in
  --build) build=${2:?--build needs a folder} && shift 2 ;;
  --out) out=${2:?--out needs a folder} && shift 2 ;;
  --quick) quick=--quick && shift ;;
  --no-instructions) instructions= && shift ;;
  *)
    echo "run.sh: \"$1\" is no option; there are --build DIR, --out DIR, --quick, --no-instructions" >&2
    exit 2
    ;;
  esac
done
out=${out:-$build/bench-results}
mkdir -p "$out"

# A build of the tests, with asserts on the packet path, would measure the asserts.
if [ ! -f "$build/build.ninja" ]; then
  echo "building $build" >&2
  meson setup --buildtype=release "$build" "$root" >/dev/null
fi
type=$(python3 - "$build/meson-info/intro-buildoptions.json" <<'END'
import json, sys
options = {o["name"]: o["value"] for o in json.load(open(sys.argv[1]))}
print(options["buildtype"], options["b_sanitize"])
END
)
if [ "$type" != "release none" ] && [ -z "$quick" ]; then
  echo "run.sh: $build is a build of \"$type\": numbers need \"release none\"; name another --build" >&2
  exit 1
fi
[ -n "$quick" ] && [ -x "$build/bench/engine_bench" ] || ninja -C "$build" --quiet bench/engine_bench

taken=0
give_back() {
  if [ "$taken" -gt 0 ]; then
    echo $(($(cat "$huge_file") - taken)) >"$huge_file" || true
    taken=0
  fi
}
trap give_back EXIT
trap 'exit 130' INT TERM
if [ -z "$quick" ] && [ -w "$huge_file" ]; then
  before=$(cat "$huge_file")
  free=$(cat "${huge_file%nr_hugepages}free_hugepages")
  if [ "$free" -lt "$huge_pages" ]; then
    echo $((before + huge_pages - free)) >"$huge_file" || true
    taken=$(($(cat "$huge_file") - before))
    echo "huge pages: $taken of 2 MiB taken, to be given back" >&2
  fi
fi

extra=()
if [ -n "$instructions" ] && [ -z "$quick" ]; then
  if command -v valgrind >/dev/null; then
    "$bench/callgrind.sh" --build "$build" --out "$out/callgrind.json" >/dev/null
    extra=(--instructions "$out/callgrind.json")
  else
    echo "run.sh: no instruction counts: valgrind is not installed (apt-get install valgrind)" >&2
  fi
fi
"$bench/published.py" --build "$build" --out "$out" $quick "${extra[@]}"
echo "$out/bench.json"
echo "$out/bench.html"
