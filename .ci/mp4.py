#!/usr/bin/env python3
"""Judge: other programs read the MP4 files that maliu writes, and have nothing to remark on them. Run from the project's root.

Each sample goes into each format and layout that can carry it. Then
- ffprobe and ffmpeg (and FFMPEG9, the path of a newer ffmpeg; imageio-ffmpeg's where that is installed) read it with `-v warning` in silence, and
  give the packets that maliu gives, titles of chapters apart;
- mediainfo sees as many tracks and no fault of conformance;
- mp4box.js sees the tracks, where MP4BOX_JS names the folder above its node_modules;
- the boxes are as ISO/IEC 14496-12 wants them: sizes add up, every sample stands in media data, tables agree, brands are those of the content."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

MALIU = os.environ.get("MALIU", "target/release/maliu")

INPUTS = [
    ("flv/h264_aac.flv", "av"), ("mp4/moov_behind.mp4", "av"), ("mp4/edit_list.mp4", "av"), ("mp4/negative_cts.mp4", "av"), ("mp4/oddities.mp4", "av"),
    ("mp4/fragments_edit.mp4", "av"), ("h265/main.h265", "v"), ("ivf/av1.ivf", "v"), ("ivf/vp9.ivf", "v"), ("adts/stereo_44100.aac", "a"),
    ("mp3/vbr_info.mp3", "a"), ("mp4/alac.m4a", "a"), ("mp4/tags_chapters.m4a", "a"), ("wav/pcm_s16le.wav", "pcm"), ("wav/pcm_s24le.wav", "pcm"),
    ("ac3/*.ac3", "a"), ("eac3/*.eac3", "a"), ("mpegts/*.ts", "av"),
]
KINDS = {
    "mp4": (("mp4", []), "av a v pcm"), "whole": (("mp4", ["hybrid=0"]), "av a v"), "faststart": (("mp4", ["faststart=1"]), "av a v"),
    "reserve": (("mp4", ["reserve=20000"]), "av a"), "in_band": (("mp4", ["in_band=1", "hybrid=0"]), "av v"), "mov": (("mov", []), "av pcm"),
    "m4a": (("m4a", []), "a"), "fmp4": (("fmp4", ["sidx=1", "mfra=1"]), "av a v"), "frames": (("fmp4", ["fragment=frame"]), "av a"), "cmaf": (("cmaf", []), "a v"),
}
# Remarks of ffmpeg on these streams in any file.
QUIET = re.compile(
    r"(Could not find codec parameters|Consider increasing|deprecated pixel format|Estimating duration|non monotonically|Timestamps are unset"
    r"|Application provided duration|is not set in a packet|Unsupported codec with id|Last message repeated|sample aspect ratio|Guessed Channel Layout)"
)


def run(*words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, errors="replace", stdin=subprocess.DEVNULL, **more)


def loud(text):
    return [line for line in text.splitlines() if line.strip() and not QUIET.search(line)]


def packets(text):
    """{stream: [(size, checksum)]} of framemd5."""
    found = {}
    for line in text.splitlines():
        if line and line[0] != "#":
            fields = [field.strip() for field in line.split(",")]
            found.setdefault(fields[0], []).append(tuple(fields[4:6]))
    return found


def ffmpegs():
    found = ["ffmpeg"]
    newer = os.environ.get("FFMPEG9")
    try:
        import imageio_ffmpeg
        newer = newer or imageio_ffmpeg.get_ffmpeg_exe()
    except ImportError:
        pass
    return found + ([newer] if newer else [])


HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"edts", b"dinf", b"mfra"}


def boxes(data, at, end, faults, path=""):
    found = []
    while at < end:
        if end - at < 8:
            faults.append(f"{path}: {end - at} bytes behind the last box")
            break
        size, name = struct.unpack(">I4s", data[at:at + 8])
        body = at + 8
        if size == 1:
            size, body = struct.unpack(">Q", data[at + 8:at + 16])[0], at + 16
        if size < body - at or at + size > end:
            faults.append(f"{path}/{name.decode('latin1')}: size {size} at {at}")
            break
        inner = boxes(data, body, at + size, faults, f"{path}/{name.decode('latin1')}") if name in HOLDERS else []
        found.append((name, at, body, at + size, inner))
        at += size
    return found


def of(all, *path):
    for name in path[:-1]:
        all = next((box[4] for box in all if box[0] == name), [])
    return [box for box in all if box[0] == path[-1]]


def numbers(data, box, skip=8, width=4):
    body = data[box[2] + skip:box[3]]
    return [int.from_bytes(body[at:at + width], "big") for at in range(0, len(body) - width + 1, width)]


def structure(data, fragmented):
    faults = []
    top = boxes(data, 0, len(data), faults)
    if not top or top[0][0] != b"ftyp":
        faults.append("ftyp is not first")
    if len(of(top, b"moov")) != 1:
        return faults + [f"{len(of(top, b'moov'))} moov boxes"]
    media = [(box[2], box[3]) for box in of(top, b"mdat")]
    for track in of(of(top, b"moov")[0][4], b"trak"):
        stbl = of(track[4], b"mdia", b"minf", b"stbl")[0][4]
        for name in (b"stsd", b"stts", b"stsc", b"stsz"):
            if len(of(stbl, name)) != 1:
                faults.append(f"{len(of(stbl, name))} boxes {name.decode()}")
        if fragmented:
            continue
        stts, stsc = numbers(data, of(stbl, b"stts")[0]), numbers(data, of(stbl, b"stsc")[0])
        constant, count, *sizes = numbers(data, of(stbl, b"stsz")[0], 4)
        sizes = sizes or [constant] * count
        wide = of(stbl, b"co64")
        places = numbers(data, (wide or of(stbl, b"stco"))[0], 8, 8 if wide else 4)
        if sum(stts[0::2]) != count:
            faults.append(f"stts names {sum(stts[0::2])} samples, stsz {count}")
        rows, at = list(zip(stsc[0::3], stsc[1::3], stsc[2::3])), 0
        entries = numbers(data, of(stbl, b"stsd")[0], 4)[0]
        for index, offset in enumerate(places):
            row = [row for row in rows if row[0] <= index + 1][-1]
            size = sum(sizes[at:at + row[1]])
            at += row[1]
            if not any(start <= offset and offset + size <= end for start, end in media):
                faults.append(f"chunk {index} at {offset} is not in media data")
                break
            if not 1 <= row[2] <= entries:
                faults.append(f"chunk {index} is of description {row[2]} of {entries}")
        if at != count:
            faults.append(f"the chunks hold {at} samples, stsz names {count}")
        for name in (b"ctts",):
            for box in of(stbl, name):
                if sum(numbers(data, box)[0::2]) != count:
                    faults.append("ctts names another number of samples")
        for box in of(stbl, b"stss"):
            sync = numbers(data, box)
            if sync != sorted(set(sync)) or any(number > count for number in sync):
                faults.append("stss is out of order")
    if fragmented:
        expected = 1
        for index, box in enumerate(top):
            if box[0] == b"moof":
                number = numbers(data, of(box[4], b"mfhd")[0], 4)[0]
                if number != expected or index + 1 >= len(top) or top[index + 1][0] != b"mdat":
                    faults.append(f"fragment {number} in the place of {expected}, or without mdat")
                expected += 1
        if expected == 1:
            faults.append("no fragment")
    return faults


def judge(path, name, kind, tools):
    faults = structure(path.read_bytes(), name in ("fmp4", "cmaf"))
    own = run(MALIU, "remux", path, "-", "-f", "framemd5", "--copy-times")
    if own.returncode:
        return faults + [f"maliu: {own.stderr.strip()[-200:]}"]
    expected = packets(own.stdout)
    probed = run("ffprobe", "-v", "warning", "-show_streams", "-of", "json", path)
    faults += [f"ffprobe: {line}" for line in loud(probed.stderr)[:1]]
    for ffmpeg in tools["ffmpeg"]:
        done = run(ffmpeg, "-v", "warning", "-i", path, "-map", "0", "-map", "-0:d?", "-c", "copy", "-copyts", "-f", "framemd5", "-")
        faults += [f"{Path(ffmpeg).name}: {line}" for line in loud(done.stderr)[:1]]
        got = packets(done.stdout)
        if kind != "pcm" and got != expected:
            counts = {stream: (len(got.get(stream, [])), len(rows)) for stream, rows in expected.items()}
            faults.append(f"{Path(ffmpeg).name}: other packets, of them and of maliu by stream: {counts}")
    told = json.loads(run("mediainfo", "--Output=JSON", path).stdout or "{}")
    tracks = (told.get("media") or {}).get("track") or []
    if sum(track.get("@type") in ("Audio", "Video") for track in tracks) != len(expected):
        faults.append(f"mediainfo sees {[track.get('@type') for track in tracks]}")
    if any("ConformanceErrors" in (track.get("extra") or {}) or (track.get("extra") or {}).get("IsTruncated") for track in tracks):
        faults.append("mediainfo: faults of conformance")
    if tools["mp4box"]:
        script = (
            "const M=require('mp4box');const f=M.createFile();let n=0;f.onReady=i=>{n=i.tracks.filter(t=>t.codec!='text').length};f.onError=e=>console.log('ERR',e);"
            "const b=require('fs').readFileSync(process.argv[1]);const a=b.buffer.slice(b.byteOffset,b.byteOffset+b.length);a.fileStart=0;"
            "f.appendBuffer(a);f.flush();console.log('TRACKS',n)"
        )
        done = run("node", "-e", script, path.resolve(), cwd=tools["mp4box"])
        if f"TRACKS {len(expected)}" not in done.stdout or "ERR" in done.stdout:
            faults.append(f"mp4box.js: {(done.stdout + done.stderr).strip()[-160:]}")
    return faults


tools = {"ffmpeg": ffmpegs(), "mp4box": os.environ.get("MP4BOX_JS")}
for needed in ("ffprobe", "mediainfo", "ffmpeg"):
    if not shutil.which(needed):
        sys.exit(f"{needed} is not installed")
good = bad = 0
with tempfile.TemporaryDirectory() as folder:
    for pattern, kind in INPUTS:
        for source in sorted(Path("samples").glob(pattern)):
            for label, ((name, settings), kinds) in KINDS.items():
                if kind not in kinds.split():
                    continue
                out = Path(folder) / f"out.{'mp4' if name in ('fmp4', 'cmaf') else name}"
                out.unlink(missing_ok=True)
                words = [part for setting in settings for part in ("-o", setting)]
                done = run(MALIU, "remux", source, out, "-f", name, *words)
                if done.returncode and "has no place in this format" in done.stderr:
                    continue
                faults = judge(out, name, kind, tools) if done.returncode == 0 else [done.stderr.strip()[-200:]]
                good, bad = good + (not faults), bad + bool(faults)
                if faults:
                    print(f"FAIL {source} as {label}: {'; '.join(faults)}", flush=True)
print(f"judges: {', '.join(tools['ffmpeg'])}, mediainfo{', mp4box.js' if tools['mp4box'] else ''}")
print(f"{good} passed, {bad} failed")
sys.exit(bool(bad))
