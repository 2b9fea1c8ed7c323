# SPDX-License-Identifier: GPL-3.0-or-later
"""The parametric body: reads a body in the SMPL-X file format and poses it, with numpy alone.

Conventions are those of the `smplx` package with 10 betas, 10 expression coefficients, no hand PCA and a flat hand
mean. Rest frame: y up, facing +z, the person's left at +x, metres; every joint's rest frame equals this frame.
Rotations are relative to the parent joint. Sizes: V = 10475 vertices, 55 joints, `...` any leading batch shape that
broadcasts. Skeletons are computed in float64, vertices in float32.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from .array_archive import BadArchive, read_arrays
from .errors import UserError
from .rotations import axis_angle_to_matrix
from .skeleton import HEAD, JOINT_COUNT, PARENTS, PELVIS, generations

VERTEX_COUNT = 10475
"""Vertices of every body in the SMPL-X format."""

BETA_COUNT = 10
EXPRESSION_COUNT = 10

POSE_CORRECTIVE_COUNT = 9 * (JOINT_COUNT - 1)
"""One pose corrective for each entry of the rotation matrices of all joints but the pelvis: 486."""

_FULL_SHAPE_SPACE = 300
_FULL_DIRECTIONS = 400
"""Released files carry 300 shape and then 100 expression directions; small ones 10 and then 10."""

_ROOT_PARENT = 2**32 - 1

REQUIRED = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")
"""The arrays of a body file that are used."""

MAX_FILE_BYTES = 1 << 30
"""Bound of what those arrays may take; SMPL-X's take 260 MB."""

REMEDY = "Choose SMPLX_NEUTRAL.npz from the SMPL-X download, or leave the field empty."


def default_body_path() -> Path:
    """The bundled licence-free mannequin, which stands in where the user has no SMPL-X body."""
    return Path(__file__).parents[1] / "assets" / "mannequin.npz"


