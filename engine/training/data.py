# SPDX-License-Identifier: GPL-3.0-or-later
"""Training clips made on the fly from seeds, each used a few times: stored sets of this size overfit within minutes.

(:mod:`.stored_clips` draws clips from a dataset on disk instead.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from ..synthetic.clips import Clip, make_clips
from ..synthetic.settings import ClipSettings
from .truth import Truth, join

VALIDATION_SEEDS = range(900_000, 900_064)
"""Seeds that training skips and progress is measured on. From a million on they are for evaluation only."""

_TRAINING_SEEDS = 900_000
_HEAD_MARGIN_PX = 3
_AT_ONCE = 32
"""Clips of a new window are made in batches of this many."""


def truth_of(clip: Clip) -> Truth:
    """A batch of clips as training truth; without labels where they have none."""
    height, width = clip.depth.shape[-2:]
    head = clip.head_px.nan_to_num(-1e6)
    last = torch.tensor((width - 1, height - 1), device=head.device)
    inside = ((head >= 0) & (head <= last)).all(dim=-1)
    head = head.clamp(min=torch.zeros_like(last), max=last).float()
    exists = inside & clip.present[:, None] & _seen(clip.instance, head)
    frames = clip.depth.shape[1]
    return Truth(
        images=clip.rgb.permute(0, 1, 4, 2, 3).float() / 127.5 - 1, depth=clip.depth,
        focal_px=clip.focal_px[:, None].expand(-1, frames), world_from_camera=clip.world_from_camera,
        instance=clip.instance.long(), exists=exists, rotations=clip.rotations,
        betas=clip.betas[:, None].expand(-1, frames, -1, -1), expression=clip.expression, joints=clip.joints,
        head_px=head, part=None if clip.part is None else clip.part.long(), canonical=clip.canonical,
    )  # fmt: skip


def _seen(instance: Tensor, head_px: Tensor) -> Tensor:
    """(B, T, N) bool: whether the person shows within a few pixels of the head; a hidden head teaches nothing."""
    size = 2 * _HEAD_MARGIN_PX + 1
    batch, frames, people = head_px.shape[:3]
    column, row = head_px.round().long().unbind(-1)
    clip = torch.arange(batch, device=instance.device)[:, None]
    frame = torch.arange(frames, device=instance.device)[None]
    seen = torch.zeros(batch, frames, people, dtype=torch.bool, device=instance.device)
    for person in range(people):
        near = functional.max_pool2d((instance == person + 1).float(), size, 1, _HEAD_MARGIN_PX) > 0
        seen[..., person] = near[clip, frame, row[..., person], column[..., person]]
    return seen


class ClipPool:
    """A window of synthetic clips that moves on through the seeds: every draw replaces the oldest by new ones.

    The contents follow from the number of draws alone, so that training resumes exactly.
    """

    def __init__(
        self, settings: ClipSettings, clips: int, fresh: int, first_seed: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        """Keep ``clips`` clips; each :meth:`draw` makes ``fresh`` new ones, from ``first_seed`` on."""
        self.settings = replace(settings, labels=True)
        self.capacity, self.fresh, self.first_seed, self.device = clips, fresh, first_seed, device
        self.draws = 0
        self._clips: Truth | None = None

    def draw(self, batch: int) -> Truth:
        """A batch of clips out of the window."""
        if self._clips is None:
            self._clips = self._make(self.draws * self.fresh, self.capacity)
        elif self.fresh:
            new = self._make(self.capacity + (self.draws - 1) * self.fresh, self.fresh)
            self._clips = join([self._clips.clips(torch.arange(self.fresh, self.capacity)), new])
        chooser = torch.Generator().manual_seed(self.first_seed + self.draws)
        chosen = torch.randperm(self.capacity, generator=chooser)[:batch]
        self.draws += 1
        return self._clips.clips(chosen.to(self.device))

    def resume(self, draws: int) -> None:
        """Stand where the pool was after so many draws."""
        self.draws, self._clips = draws, None

    def _make(self, start: int, count: int) -> Truth:
        """Clips with these numbers, always made beside the same others: the last bits depend on a batch's size."""
        parts = []
        for numbers in self._batches(start, start + count):
            made = self._of_seeds([(self.first_seed + number) % _TRAINING_SEEDS for number in numbers])
            kept = range(max(start, numbers.start), min(start + count, numbers.stop))
            parts.append(made.clips(torch.arange(kept.start, kept.stop, device=self.device) - numbers.start))
        return join(parts)

    def _batches(self, start: int, end: int) -> Iterator[range]:
        """The batches that clips ``start`` to ``end`` come in: the first window's, then one for each draw."""
        for begin in range(0, self.capacity, _AT_ONCE):
            if begin < end and min(begin + _AT_ONCE, self.capacity) > start:
                yield range(begin, min(begin + _AT_ONCE, self.capacity))
        if end > self.capacity:
            behind = max(start - self.capacity, 0)
            for begin in range(self.capacity + behind - behind % self.fresh, end, self.fresh):
                yield range(begin, begin + self.fresh)

    def _of_seeds(self, seeds: list[int]) -> Truth:
        """The clip of each seed."""
        return truth_of(make_clips(seeds, self.settings, self.device))
