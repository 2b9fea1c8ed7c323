# SPDX-License-Identifier: GPL-3.0-or-later
"""How heads are turned, mouths are open and eyes look, from a mesh of 468 points laid on each face.

The body's landmarks say where the face is; the network lays its mesh there, and again in crops round that mesh until it
stays. From then on the mesh of the frame before says where to look. A body fit's head hardly follows a face that turns
aside; the mesh does. Small faces and heads seen from behind cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.rotations import unit
from ...contract.skeleton import HEAD
from ..networks import crops
from ..networks.network_runs import run, sigmoid
from ..networks.networks import Networks
from ..observations import Crops, FittedBodies, FollowedPeople, _People
from ..turns import turn_about
from .extremities import rotation_of
from .followed_crops import FollowedCrops

_EYES, _EARS, _MOUTH = [2, 5], [7, 8], [9, 10]
"""BlazePose's landmarks of a head, left and right."""

_FACE_SIZE, _EYE_SIZE = 192, 64
"""Pixels that the two networks take."""

_ROUGH_SIDE, _ROUGH_SHIFT, _FINE_SIDE = 5.2, 0.25, 1.5
"""The crop, in lengths from mouth to eyes, and in sides of the box round the mesh."""
_FACE_OF_LENGTH = 3.5
"""Height of the mesh in lengths from mouth to eyes: faces are judged by it before they are looked at."""
_EYE_SIDE = 2.3
"""The crop of an eye, in distances between its corners."""

_RIGHT_EYE, _LEFT_EYE = (33, 133), (362, 263)
"""The mesh's corners of the eyes, from the picture's left to its right if the face looks at the camera."""
_FOREHEAD, _UNDER_NOSE, _UPPER_LIP, _LOWER_LIP = 10, 2, 13, 14
_LIDS = (((386, 374), (385, 380), (387, 373)), ((159, 145), (158, 153), (160, 144)))
"""Pairs of the left and the right eye's upper and lower lid."""

_TILT = np.radians(4.5)
"""How far the line from under the nose to the forehead leans back in the mesh of a head held level: the mean of 99
people in press photographs (the subset of Labeled Faces in the Wild in scikit-image), who differ by 10 degrees."""

_MORE_PASSES = 2
"""How often a face is looked at again after the first two times: by then the mesh turns by two degrees at most.
Before, small faces nod by up to 13 degrees, because the first crop is rough."""
_NO_FACE, _MAYBE_A_FACE = 0.01, 0.3
"""Scores after one pass and after two below which another one is not worth it."""
_SAME_FACE = 0.3
"""How far a mesh may lie from where the body's landmarks have the face, in sides of their crop."""

_EYE_TO_EYE_M = 0.089
"""From one outer corner to the other, on an adult."""
_LIPS_AT_REST = 0.015
"""Gap between the lips of a closed mouth in the mesh, in distances between the outer corners."""
_JAW_LENGTH_M = 0.087
"""From the jaw's hinge to the lips: what turns a gap into an angle."""
_WIDEST_JAW = np.radians(28.0)

_EYEBALL_OF_EYE = 12.0 / 30.0
"""Radius of the eyeball over the distance between an eye's corners (12 mm, 30 mm)."""
_FARTHEST_GAZE = np.sin(np.radians(35.0))
_EYE_SHUT = 0.12
"""Lids nearer than this, as a share of the eye's width, hide the iris."""
_FRONTAL = np.cos(np.radians(35.0))
"""Eyes of faces that look farther aside than this are seen too obliquely."""


@dataclass(frozen=True)
class FaceSettings:
    """Which faces are believed for what."""

    least_face_px: float = 24.0
    """Height of the mesh from which on heads turn by it: they drift by 3 degrees there, by 2 at 32 px."""
    least_jaw_px: float = 32.0
    least_gaze_px: float = 48.0
    """Gaze is noisy by 4 degrees there. An infinite height leaves the eyes alone."""
    least_score: float = 0.8
    away: float = 0.5
    """Heads that the body fit turns away from the camera by more are not looked at (cosine: 0.5 is 120 degrees from
    looking into it)."""


@dataclass(frozen=True)
class Faces(_People):
    """Faces that were looked at; one row a face."""

    person: np.ndarray
    """(f,) row of the person."""
    point: np.ndarray
    """(f, 468, 3) pixels of the footage, and depth in the same unit, smaller nearer."""
    score: np.ndarray
    """(f,) 0..1: that a face is in the crop."""
    angle: np.ndarray
    """(f,) the mesh's own roll in the frame, as `Crops.angle`."""

    @property
    def height_px(self) -> np.ndarray:
        """(f,)"""
        return np.ptp(self.point[..., 1], axis=-1)


