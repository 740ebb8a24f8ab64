#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A short turn of one fuzz target: every seed of its corpus, then at most 10 seconds of its own ideas.
# usage: run.sh PROGRAM SEED_DIR
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/new"
"$1" -runs=20000 -max_total_time=10 -max_len=2048 -artifact_prefix="$scratch/" -print_final_stats=1 \
	"$scratch/new" "$2" || exit 1 # a finding is 77, which meson would take for skipped
