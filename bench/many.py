#!/usr/bin/env python3
"""What a thousand live senders of 500 kbit/s cost one receiver: its CPU time and its largest memory. Called by many.sh."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inputs import DATA, FFMPEG, make
from rows import MALIU

SENDERS = Path(MALIU).parent / "examples" / "live_senders"


def cpu(pid):
    """Seconds of user and system time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Largest resident memory so far, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def main():
    senders, seconds = (int(arg) for arg in (sys.argv[1:] + ["1000", "20"][len(sys.argv) - 1 :]))
    film = make(
        "500k.flv",
        f"{FFMPEG} -f lavfi -i testsrc2=s=640x360:r=25:d=10 -f lavfi -i sine=d=10 -vf noise=alls=8:allf=t -c:v libx264 "
        "-preset veryfast -b:v 436k -maxrate 436k -bufsize 436k -g 50 -c:a aac -b:a 64k {out}",
    )
    rate = film.stat().st_size * 8 / 10 / 1000
    folder = Path(tempfile.mkdtemp(dir=DATA))
    receiver = subprocess.Popen(
        [MALIU, "receive", "tcp://127.0.0.1:0", folder, "--many", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    address = json.loads(receiver.stdout.readline())["address"]
    with tempfile.TemporaryFile() as lines:
        # Its lines go on being read, so that it never waits for us.
        drain = subprocess.Popen(["cat"], stdin=receiver.stdout, stdout=lines)
        before, start = cpu(receiver.pid), time.monotonic()
        load = subprocess.run([SENDERS, address, film, str(senders), str(seconds)], capture_output=True, text=True)
        taken, wall = cpu(receiver.pid) - before, time.monotonic() - start
        peak = memory(receiver.pid)
        receiver.send_signal(signal.SIGINT)
        receiver.wait(60)
        drain.wait(60)
        lines.seek(0)
        total = [line for line in map(json.loads, lines) if line["event"] == "total"][-1]
    files = sum(1 for file in folder.iterdir() if file.suffix == ".flv")
    shutil.rmtree(folder)
    print(f"{senders} live senders of {rate:.0f} kbit/s for {seconds} s: {load.stdout.strip()}")
    print(f"receiver: {taken / seconds:.2f} cores ({taken:.1f} s of CPU in {wall:.1f} s), {peak:.0f} MB at most")
    print(f"files: {files} whole, {total['bytes'] / 1e6:.0f} MB of messages, {total['failed']} failed")
    if load.returncode or files != senders or total["failed"]:
        sys.exit("not everything arrived")
    if taken / seconds > 1 or peak > 200:
        sys.exit("more than a core, or more than 200 MB")


if __name__ == "__main__":
    main()