def face_candidates(people: FollowedPeople, bodies: FittedBodies, settings: FaceSettings) -> np.ndarray:
    """(f,) rows of people whose faces are worth a look: large enough, in the frame, not turned away."""
    large = _FACE_OF_LENGTH * _head_length(people.landmarks.point_px) >= settings.least_face_px
    inside = people.inside[:, _EYES + _MOUTH].sum(axis=1) >= 3
    away = rotation_of(bodies.rotations, HEAD)[:, 2, 2] > settings.away
    return np.nonzero(large & inside & ~away)[0]


def _head_length(point: np.ndarray) -> np.ndarray:
    """(n,) from mouth to eyes in pixels, or what it would be seen from the front, by eyes and ears."""
    tall = point[:, _EYES].mean(axis=1) - point[:, _MOUTH].mean(axis=1)
    lengths = (tall, 0.6 * np.diff(point[:, _EYES], axis=1)[:, 0], 0.35 * np.diff(point[:, _EARS], axis=1)[:, 0])
    return np.max([np.linalg.norm(item, axis=-1) for item in lengths], axis=0)


def rough_face_crops(point: np.ndarray) -> Crops:
    """Crops round the faces of (f, 39, 2) body landmarks, eyes over mouth."""
    eyes, mouth = point[:, _EYES].mean(axis=1), point[:, _MOUTH].mean(axis=1)
    angle = np.arctan2(eyes[:, 0] - mouth[:, 0], mouth[:, 1] - eyes[:, 1])
    length = _head_length(point)
    up = np.stack([np.sin(angle), -np.cos(angle)], axis=-1)
    return Crops(0.5 * (eyes + mouth) + _ROUGH_SHIFT * length[:, None] * up, _ROUGH_SIDE * length, angle)


def fine_face_crops(point_px: np.ndarray) -> Crops:
    """Crops round (f, 468, 2) meshes, the eyes level."""
    angle = _roll(point_px)
    across, down = _directions(angle)
    along = np.stack([(point_px * axis[:, None]).sum(-1) for axis in (across, down)], axis=-1)
    low, high = along.min(axis=1), along.max(axis=1)
    middle = 0.5 * (low + high)
    centre = middle[:, :1] * across + middle[:, 1:] * down
    return Crops(centre, np.maximum(_FINE_SIDE * (high - low).max(axis=1), 1.0), angle)


def _roll(point_px: np.ndarray) -> np.ndarray:
    across = point_px[:, _LEFT_EYE[1], :2] - point_px[:, _RIGHT_EYE[0], :2]
    return np.arctan2(across[:, 1], across[:, 0])


