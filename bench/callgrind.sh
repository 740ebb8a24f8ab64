#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The axis without noise: instructions per packet, counted by callgrind, the same on every run and on
# a busy machine. Valgrind has no AVX-512, so the cipher library takes its AVX2 path: what the cipher
# itself executes is counted apart and says nothing about the real path; the rest is the real code.
#
# usage: bench/callgrind.sh [--build DIR] [--out FILE] [--quick] [--functions]
#   --build DIR   where engine_bench is built (build)
#   --out FILE    the result set (DIR/bench-results/callgrind.json)
#   --quick       one small case
#   --functions   also which functions of ours take most, each without what it calls
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$bench/../build
out=
quick=
functions=
while [ $# -gt 0 ]; do
  case $1 in
  --build) build=${2:?--build needs a folder} && shift 2 ;;
  --out) out=${2:?--out needs a file} && shift 2 ;;
  --quick) quick=1 && shift ;;
  --functions) functions=1 && shift ;;
  *)
    echo "callgrind.sh: \"$1\" is no option; there are --build DIR, --out FILE, --quick, --functions" >&2
    exit 2
    ;;
  esac
done
out=${out:-$build/bench-results/callgrind.json}
if ! command -v valgrind >/dev/null; then
  echo "callgrind.sh: valgrind is not installed: apt-get install valgrind" >&2
  exit 1
fi
if [ ! -x "$build/bench/engine_bench" ]; then
  echo "callgrind.sh: $build/bench/engine_bench is not built: ninja -C $build, or --build DIR" >&2
  exit 1
fi

gcm=aead_aes256_gcm_rtpsize
cases=(
  "--mode fanout --suite $gcm --receivers 1000 --fanout 25"
  "--mode rooms --suite $gcm --rooms 1000"
  "--mode rooms --suite $gcm --rooms 250 --members 10"
  "--mode open --suite $gcm --rooms 1000"
  "--mode huge --suite $gcm --receivers 10000"
  "--mode fanout --suite $gcm --receivers 1000 --fanout 20 --payload 1100"
)
[ -z "$quick" ] || cases=("--mode fanout --suite $gcm --receivers 50 --fanout 25")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/cases"
for args in "${cases[@]}"; do
  echo "callgrind: $args" >&2
  # shellcheck disable=SC2086  # the words of a case
  valgrind --quiet --tool=callgrind --toggle-collect=bench_counted_turns \
    --callgrind-out-file="$work/profile" \
    "$build/bench/engine_bench" $args --engine ipsec-mb --count 20000 --json >"$work/line" 2>"$work/said" ||
    { cat "$work/said" >&2 && exit 1; }
  "$bench/callgrind_sum.py" "$work/profile" "$work/line" "$build/dataplane/crypto/libcrypto.a" >>"$work/cases"
done
mkdir -p "$(dirname "$out")"
python3 - "$work/cases" "$out" "$functions" <<'END'
import json, sys
cases = [json.loads(line) for line in open(sys.argv[1])]
with open(sys.argv[2], "w") as file:
    json.dump({"schema": "voicenode-bench/1", "cases": cases}, file, indent=1)
    file.write("\n")
print(f"{'instructions per packet':58} {'route':>7} {'glue':>7} {'device':>7}")
for c in cases:
    name = f"{c['mode']} {c['rooms']}x{c['members']}, {c['talkers']} talking, {c['payload']} B"
    print(f"{name:58} {c['instructions_route']:7.0f} {c['instructions_glue']:7.0f} {c['instructions_device']:7.0f}")
    for fn, count in c["functions"].items() if sys.argv[3] else ():
        print(f"  {fn:56} {count:7.1f}")
END
echo "callgrind: $out" >&2
