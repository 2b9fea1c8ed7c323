# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast somebody falls whom nothing touches: metres, frames and the scale of the world in one number.

The centre of mass of a body in flight accelerates by 9.81 m/s2 whoever it is. What a take's body does there is the
parabola's acceleration through its centres of mass in the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...contract.body_model import BodyModel
from ...contract.messages import Frame
from ...contract.rotations import axis_angle_to_matrix

GRAVITY = 9.81

_SEGMENTS = (
    # share of the mass, joints that the segment goes from and to, and where on the way its centre lies (Dempster 1955)
    (0.497, 0, 12, 0.44), (0.081, 12, 15, 1.0),
    *((mass, first + side, last + side, along) for side in (0, 1) for mass, first, last, along in (
        (0.028, 16, 18, 0.436), (0.022, 18, 20, 0.682),
        (0.1, 1, 4, 0.433), (0.0465, 4, 7, 0.433), (0.0145, 7, 10, 0.5),
    )),
)  # fmt: skip

_NEAR_M = 0.5
"""Whoever's centre of mass is seen within this of the true one is the person who flies."""

_LEAST_SHARE, _LEAST_FRAMES = 0.5, 5
"""Of the flight's captured frames, that the person must be seen in."""


@dataclass(frozen=True)
class TrueFlight:
    """A flight in a clip, as `facts` of `annotations.json` have it."""

    takeoff_frame: float
    landing_frame: float
    centre_px: Mapping[int, np.ndarray]
    """(2,) where the centre of mass is seen, in some frames."""

    def centre_at(self, frame: int) -> np.ndarray:
        """(2,) pixels, between the frames that are known."""
        known = sorted(self.centre_px)
        places = np.array([self.centre_px[number] for number in known])
        return np.array([np.interp(frame, known, places[:, axis]) for axis in (0, 1)])


@dataclass(frozen=True)
class Fall:
    """What was measured of a flight."""

    acceleration: float | None
    """m/s2; None where the person was not seen in enough frames."""
    seen: int
    captured: int
    """Frames of the flight that the take has."""
    tracks: tuple[int, ...]
    """Who flies, as the take has it."""


def read_flight(facts: Mapping[str, Any]) -> TrueFlight | None:
    """The flight among the facts of a clip, None without one."""
    if "flight" not in facts:
        return None
    flight = facts["flight"]
    centre = {int(number): np.array(place, dtype=np.float64) for number, place in facts["centre_of_mass_px"].items()}
    if not centre or any(place.shape != (2,) for place in centre.values()):
        raise ValueError("a flight needs centres of mass, two numbers each")
    return TrueFlight(float(flight["takeoff_frame"]), float(flight["landing_frame"]), centre)


def measure_fall(flight: TrueFlight, frames: Mapping[int, Frame], body: BodyModel) -> Fall:
    """The acceleration of the flying body of a take, by the numbers of the footage's frames."""
    within = [number for number in sorted(frames) if flight.takeoff_frame < number < flight.landing_frame]
    found = [(number, *flier) for number in within if (flier := _flier(frames[number], flight.centre_at(number), body))]
    tracks = tuple(sorted({track for _, track, _ in found}))
    if len(found) < max(_LEAST_FRAMES, _LEAST_SHARE * len(within)):
        return Fall(None, len(found), len(within), tracks)
    time_s = np.array([frames[number].time_s for number, _, _ in found])
    time_s -= time_s.mean()
    rows = np.stack([np.ones(len(time_s)), time_s, time_s**2 / 2], axis=-1)
    solution, *_ = np.linalg.lstsq(rows, np.array([centre for _, _, centre in found]), rcond=None)
    return Fall(float(np.linalg.norm(solution[2])), len(found), len(within), tracks)


def _flier(frame: Frame, centre_px: np.ndarray, body: BodyModel) -> tuple[int, np.ndarray] | None:
    """The track of the person who is seen there, and the (3,) centre of mass in the world."""
    if not len(frame.track_id):
        return None
    rotations = axis_angle_to_matrix(frame.pose_axis_angle)
    centres = centre_of_mass(body.posed_joints(rotations, frame.betas, frame.expression, frame.translation))
    pixels = frame.focal_px * centres[:, :2] / centres[:, 2:] + frame.principal_point_px
    away_m = np.linalg.norm(pixels - centre_px, axis=-1) * centres[:, 2] / frame.focal_px
    nearest = int(away_m.argmin())
    if away_m[nearest] > _NEAR_M:
        return None
    pose = frame.world_from_camera
    return int(frame.track_id[nearest]), pose[:3, :3] @ centres[nearest] + pose[:3, 3]


def centre_of_mass(joints: np.ndarray) -> np.ndarray:
    """(..., 3) of (..., 22 or more, 3) joints."""
    total = sum(mass for mass, *_ in _SEGMENTS)
    parts = [
        mass / total * (joints[..., first, :] + along * (joints[..., last, :] - joints[..., first, :]))
        for mass, first, last, along in _SEGMENTS
    ]
    return np.sum(parts, axis=0)
