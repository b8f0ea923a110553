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
    # An older maliu may not know the format.
    commands = [(who, command) for who, command in row.commands if who != rows.OLDER or measure.works(command)]
    taken = {who: [] for who, _ in commands}
    for n in range(runs + 1):
        for who, command in commands:
            figures = measure.run(command)
            if n:
                taken[who].append(figures)
    base = taken["maliu"]
    for who, figures in taken.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*figures))
        ratio, cpu_ratio = (statistics.median(a[n] / max(b[n], 0.001) for a, b in zip(base, figures)) for n in (0, 1))
        speed = f"{row.file.stat().st_size / 1e6 / wall:.0f} MB/s" if row.file else ""
        speed = f"{row.seconds / wall:.0f} x" if row.seconds else speed
        ratios = "" if who == "maliu" else f"{ratio:7.2f} {cpu_ratio:9.2f}"
        print(f"{row.name:20} {who:18} {wall:8.3f} {cpu:8.3f} {peak:8.1f} {speed:>10} {ratios}", flush=True)


def main():
    args, runs = sys.argv[1:], 5
    if args[:1] == ["-n"]:
        runs, args = int(args[1]), args[2:]
    wanted = lambda name: not args or name in args
    found = inputs.all_of_them()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {runs}")
    print("ratio = ours / the peer's in the same round, of time and of CPU time; below 1 is faster")
    print(f"{'row':20} {'who':18} {'wall s':>8} {'cpu s':>8} {'peak MB':>8} {'speed':>10} {'ratio':>7} {'cpu ratio':>9}")
    for row in rows.all_of_them(found):
        if wanted(row.name):
            timed(row, runs)
    for path in inputs.DATA.glob("out.tmp.*"):
        path.unlink()
    for name, path, ours, peer, command in rows.FIRST:
        if wanted(name):
            both = [f"{who} {measure.wanted(line, found[path])}" for who, line in (("maliu", ours), (peer, command))]
            print(f"{name:20} bytes before the first packet shows, at most: {', '.join(both)}", flush=True)
    for name, command, pattern, text in rows.PRINTED:
        if wanted(name):
            print(f"{name:20} {text.format(*measure.printed(command, pattern))}", flush=True)


if __name__ == "__main__":
    main()
