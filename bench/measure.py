"""What is measured: a process from start to end, the bytes it wants before it says anything, a figure it prints."""

import os
import re
import select
import shlex
import subprocess
import sys
import time


def run(command):
    """(wall s, cpu s, peak MB) of one run of a shell-like command; `> FILE` is understood."""
    words, out = shlex.split(command), subprocess.DEVNULL
    if ">" in words:
        at = words.index(">")
        out, words = open(words[at + 1], "wb"), words[:at]
    start = time.perf_counter()
    child = subprocess.Popen(words, stdout=out, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"failed with {child.returncode}: {command}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def works(command):
    """Whether a command ends well."""
    return subprocess.run(shlex.split(command), capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def wanted(command, path, patience=2.0):
    """The least power of two of bytes of a file that, on a pipe that stays open, make the command print something."""
    size = 256
    while size < path.stat().st_size:
        child = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with open(path, "rb") as file:
            try:
                child.stdin.write(file.read(size))
                child.stdin.flush()
            except BrokenPipeError:
                pass
        said = bool(select.select([child.stdout], [], [], patience)[0]) and child.stdout.read1(1) != b""
        child.kill()
        child.communicate()
        if said:
            return size
        size *= 2
    return None


def printed(command, pattern):
    """The groups of a pattern in what a command prints, as text."""
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    found = re.search(pattern, done.stdout)
    if done.returncode or not found:
        sys.exit(f"no figure in what this prints: {command}\n{done.stdout}{done.stderr}")
    return found.groups()
