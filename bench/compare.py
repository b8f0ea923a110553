#!/usr/bin/env python3
"""Times maliu and its peers as whole processes, alternately, and prints medians and ratios. Called by compare.sh."""

import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

MALIU = os.environ.get("MALIU", "target/release/maliu")
DATA = Path(os.environ.get("MALIU_BENCH_DATA", "target/bench"))
CORPUS = Path(os.environ.get("MALIU_CORPUS", "../shared/corpus"))
FFMPEG = "ffmpeg -v error -nostdin -y"
SOUND = "aevalsrc='0.3*sin(2*PI*(300+40*sin(t))*t)+0.1*(random(0)-0.5)|0.3*sin(2*PI*(500+60*cos(t))*t)+0.1*(random(1)-0.5)':s=44100"


def make(name, command):
    """The path of an input, made by `command` (with {out}) when it is not there yet."""
    path = DATA / name
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        part = path.with_name("part." + name)
        print(f"making {name} …", file=sys.stderr)
        subprocess.run(command.format(out=part), shell=True, check=True)
        part.rename(path)
    return path


def repeated(name, seed, megabytes):
    """A file of at least so many megabytes: `seed` again and again."""
    path = DATA / name
    if not path.exists():
        block = seed.read_bytes()
        with open(path, "wb") as out:
            for _ in range(-(-megabytes * 1_000_000 // len(block))):
                out.write(block)
    return path


def inputs():
    aac = make("lc.aac", f"{FFMPEG} -f lavfi -i \"{SOUND}:d=600\" -c:a aac -b:a 128k {{out}}")
    mp3 = make("128k.mp3", f"{FFMPEG} -f lavfi -i \"{SOUND}:d=600\" -c:a libmp3lame -b:a 128k {{out}}")
    clip = make("clip.h264", f"{FFMPEG} -f lavfi -i testsrc2=s=1280x720:r=25:d=20 -vf noise=alls=20:allf=t -c:v libx264 -preset veryfast -b:v 6M -g 50 {{out}}")
    h264 = repeated("300mb.h264", clip, 310)
    seed = make(
        "seed.flv",
        f"{FFMPEG} -f lavfi -i testsrc2=s=640x360:r=25:d=60 -f lavfi -i \"{SOUND}:d=60\" -vf noise=alls=8:allf=t -c:v libx264 -preset veryfast -b:v 330k -g 50 -c:a aac -b:a 48k {{out}}",
    )
    flv = make("400mb.flv", f"{FFMPEG} -stream_loop 160 -i {seed} -c copy {{out}}")
    found = {"aac": aac, "mp3": mp3, "h264": h264, "flv": flv}
    for name, glob in (("he1", "synth/heaac/he1_44100_stereo.aac"), ("he2", "synth/heaac/he2_44100_stereo.aac")):
        seeds = sorted(CORPUS.glob(glob))
        if seeds:
            found[name] = repeated(name + ".aac", seeds[0], 5)
    return found


def run(command):
    """(wall s, cpu s, peak MB) of one run of a shell-like command; `> FILE` is understood."""
    words, out = shlex.split(command), subprocess.DEVNULL
    if ">" in words:
        at = words.index(">")
        out, words = open(words[at + 1], "wb"), words[:at]
    start = time.perf_counter()
    child = subprocess.Popen(words, stdout=out, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"failed with {child.returncode}: {command}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def rows(f):
    """(name, ours, [(peer, command)])."""
    ffdec = f"{FFMPEG} -threads 1 -i {{}} -f s16le -"
    tmp = DATA / "out.tmp.flv"
    table = [
        ("decode-aac", f"{MALIU} decode {f['aac']} - --threads 1", [("ffmpeg -threads 1", ffdec.format(f["aac"]))]),
        ("decode-mp3", f"{MALIU} decode {f['mp3']} - --threads 1", [("ffmpeg -threads 1", ffdec.format(f["mp3"])), ("mpg123", f"mpg123 -q -s {f['mp3']}")]),
        ("h264-packets", f"{MALIU} remux {f['h264']} - -f null", [("ffmpeg -c copy", f"{FFMPEG} -i {f['h264']} -c copy -f null -"), ("dd bs=256k", f"dd if={f['h264']} of=/dev/null bs=256k")]),
        ("flv-packets", f"{MALIU} remux {f['flv']} - -f null", [("ffmpeg -c copy", f"{FFMPEG} -i {f['flv']} -c copy -f null -"), ("dd bs=256k", f"dd if={f['flv']} of=/dev/null bs=256k")]),
        ("flv-flv-null", f"{MALIU} remux {f['flv']} /dev/null -f flv", [("ffmpeg -c copy", f"{FFMPEG} -i {f['flv']} -c copy -f flv /dev/null")]),
        ("flv-flv-file", f"{MALIU} remux {f['flv']} {tmp}", [("cp", f"cp {f['flv']} {tmp}"), ("ffmpeg -c copy", f"{FFMPEG} -i {f['flv']} -c copy {tmp}")]),
        ("flv-probe", f"{MALIU} probe {f['flv']}", [("ffprobe", f"ffprobe -v error -show_streams {f['flv']}")]),
        ("start-up", f"{MALIU} --version", [("ffmpeg -version", "ffmpeg -version")]),
    ]
    for name in ("he1", "he2"):
        if name in f:
            table.insert(1, (f"decode-{name}", f"{MALIU} decode {f[name]} - --threads 1", [("ffmpeg -threads 1", ffdec.format(f[name]))]))
    return table


def main():
    args = sys.argv[1:]
    runs = 5
    if args[:1] == ["-n"]:
        runs, args = int(args[1]), args[2:]
    threads = subprocess.run([MALIU, "decode", "--help"], capture_output=True, text=True).stdout
    print(f"{platform.machine()}, {os.cpu_count()} cores; medians of {runs}; ratio = ours / peer (below 1 is faster)")
    print(f"{'row':14} {'who':18} {'wall s':>8} {'cpu s':>8} {'peak MB':>8} {'ratio':>7}")
    for name, ours, peers in rows(inputs()):
        if args and name not in args:
            continue
        commands = [("maliu", ours if "--threads" in threads else ours.replace(" --threads 1", ""))] + peers
        taken = {who: [] for who, _ in commands}
        for n in range(runs + 1):  # The first round warms the page cache and is not counted.
            for who, command in commands:
                figures = run(command)
                if n:
                    taken[who].append(figures)
        base = taken["maliu"]
        for who, figures in taken.items():
            wall, cpu, peak = (statistics.median(column) for column in zip(*figures))
            ratio = statistics.median(a[0] / b[0] for a, b in zip(base, figures))
            print(f"{name:14} {who:18} {wall:8.3f} {cpu:8.3f} {peak:8.1f} {'' if who == 'maliu' else f'{ratio:7.2f}'}", flush=True)
    (DATA / "out.tmp.flv").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
