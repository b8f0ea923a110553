#!/usr/bin/env python3
"""Judge: `maliu repair` of 204 damaged FLVs (12 kinds of damage, 17 sizes): no stream is lost, audio and video stay within
50 ms of each other, and what is repaired twice is as what is repaired once. Needs ffmpeg. Usage: repair.py MALIU"""

import bisect
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = (1, 2, 3, 5, 6, 8, 10, 11, 20, 35, 50, 80, 120, 200, 300, 400, 500)


def tags(data):
    """(offset, type, size) of every tag."""
    at, rows = 13, []
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        rows.append((at, data[at], size))
        at += 15 + size
    return rows


def shifted(data, rows, begin, kinds, by):
    for at, kind, _ in rows[begin:]:
        if kind in kinds:
            time = (int.from_bytes(data[at + 4:at + 7], "big") | data[at + 7] << 24) + by
            time = max(0, time)
            data[at + 4:at + 7], data[at + 7] = (time & 0xffffff).to_bytes(3, "big"), time >> 24
    return data


def damaged(source, rng, size):
    """(kind, bytes) of each kind of damage."""
    rows = tags(source)
    k = rng.randrange(len(rows) // 3, len(rows) - 20)
    at, _, length = rows[k]
    data = lambda: bytearray(source)
    yield "cut short", source[:len(source) - size * 7]
    yield "junk between tags", source[:at] + rng.randbytes(size * 11) + source[at:]
    yield "bytes missing", source[:at + 3] + source[at + 3 + size * 13:]
    yield "zeros", source[:at] + bytes(size * 9) + source[at + size * 9:]
    back = -min(1000 * size, 3900)
    yield "video steps back", shifted(data(), rows, k, (9,), back)
    yield "video jumps ahead", shifted(data(), rows, k, (9,), 20000 + 1000 * size)
    yield "audio steps back", shifted(data(), rows, k, (8,), back)
    yield "both step back", shifted(data(), rows, k, (8, 9), back)
    yield "both jump ahead", shifted(data(), rows, k, (8, 9), 30000 * size)
    wrong = data()
    wrong[at + 1:at + 4] = (length + size * 3).to_bytes(3, "big")
    yield "a size that lies", wrong
    wrong = data()
    for at, _, length in rows[k:k + size]:
        wrong[at + 11 + length:at + 15 + length] = rng.randbytes(4)
    yield "sizes behind tags", wrong
    yield "flags of the header", source[:4] + b"\0" + source[5:]


def packets(maliu, path):
    """{media type: [(dts in s, checksum)]}"""
    done = subprocess.run([maliu, "remux", path, "-", "-f", "framecrc", "--copy-times"], capture_output=True, check=True)
    base, kind, rows = {}, {}, {}
    for line in done.stdout.decode().splitlines():
        if line.startswith("#tb "):
            stream, ratio = line[4:].split(": ")
            num, den = ratio.split("/")
            base[stream] = int(num) / int(den)
        elif line.startswith("#media_type "):
            stream, name = line[12:].split(": ")
            kind[stream] = name
        elif not line.startswith("#"):
            cells = [cell.strip() for cell in line.split(",")]
            rows.setdefault(kind[cells[0]], []).append((int(cells[1]) * base[cells[0]], cells[5]))
    return rows


def apart(was, now):
    """Most seconds by which audio was moved against the video near it."""
    moved = {kind: sorted((time, time - was[kind][crc]) for time, crc in rows if crc in was[kind]) for kind, rows in now.items()}
    worst = 0.0
    for time, by in moved["audio"] if moved["video"] else []:
        near = min(bisect.bisect_left(moved["video"], (time,)), len(moved["video"]) - 1)
        worst = max(worst, min(abs(by - moved["video"][i][1]) for i in (near, max(near - 1, 0))))
    return worst


def faults(maliu, was, folder, data):
    bad, once, twice = (str(folder / name) for name in ("bad.flv", "once.flv", "twice.flv"))
    Path(bad).write_bytes(data)
    done = subprocess.run([maliu, "repair", bad, once], capture_output=True, timeout=60)
    if done.returncode != 0:
        return [f"exit {done.returncode}: {done.stderr.decode()[-120:]}"]
    now = packets(maliu, once)
    found = [f"{kind} is lost" for kind in was if kind not in now]
    if not found and apart(was, now) > 0.0501:
        found.append(f"audio and video are {apart(was, now):.3f} s apart")
    subprocess.run([maliu, "repair", once, twice], capture_output=True, check=True)
    if Path(once).read_bytes() != Path(twice).read_bytes():
        found.append("twice is not once")
    return found


def main():
    maliu, rng, total, bad = sys.argv[1], random.Random(5), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / "film.flv"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=12", "-f", "lavfi", "-i", "sine=d=12", "-c:v", "libx264",
                        "-g", "25", "-bf", "0", "-c:a", "aac", "-b:a", "48k", film], check=True)
        was = {kind: {crc: time for time, crc in rows} for kind, rows in packets(maliu, film).items()}
        for size in SIZES:
            for kind, data in damaged(film.read_bytes(), rng, size):
                total += 1
                for fault in faults(maliu, was, folder, data):
                    bad += 1
                    print(f"FAIL {kind}, size {size}: {fault}")
    print(f"{total} damaged films, {bad} faults")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
