# SPDX-License-Identifier: GPL-3.0-or-later
"""The surroundings of a clip whose camera has been followed: what the last pass adds to the take."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from ..camera_pass.clip import Clip
from ..camera_pass.found import FoundCamera
from ..contract.messages import Backdrop
from ..estimate import PlaceView
from .backdrop import backdrop_of
from .plate import person_free_plate
from .views import place_views


@dataclass(frozen=True)
class FoundSurroundings:
    """At most one of the two is there."""

    views: list[PlaceView] | None = None
    """Of which the scene points are made anew; None where the model's own stay."""
    backdrop: Backdrop | None = None
    """None for a camera that moves, and where none was asked for."""


def surroundings_of(clip: Clip, found: FoundCamera, with_backdrop: bool) -> Generator[float, None, FoundSurroundings]:
    """Look at a clip once more for what is around its people; yields the share that is done, and may be closed.

    `found.path` has a pose for each frame of the clip and, where it is known, the focal length that the take ends up
    with: the one of the last frame is taken else. Raises UserError: ``disk-full``, or as reading take and footage does.
    """
    if not len(found.path.world_from_camera):
        return FoundSurroundings()
    if found.summary.motion == "moving":
        views = (yield from place_views(clip, found)) if found.summary.refined else []
        return FoundSurroundings(views=views or None)
    if not with_backdrop:
        return FoundSurroundings()
    plate = yield from person_free_plate(clip, found.path)
    return FoundSurroundings(backdrop=None if plate is None else backdrop_of(plate, found.path))
