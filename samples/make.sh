#!/usr/bin/env bash
# Makes the sample media of this folder from synthetic sources. Needs ffmpeg (with libmp3lame, libx264, libx265).
# The files are committed; run it only to add one. Each file's .dump is written by `UPDATE=1 cargo test --test dumps`.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p adts mp3 wav flv h264 h265 mpegts loas ac3 eac3 dts mpegps mp4

tone="sine=frequency=440:sample_rate=44100:duration=1"
sweep="aevalsrc='0.4*sin(2*PI*(200+600*t)*t)|0.4*sin(2*PI*(900-500*t)*t)':s=44100:d=2"
picture="testsrc2=size=160x120:rate=10:duration=2"
exact="-fflags +bitexact -flags +bitexact -map_metadata -1"
make() { ffmpeg -v error -y "$@"; }

# ADTS
make -f lavfi -i "$sweep" $exact -c:a aac -b:a 64k adts/stereo_44100.aac
make -f lavfi -i "sine=frequency=300:sample_rate=16000:duration=1" $exact -c:a aac -b:a 24k adts/mono_16000.aac
python3 - <<'PY'
from pathlib import Path
d = Path("adts/mono_16000.aac").read_bytes()
s = Path("adts/stereo_44100.aac").read_bytes()
tag = b"ID3\x04\0\0\0\0\0\x0fTIT2\0\0\0\x05\0\0\x03mal" + b"u"
first = lambda b: b[: (b[3] & 3) << 11 | b[4] << 3 | b[5] >> 5]
def frames(b):
    while len(b) >= 7 and b[0] == 0xFF:
        f = first(b); yield f; b = b[len(f):]
m, t = list(frames(d)), list(frames(s))
Path("adts/id3_front_middle_behind.aac").write_bytes(tag + b"".join(m[:4]) + tag + b"".join(m[4:8]) + b"TAG" + bytes(125))
Path("adts/junk_between_frames.aac").write_bytes(b"\x00\x11\xff\x22" + b"".join(m[:3]) + b"\xff\xf1junk\xff" * 9 + b"".join(m[3:8]))
Path("adts/rate_changes.aac").write_bytes(b"".join(m[:5]) + b"".join(t[:5]) + b"".join(m[5:9]))
Path("adts/cut_in_frame.aac").write_bytes(b"".join(m[:5]) + m[5][:20])
def joined(blocks, crc):
    body = b"".join(b + (b"\xcc\xcc" if crc else b"") for b in blocks)
    if crc:
        sizes = [len(b) + 2 for b in blocks]
        places = [sum(sizes[:i]) for i in range(1, len(blocks))]
        body = b"".join(p.to_bytes(2, "big") for p in places) + b"\xcc\xcc" + body
    n = len(body) + 7
    h = bytearray(m[0][:7])
    h[1] = h[1] & 0xFE if crc else h[1] | 1
    h[3], h[4], h[5], h[6] = h[3] & 0xFC | n >> 11, n >> 3 & 255, (n & 7) << 5 | h[5] & 31, h[6] & 0xFC | max(len(blocks), 1) - 1
    return bytes(h) + body
bare = [f[7:] for f in m]
Path("adts/several_blocks.aac").write_bytes(
    joined(bare[:3], True) + joined(bare[3:4], True) + joined(bare[4:6], False) + joined([], False) + joined(bare[6:10], True))
PY

# HE-AAC, where ffmpeg has libfdk_aac; the files here are of the same encoder, called by itself.
if ffmpeg -v error -encoders | grep -q libfdk_aac; then
  noisy="aevalsrc='0.3*sin(2*PI*440*t)+0.05*random(0)|0.3*sin(2*PI*660*t)+0.02*random(1)':s=32000:d=0.3"
  make -f lavfi -i "$noisy" $exact -ac 1 -c:a libfdk_aac -profile:a aac_he -b:a 16k adts/he_v1_mono.aac
  make -f lavfi -i "$noisy" $exact -c:a libfdk_aac -profile:a aac_he_v2 -b:a 20k adts/he_v2.aac
  cat adts/he_v1_mono.aac adts/he_v2.aac > adts/he_v2_late.aac
fi

# MPEG audio
make -f lavfi -i "$sweep" -c:a libmp3lame -b:a 64k -metadata title=Sweep -metadata artist=maliu -id3v2_version 3 -write_id3v1 1 -fflags +bitexact mp3/cbr_64k_tags.mp3
make -f lavfi -i "$tone" $exact -c:a libmp3lame -q:a 8 mp3/vbr_info.mp3
make -f lavfi -i "sine=frequency=440:sample_rate=22050:duration=1" $exact -c:a libmp3lame -b:a 32k -write_xing 0 mp3/mpeg2_mono.mp3
make -f lavfi -i "$tone" $exact -c:a mp2 -b:a 64k mp3/layer2.mp2
python3 - <<'PY'
from pathlib import Path
d = Path("mp3/mpeg2_mono.mp3").read_bytes()
Path("mp3/junk_and_ape.mp3").write_bytes(b"\0" * 20 + b"xyz\xff" + d[:1500] + b"APETAGEX" + (2000).to_bytes(4, "little") + (32).to_bytes(4, "little") + bytes(16))
Path("mp3/cut_in_frame.mp3").write_bytes(d[:1000])
def frames_of(b, least):
    found = []
    while len(b) >= 4:
        n = least + (b[2] >> 1 & 1)
        found.append(b[:n])
        b = b[n:]
    return found
