# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic clips as evaluation sets: made from their seeds when asked for, or read from a dataset on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from ..contract.body_choice import MANNEQUIN, body_file
from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..ground_truth import ClipTruth
from ..synthetic.clips import Clip, make_clip, make_clips
from ..synthetic.dataset import read_sequence, sequences
from ..synthetic.settings import ClipSettings
from ..synthetic.truth import clip_truth
from .body_points import PointSet, SmplxPoints
from .sets import EvaluationClip

_BATCH = 16


@dataclass(frozen=True)
class NamedBody:
    """A body, and what takes call it."""

    model: BodyModel
    name: str

    @classmethod
    def load(cls, path: str = "") -> NamedBody:
        """The body of a file, or the mannequin: figures do not depend on what is installed. Raises UserError."""
        return cls(BodyModel.load(body_file(path)), Path(path or MANNEQUIN).name)


class SyntheticSet:
    """The clips of some seeds, one after the other, as folders of pictures that vanish when the next one is made."""

    points: PointSet = SmplxPoints()

    def __init__(self, seeds: range, settings: ClipSettings, body: NamedBody) -> None:
        self.name = f"synthetic {settings.tier}, seeds {seeds.start} to {seeds.stop - 1}"
        self._seeds = seeds
        self._settings = settings
        self._body = body

    def __len__(self) -> int:
        return len(self._seeds)

    def clips(self) -> Iterator[EvaluationClip]:
        """Clips with pictures."""
        for seed in self._seeds:
            clip = make_clip(seed, self._settings, body=self._body.model)
            with tempfile.TemporaryDirectory(prefix="human3r-clip-") as folder:
                write_pictures(clip, Path(folder))
                yield EvaluationClip(folder, truth_of_clip(clip, self._body))

    def truths(self) -> Iterator[ClipTruth]:
        """The ground truth alone, several clips made at once: for short clips."""
        for first in range(0, len(self._seeds), _BATCH):
            seeds = self._seeds[first : first + _BATCH]
            batch = make_clips(seeds, self._settings, body=self._body.model)
            for number in range(len(seeds)):
                yield truth_of_clip(batch.one(number), self._body)


class DatasetSet:
    """The sequences of one split of a dataset on disk (`engine.synthetic.dataset`, as processed BEDLAM is kept)."""

    points: PointSet = SmplxPoints()

    def __init__(self, folder: str | Path, split: str, body: NamedBody) -> None:
        """`body` is the one that the dataset's parameters belong to."""
        self._sequences = sequences(folder, split)
        self.name = f"{Path(folder).name}, {split}"
        self._body = body

    def __len__(self) -> int:
        return len(self._sequences)

    def clips(self) -> Iterator[EvaluationClip]:
        """Clips with pictures."""
        for sequence, truth in zip(self._sequences, self.truths(), strict=True):
            yield EvaluationClip(str(sequence / "rgb"), truth)

    def truths(self) -> Iterator[ClipTruth]:
        """The ground truth alone."""
        for sequence in self._sequences:
            clip = read_sequence(sequence, self._body.model)
            yield replace(truth_of_clip(clip, self._body), name=sequence.name)


def write_pictures(clip: Clip, folder: Path) -> None:
    """Write the clip's pictures as `0000.png`, `0001.png`, ... into an existing folder, without loss."""
    for number, picture in enumerate(clip.rgb.cpu().numpy()):
        path = folder / f"{number:04d}.png"
        if not cv2.imwrite(str(path), picture[..., ::-1]):
            raise UserError(
                "picture-unwritable",
                "The image {path} cannot be written.",
                "Free some space in the folder for temporary files.",
                path=path,
            )


def truth_of_clip(clip: Clip, body: NamedBody) -> ClipTruth:
    """What is true of a clip whose pictures are the footage, with depth and masks of every pixel."""
    times = clip.time_s.tolist()
    frame_rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 1.0
    return replace(clip_truth(clip, f"seed {int(clip.seed)}", frame_rate, maps_every=1), body=body.name)
