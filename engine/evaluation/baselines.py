# SPDX-License-Identifier: GPL-3.0-or-later
"""Trivial predictors, measured like the model: what a figure is worth shows beside theirs.

They are told more than a model is: how many people there are and where their heads are in the picture, the focal
length, and the constants that suit the very clips they are measured on. Everybody has the mean pose, orientation and
shape at the mean distance of the head, the camera stands still, all of the picture lies at one depth and shows people,
and the leftmost person is always number 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.messages import Frame, Message, PointMap, pack_mask
from ..contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..contract.skeleton import HEAD
from ..ground_truth import ClipTruth, SmplxPeople

NAME = "trivial"
"""What reports call these predictors."""

DESCRIPTION = "mean pose, constant depth, still camera"

_GRID = (64, 48)
"""Width and height of the constant point map and mask."""

_MOST_SAMPLES = 100_000
"""Depths per clip that the constant is taken from."""

_TYPICAL_DEPTH_M = 3.0
"""Stands in where no clip knows its depth, so that nothing is measured with it."""


@dataclass(frozen=True)
class TrivialPredictor:
    """Constants of the trivial predictors."""

    pose_axis_angle: np.ndarray
    """(55, 3) mean rotations, root in the camera frame."""
    betas: np.ndarray
    """(10,)"""
    head_depth_m: float
    """Median z of the head."""
    depth_m: float
    """The constant with the least mean relative error."""

    @classmethod
    def fit(cls, truths: Iterable[ClipTruth], body: BodyModel) -> TrivialPredictor:
        """The constants that suit the given clips."""
        rotations, betas, heads, depths = [], [], [], []
        for truth in truths:
            if isinstance(truth.people, SmplxPeople) and truth.expected is not None:
                rows, people = np.nonzero(truth.expected)
                rotations.append(axis_angle_to_matrix(truth.people.pose_axis_angle[rows, people]))
                betas.append(truth.people.betas[people])
                heads.append(_true_heads(truth, truth.people, body, rows, people)[:, 2])
            if truth.depth_m is not None:
                known = truth.depth_m[np.isfinite(truth.depth_m) & (truth.depth_m > 0)]
                depths.append(known[:: max(1, len(known) // _MOST_SAMPLES)])
        poses = np.concatenate([np.empty((0, 55, 3, 3)), *rotations])
        return cls(
            pose_axis_angle=matrix_to_axis_angle(_mean_rotation(poses)) if len(poses) else np.zeros((55, 3)),
            betas=np.concatenate(betas).mean(axis=0) if len(poses) else np.zeros(10),
            head_depth_m=float(np.median(np.concatenate(heads))) if len(poses) else _TYPICAL_DEPTH_M,
            depth_m=_least_relative_error(np.concatenate(depths)) if depths else _TYPICAL_DEPTH_M,
        )

    def messages(self, truth: ClipTruth, body: BodyModel) -> Iterator[Message]:
        """What a take of the clip would hold if this were the model."""
        width, height = truth.footage_size
        columns, rows = np.meshgrid(
            (np.arange(_GRID[0]) + 0.5) * width / _GRID[0] - 0.5, (np.arange(_GRID[1]) + 0.5) * height / _GRID[1] - 0.5
        )
        pixel_px = np.stack([columns, rows], axis=-1).astype(np.float32)
        for index in range(len(truth)):
            focal, centre = float(truth.focal_px[index]), truth.principal_point_px[index]
            yield self._frame(truth, body, index)
            rays = np.concatenate([(pixel_px - centre) / focal, np.ones((*pixel_px.shape[:2], 1))], axis=-1)
            yield PointMap(
                frame_index=index,
                point_camera=(rays * self.depth_m).astype(np.float32),
                pixel_px=pixel_px,
                color=np.zeros((*pixel_px.shape[:2], 3), np.uint8),
                confidence=np.ones(pixel_px.shape[:2], np.float32),
            )

    def _frame(self, truth: ClipTruth, body: BodyModel, index: int) -> Frame:
        width, height = truth.footage_size
        focal, centre = float(truth.focal_px[index]), truth.principal_point_px[index]
        heads = np.empty((0, 3))
        if isinstance(truth.people, SmplxPeople) and truth.expected is not None:
            people = np.flatnonzero(truth.expected[index])
            heads = _true_heads(truth, truth.people, body, np.full(len(people), index), people)
        head_px = focal * heads[:, :2] / np.maximum(heads[:, 2:], 1e-3) + centre
        head_px = head_px[np.argsort(head_px[:, 0])]
        points = np.concatenate([(head_px - centre) / focal, np.ones((len(head_px), 1))], axis=-1) * self.head_depth_m
        count = len(points)
        pose = np.broadcast_to(self.pose_axis_angle, (count, 55, 3))
        betas, expression = np.broadcast_to(self.betas, (count, 10)), np.zeros((count, 10))
        return Frame(
            index=index,
            source_frame=int(truth.source_frame[index]),
            time_s=float(truth.source_frame[index]) / truth.frame_rate,
            focal_px=focal,
            world_from_camera=np.eye(4),
            principal_point_px=centre,
            track_id=np.arange(count, dtype=np.int32),
            score=np.ones(count, np.float32),
            pose_axis_angle=pose.astype(np.float32),
            betas=betas.astype(np.float32),
            expression=expression.astype(np.float32),
            translation=body.translation_from_head(axis_angle_to_matrix(pose), betas, expression, points),
            head_point=points,
            head_px=head_px,
            mask_size=_GRID,
            mask_box_px=(-0.5, -0.5, width - 0.5, height - 0.5),
            mask_bits=pack_mask(np.ones(_GRID[::-1], bool)),
        )


def _true_heads(
    truth: ClipTruth, people: SmplxPeople, body: BodyModel, rows: np.ndarray, slots: np.ndarray
) -> np.ndarray:
    """(M, 3) camera-frame head joints of persons `slots` in rows `rows`."""
    joints = body.posed_joints(
        axis_angle_to_matrix(people.pose_axis_angle[rows, slots]),
        people.betas[slots],
        people.expression[rows, slots],
        people.translation[rows, slots],
    )
    return joints[:, HEAD]


def _mean_rotation(rotations: np.ndarray) -> np.ndarray:
    """The rotation nearest to the mean of (M, ..., 3, 3) rotations over M."""
    left, _, right = np.linalg.svd(rotations.mean(axis=0))
    left[..., 2] *= np.linalg.det(left @ right)[..., None]
    return left @ right


def _least_relative_error(depths: np.ndarray) -> float:
    """The constant c with the least mean of |c - d| / d: the median of d with weights 1 / d."""
    ordered = np.sort(depths.astype(np.float64))
    weight = np.cumsum(1.0 / ordered)
    return float(ordered[np.searchsorted(weight, 0.5 * weight[-1])])
