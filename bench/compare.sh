#!/usr/bin/env bash
# Peers side by side: makes its inputs once, runs maliu and each peer alternately, prints medians and ratios.
# usage: bench/compare.sh [-n RUNS] [ROW…]   Needs ffmpeg (libmp3lame, libx264), flvmeta, mpg123; data goes to
# target/bench (4 GB). MALIU and MALIU_PEERS name other binaries, MALIU_OLD one to compare with in every row.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${MALIU:-}" ] || cargo build --release --quiet
[ -n "${MALIU_PEERS:-}" ] || cargo build --release --quiet --manifest-path bench/peers/Cargo.toml
exec python3 bench/compare.py "$@"
