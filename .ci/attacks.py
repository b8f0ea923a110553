"""Attacks on memory: what hostile files and peers make a command take, against what it promises. All run under
`ulimit -v 1000000`, so that nothing may even ask for much: each is refused or served, and nothing aborts.

Alone: python3 .ci/attacks.py [MALIU], from the project's root.
"""

import json
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

LIMIT = 256  # MiB: --max-memory of receive --many.
BESIDE = 64  # MiB: the program, its buffers, what one message takes.
ADDRESS_SPACE = 1_000_000 << 10
STREAMS = 32  # MiB: damaged transport and program streams, whatever is in them.


def table():
    rows = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        rows.append(byte)
    return rows


TABLE = table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


class Message:
    """A message whose body is summed once and sent under any number."""

    def __init__(self, kind, body=b"", stream=0):
        self.kind, self.body, self.stream, self.sum = kind, body, stream, crc32c(body)

    def at(self, sequence):
        head = b"\xabMLU" + struct.pack(">BBHIQII", 1, self.kind, 0, self.stream, sequence, len(self.body), self.sum)
        return head + struct.pack(">I", crc32c(head)) + self.body


def text(data):
    return struct.pack(">I", len(data)) + data


def described(index, codec=b"mp3", channels=2, config=b""):
    facts = struct.pack(">IHIIHIII", 44100, channels, 0, 0, 0, 0, 0, 0)
    body = struct.pack(">IIBB", 1, 44100, 0, 0) + text(codec) + bytes(4) + text(config) + text(facts)
    return Message(4, body + bytes(5) + text(b"") + text(b""), index)


def packet(data=b"x", side=b"", time=0, stream=0):
    return Message(5, text(struct.pack(">BBqqqQ", 3, 1, time, time, 1, 0) + side) + data, stream)


def beside(kind, size):
    return bytes([kind]) + text(bytes(size))


class Peer:
    def __init__(self, port, id, live=True):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.read(48)
        self.next = 0
        self.send(Message(2, struct.pack(">BBQ", 1, 2 if live else 1, id) + bytes(32) + text(b"peer")).at(0))
        self.read(40)

    def read(self, count):
        got = b""
        while len(got) < count:
            more = self.socket.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def send(self, data):
        self.socket.sendall(data)

    def say(self, message):
        self.send(message.at(self.next))
        self.next += 1


def many_beside(port, kind, count=1500):
    """Packets with 1 MiB of side data, and a silent stream they wait for."""
    peer = Peer(port, kind)
    peer.say(described(0))
    peer.say(described(1))
    flood = packet(side=beside(kind, 1 << 20))
    for _ in range(count):
        peer.say(flood)


