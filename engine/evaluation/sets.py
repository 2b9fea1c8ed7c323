# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set of clips with ground truth has to offer to be evaluated on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..ground_truth import ClipTruth
from .body_points import PointSet


@dataclass(frozen=True)
class EvaluationClip:
    """A clip to reconstruct, and what is true of it."""

    source: str
    """What the engine reads: a video file, a folder of images, or an image-sequence pattern."""
    truth: ClipTruth


class EvaluationSet(Protocol):
    """A set of clips with ground truth: synthetic ones here; readers of 3DPW, EMDB, RICH, TUM or Bonn look the same."""

    name: str
    points: PointSet
    """Which joints and vertices are compared."""

    def clips(self) -> Iterator[EvaluationClip]:
        """The clips, one at a time; a clip's source may vanish when the next one is asked for."""
