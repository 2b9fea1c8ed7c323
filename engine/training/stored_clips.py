# SPDX-License-Identifier: GPL-3.0-or-later
"""Training clips out of a dataset on disk (`engine.synthetic.dataset` says what it looks like), drawn by seed.

Only the dataset's training split is read; its validation split is for `python -m engine evaluate --dataset`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..synthetic.clips import Clip
from ..synthetic.dataset import TRAINING, frame_count, read_sequence, sequences
from ..synthetic.dice import Dice
from ..synthetic.settings import ClipSettings
from .data import ClipPool, truth_of
from .truth import Truth, join

_BLUR = 0.4
"""Standard deviation, in new pixels, of the blur before pictures are made smaller: without one they would flicker."""


class StoredClipPool(ClipPool):
    """As :class:`.data.ClipPool`, but a seed chooses a sequence of a dataset, and which of its frames make the clip.

    Of the settings only `size`, `frames` and `frame_gap` count: what is in the pictures is the dataset's business.
    Sequences too short for the clips are left out.
    """

    def __init__(
        self,
        folder: Path,
        body: BodyModel,
        settings: ClipSettings,
        clips: int,
        fresh: int,
        first_seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        """`body` is whose parameters the dataset holds. Raises UserError (`dataset-missing`, `dataset-short`)."""
        super().__init__(settings, clips, fresh, first_seed, device)
        self._body = body
        counts = {path: frame_count(path) for path in sequences(folder, TRAINING)}
        self._sequences = [(path, count) for path, count in counts.items() if count >= settings.frames]
        if not self._sequences:
            raise UserError(
                "dataset-short",
                "No sequence in {folder} has {frames} frames.",
                "Choose a dataset with longer sequences.",
                folder=folder,
                frames=settings.frames,
            )

    def _of_seeds(self, seeds: list[int]) -> Truth:
        return join([truth_of(self._clip(seed).as_batch()) for seed in seeds]).to(self.device)

    def _clip(self, seed: int) -> Clip:
        settings, dice = self.settings, Dice(torch.tensor([seed]))
        path, count = self._sequences[int(dice.integer("sequence", 0, len(self._sequences) - 1))]
        steps = settings.frames - 1
        widest = (count - 1) // steps if steps else 1
        gap = int(dice.integer("gap", min(settings.frame_gap[0], widest), min(settings.frame_gap[1], widest)))
        start = int(dice.integer("start", 0, count - 1 - gap * steps))
        clip = read_sequence(path, self._body, range(start, start + gap * steps + 1, gap))
        return fitted(clip, settings.size)


def pool_of(
    folder: Path | None,
    body: BodyModel,
    settings: ClipSettings,
    clips: int,
    fresh: int,
    first_seed: int = 0,
    device: torch.device | str = "cpu",
) -> ClipPool:
    """Clips of the dataset in `folder`; without one, made on the fly."""
    if folder is None:
        return ClipPool(settings, clips, fresh, first_seed, device)
    return StoredClipPool(folder, body, settings, clips, fresh, first_seed, device)


def fitted(clip: Clip, size: tuple[int, int]) -> Clip:
    """A clip (not a batch) with pictures of another width and height: as much of the old ones as fits.

    The new principal point is (width // 2, height // 2), wherever the old one was, as training wants it.
    """
    width, height = size
    old_height, old_width = clip.rgb.shape[1:3]
    old_x, old_y = clip.principal_point_px.tolist()
    new_x, new_y = width // 2, height // 2
    scale = min(
        old_x / new_x,
        old_y / new_y,
        (old_width - 1 - old_x) / (width - 1 - new_x),
        (old_height - 1 - old_y) / (height - 1 - new_y),
    )
    if abs(scale - 1) < 1e-6 and (old_width, old_height, old_x, old_y) == (width, height, new_x, new_y):
        return clip
    old_from_new = np.array([[scale, 0, old_x - scale * new_x], [0, scale, old_y - scale * new_y]])
    rgb, depth, instance = clip.rgb.numpy(), clip.depth.numpy(), clip.instance.numpy()
    if scale > 1:
        rgb = np.stack([cv2.GaussianBlur(picture, (0, 0), _BLUR * scale) for picture in rgb])
    new_centre = torch.tensor((new_x, new_y), dtype=torch.float32)
    moved = (clip.joints_px - clip.principal_point_px) / scale + new_centre
    shown = torch.from_numpy(_warped(instance, old_from_new, size, cv2.INTER_NEAREST))
    people = range(clip.visible_px.shape[1])
    counts = [(shown == person + 1).sum((1, 2)) for person in people]
    return replace(
        clip, rgb=torch.from_numpy(_warped(rgb, old_from_new, size, cv2.INTER_LINEAR)),
        depth=torch.from_numpy(_warped(depth, old_from_new, size, cv2.INTER_NEAREST)), instance=shown,
        focal_px=clip.focal_px / scale, principal_point_px=new_centre, joints_px=moved,
        visible_px=torch.stack(counts, dim=-1) if counts else clip.visible_px,
    )  # fmt: skip


def _warped(pictures: np.ndarray, old_from_new: np.ndarray, size: tuple[int, int], sampling: int) -> np.ndarray:
    """(T, H, W, ...) pictures at another size."""
    flags = sampling | cv2.WARP_INVERSE_MAP
    return np.stack(
        [
            cv2.warpAffine(picture, old_from_new, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            for picture in pictures
        ]
    )
