#!/usr/bin/env python3
"""Times maliu and its peers as whole processes, alternately, and prints medians and ratios. Called by compare.sh."""

import os
import platform
import statistics
import sys

import inputs
import measure
import rows


def timed(row, runs):
    """One row: every command once a round; the first round warms the page cache and is not counted."""
    taken = {who: [] for who, _ in row.commands}
    for n in range(runs + 1):
        for who, command in row.commands:
            figures = measure.run(command)
            if n:
                taken[who].append(figures)
    base = taken["maliu"]
    for who, figures in taken.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*figures))
        ratio = statistics.median(a[0] / b[0] for a, b in zip(base, figures))
        speed = f"{row.file.stat().st_size / 1e6 / wall:.0f} MB/s" if row.file else ""
        speed = f"{row.seconds / wall:.0f} x" if row.seconds else speed
        ratio = "" if who == "maliu" else f"{ratio:.2f}"
        print(f"{row.name:14} {who:18} {wall:8.3f} {cpu:8.3f} {peak:8.1f} {speed:>10} {ratio:>7}", flush=True)


def main():
    args, runs = sys.argv[1:], 5
    if args[:1] == ["-n"]:
        runs, args = int(args[1]), args[2:]
    wanted = lambda name: not args or name in args
    found = inputs.all_of_them()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {runs}")
    print("ratio = ours / the peer's in the same round, below 1 is faster")
    print(f"{'row':14} {'who':18} {'wall s':>8} {'cpu s':>8} {'peak MB':>8} {'speed':>10} {'ratio':>7}")
    for row in rows.all_of_them(found):
        if wanted(row.name):
            timed(row, runs)
    (inputs.DATA / "out.tmp.flv").unlink(missing_ok=True)
    for name, path, ours, peer, command in rows.FIRST:
        if wanted(name):
            both = [f"{who} {measure.wanted(line, found[path])}" for who, line in (("maliu", ours), (peer, command))]
            print(f"{name:14} bytes before the first packet shows, at most: {', '.join(both)}", flush=True)
    for name, command, pattern, text in rows.PRINTED:
        if wanted(name):
            print(f"{name:14} {text.format(*measure.printed(command, pattern))}", flush=True)


if __name__ == "__main__":
    main()
