#!/usr/bin/env python3
"""Runs a judge and holds its failures against a list: a failure that is not listed fails, and so does a listed one that passes.

Usage: expect.py LIST JUDGE [ARG…]   LIST: one `kind/name` a line, then why; `#` starts a comment.
"""

import re
import subprocess
import sys

listed, judge = sys.argv[1], sys.argv[2:]
lines = (line.split("#")[0].strip() for line in open(listed, encoding="utf-8"))
expected = {line.split(None, 1)[0] for line in lines if line}
done = subprocess.run([sys.executable, *judge], stdout=subprocess.PIPE, text=True)
failures = dict(re.findall(r"^FAIL ([^ ]+?): (.*)$", done.stdout, re.M))
counts = re.search(r"^(\d+) passed, (\d+) failed", done.stdout, re.M)
if not counts:
    sys.exit(f"{judge[0]} did not finish:\n{done.stdout[-2000:]}")
unexpected = sorted(failures.keys() - expected)
mended = sorted(expected - failures.keys())
for name in unexpected:
    print(f"FAIL {name}: {failures[name]}")
for name in mended:
    print(f"listed in {listed}, but passes: {name}")
print(f"{judge[0]}: {counts[1]} passed, {counts[2]} failed, {len(expected)} of them expected")
sys.exit(1 if unexpected or mended else 0)