class BodyModel:
    """A body in the SMPL-X format. Immutable; safe to share between threads. Make one with `load`."""

    def __init__(
        self,
        template: np.ndarray,
        faces: np.ndarray,
        directions: np.ndarray,
        pose_directions: np.ndarray,
        joint_regressor: np.ndarray,
        weights: np.ndarray,
    ) -> None:
        """Takes the arrays of the file: `template` (V, 3), `faces` (F, 3), `directions` (V, 3, 20) with ten shape
        and then ten expression directions, `pose_directions` (V, 3, 486), `joint_regressor` (55, V), `weights` (V, 55).
        """
        self.template = np.asarray(template, dtype=np.float32)
        """(V, 3) vertices at rest for zero betas and expression."""
        self.faces = np.asarray(faces, dtype=np.int32)
        """(F, 3) triangles, counter-clockwise seen from outside."""
        self.weights = np.asarray(weights, dtype=np.float32)
        """(V, 55) skinning weights; each row sums to one."""
        self.shape_directions = np.ascontiguousarray(directions[..., :BETA_COUNT], dtype=np.float32)
        """(V, 3, 10) metres per unit of beta."""
        self.expression_directions = np.ascontiguousarray(directions[..., BETA_COUNT:], dtype=np.float32)
        """(V, 3, 10) metres per unit of expression."""
        self.pose_directions = np.asarray(pose_directions, dtype=np.float32)
        """(V, 3, 486) metres per unit of (R - I), the joints from 1 to 54 in order, row by row."""
        self._directions = np.ascontiguousarray(directions, dtype=np.float32).reshape(-1, BETA_COUNT + EXPRESSION_COUNT)
        # Joints are linear in the vertices and those in the coefficients: regress once, then never touch the mesh.
        regressor = np.asarray(joint_regressor, dtype=np.float64)
        self._joint_template = regressor @ np.asarray(template, dtype=np.float64)
        flat = np.asarray(directions, dtype=np.float64).reshape(len(template), -1)
        self._joint_directions = (regressor @ flat).reshape(JOINT_COUNT, 3, -1)

    @classmethod
    def load(cls, path: str | Path) -> BodyModel:
        """Read a SMPL-X `.npz` (never unpickling). Raises UserError for anything that is not a SMPL-X body."""
        path = Path(path)
        if not path.is_file():
            raise UserError("body-missing", "There is no body file {path}.", REMEDY, path=path)
        try:
            arrays = read_arrays(path, MAX_FILE_BYTES, REQUIRED)
        except BadArchive as error:
            said = "The body file {path} cannot be read: {error}."
            raise UserError("body-unreadable", said, REMEDY, path=path, error=error) from error
        return cls.from_arrays(arrays, str(path))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], source: str, remedy: str = REMEDY) -> BodyModel:
        """A body of the arrays in a SMPL-X file; `source` and `remedy` are for the UserError when they are not."""
        family = _family(arrays)
        if family:
            raise UserError(
                "body-not-smplx",
                "{source} is {family}, not SMPL-X ({joints} joints, {vertices} vertices).",
                remedy,
                source=source,
                family=family,
                joints=JOINT_COUNT,
                vertices=VERTEX_COUNT,
            )
        missing = [name for name in REQUIRED if name not in arrays]
        if missing:
            raise UserError(
                "body-not-smplx",
                "{source} is not an SMPL-X body: it lacks {missing}.",
                remedy,
                source=source,
                missing=", ".join(missing),
            )
        directions = arrays["shapedirs"]
        width = directions.shape[-1] if directions.ndim == 3 else 0
        expected = {
            "v_template": (VERTEX_COUNT, 3),
            "f": (len(arrays["f"]) if arrays["f"].ndim else 0, 3),
            "shapedirs": (VERTEX_COUNT, 3, max(width, BETA_COUNT + EXPRESSION_COUNT)),
            "posedirs": (VERTEX_COUNT, 3, POSE_CORRECTIVE_COUNT),
            "J_regressor": (JOINT_COUNT, VERTEX_COUNT),
            "weights": (VERTEX_COUNT, JOINT_COUNT),
            "kintree_table": (2, JOINT_COUNT),
        }
        for name, shape in expected.items():
            if arrays[name].shape != shape:
                raise UserError(
                    "body-damaged",
                    "{source} is damaged: {name} has shape {found} instead of {shape}.",
                    remedy,
                    source=source,
                    name=name,
                    found=arrays[name].shape,
                    shape=shape,
                )
            if arrays[name].dtype.kind not in "iuf" or not _has_sensible_numbers(name, arrays[name]):
                raise UserError(
                    "body-damaged",
                    "{source} is damaged: {name} has impossible values.",
                    remedy,
                    source=source,
                    name=name,
                )
        parents = arrays["kintree_table"][0].astype(np.int64)
        if not np.array_equal(np.where(parents == _ROOT_PARENT, -1, parents), PARENTS):
            raise UserError(
                "body-not-smplx", "The joints of {source} are not in the order of SMPL-X.", remedy, source=source
            )
        return cls(
            arrays["v_template"], arrays["f"], used_directions(directions), arrays["posedirs"],
            arrays["J_regressor"], arrays["weights"],
        )  # fmt: skip

    @cached_property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits of what shapes mean (template and directions), whatever file they came from."""
        digest = hashlib.sha256()
        for array in (self.template, self._directions):
            digest.update(array.astype("<f4").tobytes())
        return digest.hexdigest()[:8]

    def rest_joints(self, betas: np.ndarray, expression: np.ndarray | None = None) -> np.ndarray:
        """(..., 10) betas and (..., 10) expression to (..., 55, 3) joints in the rest pose, metres, float64."""
        coefficients = _coefficients(betas, expression).astype(np.float64)
        return self._joint_template + np.einsum("jkc,...c->...jk", self._joint_directions, coefficients)

    def rest_vertices(self, betas: np.ndarray, expression: np.ndarray | None = None) -> np.ndarray:
        """(..., 10) betas and (..., 10) expression to (..., V, 3) vertices in the rest pose, metres, float32."""
        coefficients = _coefficients(betas, expression)
        offsets = coefficients @ self._directions.T
        return self.template + offsets.reshape(*coefficients.shape[:-1], VERTEX_COUNT, 3)

    def posed_joints(
        self,
        rotations: np.ndarray,
        betas: np.ndarray,
        expression: np.ndarray | None = None,
        translation: np.ndarray | None = None,
    ) -> np.ndarray:
        """(..., 55, 3) posed joints, metres, float64: the body turned by the root rotation about the pelvis.

        `rotations` is (..., 55, 3, 3), the root first; `translation` (..., 3) is SMPL-X's `transl`.
        """
        joints = joint_transforms(rotations, self.rest_joints(betas, expression))[..., :3, 3]
        return joints if translation is None else joints + np.asarray(translation, dtype=np.float64)[..., None, :]

    def vertices(
        self,
        betas: np.ndarray,
        expression: np.ndarray | None,
        pose_axis_angle: np.ndarray,
        translation: np.ndarray | None = None,
        with_pose_correctives: bool = True,
    ) -> np.ndarray:
        """Linear blend skinning: (..., V, 3) vertices, metres, float32; equal to `smplx` for the same parameters.

        `pose_axis_angle` is (..., 55, 3) in radians, the root first; `translation` (..., 3) is `transl`. Without the
        pose correctives it is what an armature alone shows.
        """
        rotations = axis_angle_to_matrix(pose_axis_angle)
        rest = self.rest_vertices(betas, expression)
        if with_pose_correctives:
            rest = rest + self.pose_corrective_offsets(rotations)
        return self.skin(rest, rotations, self.rest_joints(betas, expression), translation)

    def skin(
        self,
        rest_vertices: np.ndarray,
        rotations: np.ndarray,
        rest_joints: np.ndarray,
        translation: np.ndarray | None = None,
    ) -> np.ndarray:
        """Move (..., V, 3) rest vertices with (..., 55, 3, 3) rotations about (..., 55, 3) rest joints; float32."""
        transforms = joint_transforms(rotations, rest_joints)[..., :3, :]
        # Of a point at rest: turn about the joint's rest position, then go to where the joint is now.
        offsets = transforms[..., 3] - (transforms[..., :3] @ np.asarray(rest_joints)[..., None])[..., 0]
        if translation is not None:
            offsets = offsets + np.asarray(translation, dtype=np.float64)[..., None, :]
        relative = np.concatenate([transforms[..., :3], offsets[..., None]], axis=-1).astype(np.float32)
        blended = self.weights @ relative.reshape(*relative.shape[:-2], 12)
        blended = blended.reshape(*blended.shape[:-1], 3, 4)
        return (blended[..., :3] @ rest_vertices[..., None])[..., 0] + blended[..., 3]

    def pose_corrective_offsets(self, rotations: np.ndarray) -> np.ndarray:
        """(..., 55, 3, 3) rotations to (..., V, 3) offsets that SMPL-X adds to the rest vertices, metres, float32."""
        weights = pose_corrective_weights(rotations).astype(np.float32)
        offsets = weights @ self.pose_directions.reshape(-1, POSE_CORRECTIVE_COUNT).T
        return offsets.reshape(*weights.shape[:-1], VERTEX_COUNT, 3)

    def pelvis_from_head(
        self,
        rotations: np.ndarray,
        betas: np.ndarray,
        expression: np.ndarray | None,
        head_point: np.ndarray,
    ) -> np.ndarray:
        """(..., 3) position of the pelvis joint when the head joint lies at `head_point` (..., 3), same frame.

        `rotations` is (..., 55, 3, 3) with the root rotation first; only those of `HEAD_LINE` count.
        """
        rotations = np.asarray(rotations, dtype=np.float64)
        rest = self.rest_joints(betas, expression)
        arm, turned = np.zeros(3), np.eye(3)
        for joint, parent in zip(HEAD_LINE[1:], HEAD_LINE, strict=False):
            arm = arm + (turned @ (rest[..., joint, :] - rest[..., parent, :])[..., None])[..., 0]
            turned = turned @ rotations[..., joint, :, :]
        root = rotations[..., PELVIS, :, :]
        return np.asarray(head_point, dtype=np.float64) - (root @ arm[..., None])[..., 0]

    def translation_from_head(
        self,
        rotations: np.ndarray,
        betas: np.ndarray,
        expression: np.ndarray | None,
        head_point: np.ndarray,
    ) -> np.ndarray:
        """SMPL-X's `transl` (..., 3) that puts the head joint (15) at `head_point` (..., 3), metres, same frame.

        Human3R predicts the head, not the pelvis: transl = head - R (j_head - j_pelvis) - j_pelvis, joints of the
        posed body before the root rotation R. `rotations` is (..., 55, 3, 3) with the root first.
        """
        pelvis = self.rest_joints(betas, expression)[..., PELVIS, :]
        return self.pelvis_from_head(rotations, betas, expression, head_point) - pelvis


def pose_corrective_weights(rotations: np.ndarray) -> np.ndarray:
    """(..., 55, 3, 3) rotations to the (..., 486) weights of the pose correctives: (R - I), the root left out."""
    rotations = np.asarray(rotations, dtype=np.float64)
    features = rotations[..., 1:, :, :] - np.eye(3)
    return features.reshape(*rotations.shape[:-3], POSE_CORRECTIVE_COUNT)


def joint_transforms(rotations: np.ndarray, rest_joints: np.ndarray) -> np.ndarray:
    """Forward kinematics: (..., 55, 4, 4) pose of each joint in the body's frame, float64.

    `rotations` is (..., 55, 3, 3) relative to the parents, root first; `rest_joints` is (..., 55, 3) in metres. At
    rest every joint's axes are those of the body's frame, so that a transform's last column is the joint's position.
    """
    rotations = np.asarray(rotations, dtype=np.float64)
    rest_joints = np.asarray(rest_joints, dtype=np.float64)
    batch = np.broadcast_shapes(rotations.shape[:-3], rest_joints.shape[:-2])
    turned, position = np.empty((*batch, JOINT_COUNT, 3, 3)), np.empty((*batch, JOINT_COUNT, 3))
    turned[..., 0, :, :] = rotations[..., 0, :, :]
    position[..., 0, :] = rest_joints[..., 0, :]
    for joints, parents in _GENERATIONS:
        before = turned[..., parents, :, :]
        bones = rest_joints[..., joints, :] - rest_joints[..., parents, :]
        turned[..., joints, :, :] = before @ rotations[..., joints, :, :]
        position[..., joints, :] = position[..., parents, :] + (before @ bones[..., None])[..., 0]
    transforms = np.zeros((*batch, JOINT_COUNT, 4, 4))
    transforms[..., :3, :3] = turned
    transforms[..., :3, 3] = position
    transforms[..., 3, 3] = 1.0
    return transforms


def _line_to(joint: int) -> tuple[int, ...]:
    return (*_line_to(PARENTS[joint]), joint) if joint != PELVIS else (PELVIS,)


HEAD_LINE = _line_to(HEAD)
"""The joints from the pelvis to the head, both with them."""

_GENERATIONS = generations(JOINT_COUNT)

_FAMILIES = {24: ("SMPL", 6890), 52: ("SMPL-H", 6890), 16: ("MANO", 778), 5: ("FLAME", 5023)}
"""Name and vertices of SMPL-X's relatives, by their joints."""

