"""Records what ffmpeg sends by RTP as the dialogue of an RTSP server: rtsp.py OUT INPUT MAPS, with a comma between maps.

Each stream goes to a port of its own. PKT sets the bytes of a packet, INFO=0 leaves RTP-Info out.
"""

import os
import re
import select
import socket
import struct
import subprocess
import sys
import time

out, source, maps = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
base = 30000 + os.getpid() % 5000 * 2
sockets = []
for n in range(2 * len(maps)):
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind(("127.0.0.1", base + n))
    sockets.append(port)
command = ["ffmpeg", "-v", "error", "-re", "-i", source]
for n, name in enumerate(maps):
    url = f"rtp://127.0.0.1:{base + 2 * n}?pkt_size={os.environ.get('PKT', '1400')}"
    command += ["-map", "0:" + name, "-c", "copy", "-f", "rtp", url]
sender = subprocess.Popen(command + ["-sdp_file", out + ".sdp", "-y"])
packets, heard = [], time.time()
while True:
    ready, _, _ = select.select(sockets, [], [], 0.2)
    for port in ready:
        packets.append((sockets.index(port), port.recv(65536)))
        heard = time.time()
    if not ready and sender.poll() is not None and time.time() - heard > 0.5:
        break
lines, number = [], 0
description = open(out + ".sdp").read()
os.remove(out + ".sdp")
for line in description[description.index("v=0"):].replace("\r", "").strip().split("\n"):
    if line.startswith("a=tool"):
        continue
    lines.append(re.sub(r"^m=(\w+) \d+", r"m=\1 0", line))
    if line.startswith("m="):
        number += 1
        lines.append(f"a=control:track{number}")
text = "\r\n".join(lines) + "\r\n"


def answer(cseq, *header, body=""):
    return "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {cseq}", *header, "", body]).encode()


kind = "Content-Type: application/sdp"
dialogue = answer(2, "Content-Base: rtsp://cam/s/", kind, f"Content-Length: {len(text)}", body=text)
for n in range(len(maps)):
    transport = f"Transport: RTP/AVP/TCP;unicast;interleaved={2 * n}-{2 * n + 1}"
    dialogue += answer(3 + n, transport, "Session: 1234;timeout=60")
if os.environ.get("INFO", "1") == "1":
    parts = []
    for n in range(len(maps)):
        first = next(packet for channel, packet in packets if channel == 2 * n)
        sequence, stamp = struct.unpack(">HI", first[2:8])
        parts.append(f"url=rtsp://cam/s/track{n + 1};seq={sequence};rtptime={stamp}")
    dialogue += answer(9, "Session: 1234", "RTP-Info: " + ",".join(parts))
for channel, packet in packets:
    dialogue += struct.pack(">cBH", b"$", channel, len(packet)) + packet
open(out, "wb").write(dialogue)
