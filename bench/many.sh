#!/usr/bin/env bash
# A thousand live senders into one receiver: prints CPU and memory of the receiver, fails beyond a core or 200 MB.
# usage: bench/many.sh [SENDERS [SECONDS]]   Needs ffmpeg (libx264) and as many open files as senders; data goes to target/bench.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet
cargo build --release --quiet -p maliu --features tokio --example live_senders --example wire_latency
ulimit -n "$(ulimit -Hn)"
exec python3 bench/many.py "$@"
