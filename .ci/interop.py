#!/usr/bin/env python3
"""Interoperation with ffmpeg 5.1, ffprobe, flvmeta and tshark, as judges of what the built binary writes.

Usage: interop.py [CHECK …]   MALIU and MALIU_CORPUS as for the acceptance scripts. A file that is listed as an exception
and passes fails the run, and so does one that is not listed and fails.
"""

import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

MALIU = os.environ.get("MALIU", "target/release/maliu")
CORPUS = Path(os.environ.get("MALIU_CORPUS", "../shared/corpus"))
LISTS = Path(__file__).parent / "expected"
results = {"passed": 0, "failed": 0}


def run(*args, data=None):
    """(exit status, stdout, stderr text) of a command."""
    done = subprocess.run([str(a) for a in args], input=data, capture_output=True, timeout=300)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def score(check, name, fault, expected=frozenset()):
    listed = name in expected
    if bool(fault) == listed:
        results["passed"] += 1
    else:
        results["failed"] += 1
        print(f"FAIL {check} {name}: {fault or 'listed as an exception, but passes'}", flush=True)


def exceptions(name):
    """Names of files that may fail a check, each with its reason behind it."""
    path = LISTS / f"{name}.txt"
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines()) if path.exists() else ()
    return {line.split(None, 1)[0] for line in lines if line}


def media(kind):
    skip = {".tsv", ".json", ".txt", ".md", ".pcm", ".ref"}
    return [p for origin in ("real", "synth") for p in sorted((CORPUS / origin / kind).glob("*")) if p.suffix not in skip]


def flv_bytes(folder):
    """remux to FLV writes what `ffmpeg -c copy -bitexact` writes, for files that ffmpeg rewrites without complaint."""
    listed = exceptions("flv_bytes")
    for path in media("flv"):
        theirs, ours = folder / "theirs.flv", folder / "ours.flv"
        for old in (theirs, ours):
            old.unlink(missing_ok=True)
        status, _, complaint = run("ffmpeg", "-v", "warning", "-nostdin", "-y", "-i", path, "-c", "copy", "-bitexact", "-flags", "bitexact", "-fflags", "bitexact", theirs)
        if status or complaint.strip() or not theirs.exists():
            continue
        status, _, err = run(MALIU, "remux", path, ours, "-o", "bitexact=1")
        fault = err.strip()[-160:] or f"status {status}" if status else None
        if not fault and ours.read_bytes() != theirs.read_bytes():
            a, b = ours.read_bytes(), theirs.read_bytes()
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            fault = f"differs at byte {at}; {len(a)} bytes, not {len(b)}"
        score("flv_bytes", path.name, fault, listed)


def complaints(path):
    """What ffprobe and flvmeta say against an FLV file; None when there is nothing."""
    _, out, err = run("ffprobe", "-v", "error", "-show_packets", "-of", "csv", path)
    _, said, _ = run("flvmeta", "--check", path)
    errors = [line for line in said.decode("utf-8", "replace").splitlines() if ": error" in line]
    return err.strip()[-160:] or (errors[0] if errors else None) or (None if out else "no packets")


def flv_clean(folder):
    """What we write as FLV is read without complaint by ffprobe and flvmeta, wherever they have none about the input."""
    judged = 0
    for path in media("flv"):
        ours = folder / "ours.flv"
        ours.unlink(missing_ok=True)
        status, _, _ = run(MALIU, "remux", path, ours)
        if status or not ours.exists() or complaints(path):
            continue
        judged += 1
        score("flv_clean", path.name, complaints(ours))
    score("flv_clean", "the corpus", f"only {judged} files could be judged" if judged < 40 else None)


