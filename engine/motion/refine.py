# SPDX-License-Identifier: GPL-3.0-or-later
"""Refinement: where a person is in the world, made to agree with the ground that carries him.

A single picture tells least how far away somebody is, so bodies swim along the camera's rays and feet slide. Pose and
camera stay; unknown is one displacement of the person in each frame. It is the least sum of squares of what is known:
rays and distances as they were seen, a body that has a mass and moves smoothly, soles and whatever else rests that stay
where they are, and gravity alone in flight. All of it is linear and solved at once (`block_band.py`); outliers are
weighed down and contacts found again in what comes out.

What contacts cannot tell is the constant factor on somebody's distance: leaving it free was tried, and made heads
worse. Only a known height, focal length or distance mends that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..contract.skeleton import LEFT_FOOT, RIGHT_FOOT
from .block_band import BandedSquares
from .body_contacts import BODY_JOINTS, find_body_contacts
from .body_motion import BodyMotion
from .contact_edits import FEET, HANDS, ContactEdits, marked, with_edits
from .contacts import ContactSettings, find_contacts, runs
from .flights import GRAVITY, centre_of_mass, find_flights, sight_of
from .local_fit import LocalFit

FindContacts = Callable[[BodyMotion], np.ndarray]
"""(T, 4) bool of a motion, as of `contacts.find_contacts`."""

_TREMBLE_S = 0.35
"""What the mass does besides a parabola over so many seconds, both ways, is taken for noise,"""
_SLIDES = 4.0
"""and so many times what a resting sole slides in a frame: errors of neighboring frames are alike and add up."""
_LEAST_NOISE_M = 0.002

_FLIGHT_EDGE_S = 0.07
"""At both ends of a flight a foot may still push: there gravity is not asked for."""

_SOLES = (LEFT_FOOT, RIGHT_FOOT)
_BALLS = slice(2, 4)
"""The columns of contacts that hold a sole: a heel that stands has its ball on the floor, too."""

_RESTING = (*FEET, "", "", *HANDS, "", "")
"""What contacts that are made by hand call the points that may rest: soles, then `BODY_JOINTS`."""


@dataclass(frozen=True)
class RefineSettings:
    """What is believed how much: standard deviations, and the contacts that are looked for."""

    along: float = 0.08
    """Of a distance, at most, as a share of it."""
    across: float = 0.004
    """Of a direction, at most, radians: two pixels in a picture 512 wide."""
    across_m: float = 0.008
    """The same in meters, at most: half a percent of a body's height. Somebody far away is not seen worse, but
    smaller."""
    acceleration_m_per_s2: float = 3.0
    """Of the center of mass; more, as in jumps, counts ever less."""
    flight_m_per_s2: float = 1.0
    """Of the center of mass in flight, besides gravity."""
    sole_m_per_s: float = 0.12
    """Of a sole that stands: it rolls, and the pose has errors of its own."""
    body_m_per_s: float = 0.25
    """Of knees, hands, seat and back that rest: what carries them gives way."""
    contacts: ContactSettings = ContactSettings(speed_m_per_s=(0.25, 0.8))
    """More easily found than where feet are locked: a wrong one is weighed down here."""
    rounds: int = 2
    """Times that contacts are looked for."""
    reweightings: int = 3


@dataclass(frozen=True)
class Refined:
    """A motion that was moved."""

    motion: BodyMotion
    displacement: np.ndarray
    """(T, 3) how far each frame was moved, meters, world."""
    flights: np.ndarray
    """(T,) bool: nothing carries the person."""


def refine(
    motion: BodyMotion,
    camera: np.ndarray,
    up: np.ndarray,
    settings: RefineSettings | None = None,
    find: FindContacts | None = None,
    edits: ContactEdits = (),
) -> Refined:
    """Move a person so that what rests stays. `camera` (T, 3) is where the camera was, `up` (3,) the unit vector away
    from the floor, both in the motion's world.

    `find` tells which of `contacts.CONTACT_JOINTS` stand; without it they are looked for. `edits` count more than
    either. Frames on both sides of a gap know nothing of each other.
    """
    settings = settings or RefineSettings()
    find = find or (lambda moved: find_contacts(moved, up, settings.contacts))
    by_hand = marked(motion.time_s, _RESTING, edits)
    motion.joints()  # once for all rounds: only the place changes
    displacement, flights = np.zeros((len(motion), 3)), np.zeros(len(motion), dtype=bool)
    for _ in range(settings.rounds):
        moved = motion.moved(displacement)
        resting = np.concatenate([find(moved)[:, _BALLS], find_body_contacts(moved, up, settings.contacts)], axis=1)
        resting = with_edits(resting, motion.time_s, _RESTING, edits)
        for frames in motion.stretches():
            if frames.stop - frames.start < 3:
                continue
            place = _Stretch(
                motion.part(frames),
                camera[frames],
                up,
                resting[frames],
                by_hand[frames],
                displacement[frames],
                settings,
            )
            displacement[frames], flights[frames] = place.solved(), place.flying
    return Refined(motion.moved(displacement), displacement, flights)


class _Stretch:
    """T frames in a row, three or more, with everything about them that does not change while weights do."""

    def __init__(
        self,
        motion: BodyMotion,
        camera: np.ndarray,
        up: np.ndarray,
        resting: np.ndarray,
        by_hand: np.ndarray,
        before: np.ndarray,
        settings: RefineSettings,
    ) -> None:
        """`resting` (T, 2 + 6) bool: soles, then `BODY_JOINTS`; `by_hand` of it what is certain;
        `before` (T, 3) displacement of the round before."""
        joints = motion.joints()
        self._settings = settings
        self._time_s, self._count = motion.time_s, len(motion)
        self._step_s = np.diff(motion.time_s)
        self._mass = centre_of_mass(joints)
        way = self._mass - camera
        self._distance = np.maximum(np.linalg.norm(way, axis=-1), 0.1)
        self._ray = way / self._distance[:, None]
        points = np.array([*_SOLES, *BODY_JOINTS])
        self._steps = np.diff(joints[:, points], axis=0)
        self._rests = resting[1:] & resting[:-1]
        self._certain = self._rests & by_hand[1:] & by_hand[:-1]
        self.flying = self._flights(self._mass + before, up, np.asarray(resting.any(axis=1)))
        self._curve = _second_differences(motion.time_s)
        falling = self.flying[1:-1, None] * (-GRAVITY * np.asarray(up, dtype=np.float64))
        self._wanted = falling - self._curved(self._mass)
        self._curve_sigma = np.where(self.flying[1:-1], settings.flight_m_per_s2, settings.acceleration_m_per_s2)
        self._seen_sigma = self._noise()

    def solved(self) -> np.ndarray:
        """(T, 3) the displacement."""
        seen, curve, rest = np.ones(self._count), np.ones(self._count - 2), np.ones(self._rests.shape)
        for _ in range(self._settings.reweightings):
            displacement = self._squares(seen, curve, rest).solve()
            along = (displacement * self._ray).sum(axis=-1)
            seen = _bounded(along / self._seen_sigma[:, 0])
            left = np.linalg.norm(self._curved(displacement) - self._wanted, axis=-1)
            curve = np.where(self.flying[1:-1], 1.0, _bounded(left / self._curve_sigma))
            slides = np.linalg.norm(self._steps + np.diff(displacement, axis=0)[:, None], axis=-1)
            rest = np.where(self._certain, 1.0, _dismissed(slides / self._rest_sigma()))
        return displacement

    def _squares(self, seen: np.ndarray, curve: np.ndarray, rest: np.ndarray) -> BandedSquares:
        squares, ray = BandedSquares(self._count), self._ray[:, :, None] * self._ray[:, None]
        along, across = (1 / self._seen_sigma.T**2)[..., None, None]
        weight = seen[:, None, None] * along * ray + across * (np.eye(3) - ray)
        squares.add(np.arange(self._count), np.ones((self._count, 1)), weight, np.zeros((self._count, 3)))
        weight = (curve / self._curve_sigma**2)[:, None, None] * np.eye(3)
        squares.add(np.arange(self._count - 2), self._curve, weight, self._wanted)
        for point in range(self._rests.shape[1]):
            first = np.flatnonzero(self._rests[:, point])
            weight = (rest / self._rest_sigma() ** 2)[first, point, None, None] * np.eye(3)
            factors = np.broadcast_to([-1.0, 1.0], (len(first), 2))
            squares.add(first, factors, weight, -self._steps[first, point])
        return squares

    def _rest_sigma(self) -> np.ndarray:
        """(T - 1, 8) meters that a resting point moves from frame to frame."""
        settings = self._settings
        speed = np.repeat([settings.sole_m_per_s, settings.body_m_per_s], [2, len(BODY_JOINTS)])
        return self._step_s[:, None] * np.where(self._certain, settings.sole_m_per_s, speed)

    def _curved(self, points: np.ndarray) -> np.ndarray:
        """(T - 2, 3) second derivatives of (T, 3) points."""
        return np.einsum("nk,nkd->nd", self._curve, np.stack([points[:-2], points[1:-1], points[2:]], axis=1))

    def _noise(self) -> np.ndarray:
        """(T, 2) standard deviations of the place that was seen, along and across the ray, meters.

        As much as it trembles and as resting points seem to slide: what was seen well stays where it is.
        """
        tremble = self._mass - LocalFit(self._time_s, _TREMBLE_S).apply(self._mass)
        telling = self._certain.copy()
        telling[:, :2] |= self._rests[:, :2]
        slides = self._steps[telling]
        ray = np.broadcast_to(self._ray[:-1, None], self._steps.shape)[telling]
        limits = (self._settings.along, self._settings.across)
        noise = np.hypot(_parts(tremble, self._ray), _SLIDES * _parts(slides, ray))
        most = np.minimum(np.multiply.outer(self._distance, limits), [np.inf, self._settings.across_m])
        return np.clip(noise, _LEAST_NOISE_M, most)

    def _flights(self, mass: np.ndarray, up: np.ndarray, resting: np.ndarray) -> np.ndarray:
        """(T,) bool, where nothing rests and the (T, 3) center of mass falls freely, as far as it is seen."""
        flying = np.zeros(self._count, dtype=bool)
        for free in runs(~resting):
            time_s = self._time_s[free]
            for flight in find_flights(time_s, mass[free], sight_of(self._ray[free], -up)):
                within_s = time_s[flight.first : flight.last]
                away = np.minimum(within_s - within_s[0], within_s[-1] - within_s)
                flying[free.start + flight.first : free.start + flight.last] = away > _FLIGHT_EDGE_S
        return flying


def _second_differences(time_s: np.ndarray) -> np.ndarray:
    """(T - 2, 3) factors of three frames in a row whose sum is the second derivative, at any times."""
    before, after = np.diff(time_s)[:-1], np.diff(time_s)[1:]
    both = before + after
    return np.stack([2 / (before * both), -2 / (before * after), 2 / (after * both)], axis=-1)


def _bounded(residuals: np.ndarray) -> np.ndarray:
    """Weights under which residuals, in standard deviations, pull with a bounded force (Huber)."""
    return 1 / np.maximum(1, np.abs(residuals))


def _dismissed(residuals: np.ndarray) -> np.ndarray:
    """Weights under which residuals, in standard deviations, pull ever less beyond three (Cauchy)."""
    return 1 / (1 + (residuals / 3) ** 2)


def _parts(vectors: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """(2,) root mean squares of (n, 3) vectors along and across (n, 3) unit vectors; 0 of none."""
    along = (vectors * ray).sum(axis=-1)
    across = np.linalg.norm(vectors - along[:, None] * ray, axis=-1)
    return np.sqrt(np.square([along, across]).sum(axis=1) / max(len(vectors), 1))
