#!/usr/bin/env python3
"""Drops a prompt into an sdspool folder, waits, and prints the paths of the pictures.

usage: drop.py SPOOL PROMPT
"""
import json
import os
import secrets
import sys
import time
from pathlib import Path

if len(sys.argv) != 3:
    print("usage: drop.py SPOOL PROMPT", file=sys.stderr)
    sys.exit(64)
spool, prompt = Path(sys.argv[1]), sys.argv[2]

# A hidden name until the file is whole, then one rename.
name = f"hello-{os.getpid()}-{secrets.token_hex(4)}"
hidden = spool / "inbox" / f".{name}.json.tmp"
hidden.write_text(json.dumps({"prompt": prompt, "steps": 20, "width": 512, "height": 512}))
hidden.rename(spool / "inbox" / f"{name}.json")

# A folder of results appears in one rename too: once seen, it is complete.
done, failed = spool / "done" / name, spool / "failed" / name
while not (done.is_dir() or failed.is_dir()):
    time.sleep(0.2)

if failed.is_dir():
    sys.exit(json.loads((failed / "error.json").read_bytes())["message"])
for file in sorted(done.iterdir()):
    if file.suffix in {".png", ".jpg", ".webp"}:
        print(file)
