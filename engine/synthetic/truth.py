# SPDX-License-Identifier: GPL-3.0-or-later
"""A synthetic clip's ground truth in the form that evaluation reads, and which people a detector has to find in it."""

from __future__ import annotations

import numpy as np
import torch

from ..contract.rotations import matrix_to_axis_angle
from ..ground_truth import ClipTruth, SmplxPeople
from .clips import Clip

_HEAD_SEARCH = 40
"""A head counts as seen when the person shows within the picture's longer side over this many pixels of it."""


def clip_truth(clip: Clip, name: str, frame_rate: float, maps_every: int = 0) -> ClipTruth:
    """The truth about one clip (not a batch) whose pictures are the footage, one after the other.

    `frame_rate` is that of the footage as written. Depth and person masks go along at every `maps_every`-th pixel of
    both directions; 0 leaves them out.
    """
    frames, height, width = clip.depth.shape
    taken = clip.present.cpu().numpy()
    maps = slice(maps_every // 2, None, maps_every or 1)
    depth, mask = (value[:, maps, maps].cpu().numpy() if maps_every else None for value in (clip.depth, clip.instance))
    if mask is not None:
        # Places of people who are not there are left out below: number the others anew.
        numbers = np.concatenate([[0], np.cumsum(taken)]).astype(np.uint8)
        mask = numbers[mask]
    there = (clip.joints[..., 2].amin(-1) > 0) & clip.present
    people = SmplxPeople(
        pose_axis_angle=matrix_to_axis_angle(clip.rotations.cpu().double().numpy())[:, taken].astype(np.float32),
        betas=clip.betas.cpu().numpy()[taken], expression=clip.expression.cpu().numpy()[:, taken],
        translation=clip.translation.cpu().numpy()[:, taken],
    )  # fmt: skip
    return ClipTruth(
        name=name, footage_size=(width, height), frame_rate=frame_rate, source_frame=np.arange(frames),
        world_from_camera=clip.world_from_camera.cpu().double().numpy(),
        focal_px=np.full(frames, float(clip.focal_px)),
        principal_point_px=np.tile(clip.principal_point_px.cpu().double().numpy(), (frames, 1)), people=people,
        present=there.cpu().numpy()[:, taken], expected=(head_seen(clip) & there).cpu().numpy()[:, taken],
        person_mask=mask, depth_m=depth,
    )  # fmt: skip


def head_seen(clip: Clip) -> torch.Tensor:
    """(T, P) bool: the head joint lies in the picture and the person shows there, not something nearer."""
    frames, height, width = clip.depth.shape
    margin = max(1, max(width, height) // _HEAD_SEARCH)
    head = clip.head_px.nan_to_num(-1e6)
    limit = torch.tensor([width - 1, height - 1], device=head.device)
    inside = ((head >= 0) & (head <= limit)).all(-1) & clip.present
    column, row = head.round().long().clamp(torch.zeros_like(limit), limit).unbind(-1)
    seen = torch.zeros_like(inside)
    frame = torch.arange(frames, device=head.device)
    for person in range(inside.shape[1]):
        shows = (clip.instance == person + 1).float()[:, None]
        near = torch.nn.functional.max_pool2d(shows, 2 * margin + 1, 1, margin)[:, 0] > 0
        seen[:, person] = near[frame, row[:, person], column[:, person]]
    return seen & inside
