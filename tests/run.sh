#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what it needs (Debian 12, as root), builds three trees (release by gcc, address and undefined
# behaviour sanitizers by gcc, and by clang with the fuzzers), runs every test, and ends with the line
# "N passed, M failed". Exit status 0 only when nothing failed and something passed.
#
# usage: tests/run.sh [SUITE...]     lint unit contract stage crash fuzz bench system; default: all of them
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
all=(lint unit contract stage crash fuzz bench system)
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=("${all[@]}")
for suite in "${suites[@]}"; do
  if [[ ! " ${all[*]} " == *" $suite "* ]]; then
    echo "run.sh: no suite \"$suite\"; there are: ${all[*]}" >&2
    exit 2
  fi
done
if [ "$(id -u)" != 0 ]; then
  echo "run.sh: installs packages and makes network namespaces: run it as root (sudo $0)" >&2
  exit 1
fi
passed=0
failed=0

wants() {
  local suite
  for suite in "${suites[@]}"; do
    [ "$suite" != "$1" ] || return 0
  done
  return 1
}

say() {
  echo "== $*"
}

# Debian packages that are missing; Node.js from Debian only where the machine has none.
install_packages() {
  local missing=() package
  while read -r package; do
    case $package in
    nodejs) command -v node >/dev/null && continue ;;
    npm) command -v npm >/dev/null && continue ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
      missing+=("$package")
  done < <(cat "$root/configs/packages.txt" "$root/tests/packages.txt")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_clients() {
  local clients=$root/tests/system/clients
  if [ ! -f "$clients/node_modules/.package-lock.json" ] ||
    [ "$clients/package-lock.json" -nt "$clients/node_modules/.package-lock.json" ]; then
    say "installing stock clients"
    npm ci --prefix "$clients" --no-audit --no-fund --loglevel=error
  fi
}

# build FOLDER COMPILER [meson options]
build() {
  local folder=$1 compiler=$2
  shift 2
  say "building $folder ($compiler)"
  [ -f "$root/$folder/build.ninja" ] || CC=$compiler meson setup "$@" "$root/$folder" "$root" >/dev/null
  ninja -C "$root/$folder" --quiet || {
    echo "run.sh: $folder does not build" >&2
    exit 1
  }
}

# run FOLDER SUITE...: meson runs them, its log is counted.
run() {
  local folder=$1 suite flags=() counts status=0
  shift
  for suite in "$@"; do
    wants "$suite" && flags+=(--suite "$suite")
  done
  [ ${#flags[@]} -gt 0 ] || return 0
  say "testing $folder: ${flags[*]/--suite/}"
  rm -f "$root/$folder/meson-logs/testlog.json"
  meson test -C "$root/$folder" --no-rebuild --timeout-multiplier 4 --print-errorlogs "${flags[@]}" || status=$?
  counts=$(python3 - "$root/$folder/meson-logs/testlog.json" <<'EOF'
import json, sys
try:
    rows = [json.loads(line) for line in open(sys.argv[1])]
except OSError:
    rows = []
good = sum(r["result"] in ("OK", "EXPECTEDFAIL") for r in rows)
print(good, len(rows) - good)
EOF
  )
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
  # A runner that broke off, or found nothing to run, is a failure that no row of its log tells.
  if [ "$counts" = "0 0" ] || { [ "$status" -ne 0 ] && [ "${counts#* }" = 0 ]; }; then
    echo "run.sh: $folder: the test runner ended with status $status after $counts" >&2
    failed=$((failed + 1))
  fi
}

install_packages
build build gcc
if wants lint || wants unit || wants contract || wants stage || wants crash || wants bench; then
  run build lint unit contract stage crash bench
fi
if wants unit || wants contract || wants stage || wants crash; then
  build build-asan gcc -Db_sanitize=address,undefined -Dbuildtype=debugoptimized
  run build-asan unit contract stage crash
fi
if wants unit || wants contract || wants stage || wants crash || wants fuzz; then
  build build-clang clang -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized
  run build-clang unit contract stage crash fuzz
fi
if wants system; then
  install_clients
  run build system
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
