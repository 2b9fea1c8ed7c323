# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a precision is from float32: joints, depth, camera, over synthetic clips that training never saw.

    python -m tools.precision_figures [--model small] [--device auto] [--clips 4] [--frames 12]

Both runs carry their own state from frame to frame, as a capture does.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import DEVICES
from engine.model.precision import product_type
from engine.model.rollout import ChunkedRollout, RolloutFrame, RolloutSettings
from engine.model.weights import choose_device, load_named_model
from engine.stages.body import standard_bodies
from engine.synthetic.clips import make_clip
from engine.synthetic.settings import HELD_OUT_SEED, tier_settings

BOUNDS = {
    "bfloat16": {"joints_mm": 6.0, "depth_percent": 0.1, "camera_mm": 0.05},
    "float16": {"joints_mm": 0.6, "depth_percent": 0.01, "camera_mm": 0.005},
}
"""Mean deviations of the small model that a test holds it to."""


@dataclass(frozen=True)
class Deviations:
    """Means over all frames and people that both precisions see."""

    joints_mm: float
    """Distance of the 55 joints in the camera frame."""
    depth_percent: float
    """Absolute difference of a pixel's depth over its depth in float32."""
    camera_mm: float
    """Distance of the camera positions in the first camera's world."""
    people: int
    """People compared."""
    same_people: bool
    """Whether both found the same number of people in every frame."""
    seconds_per_frame: float
    float32_seconds_per_frame: float


def deviations(model: str, precision: str, pictures: torch.Tensor, device: torch.device) -> Deviations:
    """Compare one clip, (T, 3, H, W) pictures in [-1, 1], with float32 on the same device."""
    exact, float32_seconds = _roll(model, "float32", pictures, device)
    rounded, seconds = _roll(model, precision, pictures, device)
    body = BodyModel.load(default_body_path())
    joints: list[np.ndarray] = []
    depths, cameras, same = [], [], True
    for left, right in zip(exact, rounded, strict=True):
        z, other = left.prediction.points_self[..., 2], right.prediction.points_self[..., 2]
        depths.append(float(((other - z).abs() / z.abs().clamp(min=1e-3)).mean()))
        cameras.append(np.linalg.norm(left.world_from_camera[:3, 3] - right.world_from_camera[:3, 3]))
        ours, theirs = _joints(left, body), _joints(right, body)
        same &= len(ours) == len(theirs)
        if len(ours) and len(theirs):
            distance = np.linalg.norm(ours[:, None] - theirs[None], axis=-1).mean(axis=-1)
            joints.append(distance.min(axis=1))  # each person with the nearest one
    per_person = np.concatenate(joints) if joints else np.zeros(0)
    joints_mm = float(per_person.mean()) * 1000 if len(per_person) else float("nan")
    return Deviations(
        joints_mm,
        float(np.mean(depths)) * 100,
        float(np.mean(cameras)) * 1000,
        len(per_person),
        same,
        seconds,
        float32_seconds,
    )


def _roll(model: str, precision: str, pictures: torch.Tensor, device: torch.device) -> tuple[list[RolloutFrame], float]:
    autocast = product_type(precision, device)
    rollout = ChunkedRollout(load_named_model(model, device, precision).model, RolloutSettings(autocast=autocast))
    started = time.perf_counter()
    frames = [frame for picture in pictures for frame in rollout.push(picture) if frame.emitted]
    return frames, (time.perf_counter() - started) / len(pictures)


def _joints(frame: RolloutFrame, body: BodyModel) -> np.ndarray:
    """(n, 55, 3) joints in the camera frame, metres."""
    people = frame.prediction.people
    if not len(people):
        return np.zeros((0, 55, 3))
    bodies = standard_bodies(people, people.betas.float().cpu().numpy(), people.head_point.float().cpu().numpy(), body)
    return body.posed_joints(
        axis_angle_to_matrix(bodies.pose_axis_angle), bodies.betas, bodies.expression, bodies.translation
    )


def main() -> int:
    """Print a table; always returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--frames", type=int, default=12)
    options = parser.parse_args()
    device = choose_device(options.device)
    settings = replace(tier_settings("studio"), frames=options.frames)
    clips = [
        make_clip(HELD_OUT_SEED + number, settings).rgb.permute(0, 3, 1, 2).float() / 127.5 - 1
        for number in range(options.clips)
    ]
    for precision in ("bfloat16", "float16"):
        rows = [deviations(options.model, precision, clip, device) for clip in clips]
        weight = np.array([row.people for row in rows])
        joints = np.average([row.joints_mm for row in rows], weights=weight) if weight.all() else float("nan")
        print(
            f"{options.model} on {device.type} in {precision}: joints {joints:.2f} mm, depth "
            f"{np.mean([row.depth_percent for row in rows]):.4f} %, camera "
            f"{np.mean([row.camera_mm for row in rows]):.4f} mm, {weight.sum()} people, the same number in "
            f"{sum(row.same_people for row in rows)} of {len(rows)} clips, "
            f"{np.mean([row.seconds_per_frame for row in rows]):.3f} s a frame (float32 "
            f"{np.mean([row.float32_seconds_per_frame for row in rows]):.3f} s)",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
