#!/usr/bin/env python3
"""Judge: valgrind finds no memory error in the release binary, dependencies with unsafe code included, and no file or peer
makes it take more memory than it promises (.ci/attacks.py). Run from the project's root."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import attacks

MALIU = os.environ.get("MALIU", "target/release/maliu")
RUNS = [
    ["decode", "samples/adts/mono_16000.aac", "OUT.wav"],
    ["decode", "samples/mp3/vbr_info.mp3", "OUT.wav"],
    ["decode", "samples/wav/adpcm_ms.wav", "OUT.wav"],
    ["decode", "samples/h264/junk_and_zeros.h264", "OUT.y4m"],
    ["remux", "samples/flv/h264_aac.flv", "OUT.flv", "-o", "add_keyframe_index=1"],
    ["remux", "samples/h265/main.h265", "OUT.flv"],
    ["probe", "--json", "--packets", "--hash", "md5", "samples/flv/junk_and_wrong_size.flv"],
    ["layout", "explain", "flv-tag", "samples/flv/aac_only.flv", "--most", "200"],
]

bad = 0
with tempfile.TemporaryDirectory() as folder:
    for index, run in enumerate(RUNS):
        line = [part.replace("OUT", str(Path(folder) / f"out{index}")) for part in run]
        valgrind = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=no", MALIU, *line]
        done = subprocess.run(valgrind, capture_output=True, text=True)
        if done.returncode:
            bad += 1
            print(f"FAIL {' '.join(run)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
print(f"{len(RUNS) - bad} passed, {bad} failed")
bad += attacks.run(MALIU)
sys.exit(bool(bad))
