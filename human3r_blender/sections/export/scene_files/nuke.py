# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera for compositing programs: a Nuke script with a Camera node, and a `.chan` file.

Both are y up, in meters, with angles in degrees that turn about z first, then x, then y, which Nuke calls ZXY and has
as its default. Frames are numbered as the scene's.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from .....engine.contract.sentences import Sentence
from .....engine.contract.whole_file import explained_write_errors
from ....blender import coordinates
from ....scene.camera_samples import CameraSamples, sample_aside
from .scene_file import SceneFile, Scenery

_TO_Y_UP = coordinates.BODY_TO_ROOT.T
"""Blender's z up becomes y up."""
_SAME = 1e-6
"""Values that differ by no more of their size are one: Blender has the lens in single precision."""
_GIMBAL = 1.0 - 1e-9
"""Sine of the turn about x at which the camera looks straight up or down, and the other two turns are one."""


def write_chan(path: Path, scenery: Scenery) -> None:
    """Frame, place, angles and vertical field of view, a line each. Raises UserError (``output-unwritable``)."""
    seen = _samples(scenery)
    place, angles = place_and_angles(seen.worlds)
    opening = np.degrees(2 * np.arctan((seen.edges[:, 3] - seen.edges[:, 2]) / 2))
    rows = np.column_stack([place, angles, opening]).tolist()
    lines = [
        " ".join([str(_first_frame(scenery) + row), *(f"{value:.9g}" for value in values)])
        for row, values in enumerate(rows)
    ]
    _write(path, lines)


def write_nk(path: Path, scenery: Scenery) -> None:
    """A script with a Camera node. Raises UserError (``output-unwritable``)."""
    seen, first = _samples(scenery), _first_frame(scenery)
    place, angles = place_and_angles(seen.worlds)
    left, right, bottom, top = seen.edges.T
    render, count = scenery.scene.render, len(seen.worlds)
    size = f"{render.resolution_x} {render.resolution_y}"
    aspect = render.pixel_aspect_x / render.pixel_aspect_y
    focal = seen.lens["lens"]

    def curves(columns: np.ndarray) -> str:
        return " ".join(_curve(column, first) for column in np.asarray(columns).T)

    lines = [
        "#! Nuke: the camera of a Human3R scene",
        "Root {",
        " inputs 0",
        f" first_frame {first}",
        f" last_frame {first + count - 1}",
        " lock_range true",
        f" fps {float(scenery.when.rate):.9g}",
        f' format "{size} 0 0 {size} {aspect:.9g} human3r"',
        "}",
        "Camera2 {",
        " inputs 0",
        " rot_order ZXY",
        f" translate {{{curves(place)}}}",
        f" rotate {{{curves(angles)}}}",
        f" focal {_curve(focal, first)}",
        f" haperture {_curve(focal * (right - left), first)}",
        f" vaperture {_curve(focal * (top - bottom), first)}",
        # Both in halves of the picture's width, and against the way that the principal point lies.
        f" win_translate {{{curves(np.column_stack([left + right, bottom + top]) / (right - left)[:, None])}}}",
        f" name {re.sub(r'[^A-Za-z0-9_]', '_', scenery.camera().name)}",
        "}",
    ]
    _write(path, lines)


def place_and_angles(worlds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 4, 4) cameras in Blender's world as (T, 3) places and (T, 3) degrees about x, y and z, y up.

    The matrix of a camera is Ry Rx Rz. Angles go on without jumps of a full turn.
    """
    turn = _TO_Y_UP @ worlds[:, :3, :3]
    sine = np.clip(-turn[:, 1, 2], -1.0, 1.0)
    is_level = np.abs(sine) < _GIMBAL
    about_z = np.where(is_level, np.arctan2(turn[:, 1, 0], turn[:, 1, 1]), 0.0)
    about_y = np.where(is_level, np.arctan2(turn[:, 0, 2], turn[:, 2, 2]), np.arctan2(-turn[:, 2, 0], turn[:, 0, 0]))
    angles = np.stack([np.arcsin(sine), np.unwrap(about_y), np.unwrap(about_z)], axis=-1)
    return worlds[:, :3, 3] @ _TO_Y_UP.T, np.degrees(angles)


def _samples(scenery: Scenery) -> CameraSamples:
    return sample_aside(scenery.camera(), scenery.scene, scenery.when.scene_frames)


def _first_frame(scenery: Scenery) -> int:
    return int(scenery.scene.frame_start)


def _curve(values: np.ndarray, first: int) -> str:
    """(T,) values as a knob holds them: a number where it does not change, else a curve with a key on each frame."""
    if np.ptp(values) <= _SAME * np.abs(values).max():
        return f"{values[0]:.7g}"
    return f"{{curve x{first} {' '.join(f'{value:.9g}' for value in values)}}}"


def _write(path: Path, lines: list[str]) -> None:
    with explained_write_errors(Sentence("{path} cannot be written", path=path), "output-unwritable"):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _check(scenery: Scenery) -> None:
    scenery.camera()


FILES = (
    SceneFile("nk", 3, "Camera Nuke", "The camera alone as a node in a Nuke script (.nk)", ".nk", write_nk, _check),
    SceneFile(
        "chan",
        4,
        "Camera chan",
        "The camera alone as numbers, a line for each frame (.chan), without a shifted principal point",
        ".chan",
        write_chan,
        _check,
    ),
)
