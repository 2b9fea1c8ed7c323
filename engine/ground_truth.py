# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known to be true of a clip, in a file (`.npz`, no pickle) and in memory.

Conventions are the contract's (`engine.contract.messages`): OpenCV axes, metres, radians, `world_from_camera`, pixels
of the upright footage with the centre of the top-left pixel at (0, 0). The world may be any fixed frame: wherever
worlds are compared, a fit comes first. N frames, P people over the whole clip.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from .contract.array_archive import BadArchive, read_arrays
from .contract.errors import UserError
from .contract.skeleton import JOINT_COUNT

FORMAT = "human3r-truth-1"

_MAX_BYTES = 1 << 33
"""Bound of what a truth file may claim: masks and depths of every picture of a long clip."""


@dataclass(frozen=True)
class SmplxPeople:
    """Bodies as SMPL-X parameters, in the camera frame of each picture, as in `messages.Frame`."""

    pose_axis_angle: np.ndarray
    """(N, P, 55, 3); joint 0 is the global orientation in the camera frame."""
    betas: np.ndarray
    """(P, 10): a person's shape does not change."""
    expression: np.ndarray
    """(N, P, 10)"""
    translation: np.ndarray
    """(N, P, 3) SMPL-X's `transl`, camera frame."""


@dataclass(frozen=True)
class PointPeople:
    """Bodies as points of a set that is not SMPL-X's, camera frame: what readers of SMPL ground truth give."""

    point_set: str
    """Name of the `PointSet` of `engine.evaluation.body_points` that they belong to."""
    joints: np.ndarray
    """(N, P, J, 3)"""
    vertices: np.ndarray
    """(N, P, V, 3)"""


@dataclass(frozen=True)
class ClipTruth:
    """Ground truth of one clip. Checked when made: raises ValueError for shapes that do not belong together."""

    name: str
    footage_size: tuple[int, int]
    """Width and height of the footage in pixels."""
    frame_rate: float
    """Pictures per second of the footage."""
    source_frame: np.ndarray
    """(N,) int: which picture of the footage each row tells of, increasing."""
    world_from_camera: np.ndarray
    """(N, 4, 4)"""
    focal_px: np.ndarray
    """(N,)"""
    principal_point_px: np.ndarray
    """(N, 2)"""
    body: str = "mannequin"
    """Which body `SmplxPeople` parameters belong to, named as in `messages.TakeHeader`."""
    people: SmplxPeople | PointPeople | None = None
    """None where the set says nothing about people: then nothing about them is measured."""
    present: np.ndarray | None = None
    """(N, P) bool: the person's parameters of this row mean something. Given whenever `people` is."""
    expected: np.ndarray | None = None
    """(N, P) bool: a detector has to find the person here (head in the picture, enough of them visible); a subset of
    `present`. Those present but not expected are neither missed nor false alarms, and their bodies are not measured.
    Given whenever `people` is."""
    person_mask: np.ndarray | None = None
    """(N, h, w) uint8 over the whole footage at any size: 0 for the background, 1 + p where person p is seen."""
    depth_m: np.ndarray | None = None
    """(N, h, w) float over the whole footage at any size: z along the camera's axis; 0 or not finite for unknown."""

    def __post_init__(self) -> None:
        count = len(self.source_frame)
        people = self.people_count
        wanted: dict[str, tuple[tuple[int, ...], Any]] = {
            "source_frame": ((count,), self.source_frame),
            "world_from_camera": ((count, 4, 4), self.world_from_camera),
            "focal_px": ((count,), self.focal_px),
            "principal_point_px": ((count, 2), self.principal_point_px),
        }
        if self.people is not None:
            wanted |= {"present": ((count, people), self.present), "expected": ((count, people), self.expected)}
        if isinstance(self.people, SmplxPeople):
            wanted |= {
                "pose_axis_angle": ((count, people, JOINT_COUNT, 3), self.people.pose_axis_angle),
                "betas": ((people, 10), self.people.betas),
                "expression": ((count, people, 10), self.people.expression),
                "translation": ((count, people, 3), self.people.translation),
            }
        elif isinstance(self.people, PointPeople):
            wanted |= {
                "joints": ((count, people, self.people.joints.shape[2], 3), self.people.joints),
                "vertices": ((count, people, self.people.vertices.shape[2], 3), self.people.vertices),
            }
        for name in ("person_mask", "depth_m"):
            value = getattr(self, name)
            if value is not None:
                wanted[name] = ((count, *value.shape[1:3]), value)
        for name, (shape, value) in wanted.items():
            if value is None or value.shape != shape:
                found = "nothing" if value is None else str(value.shape)
                raise ValueError(f"{self.name}: expected {name} of shape {shape}, got {found}")
        if count == 0 or (np.diff(self.source_frame) <= 0).any():
            raise ValueError(f"{self.name}: source_frame must increase and have at least one entry")
        if self.present is not None and self.expected is not None and (self.expected & ~self.present).any():
            raise ValueError(f"{self.name}: people who are not present cannot be expected")

    def __len__(self) -> int:
        return len(self.source_frame)

    @property
    def people_count(self) -> int:
        """P, how many people appear in the clip; 0 where nothing is known about people."""
        if self.people is None:
            return 0
        return (self.people.betas if isinstance(self.people, SmplxPeople) else self.people.joints[0]).shape[0]


def write_truth(path: str | Path, truth: ClipTruth) -> None:
    """Write a truth file. Raises UserError (`truth-unwritable`)."""
    arrays: dict[str, Any] = {"format": np.array(FORMAT)}
    for item in fields(truth):
        value = getattr(truth, item.name)
        if item.name == "people":
            if value is not None:
                arrays["people"] = np.array(type(value).__name__)
                arrays |= {f"people.{part.name}": np.asarray(getattr(value, part.name)) for part in fields(value)}
        elif value is not None:
            arrays[item.name] = np.asarray(value)
    try:
        with open(path, "wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise UserError(
            "truth-unwritable",
            "The ground truth {path} cannot be written: {reason}.",
            "Choose a folder that exists, with space left and permission to write.",
            path=path,
            reason=error.strerror,
        ) from error


def read_truth(path: str | Path) -> ClipTruth:
    """Read a truth file, never unpickling. Raises UserError (`truth-unreadable`)."""
    remedy = "Choose a .npz file written beside a synthetic clip, or write one with write_truth."
    try:
        arrays = read_arrays(path, _MAX_BYTES)
    except BadArchive as error:
        raise UserError(
            "truth-unreadable", "The ground truth {path} cannot be read: {error}.", remedy, path=path, error=error
        ) from error
    try:
        if str(arrays.pop("format")) != FORMAT:
            raise ValueError("it was written by another version")
        width, height = arrays.pop("footage_size").tolist()
        people_type = _PEOPLE[str(arrays.pop("people"))] if "people" in arrays else None
        parts: dict[str, Any] = {
            name.removeprefix("people."): arrays.pop(name) for name in list(arrays) if name.startswith("people.")
        }
        if "point_set" in parts:
            parts["point_set"] = str(parts["point_set"])
        return ClipTruth(
            name=str(arrays.pop("name")),
            body=str(arrays.pop("body")),
            footage_size=(int(width), int(height)),
            frame_rate=float(arrays.pop("frame_rate")),
            people=people_type(**parts) if people_type else None,
            **arrays,
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        message = f"{path} is not a ground truth file of this program: {error}."
        raise UserError("truth-unreadable", message, remedy) from error


_PEOPLE: dict[str, Any] = {kind.__name__: kind for kind in (SmplxPeople, PointPeople)}
