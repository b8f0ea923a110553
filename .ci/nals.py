#!/usr/bin/env python3
"""Judge: `maliu nals --json IN` against the [nals] lists of the corpus: offset, start code, type and size of every NAL unit."""

import json
import os
import subprocess
import sys
from pathlib import Path

MALIU = os.environ.get("MALIU", "target/release/maliu")
CORPUS = Path(os.environ.get("MALIU_CORPUS", "../shared/corpus"))


def listed(path):
    ref = CORPUS / "refs" / path.relative_to(CORPUS)
    lines = (ref.parent / (ref.name + ".ref")).read_text("utf-8", "replace").split("[nals]\n")[-1].splitlines()
    rows = [line.split("\t") for line in lines if line[:1].isdigit()]
    return [tuple(int(cell) for cell in row[:4]) for row in rows]


def main():
    passed = failed = 0
    for kind in ("h264", "h265"):
        for path in sorted(p for origin in ("real", "synth") for p in (CORPUS / origin / kind).iterdir()):
            expected = listed(path)
            if not expected:
                continue
            done = subprocess.run([MALIU, "nals", "--json", "--from", kind, path], capture_output=True, text=True)
            got = [(n["offset"], n["start_code"], n["type"], n["size"]) for n in json.loads(done.stdout)["nals"]]
            # The lists end after a number of units, count zeros at the end of the file to the last one, and bytes before
            # the first start code to that.
            sure = len(expected) - 1
            expected[0] = (expected[0][0], min(expected[0][1], got[0][1]) if got else 0, *expected[0][2:])
            if got[:sure] == expected[:sure] and len(got) >= sure:
                passed += 1
            else:
                failed += 1
                at = next((n for n, (a, b) in enumerate(zip(got, expected)) if a != b), min(len(got), sure))
                print(f"FAIL {kind}/{path.name}: unit {at}: {got[at:at + 1]}, not {expected[at:at + 1]}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
