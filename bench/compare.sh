#!/usr/bin/env bash
# Peers side by side: makes its inputs once, runs maliu and each peer alternately, prints medians and ratios.
# usage: bench/compare.sh [-n RUNS] [ROW…]   Needs ffmpeg (libmp3lame, libx264); data goes to target/bench (2 GB).
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet
exec python3 bench/compare.py "$@"
