# SPDX-License-Identifier: GPL-3.0-or-later
"""A procedural, licence-free human body in the SMPL-X file format.

`python -m engine.synthetic.mannequin OUT.npz` writes the body that is bundled as `engine/assets/mannequin.npz`.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...contract.body_model import VERTEX_COUNT
from ...contract.skeleton import LEFT_EYE, PARENTS, RIGHT_EYE
from . import face
from .anatomy import Proportions, skeleton_joints
from .correctives import pose_correctives
from .field import build_anatomy
from .head import EYE_RADIUS, lips
from .lattice import PARTS, Lattice, build_lattice
from .mesh import fitted_vertices, neighbour_average
from .regressor import joint_regressor
from .weights import skinning_weights

GENERATOR = "Human3R for Blender, engine.synthetic.mannequin, version 1"
LICENCE = "CC0-1.0: made by a program, free for any use"

SHAPES = ("height", "weight", "legs", "arms", "shoulders", "hips", "belly", "chest", "muscles", "head")
"""What the ten betas do; the template is 1.70 m tall and values from -2 to 2 are everyday people."""

FIXED_VERTICES = {
    "nose": 9120, "right_eye": 9929, "left_eye": 9448, "right_ear": 616, "left_ear": 6,
    "right_thumb": 8079, "right_index": 7669, "right_middle": 7794, "right_ring": 7905, "right_pinky": 8022,
    "left_thumb": 5361, "left_index": 4933, "left_middle": 5058, "left_ring": 5169, "left_pinky": 5286,
    "left_big_toe": 5770, "left_small_toe": 5780, "left_heel": 8846,
    "right_big_toe": 8463, "right_small_toe": 8474, "right_heel": 8635,
}  # fmt: skip
"""Vertices of SMPL-X files that programs read by number."""


@dataclass(frozen=True)
class Skin:
    """The mesh before it is put into the order of the file: the body, then the left and the right eyeball."""

    vertices: np.ndarray
    """(V, 3)"""
    faces: np.ndarray
    """(F, 3)"""
    mirror: np.ndarray
    """(V,) vertex on the other side."""


def build_arrays() -> dict[str, np.ndarray]:
    """All arrays of the SMPL-X file, in float32 and rounded so that they compress well."""
    lattice = build_lattice()
    template = _skin(lattice, Proportions())
    count = len(template.vertices)
    joints = skeleton_joints(Proportions())
    shapes, joint_shapes = _shape_directions(lattice, template.vertices, joints)
    eyes = np.arange(count) >= len(lattice.points) + 1
    part = np.concatenate([_part_of_vertices(lattice), ["head"], np.repeat("eye", eyes.sum())])
    average = neighbour_average(template.faces, count)
    known = build_anatomy(Proportions()).joints
    weights = np.zeros((count, len(joints)))
    body = ~eyes
    # The vertex on the split edge of the crown has no place in the lattice; any other of the crown speaks for it.
    points = np.concatenate([lattice.points, lattice.points[np.argmax(lattice.points[:, 1])][None]])
    weights[body] = skinning_weights(
        template.vertices[body], part[body], lips(points), known, average[body][:, body], template.mirror[body]
    )
    weights[eyes, np.where(template.vertices[eyes, 0] > 0, LEFT_EYE, RIGHT_EYE)] = 1.0
    expressions = np.zeros((count, 3, len(face.EXPRESSIONS)))
    expressions[body] = face.expression_directions(template.vertices[body], points)
    still = body & ~np.any(expressions != 0, axis=(1, 2))
    regressor = joint_regressor(template.vertices, shapes, joints, joint_shapes, weights, still, template.mirror)
    correctives = pose_correctives(template.vertices, weights, joints)
    order = _file_order(template.vertices, known)
    place = np.argsort(order)
    vertices, faces = template.vertices[order], place[template.faces]
    landmark_faces, landmark_weights = _landmarks(vertices, faces, eyes[order])
    parents = np.array(PARENTS, dtype=np.int64)
    parents[0] = 2**32 - 1
    directions = np.concatenate([shapes, expressions], axis=2)[order]
    return {
        "v_template": _rounded(vertices, 1e-6),
        "f": faces.astype(np.int32),
        "shapedirs": _rounded(directions, 1e-5),
        "posedirs": _rounded(correctives[order], 2e-5),
        "J_regressor": regressor[:, order].astype(np.float32),
        "weights": weights[order].astype(np.float32),
        "kintree_table": np.stack([parents, np.arange(len(parents))]),
        "lmk_faces_idx": landmark_faces,
        "lmk_bary_coords": landmark_weights.astype(np.float32),
        **{f"hands_components{side}": np.eye(45, dtype=np.float32) for side in "lr"},
        **{f"hands_mean{side}": np.zeros(45, dtype=np.float32) for side in "lr"},
        "generator": np.array(GENERATOR),
        "licence": np.array(LICENCE),
    }


def _rounded(values: np.ndarray, step: float) -> np.ndarray:
    """Multiples of a power of two near `step`: short mantissas, which compress well."""
    grid = 2.0 ** np.round(np.log2(step))
    return (np.rint(values / grid) * grid).astype(np.float32)


def _skin(lattice: Lattice, proportions: Proportions) -> Skin:
    """Body and eyeballs; one edge on the crown is split because SMPL-X's number of vertices is odd."""
    body = fitted_vertices(lattice, build_anatomy(proportions))
    quads = lattice.quads
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    mirror = lattice.mirror
    joints = skeleton_joints(proportions)
    middle = np.nonzero(lattice.points[:, 0] == 0)[0]
    crown = middle[np.argmax(lattice.points[middle, 1] * 100 - np.abs(lattice.points[middle, 2]))]
    edge = next(
        (a, b) for f in faces for a, b in zip(f, np.roll(f, -1), strict=True) if a == crown and b in set(middle)
    )
    new = len(body)
    body = np.concatenate([body, body[list(edge)].mean(axis=0, keepdims=True)])
    faces = _split_edge(faces, edge, new)
    mirror = np.append(mirror, new)
    sphere, sphere_faces, sphere_mirror = _eyeball((VERTEX_COUNT - len(body)) // 2)
    scale = proportions.head_scale
    left = joints[LEFT_EYE] + EYE_RADIUS * scale * sphere
    right = left[sphere_mirror] * np.array([-1.0, 1.0, 1.0])
    n, m = len(body), len(sphere)
    vertices = np.concatenate([body, left, right])
    faces = np.concatenate([faces, sphere_faces + n, sphere_faces + n + m])
    mirror = np.concatenate([mirror, n + m + sphere_mirror, n + sphere_mirror])
    return Skin(vertices, faces, mirror)


def _split_edge(faces: np.ndarray, edge: tuple[int, int], new: int) -> np.ndarray:
    result = []
    for triangle in faces.tolist():
        if edge[0] in triangle and edge[1] in triangle:
            result += [[new if v == end else v for v in triangle] for end in edge]
        else:
            result.append(triangle)
    return np.array(result)


def _eyeball(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A unit sphere with its pole looking forward, of exactly `count` vertices; its faces; its mirror in x."""
    rings = next(r for r in range(int(np.sqrt(count)), 2, -1) if (count - 2) % r == 0)
    segments = (count - 2) // rings
    polar = np.pi * (np.arange(rings) + 1) / (rings + 1)
    angle = 2 * np.pi * np.arange(segments) / segments + np.pi / 2
    ring = np.stack(
        [np.outer(np.sin(polar), np.cos(angle)), np.outer(np.sin(polar), np.sin(angle)),
         np.outer(np.cos(polar), np.ones(segments))], axis=-1,
    ).reshape(-1, 3)  # fmt: skip
    points = np.concatenate([[[0, 0, 1.0]], ring, [[0, 0, -1.0]]])
    here = 1 + np.arange(rings)[:, None] * segments + np.arange(segments)[None]
    following = np.roll(here, -1, axis=1)
    faces = [np.stack([np.zeros_like(here[0]), here[0], following[0]], axis=-1)]
    faces.append(np.stack([here[:-1], here[1:], following[1:]], axis=-1).reshape(-1, 3))
    faces.append(np.stack([here[:-1], following[1:], following[:-1]], axis=-1).reshape(-1, 3))
    faces.append(np.stack([here[-1], np.full(segments, count - 1), following[-1]], axis=-1))
    backwards = (-np.arange(segments)) % segments
    mirror = np.concatenate([[0], here[:, backwards].ravel(), [count - 1]])
    return points, np.concatenate(faces), mirror


def _part_of_vertices(lattice: Lattice) -> np.ndarray:
    """(N,) the part with most quads around each lattice point."""
    votes = np.zeros((len(lattice.points), len(PARTS)))
    for corner in range(4):
        np.add.at(votes, (lattice.quads[:, corner], lattice.quad_part), 1)
    return np.array(PARTS)[np.argmax(votes, axis=1)]


def _shape_directions(lattice: Lattice, vertices: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3, 10) and (55, 3, 10) per unit of beta: central differences of the generator itself."""
    by_vertex, by_joint = [0.034 * vertices], [0.034 * joints]
    for name in SHAPES[1:]:
        high, low = Proportions(**{name: 1.0}), Proportions(**{name: -1.0})
        by_vertex.append((_skin(lattice, high).vertices - _skin(lattice, low).vertices) / 2)
        by_joint.append((skeleton_joints(high) - skeleton_joints(low)) / 2)
    return np.stack(by_vertex, axis=-1), np.stack(by_joint, axis=-1)


def _file_order(vertices: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    """(V,) for each place in the file the vertex that goes there: as built, but for the fixed vertices."""
    order = np.arange(len(vertices))
    for name, target in _fixed_targets(joints).items():
        vertex = int(np.argmin(np.linalg.norm(vertices - target, axis=1)))
        here = int(np.nonzero(order == vertex)[0][0])
        order[[here, FIXED_VERTICES[name]]] = order[[FIXED_VERTICES[name], here]]
    return order


def _fixed_targets(joints: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    ankle, floor = joints["left_ankle"], joints["left_ankle"][1] - 0.078
    left = {
        "eye": joints["left_eye"] + np.array([0, 0, EYE_RADIUS]),
        "ear": np.array([0.085, 0.310, -0.016]),
        **{finger: joints[f"left_{finger}_tip"] for finger in ("thumb", "index", "middle", "ring", "pinky")},
        "big_toe": np.array([ankle[0] - 0.018, floor + 0.012, 0.172]),
        "small_toe": np.array([ankle[0] + 0.053, floor + 0.009, 0.143]),
        "heel": np.array([ankle[0], floor + 0.012, ankle[2] - 0.070]),
    }
    mirrored = np.array([-1.0, 1.0, 1.0])
    both = {f"left_{name}": target for name, target in left.items()}
    both |= {f"right_{name}": target * mirrored for name, target in left.items()}
    return {"nose": np.array([0.0, 0.291, 0.121]), **both}


def _landmarks(vertices: np.ndarray, faces: np.ndarray, eyes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of the 51 landmarks and the weights of their corners, (51,) and (51, 3); skin that looks forward."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    skin = np.nonzero((normal[:, 2] > 0) & ~eyes[faces].any(axis=1))[0]
    centers = corners[skin].mean(axis=1)
    nearest = skin[[np.argmin(np.linalg.norm(centers - target, axis=1)) for target in face.LANDMARKS]]
    gap = np.linalg.norm(corners[nearest] - face.LANDMARKS[:, None], axis=2)
    closeness = 1 / (gap + 1e-4)
    return nearest.astype(np.int64), closeness / closeness.sum(axis=1, keepdims=True)


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a compressed .npz whose bytes depend on the arrays alone (numpy's own carries the time of day)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, buffer.getvalue())