def _directions(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(f, 2) directions of the frame that point right and down in crops turned by an angle."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([cosine, sine], axis=-1), np.stack([-sine, cosine], axis=-1)


def look_at_faces(
    networks: Networks,
    rgb: np.ndarray,
    people: FollowedPeople,
    bodies: FittedBodies,
    before: FollowedCrops,
    settings: FaceSettings,
) -> Faces:
    """Meshes on the faces of (H, W, 3) uint8 worth a look; `before` says where faces were a frame ago."""
    person = face_candidates(people, bodies, settings)
    rough = rough_face_crops(people.landmarks.point_px[person])
    mesh, score = np.zeros((len(person), 468, 3)), np.zeros(len(person))

    def lay(rows: np.ndarray, where: Crops) -> None:
        if len(rows):
            mesh[rows], score[rows] = _lay_mesh(networks, rgb, where)

    known = before.rows_of(people.track_id[person], np.zeros(len(person), np.int64))
    followed = np.nonzero(known >= 0)[0]
    lay(followed, before.gone_along(known[followed], rough.centre_px[followed]))
    off = np.linalg.norm(mesh[..., :2].mean(axis=1) - rough.centre_px, axis=-1) > _SAME_FACE * rough.side_px
    fresh = np.nonzero((known < 0) | (score <= settings.least_score) | off)[0]
    lay(fresh, rough.select(fresh))
    fresh = fresh[score[fresh] > _NO_FACE]
    lay(fresh, fine_face_crops(mesh[fresh, :, :2]))
    fresh = fresh[score[fresh] > _MAYBE_A_FACE]
    for _ in range(_MORE_PASSES):
        lay(fresh, fine_face_crops(mesh[fresh, :, :2]))
    return Faces(person, mesh, score, _roll(mesh))


def believed(faces: Faces, settings: FaceSettings) -> Faces:
    """Those that are faces, and large enough."""
    return faces.select((faces.score > settings.least_score) & (faces.height_px >= settings.least_face_px))


def followed_faces(faces: Faces, people: FollowedPeople) -> FollowedCrops:
    """Where to look for faces in the next frame."""
    anchor = rough_face_crops(people.landmarks.point_px[faces.person]).centre_px
    part = np.zeros(len(faces), np.int64)
    return FollowedCrops(people.track_id[faces.person], part, anchor, fine_face_crops(faces.point[..., :2]))


def _lay_mesh(networks: Networks, rgb: np.ndarray, where: Crops) -> tuple[np.ndarray, np.ndarray]:
    found = run(networks.face, networks.device, rgb, where, _FACE_SIZE)
    point = found["landmarks"].reshape(-1, 468, 3)
    depth = point[..., 2:] * (where.side_px / _FACE_SIZE)[:, None, None]
    flat = crops.to_footage(where, _FACE_SIZE, point[..., :2])
    return np.concatenate([flat, depth], axis=-1), sigmoid(found["presence"][:, 0])


def head_rotations(mesh: np.ndarray) -> np.ndarray:
    """(f, 468, 3) meshes to the (f, 3, 3) rotations of the head joints, in a camera that looks at the face."""
    left = unit(mesh[:, _LEFT_EYE].mean(axis=1) - mesh[:, _RIGHT_EYE].mean(axis=1))
    up = mesh[:, _FOREHEAD] - mesh[:, _UNDER_NOSE]
    up = unit(up - left * (left * up).sum(-1, keepdims=True))
    return np.stack([left, up, np.cross(left, up)], axis=-1) @ turn_about(np.array([1.0, 0.0, 0.0]), np.array(_TILT))


def jaw_angles(mesh: np.ndarray) -> np.ndarray:
    """(f,) radians by which jaws are open, from the gap between the lips."""
    width = np.linalg.norm(mesh[:, _LEFT_EYE[1]] - mesh[:, _RIGHT_EYE[0]], axis=-1)
    gap = np.linalg.norm(mesh[:, _UPPER_LIP] - mesh[:, _LOWER_LIP], axis=-1) / width
    return ((gap - _LIPS_AT_REST) * _EYE_TO_EYE_M / _JAW_LENGTH_M).clip(0.0, _WIDEST_JAW)


def look_at_eyes(networks: Networks, rgb: np.ndarray, faces: Faces) -> np.ndarray:
    """(f, 2) radians that eyes look to the left of the head, and up: the mean of both eyes."""
    across, down = _directions(faces.angle)
    shifts = []
    for corners, is_left in ((_LEFT_EYE, True), (_RIGHT_EYE, False)):
        first, second = faces.point[:, corners[0], :2], faces.point[:, corners[1], :2]
        width = np.linalg.norm(second - first, axis=-1)
        where = Crops(0.5 * (first + second), np.maximum(_EYE_SIDE * width, 1.0), faces.angle)
        iris = run(networks.iris, networks.device, rgb, where, _EYE_SIZE, mirror=is_left)["iris"]
        centre = iris.reshape(-1, 5, 3)[:, :1, :2]
        if is_left:
            centre = centre * (-1.0, 1.0) + (_EYE_SIZE, 0.0)
        off = crops.to_footage(where, _EYE_SIZE, centre)[:, 0] - where.centre_px
        shifts.append(np.stack([(off * across).sum(-1), -(off * down).sum(-1)], axis=-1) / width[:, None])
    return np.arcsin((np.mean(shifts, axis=0) / _EYEBALL_OF_EYE).clip(-_FARTHEST_GAZE, _FARTHEST_GAZE))


def eyes_open(mesh: np.ndarray) -> np.ndarray:
    """(f,) bool: both eyes are open wide enough to see an iris."""
    ratios = []
    for pairs, corners in zip(_LIDS, (_LEFT_EYE, _RIGHT_EYE), strict=True):
        gaps = [np.linalg.norm(mesh[:, upper] - mesh[:, lower], axis=-1) for upper, lower in pairs]
        ratios.append(np.mean(gaps, axis=0) / np.linalg.norm(mesh[:, corners[0]] - mesh[:, corners[1]], axis=-1))
    return np.min(ratios, axis=0) >= _EYE_SHUT


def is_frontal(head: np.ndarray) -> np.ndarray:
    """(f,) bool: whether (f, 3, 3) heads look at the camera closely enough to see where the eyes look."""
    return -head[:, 2, 2] >= _FRONTAL
