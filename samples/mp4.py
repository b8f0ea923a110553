#!/usr/bin/env python3
"""Makes MP4 samples that no tool at hand writes, of those that make.sh has made: the boxes of an index behind the media are changed."""

import struct
import zlib
from pathlib import Path

HOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def boxes(data):
    """[(name, body or list of boxes)]"""
    found, at = [], 0
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + size]
        found.append((name, boxes(body) if name in HOLDERS else body))
        at += size
    return found


def written(all):
    out = b""
    for name, body in all:
        body = written(body) if isinstance(body, list) else body
        out += struct.pack(">I4s", len(body) + 8, name) + body
    return out


def inside(all, *path):
    for name in path:
        all = next(body for kind, body in all if kind == name)
    return all


def put(all, name, body):
    """Replaces the box of this name, or adds one."""
    rest = [at for at, (kind, _) in enumerate(all) if kind == name]
    if rest:
        all[rest[0]] = (name, body)
    else:
        all.append((name, body))


def compressed(source):
    """The index as one zlib stream (`cmov`)."""
    file = boxes(source)
    moov = written([("moov".encode(), inside(file, b"moov"))])
    body = struct.pack(">I", len(moov)) + zlib.compress(moov, 9)
    put(file, b"moov", [(b"cmov", written([(b"dcom", b"zlib"), (b"cmvd", body)]))])
    return written(file)


def oddities(source):
    """Dependencies of samples, compact sizes, two sample descriptions, key systems, a language tag, `cslg`."""
    file = boxes(source)
    moov = inside(file, b"moov")
    video, sound = [body for name, body in moov if name == b"trak"][:2]
    stbl = inside(video, b"mdia", b"minf", b"stbl")
    count = struct.unpack(">I", inside(stbl, b"stsz")[8:12])[0]
    stbl.insert(1, (b"sdtp", b""))
    put(stbl, b"sdtp", bytes(4) + bytes(0x20 if n == 0 else (0x18 if n % 3 == 2 else 0x14) for n in range(count)))
    put(stbl, b"cslg", struct.pack(">I5i", 0, 0, 0, 1024, 0, 10240))
    entry = inside(stbl, b"stsd")[8:]
    # The second description differs in its level.
    at = entry.index(b"avcC") + 7
    second = entry[:at] + bytes([entry[at] + 1]) + entry[at + 1:]
    put(stbl, b"stsd", struct.pack(">II", 0, 2) + entry + second)
    stsc = inside(stbl, b"stsc")
    rows = [list(struct.unpack(">3I", stsc[at:at + 12])) for at in range(8, len(stsc), 12)]
    rows[-1][2] = 2
    put(stbl, b"stsc", struct.pack(">II", 0, len(rows)) + b"".join(struct.pack(">3I", *row) for row in rows))
    stbl = inside(sound, b"mdia", b"minf", b"stbl")
    sizes = inside(stbl, b"stsz")[12:]
    sizes = struct.unpack(f">{len(sizes) // 4}I", sizes)
    at = next(at for at, (name, _) in enumerate(stbl) if name == b"stsz")
    stbl[at] = (b"stz2", struct.pack(f">III{len(sizes)}H", 0, 16, len(sizes), *sizes))
    inside(sound, b"mdia").append((b"elng", bytes(4) + b"de-AT\0"))
    for system in ("edef8ba979d64acea3c827dcd51d21ed", "1077efecc0b24d02ace33c1e52e2fb4b", "00112233445566778899aabbccddeeff"):
        moov.append((b"pssh", bytes(4) + bytes.fromhex(system) + bytes(4)))
    return written(file)


def produced(source):
    """Producer reference times in front of the fragments, and an index of them at the end."""
    out, access = b"", []
    for name, body in boxes(source):
        if name == b"mfra":
            continue
        if name == b"moof":
            out += written([(b"prft", struct.pack(">IIIQI", 1 << 24, 1, 7, 0xE000_0000_0000_0000, 0) + bytes(4))])
            at = body.index(b"tfdt")
            time = struct.unpack(">Q", body[at + 8:at + 16])[0] if body[at + 4] else struct.unpack(">I", body[at + 8:at + 12])[0]
            access.append((time, len(out)))
        out += written([(name, body)])
    rows = b"".join(struct.pack(">QQBBB", time, at, 1, 1, 1) for time, at in access)
    tfra = written([(b"tfra", struct.pack(">4I", 1 << 24, 1, 0, len(access)) + rows)])
    size = len(tfra) + 24
    return out + written([(b"mfra", tfra + written([(b"mfro", struct.pack(">II", 0, size))]))])


folder = Path(__file__).parent / "mp4"
behind = (folder / "moov_behind.mp4").read_bytes()
(folder / "compressed_moov.mov").write_bytes(compressed(behind))
(folder / "oddities.mp4").write_bytes(oddities(behind))
(folder / "fragments_produced.mp4").write_bytes(produced((folder / "fragments.mp4").read_bytes()))