def checksums(folder):
    """The text of framecrc, framemd5 and hash is ffmpeg's, line by line, header and side data included."""
    listed = exceptions("checksums")
    for kind, maps in (("flv", ("v", "a")), ("mp3", ("a",)), ("wav", ("a",))):
        for path in media(kind):
            for form in ("framecrc", "framemd5", "hash"):
                args = [arg for m in maps for arg in ("-map", f"0:{m}?")]
                bitexact = ["-bitexact", "-flags", "bitexact", "-fflags", "bitexact"]
                status, theirs, complaint = run("ffmpeg", "-v", "warning", "-nostdin", "-i", path, *args, "-c", "copy", *bitexact, "-f", form, "-")
                if status or complaint.strip() or not theirs:
                    continue
                # Streams that are not there are no fault of ours.
                for chosen in (maps, *((m,) for m in maps)):
                    args = [arg for m in chosen for arg in ("--map", m)]
                    status, ours, err = run(MALIU, "remux", path, "-", "-f", form, "-o", "bitexact=1", *args)
                    if not status:
                        break
                fault = err.strip()[-160:] if status else None
                if not fault and ours != theirs:
                    rows = [text.decode().splitlines() for text in (ours, theirs)]
                    n = next((n for n, (a, b) in enumerate(zip(*rows)) if a != b), min(map(len, rows)))
                    fault = f"line {n}: {(rows[0] + ['nothing'])[n]!r}, not {(rows[1] + ['nothing'])[n]!r}"
                score("checksums", f"{form}/{kind}/{path.name}", fault, listed)


def two_inputs(folder):
    """H.264 and AAC become one FLV that ffmpeg decodes to the same pictures and sound as the inputs."""
    video, sound, film = Path("samples/h264/b_frames.h264"), Path("samples/adts/stereo_44100.aac"), folder / "film.flv"
    status, _, err = run(MALIU, "remux", video, sound, film)
    fault = err.strip()[-160:] if status else None
    for source, select in ((video, "v"), (sound, "a")):
        if not fault:
            md5 = [run("ffmpeg", "-v", "error", "-nostdin", "-i", f, "-map", f"0:{select}", "-f", "md5", "-")[1:] for f in (source, film)]
            fault = md5[0] != md5[1] and f"{select}: {md5}"
    score("two_inputs", film.name, fault)


def formats(folder):
    """Every muxer's output is read back by ffmpeg with the same decoded result."""
    cases = [
        ("samples/flv/h264_aac.flv", "out.aac", "a"),
        ("samples/flv/h264_aac.flv", "out.h264", "v"),
        ("samples/flv/flv1_mp3.flv", "out.mp3", "a"),
        ("samples/h265/main.h265", "out.h265", "v"),
        ("samples/mp3/mpeg2_mono.mp3", "out.mp3", "a"),
        ("samples/wav/pcm_s24le.wav", "out.wav", "a"),
    ]
    for source, name, select in cases:
        out = folder / name
        status, _, err = run(MALIU, "remux", source, out, "--map", select)
        fault = err.strip()[-160:] if status else None
        if not fault:
            kind = ["-f", "md5", "-"] if select == "v" else ["-flags2", "+skip_manual", "-f", "md5", "-"]
            md5 = [run("ffmpeg", "-v", "error", "-nostdin", *kind[:-3], "-i", f, "-map", f"0:{select}", *kind[-3:])[1:] for f in (source, out)]
            fault = md5[0] != md5[1] and f"{md5}"
        score("formats", f"{source} -> {name}", fault)


