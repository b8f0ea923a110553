#!/usr/bin/env bash
# Runs every fuzz target, and every format, for SECONDS each (default 30), seeded with the samples, as many at once as there
# are processors. Fails if one crashes. Needs cargo-fuzz. usage: [SEED=N] fuzz/run.sh [SECONDS [TARGET…]]. The seed is 1, so
# that a check repeats; a search takes others.
set -euo pipefail
cd "$(dirname "$0")"
export SECONDS_EACH=${1:-30} SEED=${SEED:-1}
[ $# -eq 0 ] || shift
# A folder of samples names a format, and every format that is read has one (crates/maliu-core/tests/idle.rs).
export FORMATS=$(basename -a ../samples/*/)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list | grep -vx formats; echo "$FORMATS")
# A short run is a check, which compiling should not take longer than: less is optimised for it.
if [ "$SECONDS_EACH" -le 10 ]; then
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0
fi
cargo fuzz build -s none --codegen-units 16
export PROGRAMS=target/$(rustc -vV | sed -n 's/^host: //p')/release

export SEEDS=$(mktemp -d)
trap 'rm -rf "$SEEDS"' EXIT
for file in ../samples/*/*; do
  case "$file" in *.dump) ;; *) { printf '\x20'; cat "$file"; } >"$SEEDS/$(basename "$file")" ;; esac
done

fuzz() {
  local program=$1 said code=0
  mkdir -p "regressions/$1" "artifacts/$1" "$SEEDS.$1"
  if grep -qx "$1" <<<"$FORMATS"; then
    program=formats
    export MALIU_FORMAT=$1
  fi
  # The first folder takes what is found, so each target has one of its own.
  said=$("$PROGRAMS/$program" "$SEEDS.$1" "$SEEDS" "regressions/$1" -artifact_prefix="artifacts/$1/" -seed="$SEED" \
    -max_total_time="$SECONDS_EACH" -rss_limit_mb=512 -timeout=10 -verbosity=0 -print_final_stats=1 2>&1) || code=$?
  rm -rf "$SEEDS.$1"
  printf '== %s: %s s\n%s\n' "$1" "$SECONDS_EACH" "$(tail -n 12 <<<"$said")"
  return "$code"
}
export -f fuzz
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
