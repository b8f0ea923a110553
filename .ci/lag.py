#!/usr/bin/env python3
"""How far a viewer lags behind `maliu send --live --queue-time` over a slow connection.

9 Mbit/s of media go through a proxy of 250 kB/s, once with socket buffers of 32 kB and once with those of the system. The
receiver is this program: it speaks the wire protocol, answers pings and acknowledges nothing before the end. Every packet
that arrives must be at most the limit and half a second late, and no audio may be missing.
"""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

MALIU = os.environ.get("MALIU", "target/release/maliu")
SECONDS = int(os.environ.get("MALIU_LAG_SECONDS", "10"))
RATE, LIMIT, SLACK = 250_000, float(os.environ.get("MALIU_LAG_LIMIT", "1.5")), 0.5


def crc32c(data, table=[]):
    if not table:
        for n in range(256):
            for _ in range(8):
                n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
            table.append(n)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def message(kind, body):
    head = struct.pack(">4sBBHIQII", b"\xab\x4d\x4c\x55", 1, kind, 0, 0, 0, len(body), crc32c(body))
    return head + struct.pack(">I", crc32c(head)) + body


def listener(buffers):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    small(sock, buffers)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1)
    return sock


def small(sock, buffers):
    if buffers:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)


def slowly(source, sink):
    begun, sent = time.monotonic(), 0
    while data := source.recv(4096):
        now = time.monotonic()
        # A link that was idle does not save up what it did not carry.
        begun = max(begun, now - sent / RATE - 0.02)
        sink.sendall(data)
        sent += len(data)
        time.sleep(max(0, begun + sent / RATE - time.monotonic()))
    sink.shutdown(socket.SHUT_WR)


def back(source, sink):
    while data := source.recv(4096):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


def proxy(sock, to, buffers):
    there, _ = sock.accept()
    here = socket.socket()
    small(here, buffers)
    here.connect(to)
    threading.Thread(target=back, args=(here, there), daemon=True).start()
    slowly(there, here)


def view(sock, seen):
    """Notes stream, dts in its base and time of arrival of each packet, and the bases."""
    peer, _ = sock.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(message(1, os.urandom(16)))
    bases, data, count = {}, b"", 0
    while True:
        got = peer.recv(65536)
        data += got
        while len(data) >= 32:
            kind, stream = data[5], int.from_bytes(data[8:12], "big")
            size = int.from_bytes(data[20:24], "big")
            if len(data) < 32 + size:
                break
            body, data = data[32 : 32 + size], data[32 + size :]
            count += kind in (4, 5, 6, 10)
            if kind == 2:
                peer.sendall(message(3, bytes(8)))
            elif kind == 4:
                bases[stream] = (*struct.unpack(">II", body[:8]), body[8])
            elif kind == 5:
                seen.append((bases[stream], struct.unpack(">q", body[14:22])[0], time.monotonic()))
            elif kind == 8:
                peer.sendall(message(9, body))
            elif kind == 10:
                peer.sendall(message(7, struct.pack(">Q", count)))
        if not got:
            return


def row(clip, buffers, audio):
    receiver, front, seen = listener(buffers), listener(buffers), []
    viewer = threading.Thread(target=view, args=(receiver, seen))
    viewer.start()
    threading.Thread(target=proxy, args=(front, receiver.getsockname(), buffers), daemon=True).start()
    url = f"tcp://127.0.0.1:{front.getsockname()[1]}"
    command = [MALIU, "send", "--live", "--queue-time", str(LIMIT), "--json", clip, url]
    done = subprocess.run(["timeout", str(SECONDS * 3 + 15), *command], capture_output=True, text=True)
    viewer.join(10)
    times = [(base[2], dts * base[0] / base[1], at) for base, dts, at in seen]
    start = min(at - dts for _, dts, at in times)
    lag = max(at - dts for _, dts, at in times) - start
    heard = sum(kind == 0 for kind, _, _ in times)
    shown = len(times) - heard
    good = done.returncode == 0 and lag <= LIMIT + SLACK and heard == audio
    print(
        f"{'passed' if good else 'FAILED'}: buffers {buffers or 'of the system'}: lag {lag:.2f} s of at most "
        f"{LIMIT + SLACK} s, {heard} of {audio} audio packets, {shown} video packets, exit code {done.returncode}"
    )
    if not good:
        print(done.stderr, done.stdout[-2000:])
    return good


def main():
    with tempfile.TemporaryDirectory() as folder:
        clip = os.path.join(folder, "clip.flv")
        source = ["-f", "lavfi", "-i", f"testsrc2=s=1280x720:r=25:d={SECONDS},noise=alls=40:allf=t"]
        sound = ["-f", "lavfi", "-i", f"sine=d={SECONDS}"]
        video = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-b:v", "9M", "-maxrate", "9M", "-bufsize", "4M"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", *source, *sound, *video, "-pix_fmt", "yuv420p", "-c:a", "aac", clip],
            check=True,
        )
        count = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "a", "-show_entries"]
        count += ["stream=nb_read_packets", "-of", "csv=p=0", clip]
        audio = int(subprocess.run(count, capture_output=True, text=True, check=True).stdout)
        results = [row(clip, buffers, audio) for buffers in (32_768, None)]
    sys.exit(0 if all(results) else 1)


main()
