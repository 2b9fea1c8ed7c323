# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the found floor on synthetic clips, with a model's own points, people and tracked camera.

`python -m benchmarks.ground [FIRST:LAST] [MODEL]`, the model being `small` unless named;
`tests/engine/motion/test_ground.py` bounds them for true points with noise.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.capture import run_capture
from engine.contract.body_choice import MANNEQUIN
from engine.contract.messages import Frame, ScenePoints
from engine.contract.settings import CaptureSettings
from engine.contract.take import SettledTakeReader
from engine.evaluation.synthetic_set import NamedBody, write_pictures
from engine.interruption import Interruption
from engine.motion.ground_of_take import ground_of_frames
from engine.supply import ModelShelf
from engine.synthetic.clips import make_clip
from engine.synthetic.settings import tier_settings
from engine.training.data import VALIDATION_SEEDS

FRAMES = 24


def main() -> None:
    """Print one line per tier, medians over clips."""
    first, _, last = (sys.argv[1] if len(sys.argv) > 1 else "").partition(":")
    model = sys.argv[2] if len(sys.argv) > 2 else "small"
    seeds = range(int(first), int(last)) if last else VALIDATION_SEEDS[:12]
    body, shelf = NamedBody.load(), ModelShelf()
    for tier in ("studio", "room"):
        found = []
        for seed in seeds:
            clip = make_clip(seed, replace(tier_settings(tier), frames=FRAMES), body=body.model)
            with tempfile.TemporaryDirectory() as folder:
                write_pictures(clip, Path(folder))
                take = Path(folder) / "clip.h3r"
                run_capture(
                    CaptureSettings(folder, str(take), model=model, body=MANNEQUIN, frame_rate=25.0),
                    lambda _: None,
                    Interruption(),
                    shelf,
                )
                with SettledTakeReader(take) as reader:
                    messages = list(reader)
            frames = [message for message in messages if isinstance(message, Frame)]
            points = [message.position for message in messages if isinstance(message, ScenePoints)][-1:]
            started = time.process_time()
            ground = ground_of_frames(frames, np.concatenate([*points, np.zeros((0, 3))]), body.model)
            seconds = time.process_time() - started
            pose = clip.world_from_camera[0].double().numpy()
            up, height = -pose[1, :3], float(pose[1, 3])  # the clip's world has y down and its floor at 0
            middle = np.array([0.0, 0.0, 4.0])
            off = ground.heights(middle) - (middle @ up - height)
            found.append((np.rad2deg(np.arccos(np.clip(ground.up @ up, -1, 1))), 100 * abs(off), 1000 * seconds))
        tilt, off, cost = np.median(found, axis=0)
        print(
            f"{tier}: tilt {tilt:.1f} degrees, height 4 m ahead of the camera {off:.0f} cm, {cost:.0f} ms of "
            f"processor time (medians of {len(found)} clips)",
            flush=True,
        )


if __name__ == "__main__":
    main()