frames = frames_of(d[d.index(b"\xff\xf3"):], 72 * 32000 // 22050)
Path("mp3/free_format.mp3").write_bytes(b"".join(f[:2] + bytes([f[2] & 15]) + f[3:] for f in frames[:20]))
other = frames_of(Path("mp3/layer2.mp2").read_bytes(), 144 * 64000 // 44100)
lyrics = b"LYRICSBEGINLYR00002laEAR00002me000025LYRICS200"
Path("mp3/layers_and_tags.mp3").write_bytes(
    b"".join(frames[:6]) + lyrics + b"TAG" + b"one".ljust(125, b"\0") + b"".join(other[:6]) + b"TAG" + bytes(125))
PY

# WAV
for c in pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_alaw pcm_mulaw adpcm_ima_wav adpcm_ms; do
  make -f lavfi -i "aevalsrc='0.5*sin(880*t)|0.3*sin(5000*t)':s=8000:d=0.25" $exact -c:a $c wav/$c.wav
done
python3 - <<'PY'
from pathlib import Path
d = bytearray(Path("wav/pcm_s16le.wav").read_bytes())
at = d.index(b"data")
Path("wav/live_size_0.wav").write_bytes(bytes(d[:at + 4]) + bytes(4) + bytes(d[at + 8:at + 2008]))
Path("wav/live_size_ffffffff.wav").write_bytes(b"RIFF\xff\xff\xff\xff" + bytes(d[8:at + 4]) + b"\xff" * 4 + bytes(d[at + 8:at + 2008]))
Path("wav/odd_chunks.wav").write_bytes(bytes(d[:12]) + b"junk\3\0\0\0abc\0" + bytes(d[12:at]) + b"LIST\x12\0\0\0INFOINAM\5\0\0\0name\0\0" + bytes(d[at:]))
PY
make -f lavfi -i "sine=frequency=440:sample_rate=8000:duration=0.2" $exact -rf64 always wav/rf64.wav
make -f lavfi -i "sine=frequency=440:sample_rate=8000:duration=0.2" $exact wav/wave64.w64
make -f lavfi -i "anoisesrc=sample_rate=8000:amplitude=0.1:seed=1:duration=0.05" $exact -ac 6 -c:a pcm_s24le wav/extensible_5.1_24.wav
make -f lavfi -i "sine=frequency=440:sample_rate=22050:duration=0.3" $exact -c:a libmp3lame -b:a 32k wav/mp3_inside.wav

# Annex B and FLV
x264="-c:v libx264 -preset veryfast -threads 1 -pix_fmt yuv420p -g 10 -bf 2 -crf 35"
make -f lavfi -i "$picture" $exact $x264 h264/b_frames.h264
make -f lavfi -i "$picture" $exact $x264 -tune zerolatency -slices 3 -profile:v baseline h264/baseline_slices.h264
make -f lavfi -i "testsrc=size=64x48:rate=25" $exact -frames:v 48 -c:v libx264 -preset veryfast -pix_fmt yuv420p \
  -x264-params intra-refresh=1:keyint=12:bframes=0:ref=1:scenecut=0:threads=1:log-level=none h264/intra_refresh.h264
make -f lavfi -i "$picture" $exact -c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1:info=0 -crf 38 -g 10 h265/main.h265
x265="-pix_fmt yuv420p -c:v libx265 -preset ultrafast"
tiny="testsrc=size=64x48:rate=25"
common="log-level=none:pools=1:info=0:bframes=3:b-adapt=0:scenecut=0:crf=40"
make -f lavfi -i "$tiny" $exact -frames:v 25 $x265 -x265-params "$common:keyint=9:min-keyint=9:open-gop=0:radl=2" h265/idr_with_leading.h265
make -f lavfi -i "$tiny" $exact -frames:v 20 $x265 -x265-params "$common:keyint=8:min-keyint=8:open-gop=1" h265/open.h265
python3 - <<'PY'
import re
from pathlib import Path
d = Path("h265/open.h265").read_bytes()
sets = [m.start() - 1 for m in re.finditer(b"\0\0\1", d) if d[m.start() + 3] >> 1 == 32]
Path("h265/joined_at_cra.h265").write_bytes(d + d[sets[1]:])
Path("h265/joined_behind_end.h265").write_bytes(d[: sets[2]] + b"\0\0\0\1\x4a\1" + d[sets[1]:])
Path("h265/open.h265").unlink()
PY
make -f lavfi -i "$picture" -f lavfi -i "$sweep" $exact $x264 -c:a aac -b:a 48k -shortest flv/h264_aac.flv
make -f lavfi -i "$picture" -f lavfi -i "$tone" $exact -c:v flv1 -q:v 20 -c:a libmp3lame -b:a 32k -shortest flv/flv1_mp3.flv
make -f lavfi -i "$tone" $exact -ar 44100 -c:a aac -b:a 32k flv/aac_only.flv
python3 - <<'PY'
from pathlib import Path
d = Path("flv/h264_aac.flv").read_bytes()
Path("flv/cut_in_tag.flv").write_bytes(d[:9000])
Path("flv/zero_tail.flv").write_bytes(d[:9000] + bytes(3000))
out, at = bytearray(d[:13]), 13
while at + 11 <= len(d) and len(out) < 16000:
    n = int.from_bytes(d[at + 1:at + 4], "big") + 11
    out += d[at:at + n] + bytes(4)
    at += n + 4
Path("flv/previous_sizes_0.flv").write_bytes(out)

def tag(kind, time, body):
    size = len(body).to_bytes(3, "big")
    head = bytes([kind]) + size + (time & 0xffffff).to_bytes(3, "big") + bytes([time >> 24 & 0xff, 0, 0, 0])
    return head + body + (len(body) + 11).to_bytes(4, "big")
def key(name): return len(name).to_bytes(2, "big") + name
def text(value): return b"\2" + key(value)
def number(value): import struct; return b"\0" + struct.pack(">d", value)
header, end = d[:13], b"\0\0\x09"
avcc = b"\1\x64\0\x0a\xff\xe1\0\x18\x67\x64\0\x0a\xac\xd9\x42\xdf\x88\x84\0\0\3\0\4\0\0\3\0\xa0\x3c\x48\x96\x58\1\0\6\x68\xeb\xe3\xcb\x22\xc0"
nal = lambda n: b"\0\0\0\x20" + bytes([0x65]) + bytes(i * 7 + n & 0xff for i in range(31))
opus = b"OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0"
colors = text(b"colorInfo") + b"\3" + key(b"colorConfig") + b"\3" + key(b"colorPrimaries") + number(9) + end + end
# Enhanced RTMP v2: two pictures with different codecs in one tag, tracks, ModEx, colours, channels.
vpcc = b"\1\0\0\0\0\x0a\x82\1\1\1\0\0"
out = header + tag(9, 0, b"\x90avc1" + avcc) + tag(9, 0, b"\x96\0vp09\1" + vpcc) + tag(8, 0, b"\x90Opus" + opus) + tag(8, 0, b"\x94Opus\1\2\0\0\0\3")
out += tag(9, 0, b"\xd6\4vp09\1" + colors)
for n in range(6):
    lone = nal(n)
    sized = lambda data: len(data).to_bytes(3, "big") + data
    frames = b"\x21avc1\0" + sized(b"\0\0\x28" + lone) + b"vp09\1" + sized(b"\x82\x49\x83\x42\x20\x0a\xf0\x08\xf0" + bytes(n))
    out += tag(9, n * 40, bytes([0x96 if n % 3 == 0 else 0xa6]) + frames)
    out += tag(8, n * 40 + 5, b"\x97\2\1\xe2\x40\1Opus" + bytes([n] * 9) if n % 2 else b"\x95\1Opus\1" + bytes([n] * 8))
    out += tag(8, n * 40 + 9, b"\x95\x11Opus\2\0\0\3abc\3\0\0\2de")
Path("flv/enhanced_tracks.flv").write_bytes(out)
# Script tags of every kind, AMF3, an encrypted tag, an unknown type, a time beyond 24 bits.
meta = text(b"onMetaData") + b"\x08\0\0\0\x09" + key(b"datastream") + number(0) + key(b"duration") + number(2) + key(b"framerate") + number(29.97) + key(b"title") + text(b"t")
meta += key(b"when") + b"\x0b" + number(951782400000)[1:] + b"\0\0" + key(b"list") + b"\x0a\0\0\0\2" + number(1) + text(b"x") + end
amf3 = text(b"onMetaData") + b"\x11\x0a\x0b\1\x0dartist\6\5me\7yes\3\1"
out = header + tag(18, 0, meta) + tag(15, 0, b"\0" + amf3) + tag(9, 16777000, b"\x17\0\0\0\0" + avcc) + tag(9, 16777000, b"\x17\1\0\0\0" + nal(0))
out += tag(18, 16777010, text(b"onTextData") + b"\x08\0\0\0\1" + key(b"text") + text(b"hello") + end)
out += tag(18, 16777020, text(b"onCustomEvent") + number(1)) + tag(18, 16777030, b"short") + tag(31, 0, b"") + tag(9, 0, b"")
out += tag(0x29, 16777220, b"\x27\1\0\0\0\1Encryption\0\0\0\x10" + bytes(16)) + tag(9, 16777260, b"\x27\1\0\0\x28" + nal(1)) + tag(9, 16777300, b"\x17\2\0\0\0")
Path("flv/script_and_oddities.flv").write_bytes(out)
# Junk between tags, a tag with a wrong size.
pictures = [tag(9, n * 40, bytes([0x12 if n % 4 == 0 else 0x22]) + b"\0\0\x84\0\4\4\0" + bytes([n] * 20)) for n in range(12)]
broken = bytearray(pictures[6]); broken[2:4] = b"\0\x40"
sounds = [tag(8, n * 40 + 3, b"\xb6" + bytes([n] * 12)) for n in range(3)]
junk = bytes(i * 91 & 0xff for i in range(70))
Path("flv/junk_and_wrong_size.flv").write_bytes(header + b"".join(pictures[:3]) + b"".join(sounds) + b"\5\0\0\x20" + junk + b"".join(pictures[3:6]) + broken + b"".join(pictures[7:]))
PY
python3 - <<'PY'
import re
from pathlib import Path
def nals(data):
    starts = [m.start() for m in re.finditer(rb"\x00?\x00\x00\x01", data)]
    return [data[a:b] for a, b in zip(starts, starts[1:] + [len(data)])]
def head(nal):
    return nal[nal.index(1) + 1]
d = nals(Path("h264/b_frames.h264").read_bytes())
first = next(n for n, nal in enumerate(d) if head(nal) & 31 == 5)
Path("h264/sets_come_late.h264").write_bytes(b"".join(d[first:]))
Path("h264/junk_and_zeros.h264").write_bytes(b"junk\xff\0\1" + b"".join(nal + bytes(n % 4) for n, nal in enumerate(d[:12])))
Path("h264/starts_in_mid_sequence.h264").write_bytes(b"".join(d[:first - 1] + d[first + 2:]))
def slice_(first_mb, frame_num):
    bits = "".join("0" * (len(f"{v + 1:b}") - 1) + f"{v + 1:b}" for v in (first_mb, 0, 0)) + f"{frame_num:04b}" + "1111000011110000"
    bits += "1" * (-len(bits) % 8)
    return b"\0\0\1\x41" + int(bits, 2).to_bytes(len(bits) // 8, "big") + b"\x80"
sets = b"\0\0\0\1\x67\x42\0\x0a\xda\x10\x99" + b"\0\0\0\1\x68\xce\x38\x80"
order = [(0, 1), (8, 1), (4, 1), (0, 2), (4, 2), (8, 3), (12, 3), (0, 4), (0, 4)]
Path("h264/slices_in_any_order.h264").write_bytes(sets + b"".join(slice_(*s) for s in order))
h = nals(Path("h265/main.h265").read_bytes())
irap = [n for n, nal in enumerate(h) if 16 <= head(nal) >> 1 & 63 <= 21]
eos = b"\0\0\1\x48\1"
Path("h265/end_of_sequence.h265").write_bytes(b"".join(h[:irap[1]]) + eos + b"".join(h[irap[1]:]) + eos)
Path("h265/no_sets.h265").write_bytes(b"".join(h[irap[0]:irap[0] + 6]))
PY
du -ch */* | tail -1

# MPEG-TS
small="testsrc2=size=96x64:rate=10:duration=1"
ts="-muxdelay 0 -muxpreload 0 -f mpegts"
make -f lavfi -i "$small" -f lavfi -i "sine=frequency=440:sample_rate=32000:duration=1" $exact -pix_fmt yuv420p -c:v libx264 -preset veryfast -g 5 -bf 2 \
  -crf 40 -c:a aac -b:a 24k -metadata:s:a:0 language=eng $ts mpegts/h264_aac.ts
make -f lavfi -i "$small" $exact -t 0.5 -pix_fmt yuv420p -c:v libx265 -crf 40 -x265-params log-level=none:keyint=3 $ts mpegts/h265.ts
make -f lavfi -i "$small" -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=0.3" $exact -t 0.3 -c:v mpeg2video -q:v 31 -c:a ac3 -b:a 64k \
  -mpegts_m2ts_mode 1 $ts mpegts/mpeg2_ac3.m2ts
make -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=0.4" $exact -c:a libopus -b:a 16k $ts mpegts/opus.ts
make -f lavfi -i "sine=frequency=440:sample_rate=16000:duration=0.4" $exact -c:a aac -b:a 16k -mpegts_flags latm $ts mpegts/latm.ts
python3 - <<'PY'
from pathlib import Path
d = Path("mpegts/h264_aac.ts").read_bytes()
p = [d[i:i + 188] for i in range(0, len(d), 188)]
pid = lambda x: (x[1] & 31) << 8 | x[2]
keep = lambda wanted: [x for x in p if wanted(x)]
write = lambda name, packets: Path("mpegts/" + name).write_bytes(b"".join(packets))
# Joined in mid-stream, without tables: 204 bytes a packet.
write("no_tables_204.ts", [x + bytes(16) for x in keep(lambda x: pid(x) >= 0x100 and pid(x) < 0x1000)[9:40]])
# Junk in front and between, a lost packet, a faulty one, a duplicate, null packets.
bad = p[:70]
es = [i for i, x in enumerate(bad) if pid(x) == 0x100]
bad[es[7]] = bytes([0x47, bad[es[7]][1] | 0x80]) + bad[es[7]][2:]
bad[es[11]] = b""
bad.insert(es[3], bad[es[3]])
bad.insert(es[4], b"\x47\x1f\xff\x10" + b"\xff" * 184)
bad.insert(es[9], b"junk \x47 junk" * 9)
write("damaged.ts", [b"\x47not a packet" * 20] + bad)
PY

# LOAS, AC-3, E-AC-3, DTS
beep="sine=frequency=440:sample_rate=48000:duration=0.5"
make -f lavfi -i "$beep" $exact -c:a aac -b:a 32k -f latm loas/mono_48000.loas
make -f lavfi -i "sine=frequency=440:sample_rate=22050:duration=0.5" $exact -ac 2 -c:a aac -b:a 32k -f latm loas/stereo_22050.loas
make -f lavfi -i "$beep" $exact -t 0.3 -c:a ac3 -b:a 64k ac3/mono_48000.ac3
make -f lavfi -i "sine=frequency=440:sample_rate=44100:duration=0.3" $exact -ac 2 -c:a ac3 -b:a 96k ac3/stereo_44100.ac3
make -f lavfi -i "$beep" $exact -t 0.3 -c:a eac3 -b:a 64k eac3/mono_48000.eac3
make -f lavfi -i "$beep" $exact -t 0.1 -ac 2 -c:a dca -strict -2 -b:a 320k dts/stereo_48000.dts
python3 - <<'PY'
from pathlib import Path
d = Path("loas/mono_48000.loas").read_bytes()
e = Path("loas/stereo_22050.loas").read_bytes()
Path("loas/junk_and_change.loas").write_bytes(b"\x56\xe0junk" + d[:1200] + e[:700])
a = Path("ac3/mono_48000.ac3").read_bytes()
Path("ac3/junk_between_and_cut.ac3").write_bytes(a[:1024] + b"\x0b\x77junk" * 5 + a[1024:2000])
PY

# MPEG-PS
make -f lavfi -i "$small" -f lavfi -i "sine=frequency=440:sample_rate=44100:duration=0.5" $exact -t 0.5 -r 25 -c:v mpeg1video -q:v 31 -bf 2 -c:a mp2 -b:a 64k \
  -f mpeg mpegps/mpeg1_mp2.mpg
make -f lavfi -i "$small" -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=0.3" $exact -t 0.3 -r 25 -c:v mpeg2video -q:v 31 -c:a ac3 -b:a 64k \
  -f vob mpegps/mpeg2_ac3.vob
make -f lavfi -i "$small" $exact -pix_fmt yuv420p -c:v libx264 -preset veryfast -g 5 -bf 0 -crf 40 -x264-params aud=1:slices=1 -f h264 mpegps/camera.h264
make -f lavfi -i "sine=frequency=440:sample_rate=8000:duration=1" $exact -c:a pcm_alaw -f alaw mpegps/camera.alaw
python3 - <<'PY'
from pathlib import Path
video, sound = Path("mpegps/camera.h264"), Path("mpegps/camera.alaw")
units = [b"\0\0\0\1\x09" + x for x in video.read_bytes().split(b"\0\0\0\1\x09")[1:]]
alaw = sound.read_bytes()
video.unlink(), sound.unlink()
def stamp(mark, t):
    return bytes([mark << 4 | t >> 29 & 14 | 1, t >> 22 & 255, t >> 14 & 254 | 1, t >> 7 & 255, t << 1 & 254 | 1])
def pes(sid, data, t=None):
    head = b"\x80\x80\x05" + stamp(2, t) if t is not None else b"\x80\0\0"
    n = len(head) + len(data)
    return b"\0\0\1" + bytes([sid, n >> 8, n & 255]) + head + data
pack = b"\0\0\1\xba\x44\0\4\0\4\1\0\0\3\xf8"
psm = b"\0\0\1\xbc\0\x12\xe1\xff\0\0\0\x08\x1b\xe0\0\0\x90\xc0\0\0" + bytes(4)
out = b""
for n, unit in enumerate(units):
    t = 3600 + n * 9000
    out += pack + (psm if n % 5 == 0 else b"")
    out += pes(0xE0, unit[:400], t) + b"".join(pes(0xE0, unit[i:i + 400]) for i in range(400, len(unit), 400))
    out += pes(0xC0, alaw[n * 800:n * 800 + 800], t)
Path("mpegps/gb28181.ps").write_bytes(out)
packs = out.split(pack)
Path("mpegps/joined_with_junk.ps").write_bytes(b"\0\0\1\xe0" + packs[1][60:200] + pack + packs[2] + b"junk\0\0\1\x42" * 7 + pack + packs[3]
    + pack + packs[4] + packs[5][:300] + pack + packs[6] + pack + packs[7])
PY

# MP4 and QuickTime
small="testsrc2=size=64x48:rate=10:duration=1.2"
beep="sine=frequency=440:sample_rate=16000:duration=1.2"
h264="-c:v libx264 -preset veryslow -crf 40 -bf 2 -g 6 -x264-params scenecut=0 -pix_fmt yuv420p"
aac="-c:a aac -b:a 16k"
av() { make -f lavfi -i "$small" -f lavfi -i "$beep" $exact $h264 $aac "$@"; }
av mp4/moov_behind.mp4
av -movflags +faststart -map 0 -map 1 mp4/moov_front.mp4
av -movflags +faststart+negative_cts_offsets mp4/negative_cts.mp4
av -movflags +frag_keyframe+empty_moov+default_base_moof mp4/fragments.mp4
av -movflags +frag_keyframe+delay_moov+default_base_moof+dash mp4/fragments_edit.mp4
av -movflags +frag_keyframe mp4/fragments_behind_tables.mp4
make -ss 0.55 -i mp4/moov_front.mp4 $exact -c copy -movflags +faststart mp4/edit_list.mp4
encrypted="-c copy -encryption_scheme cenc-aes-ctr -encryption_key 00112233445566778899aabbccddeeff -encryption_kid a7e61c373e219033c21091fa607bf3b8"
make -i mp4/moov_behind.mp4 $exact $encrypted mp4/encrypted.mp4
# Fragments of one track are encrypted rightly since FFmpeg 7.
make -i mp4/moov_behind.mp4 -map 0:v $exact $encrypted -movflags +frag_keyframe+empty_moov+default_base_moof mp4/encrypted_fragments.mp4
make -f lavfi -i "$beep" $exact -c:a alac -movflags +faststart mp4/alac.m4a
make -f lavfi -i "$beep" $exact -c:a pcm_s16be -movflags +faststart mp4/pcm_s16be.mov
make -f lavfi -i "sine=frequency=440:sample_rate=16000:duration=0.2" $exact -c:a pcm_s24le -movflags +faststart mp4/pcm_s24le.mov
printf ';FFMETADATA1\ntitle=Lied\nartist=maliu\ntrack=3/12\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=600\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=600\nEND=1200\ntitle=Two\n' > mp4/meta.txt
make -f lavfi -i "$beep" -i mp4/meta.txt -map 0 -map_metadata 1 -map_chapters 1 -fflags +bitexact -flags +bitexact $aac -movflags +faststart mp4/tags_chapters.m4a
rm mp4/meta.txt
python3 mp4.py

# AIFF, AU, CAF, IVF
mkdir -p aiff au caf ivf
short="sine=frequency=440:sample_rate=8000:duration=0.4"
make -f lavfi -i "$short" $exact -c:a pcm_s16be -metadata title=Tone aiff/s16.aiff
make -f lavfi -i "$short" $exact -c:a pcm_s16le -f aiff aiff/sowt.aifc
make -f lavfi -i "$short" $exact -c:a pcm_alaw -f aiff aiff/alaw.aifc
make -f lavfi -i "$short" $exact -c:a pcm_s16be au/s16.au
make -f lavfi -i "$short" $exact -c:a pcm_mulaw au/ulaw.au
sox -n -r 8000 -c 2 -b 24 aiff/tags_behind_24.aiff synth 0.2 sine 300
sox -n -r 11025 -c 1 -b 8 aiff/s8.aiff synth 0.2 sine 300
sox -n -r 8000 -c 1 -e mu-law au/sox_annotation.au synth 0.2 sine 300
make -f lavfi -i "$short" $exact -c:a pcm_s16be -metadata title=Tone caf/s16.caf
make -f lavfi -i "$short" $exact -c:a pcm_s24le caf/s24le.caf
make -f lavfi -i "$short" $exact -c:a pcm_f32le caf/f32le.caf
make -f lavfi -i "$short" $exact -c:a pcm_alaw caf/alaw.caf
make -f lavfi -i "$short" $exact -c:a adpcm_ima_qt caf/ima4.caf
make -f lavfi -i "$short" $exact -c:a alac caf/alac.caf
# The packet table in front of the data, so that a pipe is enough.
python3 - <<'PY'
from pathlib import Path
import struct
d = Path("caf/alac.caf").read_bytes()
at, parts = 8, []
while at + 12 <= len(d):
    size = struct.unpack(">q", d[at + 4:at + 12])[0]
    parts.append(d[at:at + 12 + size])
    at += 12 + size
parts.sort(key=lambda part: part.startswith(b"data"))
Path("caf/alac.caf").write_bytes(d[:8] + b"".join(parts))
PY
small="testsrc2=size=64x48:rate=10:duration=1"
make -f lavfi -i "$small" $exact -c:v libvpx -b:v 50k -g 5 ivf/vp8.ivf
make -f lavfi -i "$small" $exact -c:v libvpx-vp9 -b:v 50k -g 5 ivf/vp9.ivf
make -f lavfi -i "$small" $exact -c:v libaom-av1 -cpu-used 8 -b:v 50k -g 5 ivf/av1.ivf

# Matroska and WebM: by ffmpeg, and by mkvmerge (MKVToolNix).
mkdir -p matroska
beep="sine=frequency=440:sample_rate=44100:duration=0.5"
tiny="testsrc2=size=64x48:rate=10:duration=1"
h264="-c:v libx264 -threads 1 -x264-params bframes=2:b-adapt=0:keyint=5:scenecut=0:info=0 -qp 45 -pix_fmt yuv420p"
make -f lavfi -i "$tiny" -f lavfi -i "$beep" $exact $h264 -c:a aac -b:a 24k -cluster_time_limit 400 matroska/h264_aac.mkv
make -f lavfi -i "$tiny" -f lavfi -i "$beep" $exact $h264 -c:a aac -b:a 24k -f matroska -live 1 - > matroska/live.mkv
make -f lavfi -i "$tiny" -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=0.5" $exact -c:v libvpx-vp9 -b:v 10k -g 5 -c:a libopus -b:a 16k -cluster_time_limit 500 matroska/vp9_opus.webm
make -f lavfi -i "$beep" $exact -c:a libvorbis -q:a 0 -metadata title=Ton -metadata artist=maliu matroska/vorbis.mka
make -f lavfi -i "sine=frequency=440:sample_rate=8000:duration=0.3" $exact -c:a flac matroska/flac.mka
make -f lavfi -i "sine=frequency=440:sample_rate=24000:duration=0.4" $exact -c:a libmp3lame -b:a 16k -write_xing 0 matroska/mp3.tmp.mp3
printf '1\n00:00:00,100 --> 00:00:00,400\nEins\n\n2\n00:00:00,500 --> 00:00:00,900\n<i>Zwei</i>\n' > matroska/tmp.srt
printf '<?xml version="1.0"?><Chapters><EditionEntry><EditionUID>1</EditionUID><ChapterAtom><ChapterUID>2</ChapterUID><ChapterTimeStart>00:00:00.0</ChapterTimeStart><ChapterTimeEnd>00:00:00.2</ChapterTimeEnd><ChapterDisplay><ChapterString>Anfang</ChapterString></ChapterDisplay></ChapterAtom><ChapterAtom><ChapterUID>3</ChapterUID><ChapterTimeStart>00:00:00.2</ChapterTimeStart><ChapterDisplay><ChapterString>Ende</ChapterString></ChapterDisplay></ChapterAtom></EditionEntry></Chapters>' > matroska/tmp.xml
printf 'not a font' > matroska/tmp.ttf
merge() { mkvmerge -q --deterministic maliu --timestamp-scale 1000000 "$@"; }
merge -o matroska/merged.mkv --chapters matroska/tmp.xml --attachment-mime-type font/ttf --attach-file matroska/tmp.ttf \
  --attachment-mime-type image/png --attachment-name cover.png --attach-file matroska/tmp.ttf \
  --language 0:deu --track-name 0:Ton matroska/mp3.tmp.mp3 --language 0:fra --forced-display-flag 0:1 --compression 0:zlib matroska/tmp.srt
rm matroska/*tmp*
python3 - <<'PY'
from pathlib import Path
whole = Path("matroska/h264_aac.mkv").read_bytes()
cluster = b"\x1f\x43\xb6\x75"
first = whole.index(cluster)
second = whole.index(cluster, first + 4)
Path("matroska/cut.mkv").write_bytes(whole[:second + 300])
Path("matroska/damaged.mkv").write_bytes(whole[:first + 1000] + b"\0" * 300 + whole[first + 1300:])
flac = Path("matroska/flac.mka").read_bytes()
Path("matroska/joined.mka").write_bytes(flac + flac)

# All lacings, block groups with durations, discard padding and additions, of one track of a codec that is not looked into, made by hand.
def size(n): return (n | 1 << 28).to_bytes(4, "big")
def e(ident, *parts):
    body = b"".join(parts)
    return bytes.fromhex(ident) + size(len(body)) + body
def u(ident, n, length=1): return e(ident, n.to_bytes(length, "big"))
head = e("1a45dfa3", e("4282", b"matroska"))
track = e("ae", u("d7", 1), u("73c5", 7), u("83", 2), e("86", b"A_TTA1"), e("e1", e("b5", b"\x45\xfa\0\0"), u("6264", 16)), u("56aa", 5_000_000, 4), u("23e383", 1_000_000, 4))
strip = e("6d80", e("6240", e("5034", u("4254", 3), e("4255", b"head"))))
track += e("ae", u("d7", 2), u("73c5", 8), u("83", 17), e("86", b"S_TEXT/UTF8"), e("22b59d", b"de-AT"), u("88", 0), u("55aa", 1), strip)
blocks = [
    e("a3", b"\x81\0\0\x80", b"a" * 16),
    e("a3", b"\x81\0\x05\x82", b"\x02\x02\x10", b"b" * 2 + b"c" * 16 + b"d" * 6),
    e("a3", b"\x81\0\x0a\x84", b"\x01", b"e" * 8 + b"f" * 8),
    e("a3", b"\x81\0\x0f\x86", b"\x02\x84\xbd", b"g" * 4 + b"h" * 2 + b"i" * 10),
    e("a0", e("a1", b"\x81\0\x14\0", b"j" * 16), u("9b", 9), e("75a2", (2_000_000).to_bytes(4, "big")), e("75a1", e("a6", u("ee", 4), e("a5", b"more")))),
    e("af", b"encrypted"), e("4dff", b"unknown"), e("a3", b"\x85\0\x1e\x80", b"no track"), e("ec", b"\0" * 5),
    e("a0", e("a1", b"\x82\0\x1c\0", b"less"), u("9b", 3)),
    e("a3", b"\x81\0\x1e\x88", b"k" * 16),
]
body = e("1549a966", u("2ad7b1", 1_000_000, 3)) + e("1654ae6b", track) + b"\x1f\x43\xb6\x75\xff" + u("e7", 0) + b"".join(blocks)
Path("matroska/blocks.mka").write_bytes(head + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + body)
# Ogg
mkdir -p ogg
make -f lavfi -i "$sweep" -t 1.3 $exact -c:a libopus -b:a 24k -page_duration 300000 ogg/opus.opus
make -f lavfi -i "$tone" -t 0.5 $exact -ac 1 -c:a libvorbis -q:a 0 -page_duration 100000 ogg/vorbis.ogg
make -f lavfi -i "$tone" -t 0.3 $exact -ac 1 -ar 8000 -c:a flac -page_duration 100000 ogg/flac.oga
make -f lavfi -i "$tone" -t 1 $exact -ac 1 -ar 8000 -c:a libspeex -page_duration 300000 ogg/speex.spx
make -f lavfi -i "testsrc2=size=64x48:rate=10:duration=2" -f lavfi -i "$tone" $exact -ac 1 -ar 8000 -c:v libtheora -g 8 -q:v 2 -c:a libvorbis -q:a 0 ogg/theora_vorbis.ogv
make -f lavfi -i "testsrc2=size=64x48:rate=10:duration=1" $exact -c:v libvpx -auto-alt-ref 1 -lag-in-frames 8 -b:v 30k -g 5 ogg/vp8.ogv
python3 - <<'PY'
from pathlib import Path
opus, vorbis = Path("ogg/opus.opus").read_bytes(), Path("ogg/vorbis.ogg").read_bytes()
Path("ogg/chain.ogg").write_bytes(vorbis + opus + vorbis)
def pages(b):
    while b:
        n = 27 + b[26] + sum(b[27:27 + b[26]]); yield b[:n]; b = b[n:]
p = list(pages(opus))
Path("ogg/lost_page_and_junk.opus").write_bytes(b"".join(p[:3]) + b"OggSjunk" + p[3][:40] + bytes([p[3][40] ^ 1]) + p[3][41:] + p[4])
PY

# FLAC; the second file has a seek table, a cue sheet, a picture and a tag in front, by the tools of the format
mkdir -p flac
make -f lavfi -i "sine=frequency=440:sample_rate=8000:duration=1" $exact -c:a flac -frame_size 1152 flac/mono_8000.flac
tmp=$(mktemp -d)
make -f lavfi -i "aevalsrc='0.3*sin(2*PI*440*t)|0.2*sin(2*PI*550*t)':s=12000:d=1.5" -c:a pcm_s16le "$tmp/a.wav"
printf 'FILE "a.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    INDEX 01 00:00:45\n' > "$tmp/a.cue"
make -f lavfi -i "color=size=2x2:duration=1:rate=1" -frames:v 1 "$tmp/a.png"
flac -s -f -b 1024 --no-padding --cuesheet="$tmp/a.cue" --picture="$tmp/a.png" -S 0.5s -T TITLE=码流 -T ARTIST=a -T ARTIST=b -o flac/blocks.flac "$tmp/a.wav"
rm -r "$tmp"
python3 - <<'PY'
from pathlib import Path
mono, blocks = Path("flac/mono_8000.flac").read_bytes(), Path("flac/blocks.flac").read_bytes()
Path("flac/id3_in_front.flac").write_bytes(b"ID3\x04\0\0\0\0\0\x0fTIT2\0\0\0\x05\0\0\x03malu" + blocks)
# Damage in the third frame, junk behind the fourth, a tag at the end.
starts, at = [], mono.find(b"\xff\xf8")
while at >= 0 and len(starts) < 8:
    starts.append(at)
    at = mono.find(mono[starts[0]:starts[0] + 4] + bytes([len(starts)]), at + 4)
a = starts[2] + 60
Path("flac/damaged_and_junk.flac").write_bytes(mono[:a] + bytes([mono[a] ^ 1]) + mono[a + 1:starts[4]] + b"\xff\xf8junk" + mono[starts[4]:] + b"TAG" + bytes(125))
PY

# Channels of Opus and Vorbis by their levels: 0.05, 0.1, … in the order of WAVE
levels() { python3 -c "print('|'.join(f'{0.05*(n+1):.2f}*sin(2*PI*80*t)' for n in range($1)))"; }
for n in 6 8; do
    layout=$((n - 1)).1
    [ $n = 6 ] && layout="5.1"
    make -f lavfi -i "aevalsrc='$(levels $n)':s=48000:d=0.3:c=$layout" $exact -c:a libopus -b:a 128k -mapping_family 1 ogg/opus_$layout.opus
    make -f lavfi -i "aevalsrc='$(levels $n)':s=48000:d=0.3:c=$layout" $exact -c:a libvorbis -q:a 1 ogg/vorbis_$layout.ogg
done

# RTSP: RTP by ffmpeg in the form of a dialogue; the second file has a lost and a double packet, an answer between packets,
# garbage, and a packet of a channel without a stream
mkdir -p rtsp
tmp=$(mktemp -d)
make -f lavfi -i testsrc2=size=96x64:rate=10:duration=1 -f lavfi -i "sine=frequency=440:sample_rate=16000:duration=1" \
  -fflags +bitexact -c:v libx264 -bf 2 -g 6 -threads 1 -c:a aac -b:a 16k "$tmp/av.mp4"
make -f lavfi -i testsrc2=size=64x64:rate=10:duration=1 -c:v libx265 -x265-params log-level=none:bframes=0:keyint=5 "$tmp/h265.mp4"
make -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=0.4" -c:a libopus -b:a 16k "$tmp/opus.ogg"
PKT=300 python3 rtsp.py rtsp/h264_aac.rtsp "$tmp/av.mp4" v,a
PKT=300 python3 rtsp.py "$tmp/h265.rtsp" "$tmp/h265.mp4" v
INFO=0 python3 rtsp.py rtsp/opus.rtsp "$tmp/opus.ogg" a
python3 - "$tmp/h265.rtsp" <<'PY'
import sys
from pathlib import Path
data = Path(sys.argv[1]).read_bytes()
at = data.index(b"$\x00")
out, rest, n = data[:at], data[at:], 0
while rest:
    size = 4 + int.from_bytes(rest[2:4], "big")
    packet, rest = rest[:size], rest[size:]
    if packet[1] == 1 or n != 9:
        out += packet
    if packet[1] == 0:
        behind = {3: packet, 5: b"RTSP/1.0 200 OK\r\nCSeq: 10\r\n\r\n", 13: b"\x00\x01$\x05garbage$$", 14: b"$\x09\x00\x03abc"}
        out += behind.get(n, b"")
        n += 1
Path("rtsp/h265_lossy_with_garbage.rtsp").write_bytes(out)
PY
rm -r "$tmp"
