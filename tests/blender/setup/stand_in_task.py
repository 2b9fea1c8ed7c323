# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for a download or an installation where a test needs one that takes no time, or that misbehaves.

Runs as ``python stand_in_task.py KIND``; standard library only.
"""

import json
import os
import signal
import sys
import time


def tell(**event):
    print(json.dumps(event), flush=True)


def main(kind):
    if kind == "secret":
        user, password = sys.stdin.readline(), sys.stdin.readline()
        tell(event="stage", stage=f"Told {len(user + password)} characters")
        tell(event="done")
        return
    tell(event="stage", stage="Connecting")
    print("a library says hello", flush=True)
    print("a warning", file=sys.stderr, flush=True)
    tell(event="progress", name="896L", done=1_200_000_000, total=4_700_000_000, bytes_per_s=20_000_000)
    if kind == "wait":
        sys.stdin.read()  # until it is closed
        tell(event="error", code="cancelled", message="Cancelled.", remedy="Start again.")
        sys.exit(130)
    if kind == "busy":
        while True:
            time.sleep(0.05)
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        tell(event="stage", stage="Deaf")
        while True:
            time.sleep(0.05)
    if kind == "refuse":
        tell(event="error", code="wrong-hash", message="The file is not the published one.", remedy="Get it again.")
        sys.exit(1)
    if kind == "die":
        print("the last thing it said", file=sys.stderr, flush=True)
        os._exit(3)
    if kind == "result":
        tell(device="cpu", precision="float32")
        return
    tell(event="done")


main(sys.argv[1])
