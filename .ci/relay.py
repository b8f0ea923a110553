"""Judges the release build's relay: what viewers get is what ffmpeg published, by every protocol.

The judge is relay_judge.py of the acceptance data, with the rows that take a minute and a half together and need no newer ffmpeg.
"""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
JUDGE = ROOT / "../shared/accept/relay"
ROWS = "join,single,names,missing,hls,llhls,hostile"
SOURCE = ("-f lavfi -i testsrc2=s=640x360:r=25:d=12 -f lavfi -i sine=f=440:r=44100:d=12 -c:v libx264 -preset veryfast"
          " -profile:v main -g 50 -keyint_min 50 -sc_threshold 0 -b:v 800k -bf 2 -pix_fmt yuv420p -c:a aac -b:a 96k -ac 2")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main():
    maliu = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/maliu").resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in ("relay_judge.py", "rtmpkit.py"):
            shutil.copy(JUDGE / name, folder)
        source = folder / "src.flv"
        subprocess.run(["ffmpeg", "-v", "error", *SOURCE.split(), str(source)], check=True)
        rtmp, http = free_port(), free_port()
        judged = subprocess.run(
            [sys.executable, folder / "relay_judge.py", "--src", source, "--only", ROWS,
             "--cmd", f"exec {maliu} relay --rtmp 127.0.0.1:{rtmp} --http 127.0.0.1:{http}",
             "--rtmp", f"rtmp://127.0.0.1:{rtmp}/live", "--flv", f"http://127.0.0.1:{http}/live/{{key}}.flv",
             "--ws", f"ws://127.0.0.1:{http}/live/{{key}}.flv",
             "--hls", f"http://127.0.0.1:{http}/live/{{key}}/index.m3u8"], timeout=180)
        sys.exit(judged.returncode)


if __name__ == "__main__":
    main()
