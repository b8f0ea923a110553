"""The inputs of the comparison: made by ffmpeg once, kept in target/bench."""

import os
import subprocess
import sys
from pathlib import Path

DATA = Path(os.environ.get("MALIU_BENCH_DATA", "target/bench"))
CORPUS = Path(os.environ.get("MALIU_CORPUS", "../shared/corpus"))
FFMPEG = "ffmpeg -v error -nostdin -y"
SOUND = "aevalsrc='0.3*sin(2*PI*(300+40*sin(t))*t)+0.1*(random(0)-0.5)|0.3*sin(2*PI*(500+60*cos(t))*t)+0.1*(random(1)-0.5)':s=44100"
ROUND = "aevalsrc='" + "|".join(f"0.2*sin(2*PI*({300 + 70 * n}+30*sin(t))*t)+0.05*(random({n})-0.5)" for n in range(6)) + "':c=5.1:s=48000"
SECONDS = 600


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
    """A file of at least `megabytes` megabytes: `seed` again and again."""
    path = DATA / name
    if not path.exists():
        block = seed.read_bytes()
        with open(path, "wb") as out:
            for _ in range(-(-megabytes * 1_000_000 // len(block))):
                out.write(block)
    return path


def all_of_them():
    """Paths by name. HE-AAC, which ffmpeg cannot make, comes from the corpus where there is one."""
    sound = lambda name, args, source=SOUND: make(name, f'{FFMPEG} -f lavfi -i "{source}:d={SECONDS}" {args} {{out}}')
    clip = make("clip.h264", f"{FFMPEG} -f lavfi -i testsrc2=s=1280x720:r=25:d=20 -vf noise=alls=20:allf=t -c:v libx264 -preset veryfast -b:v 6M -g 50 {{out}}")
    seed = make(
        "seed.flv",
        f"{FFMPEG} -f lavfi -i testsrc2=s=640x360:r=25:d=60 -f lavfi -i \"{SOUND}:d=60\" -vf noise=alls=8:allf=t -c:v libx264 -preset veryfast -b:v 330k -g 50 -c:a aac -b:a 48k {{out}}",
    )
    found = {
        "aac": sound("lc.aac", "-c:a aac -b:a 128k"),
        "aac51": sound("51.aac", "-c:a aac -b:a 320k", ROUND),
        "mp3": sound("128k.mp3", "-c:a libmp3lame -b:a 128k"),
        "h264": repeated("300mb.h264", clip, 310),
        "flv": make("400mb.flv", f"{FFMPEG} -stream_loop 160 -i {seed} -c copy {{out}}"),
    }
    # The twins of the files above with units of 0.9 kB, which show what a unit costs.
    tiny = make("tiny.h264", f"{FFMPEG} -f lavfi -i testsrc2=s=384x216:r=50:d=60 -c:v libx264 -preset fast -b:v 350k -bf 0 {{out}}")
    found["h264-small"] = repeated("small.h264", tiny, 350)
    found["flv-small"] = make("small.flv", f"{FFMPEG} -i {found['h264-small']} -c copy {{out}}")
    for size in ("", "-small"):
        for kind in ("mp4", "ts"):
            found[kind + size] = make(f"flv{size}.{kind}", f"{FFMPEG} -i {found['flv' + size]} -c copy {{out}}")
    # Samples of 30 kB and of 0.3 kB, eight tracks, and four hours.
    found["mp4-large"] = make("large.mp4", f"{FFMPEG} -framerate 25 -i {found['h264']} -c copy {{out}}")
    found["mp4-tiny"] = make("tiny.mp4", f"{FFMPEG} -stream_loop 40 -i {found['aac']} -c copy {{out}}")
    found["mp4-tracks"] = make("tracks.mp4", f"{FFMPEG} -stream_loop 4 -i {found['aac']} " + "-map 0:a " * 8 + "-c copy {out}")
    found["mp4-hours"] = make("hours.mp4", f"{FFMPEG} -stream_loop 240 -i {seed} -c copy {{out}}")
    for name, glob in (("he1", "synth/heaac/he1_44100_stereo.aac"), ("he2", "synth/heaac/he2_44100_stereo.aac")):
        for one in sorted(CORPUS.glob(glob))[:1]:
            found[name] = repeated(name + ".aac", one, 5)
    return found