def many_small(port, senders=60, count=100_000):
    """Senders of packets of one byte, each with a silent stream it waits for."""

    def one(id):
        try:
            peer = Peer(port, id)
            peer.say(described(0))
            peer.say(described(1))
            small = packet()
            block = b"".join(small.at(number) for number in range(2, 2 + 2000))
            for _ in range(count // 2000):
                peer.send(block)
        except (OSError, EOFError):
            pass

    # Numbers of a live sender that has been there before are passed over, not refused: they are one block again and again.
    threads = [threading.Thread(target=one, args=(1000 + id,)) for id in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def shared(port, count=3000):
    """Small packets that wait, between large ones that do not and messages of an unknown kind."""
    peer = Peer(port, 9000)
    peer.say(described(0))
    peer.say(described(1))
    waits = [packet(time=200_000 + n) for n in range(4)]
    passes = packet(bytes(60_000), stream=1)
    unknown = Message(99, bytes(300_000))
    for n in range(count):
        peer.send(unknown.at(0))
        peer.say(passes)
        peer.say(waits[n % 4 if n < 4 else 3])


def flv(tags):
    out = [b"FLV\x01\x05\0\0\0\x09\0\0\0\0"]
    for kind, when, body in tags:
        size = struct.pack(">I", len(body))[1:]
        stamp = struct.pack(">I", when)
        out += [bytes([kind]) + size + stamp[1:] + stamp[:1] + bytes(3), body, struct.pack(">I", len(body) + 11)]
    return b"".join(out)


PICTURE = (9, 0, b"\x12\0\0\x80\x01\0\0\0\0")


def headers_film(count=600):
    """A configuration of 1 MB in front of each packet of sound."""
    header = b"\xaf\0\x12\x10" + bytes(1 << 20)
    sound = [tag for n in range(count) for tag in ((8, n, header), (8, n, b"\xaf\1\x21\x10\4"))]
    return flv([PICTURE, *sound])


def rot_film(changes):
    """Tags that change with every script tag."""

    def string(value):
        return struct.pack(">H", len(value)) + value

    def script(members):
        body = b"\2" + string(b"onMetaData") + b"\x08\0\0\0\1"
        return body + b"".join(string(key) + b"\2" + string(value) for key, value in members) + b"\0\0\x09"

    whole = script([(b"k%04d" % n, b"v" * 10) for n in range(1000)])
    rest = [(18, n, script([(b"k%04d" % (n % 1000), b"w%d" % n)])) for n in range(changes)]
    return flv([(18, 0, whole), (8, 0, b"/" + b"x" * 20), *rest])


def silence(codec):
    peer = [described(0, codec, 65535), packet(time=0), packet(time=1), Message(10)]
    return b"".join(message.at(number) for number, message in enumerate(peer))


def damaged(seed, megabytes=24):
    """A sample again and again, with bytes that are wrong, missing and twice there."""
    out, state, block = bytearray(), 1, bytearray(Path(seed).read_bytes())
    while len(out) < megabytes << 20:
        part = bytearray(block)
        for _ in range(4):
            state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
            at, kind = state >> 33, state >> 30 & 7
            if kind < 5:
                part[at % len(part)] ^= 1 << kind
            elif kind < 7:
                del part[at % len(part) :][: kind * 100]
            else:
                part[at % len(part) : at % len(part)] = part[:500]
        out += part
    return bytes(out)


def flood(megabytes=24):
    """PES packets of audio and video on every PID, one transport packet each, and no table."""
    out = bytearray()
    for number in range((megabytes << 20) // 188):
        pid = 0x20 + number % 0x1FDF
        head = bytes([0x47, 0x40 | pid >> 8, pid & 255, 0x10 | number // 0x1FDF & 15])
        out += head + bytes([0, 0, 1, (0xE0, 0xC0, 0xBD)[pid % 3], 0, 0, 0x80, 0, 0]) + bytes([pid & 255]) * 175
    return bytes(out)


def confined():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def peak(process):
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def watched(command):
    """Runs a command to its end: exit code, largest memory in MiB, seconds."""
    begun, most = time.time(), 0
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, preexec_fn=confined)
        while child.poll() is None:
            most = max(most, peak(child.pid))
            time.sleep(0.005)
            if time.time() - begun > 300:
                child.kill()
        said.seek(0)
        return child.returncode, most, time.time() - begun, said.read().decode(errors="replace")[-300:]


class Receiver:
    def __init__(self, maliu, folder):
        command = [maliu, "receive", "tcp://127.0.0.1:0", folder, "--many", "--json", "--patience", "2"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=confined)
        self.port = int(json.loads(self.process.stdout.readline())["address"].rsplit(":", 1)[1])
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()

    def close(self):
        alive, most = self.process.poll() is None, peak(self.process.pid)
        self.process.kill()
        self.process.wait()
        return alive, most


def run(maliu):
    """Runs all attacks; how many failed."""
    bad = 0

    def judge(name, good, figures):
        nonlocal bad
        bad += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {figures}", flush=True)

    attack = {
        "1500 packets with configurations of 1 MiB": lambda port: many_beside(port, 1),
        "1500 packets with opaque side data of 1 MiB": lambda port: many_beside(port, 4),
        "1500 packets with unknown side data of 1 MiB": lambda port: many_beside(port, 99),
        "60 senders of packets of one byte": many_small,
        "small packets that wait among large ones": shared,
    }
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, work) in enumerate(attack.items()):
            receiver = Receiver(maliu, os.path.join(folder, f"out{number}"))
            try:
                work(receiver.port)
            except (OSError, EOFError):
                pass  # It was refused.
            time.sleep(0.5)
            alive, most = receiver.close()
            judge(f"receive --many, {name}", alive and most <= LIMIT + BESIDE, f"{most} MiB, {'serves' if alive else 'gone'}")
        files = {"headers.flv": headers_film(), "rot.flv": rot_film(3000), "rot_large.flv": rot_film(300_000)}
        files |= {f"silence_{codec.decode()}.wire": silence(codec) for codec in (b"mp3", b"adpcm_ms", b"pcm_s16le")}
        for name, data in files.items():
            path, out = os.path.join(folder, name), os.path.join(folder, "out")
            Path(path).write_bytes(data)
            wire = ["--from", "wire"] if name.endswith(".wire") else []
            runs = [["remux", *wire, path, out + ".flv"], ["decode", *wire, path, out + ".wav"], ["probe", *wire, path]]
            receiver = None
            if not wire:
                receiver = Receiver(maliu, os.path.join(folder, name + ".received"))
                runs.append(["send", path, f"tcp://127.0.0.1:{receiver.port}", "--give-up", "5"])
            for command in runs:
                code, most, seconds, said = watched([maliu, *command])
                good = code in ((1,) if wire else (0, 1)) and most <= LIMIT + BESIDE
                judge(f"{command[0]} {name}", good, f"exit code {code}, {most} MiB, {seconds:.1f} s {'' if good else said}")
            if receiver:
                alive, most = receiver.close()
                judge(f"receive --many, {name}", alive and most <= LIMIT + BESIDE, f"{most} MiB")
        seeds = {"ts": "mpegts/h264_aac.ts", "m2ts": "mpegts/mpeg2_ac3.m2ts", "ps": "mpegps/gb28181.ps", "loas": "loas/stereo_22050.loas"}
        streams = {f"damaged.{kind}": damaged(f"samples/{seed}") for kind, seed in seeds.items() if Path(f"samples/{seed}").exists()}
        for name, data in {**streams, "flood.ts": flood()}.items():
            path = os.path.join(folder, name)
            Path(path).write_bytes(data)
            runs = [["remux", path, "-", "-f", "null"], ["probe", path], ["check", path]]
            runs += [["repair", path, os.path.join(folder, "out.ts")]] if name.endswith("ts") else []
            for command in runs:
                code, most, seconds, said = watched([maliu, *command])
                good = code in (0, 1) and most <= STREAMS
                judge(f"{command[0]} {name}", good, f"exit code {code}, {most} MiB, {seconds:.1f} s {'' if good else said}")
    return bad


if __name__ == "__main__":
    sys.exit(bool(run(sys.argv[1] if len(sys.argv) > 1 else "target/release/maliu")))
