#!/usr/bin/env python3
"""Judge: pictures of `maliu decode IN OUT.y4m` against ffmpeg's, frame by frame, by MD5.

Usage: pictures.py [FILE ...]   (default: all H.264 of the corpus; those in expected/pictures.txt may differ, and say why)
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MALIU = os.environ.get("MALIU", "target/release/maliu")
CORPUS = Path(os.environ.get("MALIU_CORPUS", "../shared/corpus"))
EXPECTED = Path(__file__).parent / "expected" / "pictures.txt"


def ours(path, folder):
    """MD5 of each picture, and what was said on stderr."""
    out = Path(folder) / "out.y4m"
    out.unlink(missing_ok=True)
    done = subprocess.run([MALIU, "decode", path, out, "--from", "h264"], capture_output=True, text=True, timeout=300)
    if not out.exists():
        return [], done.stderr
    data = out.read_bytes()
    end = data.index(b"\n")
    words = dict((w[:1], w[1:]) for w in data[:end].decode().split()[1:])
    width, height, sampling = int(words["W"]), int(words["H"]), words["C"]
    samples = width * height + 2 * (width // 2) * (height if sampling.startswith("422") else height // 2)
    size = samples * (2 if "p1" in sampling else 1)
    at, sums = end + 1, []
    while at < len(data):
        at += len(b"FRAME\n")
        sums.append(hashlib.md5(data[at:at + size]).hexdigest())
        at += size
    return sums, done.stderr


def theirs(path):
    grey = "gray" in subprocess.run(["ffprobe", "-v", "quiet", "-show_entries", "stream=pix_fmt", path], capture_output=True, text=True).stdout
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-vsync", "passthrough", *(["-pix_fmt", "yuv420p"] if grey else []), "-f", "framemd5", "-"]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    return [line.split(",")[-1].strip() for line in text.splitlines() if not line.startswith("#")]


def main():
    files = [Path(a) for a in sys.argv[1:]]
    known = {}
    if not files:
        files = sorted(p for origin in ("real", "synth") for p in (CORPUS / origin / "h264").iterdir())
        known = dict(line.split("\t", 1) for line in EXPECTED.read_text().splitlines() if "\t" in line)
    same = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            a, said = ours(path, folder)
            b = theirs(path)
            if a == b and a:
                same += 1
            elif path.name in known and "panicked" not in said:
                print(f"known {path.name}: {known[path.name]}")
            else:
                failed += 1
                first = next((n for n, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                print(f"FAIL {path.name}: {len(a)} pictures, ffmpeg {len(b)}, first difference {first}; {said.strip()[-150:]}")
    print(f"{same} the same, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
