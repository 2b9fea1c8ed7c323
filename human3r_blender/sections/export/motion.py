# SPDX-License-Identifier: GPL-3.0-or-later
"""A person of the scene as numbers, at the export's own rate: whatever Action is active, where the root has put it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.contract.skeleton import JOINT_NAMES
from ....engine.motion.body_motion import BodyMotion
from ....engine.motion.resampling import exact_rate, frame_count, frame_times
from ...blender import tags, timing, turns
from ...blender.slices import Slices, sliceable
from ...person import body_mesh, family, sampling

_OUT_OF_PLACE_M = 1e-3


@dataclass(frozen=True)
class Clock:
    """The frames of an export: number k is shown k / rate seconds after the scene's first frame."""

    rate: Fraction
    """Frames per second."""
    scene_frames: np.ndarray
    """(T,) where they lie in the scene, fractions included."""

    @property
    def time_s(self) -> np.ndarray:
        """(T,) seconds from the first frame."""
        return frame_times(len(self.scene_frames), self.rate)


@dataclass(frozen=True)
class PersonMotion:
    """One person over the T frames of an export, in Blender's world (z up, metres)."""

    armature: bpy.types.Object
    mesh: bpy.types.Object | None
    motion: BodyMotion
    """As large as it is in the scene."""
    scale: float
    """How much larger the scene shows the person than the body is."""
    hidden: np.ndarray
    """(T,) whether the scene hides the person."""
    betas: np.ndarray
    """(10,) shape; zeros without a mesh."""
    keys: dict[str, np.ndarray]
    """(T,) values of each shape key that is animated."""
    body: str
    """Which body the shape belongs to: `mannequin`, or the body file's name; empty where nobody knows."""
    notes: tuple[str, ...]
    """What the export cannot show."""

    @property
    def natural_rest(self) -> np.ndarray:
        """(55, 3) joints at rest, as large as the body is."""
        return self.motion.rest_joints / self.scale

    @property
    def expression(self) -> np.ndarray:
        """(T, 10) expression coefficients."""
        nothing = np.zeros(len(self.motion))
        return np.stack([self.keys.get(name, nothing) for name in body_mesh.EXPRESSION_KEYS], axis=-1)


def clock(scene: bpy.types.Scene, frame_rate: float) -> Clock:
    """The frames of an export of the scene's whole range; `frame_rate` 0 is the scene's own."""
    own = exact_rate(timing.rate_for(scene, None))
    rate = exact_rate(frame_rate) if frame_rate else own
    count = frame_count(Fraction(max(scene.frame_end - scene.frame_start, 0)) / own, rate)
    # one rounding: k frames later is k * own / rate frames of the scene later
    steps = np.arange(count, dtype=np.int64) * (own / rate).numerator / (own / rate).denominator
    return Clock(rate, scene.frame_start + steps)


@sliceable
def collect(item: bpy.types.Object, scene: bpy.types.Scene, when: Clock, hidden: np.ndarray) -> Slices[PersonMotion]:
    """A person at an export's frames, standing as last seen where `hidden` (T,).

    Raises UserError (``scaled-unevenly``, ``source-not-a-person``, ``armature-edited``, ``armature-at-rest``).
    """
    # Blender computes no poses of what is hidden.
    sample = yield from sampling.sample.in_slices(item, scene, when.scene_frames[_nearest_seen(hidden)])
    computing = turns.submit("human3r-export", sampling.body_motion, item, sample, when.time_s)
    motion, scale = yield from turns.result_of(computing)
    mesh, root = family.mesh(item), family.root(item)
    return PersonMotion(
        item,
        mesh,
        motion,
        scale,
        hidden,
        np.zeros(len(body_mesh.SHAPE_KEYS)) if mesh is None else body_mesh.shape(mesh).astype(np.float64),
        sampling.key_values(mesh, when.scene_frames),
        "" if root is None else tags.text(root, tags.BODY).replace("\\", "/").rpartition("/")[2],
        (*_notes_on_range(item, when), *_notes(item, motion, sample.joints, hidden)),
    )


def spans(hidden: np.ndarray) -> list[tuple[int, int]]:
    """First and last frame of each stretch of (T,) that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hidden, [False]]).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def _nearest_seen(hidden: np.ndarray) -> np.ndarray:
    """(T,) rows that show the person: each itself, else the last one before it, else the first of all."""
    seen = np.flatnonzero(~hidden)
    if not len(seen):
        return np.arange(len(hidden))
    return seen[np.clip(np.searchsorted(seen, np.arange(len(hidden)), side="right") - 1, 0, None)]


def _notes_on_range(item: bpy.types.Object, when: Clock) -> list[Sentence]:
    """What is to be said where the scene's range shows nothing of a person's motion."""
    try:
        first, last = sampling.frames_of(item)
    except UserError:  # somebody who stands still, whatever the range
        return []
    start, end = when.scene_frames[0], when.scene_frames[-1]
    if first <= end and last >= start:
        return []
    said = "{name} moves in frames {first} to {last} only, but frames {start} to {end} of the scene were exported."
    numbers = {"first": first, "last": last, "start": start, "end": end}
    return [Sentence(said, name=item.name, **{key: f"{number:g}" for key, number in numbers.items()})]


def _notes(item: bpy.types.Object, motion: BodyMotion, joints: np.ndarray, hidden: np.ndarray) -> list[str]:
    notes: list[str] = []
    away = np.linalg.norm(motion.joints() - joints, axis=-1)
    if away.max() > _OUT_OF_PLACE_M:
        joint = JOINT_NAMES[int(away.max(axis=0).argmax())]
        notes.append(
            Sentence(
                "{name}: bones have been moved or scaled away from the body model, so the export differs from the "
                "scene by up to {distance} mm ({joint}).",
                name=item.name,
                distance=f"{1000 * away.max():.0f}",
                joint=joint,
            )
        )
    if hidden.any():
        said = "{name} is hidden in frames {spans} of the export, counted from 0."
        notes.append(Sentence(said, name=item.name, spans=describe_spans(hidden)))
    return notes


def describe_spans(hidden: np.ndarray) -> str:
    """``0-9, 30-44`` for the stretches of (T,) that are true."""
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in spans(hidden))
