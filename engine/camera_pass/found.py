# SPDX-License-Identifier: GPL-3.0-or-later
"""What following the camera through a whole clip comes to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.messages import CameraSummary
from ..estimate import CameraPath


@dataclass(frozen=True)
class FoundCamera:
    """The camera of a clip of N frames, in meters; the world is the first frame's camera."""

    path: CameraPath
    summary: CameraSummary
    """What the take says of it."""
    points: np.ndarray
    """(P, 3) the corners that were followed, world frame, meters; none for a camera that does not move."""
