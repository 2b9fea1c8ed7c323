# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and error of the tracked camera on true depth with 10 % of error: `python -m benchmarks.camera_tracking`.

Each picture's depth is wrong in its own way, smoothly over the picture; focal length and people are the true ones. What
the small model loses against these figures is its depth, its masks and its focal length.
"""

from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np

from engine.evaluation.camera_trajectory import absolute_trajectory_errors, relative_pose_errors, root_mean_square
from engine.stages.camera_tracking import CameraTracker
from engine.synthetic.clips import make_clip
from engine.synthetic.settings import tier_settings
from engine.training.data import VALIDATION_SEEDS

CLIPS, FRAMES, ERROR = 6, 24, 0.1
LEAST_MOTION_M = 0.01


def main() -> None:
    """Print one line per tier and picture size."""
    cv2.setNumThreads(1)
    for tier, size in (("studio", (128, 96)), ("room", (128, 96)), ("studio", (512, 384))):
        seconds, figures = 0.0, []
        for seed in VALIDATION_SEEDS[:CLIPS]:
            clip = make_clip(seed, replace(tier_settings(tier), frames=FRAMES, size=size))
            random, tracker, focal = np.random.default_rng(seed), CameraTracker(), float(clip.focal_px)
            camera = np.array([[focal, 0, size[0] // 2], [0, focal, size[1] // 2], [0, 0, 1.0]])
            found = []
            for rgb, depth, instance in zip(clip.rgb.numpy(), clip.depth.numpy(), clip.instance.numpy(), strict=True):
                wrong = cv2.resize(random.normal(size=(6, 8)), size, interpolation=cv2.INTER_CUBIC)
                place = np.where((instance > 0) | (depth <= 0), np.nan, depth * np.exp(ERROR * wrong))
                grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
                started = time.process_time()
                found.append(tracker.update(grey, place.astype(np.float32), camera))
                seconds += time.process_time() - started
            poses, true = np.stack(found), clip.poses_from_first().double().numpy()
            still = np.tile(np.eye(4), (FRAMES, 1, 1))
            if root_mean_square(absolute_trajectory_errors(still, true)) > LEAST_MOTION_M:
                figures.append(
                    [
                        value
                        for guess in (poses, still)
                        for value in (
                            root_mean_square(absolute_trajectory_errors(guess, true)),
                            root_mean_square(relative_pose_errors(guess, true).translation_m),
                        )
                    ]
                )
        ate, rpe, still_ate, still_rpe = np.mean(figures, axis=0)
        print(
            f"{tier} {size[0]}x{size[1]}: {1000 * seconds / CLIPS / FRAMES:.1f} ms of processor time a picture, "
            f"{len(figures)} moving cameras, ATE {ate / still_ate:.2f} of a still camera's, "
            f"RPE {rpe:.4f} m (still {still_rpe:.4f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
