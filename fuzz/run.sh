#!/usr/bin/env bash
# Runs every fuzz target, and every format, for SECONDS each (default 30), seeded with the samples. Stops at the first crash.
# Needs cargo-fuzz. usage: [SEED=N] fuzz/run.sh [SECONDS [TARGET…]]. The seed is 1, so that a check repeats; a search takes others.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-30}
[ $# -eq 0 ] || shift
# A folder of samples names a format, and every format that is read has one (crates/maliu-core/tests/idle.rs).
formats=$(basename -a ../samples/*/)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list | grep -vx formats; echo "$formats")
cargo fuzz build -s none
for target in "${targets[@]}"; do
  echo "== $target: $seconds s"
  program=$target
  unset MALIU_FORMAT
  if grep -qx "$target" <<<"$formats"; then
    program=formats
    export MALIU_FORMAT=$target
  fi
  seeds=$(mktemp -d)
  mkdir -p regressions/"$target"
  for file in ../samples/*/*; do
    case "$file" in *.dump) ;; *) { printf '\x20'; cat "$file"; } >"$seeds/$(basename "$file")" ;; esac
  done
  cargo fuzz run -s none "$program" "$seeds" regressions/"$target" -- \
    -seed="${SEED:-1}" -max_total_time="$seconds" -rss_limit_mb=512 -timeout=10 -verbosity=0 -print_final_stats=1 2>&1 | tail -n 12
  rm -rf "$seeds"
done
