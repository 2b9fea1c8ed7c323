# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the engine where a test needs one that misbehaves, or one that is done in no time.

Runs as ``python -m engine serve`` from a folder made by the fixture ``stand_in``, with the true contract beside it. The
capture's source says what to do, such as ``walk:30`` (frames), ``die:5`` (after so many frames), ``garble:5``.
"""

import os
import signal
import sys
import threading
import time
import traceback

import numpy as np

from engine.contract.framing import read_record, write_record
from engine.contract.message_records import decode, encode
from engine.contract.messages import (
    PROTOCOL_VERSION,
    CancelCapture,
    Failure,
    Frame,
    ScenePoints,
    StartCapture,
    Status,
    TakeEnd,
    TakeHeader,
    pack_mask,
)
from engine.contract.take import TakeWriter

RATE = 25.0
cancelled = threading.Event()


def send(message, take=None):
    if take is not None:
        take.write(message)
    write_record(sys.stdout.buffer, encode(message))


def make_frame(index, people=2):
    pose = np.zeros((people, 55, 3))
    pose[:, 0, 0] = np.pi  # upright: the body's y is up, the camera's is down
    pose[:, 16, 2] = np.sin(index / 5)
    camera = np.eye(4)
    camera[0, 3] = 0.01 * index
    translation = np.array([[person - 0.5, 0.3, 4.0 + 0.02 * index] for person in range(people)])
    return Frame(
        index=index,
        source_frame=index,
        time_s=index / RATE,
        focal_px=700.0,
        world_from_camera=camera,
        principal_point_px=np.array([319.5, 239.5]),
        track_id=np.arange(people),
        score=np.full(people, 0.9),
        pose_axis_angle=pose,
        betas=np.full((people, 10), 0.3),
        expression=np.zeros((people, 10)),
        translation=translation,
        head_point=translation - np.array([0, 0.6, 0]),
        head_px=np.full((people, 2), 100.0),
        mask_size=(8, 6),
        mask_box_px=(-0.5, -0.5, 639.5, 479.5),
        mask_bits=pack_mask(np.zeros((6, 8), bool)),
    )


def capture(settings):
    kind, _, number = settings.source.rpartition("/")[2].partition(":")
    count = int(number or 10)
    take = TakeWriter(settings.take)
    send(Status("loading", "Loading the model"))
    if kind == "fail":
        send(Failure("out-of-memory", "The model does not fit into memory.", "Choose a smaller model."))
        return
    if kind == "import-error":
        raise ModuleNotFoundError("No module named 'torch'")
    if kind == "blocked":
        raise ImportError("DLL load failed while importing _C: The specified module could not be found.")
    if kind == "blocked":
        raise ImportError("DLL load failed while importing _C: The specified module could not be found.")
    send(
        TakeHeader(
            PROTOCOL_VERSION,
            "stand-in 1",
            (640, 480),
            RATE,
            None if kind == "endless" else count,
            "small, recipe weights",
            "mannequin",
            settings,
        ),
        take,
    )
    index = 0
    while kind == "endless" or index < count:
        if cancelled.is_set():
            break
        send(make_frame(index), take)
        if index % 5 == 0:
            grid = np.random.default_rng(index).random((200, 3)) * 4
            send(ScenePoints(index, False, grid, np.full((200, 3), 128), np.full(200, 3.0)), take)
        index += 1
        print(f"frame {index}", file=sys.stderr, flush=True)
    if kind == "die":
        print("the last thing it said", file=sys.stderr, flush=True)
        os._exit(3)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "garble":
        sys.stdout.buffer.write(b"Downloading weights: 100%" * 10)
        sys.stdout.buffer.flush()
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)
    send(TakeEnd("cancelled" if cancelled.is_set() else "complete", index, ""), take)
    take.close()


def main():
    requests = []
    arrived = threading.Condition()

    def listen():
        while (record := read_record(sys.stdin.buffer)) is not None:
            request = decode(record)
            if isinstance(request, CancelCapture):
                cancelled.set()
            else:
                with arrived:
                    requests.append(request)
                    arrived.notify()
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        with arrived:
            arrived.wait_for(lambda: requests)
            request = requests.pop(0)
        if not isinstance(request, StartCapture):
            os._exit(0)  # an ordinary end would wait for the thread that reads standard input, and abort
        cancelled.clear()
        try:
            capture(request.settings)
        except Exception:
            traceback.print_exc()
            os._exit(1)


if __name__ == "__main__":
    main()
