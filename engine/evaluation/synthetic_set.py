# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic clips as an evaluation set: fixed by their seeds, made when asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.rotations import matrix_to_axis_angle
from ..contract.skeleton import HEAD
from ..synthetic.clips import Clip, make_clip, make_clips
from ..synthetic.settings import ClipSettings
from .body_points import PointSet, SmplxPoints
from .ground_truth import ClipTruth, EvaluationClip, SmplxPeople

HEAD_RADIUS_M = 0.12
"""Around the head joint: the head is visible where a pixel within this shows its person."""

LEAST_VISIBLE_PX = 20
"""A person of fewer visible pixels need not be found."""

_BATCH = 16


class SyntheticSet:
    """The clips of some seeds, one after the other, as folders of pictures that vanish when the next one is made."""

    points: PointSet = SmplxPoints()

    def __init__(self, seeds: range, settings: ClipSettings, body: BodyModel) -> None:
        self.name = f"synthetic {settings.tier}, seeds {seeds.start} to {seeds.stop - 1}"
        self._seeds = seeds
        self._settings = settings
        self._body = body

    def __len__(self) -> int:
        return len(self._seeds)

    def clips(self) -> Iterator[EvaluationClip]:
        """Clips with pictures."""
        for seed in self._seeds:
            clip = make_clip(seed, self._settings, body=self._body)
            with tempfile.TemporaryDirectory(prefix="human3r-clip-") as folder:
                write_pictures(clip, Path(folder))
                yield EvaluationClip(folder, truth_of(clip))

    def truths(self) -> Iterator[ClipTruth]:
        """The ground truth alone, several clips made at once: for short clips."""
        for first in range(0, len(self._seeds), _BATCH):
            seeds = self._seeds[first:first + _BATCH]
            batch = make_clips(seeds, self._settings, body=self._body)
            for number in range(len(seeds)):
                yield truth_of(batch.one(number))


def write_pictures(clip: Clip, folder: Path) -> None:
    """Write the clip's pictures as `0000.png`, `0001.png`, ... into an existing folder, without loss."""
    for number, picture in enumerate(clip.rgb.cpu().numpy()):
        path = folder / f"{number:04d}.png"
        if not cv2.imwrite(str(path), picture[..., ::-1]):
            raise UserError("picture-unwritable", f"The picture {path} cannot be written.",
                            "Free some space in the folder for temporary files.")


def truth_of(clip: Clip) -> ClipTruth:
    """What is true of a clip, its pictures counted from 0."""
    present = clip.present.cpu().numpy()
    frames = len(clip.rgb)
    height, width = clip.rgb.shape[1:3]
    time = clip.time_s.double().cpu().numpy()
    here = np.broadcast_to(present, (frames, len(present)))
    people = SmplxPeople(
        pose_axis_angle=matrix_to_axis_angle(clip.rotations.double().cpu().numpy()).astype(np.float32),
        betas=clip.betas.cpu().numpy(), expression=clip.expression.cpu().numpy(),
        translation=clip.translation.cpu().numpy())
    return ClipTruth(
        name=f"seed {int(clip.seed)}", footage_size=(width, height),
        frame_rate=(frames - 1) / float(time[-1] - time[0]) if frames > 1 else 1.0,
        source_frame=np.arange(frames), world_from_camera=clip.world_from_camera.double().cpu().numpy(),
        focal_px=np.full(frames, float(clip.focal_px)),
        principal_point_px=np.tile(clip.principal_point_px.double().cpu().numpy(), (frames, 1)),
        people=people, present=here.copy(), expected=here & _findable(clip),
        person_mask=clip.instance.cpu().numpy(), depth_m=clip.depth.cpu().numpy())


def _findable(clip: Clip) -> np.ndarray:
    """(T, P) bool: the head joint lies in the picture, the head can be seen, and enough of the person."""
    head_px = clip.head_px.double().cpu().numpy()
    depth = clip.joints[..., HEAD, 2].double().cpu().numpy()
    instance = clip.instance.cpu().numpy()
    height, width = instance.shape[1:]
    visible = clip.visible_px.cpu().numpy() >= LEAST_VISIBLE_PX
    columns, rows = np.arange(width), np.arange(height)
    for frame, person in np.argwhere(visible):
        x, y = head_px[frame, person]
        inside = -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5  # not so for NaN, behind the camera
        if inside:
            radius = max(1.0, float(clip.focal_px) * HEAD_RADIUS_M / depth[frame, person])
            near = (columns - x) ** 2 + (rows[:, None] - y) ** 2 <= radius**2
            inside = bool((near & (instance[frame] == person + 1)).any())
        visible[frame, person] = inside
    return visible