def capture(path, payload, port):
    """A pcap file of one TCP direction that carries `payload`."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for n, at in enumerate(range(0, len(payload), 1000)):
            segment = payload[at : at + 1000]
            tcp = struct.pack("!HHIIBBHHH", 40000, port, 1 + at, 1, 0x50, 0x18, 65535, 0, 0) + segment
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), n, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + tcp
            out.write(struct.pack("<IIII", n, 0, len(ip), len(ip)) + ip)


def dhav(extension, body):
    """A frame of H.264 of a DHAV recorder."""
    size = 24 + len(extension) + len(body) + 8
    head = b"DHAV\xfd\0\1\0" + struct.pack("<IIIHB", 7, size, 0x6A000000, 40, len(extension))
    return head + bytes([sum(head) & 255]) + extension + body + b"dhav" + struct.pack("<I", size)


def dissectors(folder):
    """Exported dissectors load in tshark and label every field of a capture, with the values that explain shows."""
    film = Path("samples/flv/h264_aac.flv").read_bytes()
    video = Path("samples/h264/b_frames.h264").read_bytes()
    unit = video[: video.index(b"\0\0\1", 100) - 1]
    messages = {
        "flv-tag": film,
        "dhav": dhav(b"\x83\1\0\0", unit),
        "length32": struct.pack("!I", len(unit)) + unit + struct.pack("!I", 5) + b"\0\0\0\1\x41",
        "scrcpy": b"phone".ljust(64, b"\0") + b"h264" + struct.pack("!II", 160, 120) + struct.pack("!QI", 1 << 62 | 40000, len(unit)) + unit,
        "scrcpy4": b"phone".ljust(64, b"\0") + b"h264" + struct.pack("!III", 1 << 31, 160, 120)
        + struct.pack("!III", 1 << 29, 40000, len(unit)) + unit,
        "gb28181": struct.pack("!HBBHII", 26, 0x80, 96, 1, 2, 3) + bytes.fromhex("000001ba440004000401000003f8"),
        "rfc4571": struct.pack("!HBBHII", 16, 0x80, 96, 1, 2, 3) + b"data",
        "rtsp-interleaved": struct.pack("!BBHBBHII", 0x24, 2, 16, 0x80, 96, 1, 2, 3) + b"data",
        "jt1078": bytes.fromhex("3031636481620001013800138000010000000000000003e8002800280006") + b"\0\0\0\1\x65\x88",
        "tail": None,
    }
    status, out, err = run(MALIU, "layout", "list")
    names = [line.split()[0] for line in out.decode().splitlines()]
    for name in names:
        payload = messages.get(name, b"")
        lua, pcap, raw = folder / "layout.lua", folder / "layout.pcap", folder / "layout.bin"
        if name not in messages:
            # No message of another program is known: one of our own.
            source = ["samples/flv/h264_aac.flv", "--map", "a"] if name.endswith("audio") else ["samples/h264/b_frames.h264"]
            run(MALIU, "remux", source[0], raw, "--write-layout", name, *source[1:])
            payload = raw.read_bytes()
        if payload is None:
            head = struct.pack("!IBBHQQI", 0x4D4C5541, 1, 0x80, 0, 40000, 40000, 6) + b"\0\0\0\1\x65\x88"
            payload = head + struct.pack("!I", __import__("zlib").crc32(head))
        lua.write_bytes(run(MALIU, "layout", "wireshark", name, "--port", "7777")[1])
        raw.write_bytes(payload)
        capture(pcap, payload, 7777)
        _, pdml, err = run("tshark", "-X", f"lua_script:{lua}", "-r", pcap, "-T", "pdml")
        text = pdml.decode("utf-8", "replace")
        lines = run(MALIU, "layout", "explain", name, raw)[1].decode().splitlines()
        fields = {line[43:].split()[0] for line in lines if len(line) > 43}
        prefix = "".join(c if c.isalnum() else "_" for c in name)
        missing = [f for f in sorted(fields) if not any(f'name="{prefix}.{part}{f}"' in text for part in ("", "preamble.", "header.", "inside.", "tail."))]
        fault = "Lua" in err and err.strip()[-200:] or not fields and "explain says nothing" or missing and f"not labelled: {missing}" or None
        score("dissectors", name, fault)


CHECKS = [flv_bytes, flv_clean, checksums, two_inputs, formats, dissectors]

if __name__ == "__main__":
    chosen = [check for check in CHECKS if not sys.argv[1:] or check.__name__ in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        for check in chosen:
            before = dict(results)
            check(Path(folder))
            print(f"{check.__name__}: {results['passed'] - before['passed']} passed, {results['failed'] - before['failed']} failed", flush=True)
    print(f"{results['passed']} passed, {results['failed']} failed")
    sys.exit(1 if results["failed"] or not results["passed"] else 0)