_LARGEST = 1e6
"""Far above every number in a body file but the mark of the root's parent; infinities and NaN are not below it."""


def stature_terms(body: BodyModel) -> tuple[float, np.ndarray]:
    """How tall a body stands, from sole to crown: meters for zero betas, and (10,) meters a unit of each beta."""
    height = body.template[:, 1]
    crown, sole = int(height.argmax()), int(height.argmin())
    slopes = body.shape_directions[crown, 1] - body.shape_directions[sole, 1]
    return float(height[crown] - height[sole]), slopes[:BETA_COUNT].astype(np.float64)


def used_directions(directions: np.ndarray) -> np.ndarray:
    """(V, 3, 20) of a file's `shapedirs`: ten shape and then ten expression directions, wherever they lie in it."""
    first_expression = _FULL_SHAPE_SPACE if directions.shape[-1] >= _FULL_DIRECTIONS else BETA_COUNT
    return directions[..., [*range(BETA_COUNT), *range(first_expression, first_expression + EXPRESSION_COUNT)]]


def _family(arrays: Mapping[str, np.ndarray]) -> str:
    """What kind of body another model's arrays are; empty for SMPL-X and for what says nothing of its joints."""
    regressor, template = arrays.get("J_regressor"), arrays.get("v_template")
    if regressor is None or template is None or not regressor.ndim or not template.ndim:
        return ""
    joints, vertices = len(regressor), len(template)
    if (joints, vertices) == (JOINT_COUNT, VERTEX_COUNT):
        return ""
    name, usual = _FAMILIES.get(joints, ("", 0))
    kind = f"a {name} body" if name and vertices == usual else "another kind of body"
    return f"{kind} ({joints} joints, {vertices} vertices)"


def _has_sensible_numbers(name: str, values: np.ndarray) -> bool:
    """Whether a file's numbers are finite, and its triangles join vertices that exist: Blender does not check."""
    if name == "f":
        return values.size == 0 or bool(values.min() >= 0 and values.max() < VERTEX_COUNT)
    return name == "kintree_table" or bool(values.min() > -_LARGEST and values.max() < _LARGEST)


def _coefficients(betas: np.ndarray, expression: np.ndarray | None) -> np.ndarray:
    """Betas and expression side by side, (..., 20) float32."""
    betas = np.asarray(betas, dtype=np.float32)
    expression = np.zeros(EXPRESSION_COUNT, np.float32) if expression is None else np.asarray(expression, np.float32)
    if betas.shape[-1:] != (BETA_COUNT,) or expression.shape[-1:] != (EXPRESSION_COUNT,):
        raise ValueError(f"expected (..., 10) betas and expression, got {betas.shape} and {expression.shape}")
    batch = np.broadcast_shapes(betas.shape[:-1], expression.shape[:-1])
    parts = [np.broadcast_to(part, (*batch, part.shape[-1])) for part in (betas, expression)]
    return np.concatenate(parts, axis=-1)
