"""The rows of the table: what maliu runs, what its peers run for the same work."""

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from inputs import DATA, FFMPEG, SECONDS

MALIU = os.environ.get("MALIU", "target/release/maliu")
# A maliu of another day, to be compared in every row.
# Where writing costs nothing but the processor.
TMPFS = Path("/dev/shm") if Path("/dev/shm").is_dir() else DATA
OLD, OLDER = os.environ.get("MALIU_OLD"), "old maliu"
PEERS = os.environ.get("MALIU_PEERS", "bench/peers/target/release/peers")


@dataclass
class Row:
    """Whole processes, timed against each other."""

    name: str
    ours: str
    peers: list
    # The work: bytes of this file, and seconds of sound.
    file: Path = None
    seconds: float = None
    commands: list = field(init=False)

    def __post_init__(self):
        old = [(OLDER, self.ours.replace(MALIU, OLD))] if OLD else []
        self.commands = [("maliu", self.ours)] + old + self.peers


def decoding(f):
    """Sound to PCM, on one thread and on two."""
    ffmpeg = lambda name: ("ffmpeg -threads 1", f"{FFMPEG} -threads 1 -i {f[name]} -f s16le -")
    more = {"aac": [symphonia(f["aac"])], "mp3": [("mpg123", f"mpg123 -q -s {f['mp3']}"), symphonia(f["mp3"])]}
    for name in ("aac", "aac51", "he1", "he2", "mp3"):
        if name in f:
            ours = f"{MALIU} decode {f[name]} - --threads 1"
            seconds = SECONDS if name in ("aac", "aac51", "mp3") else None
            yield Row(f"decode-{name}", ours, [ffmpeg(name)] + more.get(name, []), f[name], seconds)
            one = ("maliu --threads 1", ours)
            yield Row(f"decode-{name}-2", ours.replace("--threads 1", "--threads 2"), [one, ffmpeg(name)], f[name], seconds)


def symphonia(path):
    return ("symphonia", f"{PEERS} symphonia {path}")


def copying(f):
    """Packets in, packets out: of units as they are common, and of small ones."""
    for size in ("", "-small"):
        yield from copying_of({kind: f[kind + size] for kind in ("h264", "flv", "mp4", "ts")}, size)


def indexed(f):
    """MP4 to packets: large and tiny samples, many tracks; and opening one whose tables are long."""
    for kind in ("mp4-large", "mp4-tiny", "mp4-tracks"):
        path = f[kind]
        copy = ("ffmpeg -c copy", f"{FFMPEG} -i {path} -map 0 -c copy -f null -")
        yield Row(f"{kind}-packets", f"{MALIU} remux {path} - -f null", [copy], path)
    path = f["mp4-hours"]
    yield Row("mp4-open", f"{MALIU} probe {path}", [("ffprobe", f"ffprobe -v error -show_streams {path}")], path)


def copying_of(f, size):
    flv, tmp, whole = f["flv"], DATA / "out.tmp.flv", DATA / "out.tmp.mp4"
    copy = lambda path, out: ("ffmpeg -c copy", f"{FFMPEG} -i {path} -c copy {out}")
    dd = lambda path: ("dd bs=256k", f"dd if={path} of=/dev/null bs=256k")
    more = {"h264": [("h264-reader", f"{PEERS} h264-reader {f['h264']}")], "flv": [("scuffle-flv", f"{PEERS} scuffle-flv {flv}")]}
    for kind, path in f.items():
        peers = [copy(path, "-f null -"), dd(path)] + more.get(kind, [])
        yield Row(f"{kind}-packets{size}", f"{MALIU} remux {path} - -f null", peers, path)
    yield Row(f"flv-flv-null{size}", f"{MALIU} remux {flv} /dev/null -f flv", [copy(flv, "-f flv /dev/null")], flv)
    yield Row(f"flv-flv-file{size}", f"{MALIU} remux {flv} {tmp}", [("cp", f"cp {flv} {tmp}"), copy(flv, tmp)], flv)
    yield Row(f"flv-mp4-file{size}", f"{MALIU} remux {flv} {whole} -o hybrid=0", [("cp", f"cp {flv} {whole}"), copy(flv, whole)], flv)
    ts = TMPFS / "maliu.bench.ts"
    yield Row(f"flv-ts-file{size}", f"{MALIU} remux {flv} {ts}", [copy(flv, ts)], flv)
    yield Row(f"flv-check{size}", f"{MALIU} check {flv}", [("flvmeta --check", f"flvmeta --check {flv}")], flv)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def carrying(f):
    """A file from one process to another over TCP; the row ends when the receiver has written all of it."""
    flv, tmp = f["flv"], DATA / "out.tmp.flv"
    ours, theirs = free_port(), free_port()
    send = f"sh -c '{MALIU} -q receive tcp://127.0.0.1:{ours} {tmp} & {MALIU} send {flv} tcp://127.0.0.1:{ours} && wait'"
    listen = f"socat -u TCP-LISTEN:{theirs},bind=127.0.0.1,reuseaddr OPEN:{tmp},creat,trunc"
    copy = f"sh -c '{listen} & socat -u OPEN:{flv} TCP:127.0.0.1:{theirs},retry=500,interval=0.01 && wait'"
    yield Row("send-receive", send, [("socat", copy)], flv)


def starting(f):
    """What is over at once."""
    yield Row("flv-probe", f"{MALIU} probe {f['flv']}", [("ffprobe", f"ffprobe -v error -show_streams {f['flv']}")])
    yield Row("mp4-probe", f"{MALIU} probe {f['mp4']}", [("ffprobe", f"ffprobe -v error -show_streams {f['mp4']}")])
    yield Row("start-up", f"{MALIU} --version", [("ffmpeg -version", "ffmpeg -version")])


def all_of_them(f):
    yield from decoding(f)
    yield from copying(f)
    yield from indexed(f)
    yield from carrying(f)
    yield from starting(f)


# Bytes on a pipe before the first packet is shown: (name, input, ours, peer, its command).
FIRST = [
    (f"first-{name}", name, f"{MALIU} probe --packets -", "ffprobe", "stdbuf -oL ffprobe -v error -show_packets -of compact -")
    for name in ("flv", "h264", "aac", "mp3")
]

# Figures that benchmarks print: (name, command, pattern, text).
PRINTED = [
    ("start-codes", "cargo bench -q -p maliu-core --bench start_codes", r"(?s)memory read ([\d.]+) GB/s.*start codes ([\d.]+) GB/s, (\d+) %", "{1} GB/s; memory is read at {0} GB/s: {2} %"),
    ("interleave-8", "cargo bench -q -p maliu --bench hot_paths interleave_8", r"([\d.]+ [MK]item/s)\s+│\s+([\d.]+ [MK]item/s)\s+│\s+([\d.]+ [MK]item/s)", "median {2} of 8 streams ({0} at best)"),
]
