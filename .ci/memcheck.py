#!/usr/bin/env python3
"""Judge: valgrind finds no memory error in the release binary, dependencies with unsafe code included, and no file or peer
makes it take more memory than it promises (.ci/attacks.py): at most 48 MiB for damaged MP4 files, 32 MiB for damaged transport and
program streams and LOAS. Run from the project's root."""

import os
import random
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

# Most MiB of a process that reads a damaged file, the program itself included, by folders of samples and of the corpus.
MOST = [(48, ["mp4"], []), (32, ["mpegts", "mpegps", "loas"], ["ts", "ps", "latm"])]

# Bytes of the largest file of the corpus that is damaged.
LARGEST = 2 << 20


def damaged(data, rng):
    """One of the ways in which files break: cut, flipped, zeroed, or with a number made huge."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        way = rng.randrange(5)
        if way == 0:
            del data[max(at, 40):]
        elif way == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 2:
            data[at:at + rng.choice([4, 64, 500])] = bytes(len(data[at:at + rng.choice([4, 64, 500])]))
        else:
            # A count, a size or an offset: behind the name of a box that holds some.
            names = [b"stsz", b"stts", b"ctts", b"stsc", b"stco", b"stss", b"trun", b"elst", b"stsd", b"sidx", b"tfhd", b"mdhd", b"cmvd", b"senc"]
            places = [found for name in names if (found := data.find(name)) >= 0]
            if places:
                place = rng.choice(places) + rng.choice([-4, 4, 8, 12, 16])
                data[place:place + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\xff\xff\xff", b"\x00\x00\x00\x00"])
    return bytes(data)


def torn(data, rng):
    """One of the ways in which streams break: bytes flipped, zeroed, left out, put in, repeated, or a field made huge."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        length = rng.choice([1, 4, 188, 1000, 20000])
        way = rng.randrange(6)
        if way == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[at:at + length] = bytes(len(data[at:at + length]))
        elif way == 2 and len(data) > 1000:
            del data[at:at + min(length, len(data) // 2)]
        elif way == 3:
            data[at:at] = rng.randbytes(length)
        elif way == 4:
            data[at:at] = data[at:at + length]
        else:
            data[at:at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\1\xba", b"\0\0\1\xe0", b"\x47\x40\0\x10", b"\x56\xff\xff\xff"])
    return bytes(data)


def files(folders, kinds):
    """(path, rounds): samples often, files of the corpus once."""
    for folder in folders:
        yield from ((path, 12) for path in sorted(Path("samples", folder).iterdir()) if path.suffix != ".dump")
    corpus = Path(os.environ.get("MALIU_CORPUS", "../shared/corpus"))
    for kind in kinds:
        for path in sorted(corpus.glob(f"*/{kind}/*")):
            if 0 < path.stat().st_size <= LARGEST:
                yield path, 1


def memory(folder, most_allowed, folders, kinds, damage):
    rng, bad, most, count = random.Random(18), 0, 0, 0
    for sample, rounds in files(folders, kinds):
        for round in range(rounds):
            path = Path(folder) / f"damaged{sample.suffix}"
            path.write_bytes(damage(sample.read_bytes(), rng))
            count += 1
            for run in (["probe", "--packets", path], ["check", path], ["remux", path, "-", "-f", "framecrc"], ["repair", path, "-"]):
                child = subprocess.Popen([MALIU, *run], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
                most = max(most, usage.ru_maxrss / 1024)
                if usage.ru_maxrss / 1024 > most_allowed or child.returncode not in (0, 1):
                    bad += 1
                    print(f"FAIL {sample} damaged in round {round}: {run[0]} took {usage.ru_maxrss >> 10} MiB, exit code {child.returncode}")
    print(f"{count} damaged files of {', '.join(folders)}: at most {most:.1f} MiB of {most_allowed}, {bad} failed")
    return bad


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
with tempfile.TemporaryDirectory() as folder:
    for most, folders, kinds in MOST:
        bad += memory(folder, most, folders, kinds, damaged if folders == ["mp4"] else torn)
bad += attacks.run(MALIU)
sys.exit(bool(bad))
