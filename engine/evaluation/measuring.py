# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a take against the ground truth of its clip: all of the paper's tasks in one pass over the take.

Protocol. In each picture, predicted and true people are matched greedily by the distance of their projected joints
(`detection`); bodies are compared over the matches, whatever their track ids. Global motion follows each true person
through the pictures in which somebody matched, in segments of 100 of the pictures measured; `tracking` alone judges
identities. Camera and depth need no matching.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.messages import Frame, Message, PointMap, unpack_mask
from ..contract.rotations import axis_angle_to_matrix
from ..contract.skeleton import PELVIS
from ..contract.take import TakeReader
from ..ground_truth import ClipTruth, PointPeople, SmplxPeople
from . import global_motion
from .body_points import BodyPoints, PointSet, SmplxPoints
from .camera_trajectory import absolute_trajectory_errors, relative_pose_errors, root_mean_square
from .depth import DepthSums, compare_depth
from .detection import (
    DetectionCounts,
    MaskCounts,
    box_iou,
    compare_masks,
    count_detections,
    joint_boxes,
    keypoint_distances,
    match_people,
)
from .figures import Mean, TaskFigures
from .local_body import mpjpe_mm, pa_mpjpe_mm, pelvis, pve_mm, rotation_error_deg
from .tracking import IdentityFrame, count_tracking

TRACKING_IOU = 0.5
"""A prediction can carry a true person's identity where their boxes overlap at least so much, as is usual."""

LEAST_PATH_M = 0.5
"""A person whose root moves less over the clip has no RTE: it would divide by next to nothing."""

LEAST_CAMERAS = 3
"""A similarity fits two camera centres perfectly, whatever they are."""

LEAST_CAMERA_PATH_M = 0.05
"""A camera whose true path is shorter stands: a similarity of scale 0 would fit whatever is predicted, so that nothing
is measured after one. The rigid fit and rotations still are."""

_NEAREST_M = 0.05
"""Points nearer than this, or behind the camera, are projected as if they lay here."""


def evaluate_take(take: TakeReader, truth: ClipTruth, body: BodyModel, points: PointSet | None = None) -> TaskFigures:
    """Measure a take. `body` is the one that the take's parameters belong to, and the truth's if it has parameters.

    Raises UserError (`truth-mismatch`) where take and truth do not tell of the same footage or kind of body.
    """
    if isinstance(truth.people, SmplxPeople) and take.header.body != truth.body:
        raise UserError(
            "truth-mismatch",
            "The take {take} was made with the body {body}, but the ground truth {truth} is for {true_body}. The same "
            "parameters give different shapes.",
            "Capture the footage with the body of the ground truth (--body).",
            take=take.path.name,
            body=take.header.body,
            truth=truth.name,
            true_body=truth.body,
        )
    size = tuple(take.header.footage_size)
    remedy = "Give the ground truth of the footage that this take was made from."
    if size != tuple(truth.footage_size):
        raise UserError(
            "truth-mismatch",
            "The footage of the take {take} is {size} pixels, but that of the ground truth {truth} is {true_size}.",
            remedy,
            take=take.path.name,
            size=f"{size[0]}x{size[1]}",
            truth=truth.name,
            true_size=f"{truth.footage_size[0]}x{truth.footage_size[1]}",
        )
    figures = measure(take, truth, body, points)
    if figures.frames == 0:
        raise UserError(
            "truth-mismatch",
            "No frame of the take {take} is in the ground truth {truth}.",
            remedy,
            take=take.path.name,
            truth=truth.name,
        )
    return figures


def measure(
    messages: Iterable[Message], truth: ClipTruth, body: BodyModel, points: PointSet | None = None
) -> TaskFigures:
    """The figures of a stream of messages, in the order in which a take holds them. Raises ValueError as below.

    Pictures that the truth does not tell of are passed over. Truth given as points must be of the given point set.
    """
    measured = _Measured(truth, body, points or SmplxPoints())
    for message in messages:
        if isinstance(message, Frame):
            measured.add_frame(message)
        elif isinstance(message, PointMap):
            measured.add_point_map(message)
    return measured.figures()


@dataclass(frozen=True)
class _Sighting:
    """A matched person in one picture, true and predicted, in both worlds."""

    row: int
    joints: np.ndarray
    true_joints: np.ndarray
    soles: np.ndarray
    true_soles: np.ndarray


@dataclass
class _Measured:
    """What was gathered so far. Bodies are compared at once; only joints and soles are kept."""

    truth: ClipTruth
    body: BodyModel
    points: PointSet
    rows: list[int] = field(default_factory=list)
    row_of_frame: dict[int, int] = field(default_factory=dict)
    cameras: list[np.ndarray] = field(default_factory=list)
    identities: list[IdentityFrame] = field(default_factory=list)
    sightings: dict[int, list[_Sighting]] = field(default_factory=dict)
    detection: DetectionCounts = field(default=DetectionCounts())
    masks: MaskCounts = field(default=MaskCounts())
    depth: DepthSums = field(default=DepthSums())
    means: dict[str, Mean] = field(default_factory=dict)

    def __post_init__(self) -> None:
        people = self.truth.people
        if isinstance(people, PointPeople) and people.point_set != self.points.name:
            raise ValueError(f"it has points of {people.point_set!r} instead of {self.points.name!r}")
        self._row_of_source = {int(source): row for row, source in enumerate(self.truth.source_frame)}

    def add_frame(self, frame: Frame) -> None:
        row = self._row_of_source.get(frame.source_frame)
        if row is None:
            return
        self.rows.append(row)
        self.row_of_frame[frame.index] = row
        self.cameras.append(np.asarray(frame.world_from_camera))
        focal = self.truth.focal_px[row]
        self._add("focal_relative", abs(frame.focal_px - focal) / focal)
        if self.truth.people is not None:
            self._add_people(frame, row)
        if self.truth.person_mask is not None:
            self.masks += _compare_frame_masks(frame, self.truth.person_mask[row] > 0, self.truth.footage_size)

    def add_point_map(self, point_map: PointMap) -> None:
        row = self.row_of_frame.get(point_map.frame_index)
        if row is None or self.truth.depth_m is None:
            return
        depth = self.truth.depth_m[row]
        columns, rows = _raster_indices(point_map.pixel_px, depth.shape, self.truth.footage_size)
        inside = (columns >= 0) & (columns < depth.shape[1]) & (rows >= 0) & (rows < depth.shape[0])
        self.depth += compare_depth(point_map.point_camera[..., 2][inside], depth[rows[inside], columns[inside]])

    def _add_people(self, frame: Frame, row: int) -> None:
        truth = self.truth
        assert truth.present is not None and truth.expected is not None
        slots = np.flatnonzero(truth.present[row])
        expected = truth.expected[row][slots]
        ours, true = self._points(frame, row, slots)
        true_px = _project(true.joints, truth.focal_px[row], truth.principal_point_px[row])
        ours_px = _project(ours.joints, frame.focal_px, frame.principal_point_px)
        pairs = match_people(ours_px, true_px)
        self.detection += count_detections(pairs, len(ours_px), expected)
        self._add_identities(frame, slots, expected, pairs, ours_px, true_px)
        for prediction, person in pairs:
            if expected[person]:
                self._add_body(frame, row, int(prediction), int(slots[person]), ours, true, int(person))

    def _add_body(
        self, frame: Frame, row: int, prediction: int, slot: int, ours: BodyPoints, true: BodyPoints, person: int
    ) -> None:
        joints, true_joints = ours.joints[prediction], true.joints[person]
        vertices, true_vertices = ours.vertices[prediction], true.vertices[person]
        hips = self.points.hips
        self._add("mpjpe_mm", mpjpe_mm(joints, true_joints, hips))
        self._add("pa_mpjpe_mm", pa_mpjpe_mm(joints, true_joints))
        self._add("pve_mm", pve_mm(vertices, true_vertices, joints, true_joints, hips))
        if self.points.head is not None:
            head, true_head = frame.head_point[prediction], true_joints[self.points.head]
            self._add("head_m", np.linalg.norm(head - true_head))
            self._add("head_depth_relative", abs(head[2] - true_head[2]) / true_head[2])
        if isinstance(self.truth.people, SmplxPeople):
            roots = axis_angle_to_matrix(
                np.stack(
                    [frame.pose_axis_angle[prediction, PELVIS], self.truth.people.pose_axis_angle[row, slot, PELVIS]]
                )
            )
            self._add("root_orientation_deg", rotation_error_deg(roots[0], roots[1]))
        soles = list(self.points.soles)
        world, true_world = frame.world_from_camera, self.truth.world_from_camera[row]
        self.sightings.setdefault(slot, []).append(
            _Sighting(
                row,
                _to_world(world, joints),
                _to_world(true_world, true_joints),
                _to_world(world, vertices[soles]),
                _to_world(true_world, true_vertices[soles]),
            )
        )

    def _add_identities(
        self,
        frame: Frame,
        slots: np.ndarray,
        expected: np.ndarray,
        pairs: np.ndarray,
        ours_px: np.ndarray,
        true_px: np.ndarray,
    ) -> None:
        """Those who need not be found, and predictions of them, are left out."""
        kept = np.ones(len(ours_px), dtype=bool)
        kept[pairs[~expected[pairs[:, 1]], 0]] = False
        ours_px, true_px = ours_px[kept], true_px[expected]
        distance = keypoint_distances(true_px, ours_px)
        distance[box_iou(joint_boxes(true_px), joint_boxes(ours_px)) < TRACKING_IOU] = np.nan
        self.identities.append(IdentityFrame(slots[expected], np.asarray(frame.track_id)[kept], distance))

    def _points(self, frame: Frame, row: int, slots: np.ndarray) -> tuple[BodyPoints, BodyPoints]:
        """Points of the predicted people and of the true ones in `slots`."""
        people = self.truth.people
        parameters = [frame.pose_axis_angle, frame.betas, frame.expression, frame.translation]
        if isinstance(people, SmplxPeople):
            # All bodies at once: reading the pose correctives from memory costs more than any one body does.
            true = [
                people.pose_axis_angle[row, slots],
                people.betas[slots],
                people.expression[row, slots],
                people.translation[row, slots],
            ]
            both = self._body_points(*map(np.concatenate, zip(parameters, true, strict=True)))
            count = len(frame.track_id)
            return (
                BodyPoints(both.joints[:count], both.vertices[:count]),
                BodyPoints(both.joints[count:], both.vertices[count:]),
            )
        assert people is not None
        return self._body_points(*parameters), BodyPoints(people.joints[row, slots], people.vertices[row, slots])

    def _body_points(
        self, pose: np.ndarray, betas: np.ndarray, expression: np.ndarray, translation: np.ndarray
    ) -> BodyPoints:
        joints = self.body.posed_joints(axis_angle_to_matrix(pose), betas, expression, translation)
        return self.points.points(joints, self.body.vertices(betas, expression, pose, translation))

    def _add(self, name: str, value: float | np.floating | np.ndarray) -> None:
        self.means[name] = self.means.get(name, Mean()) + Mean.of(value)

    def figures(self) -> TaskFigures:
        self._add_global_motion()
        self._add_camera()
        return TaskFigures(
            frames=len(self.rows),
            detection=self.detection,
            masks=self.masks,
            depth=self.depth,
            tracking=count_tracking(self.identities),
            **self.means,
        )

    def _add_camera(self) -> None:
        if len(self.rows) < LEAST_CAMERAS:
            return
        cameras, truth = np.stack(self.cameras), self.truth.world_from_camera[self.rows]
        self._add("ate_rigid_m", root_mean_square(absolute_trajectory_errors(cameras, truth, with_scale=False)))
        relative = relative_pose_errors(cameras, truth)
        self._add("rpe_rotation_deg", root_mean_square(relative.rotation_deg))
        if global_motion.path_length(truth[:, :3, 3]) >= LEAST_CAMERA_PATH_M:
            self._add("ate_m", root_mean_square(absolute_trajectory_errors(cameras, truth)))
            self._add("rpe_translation_m", root_mean_square(relative.translation_m))

    def _add_global_motion(self) -> None:
        # Segments count pictures measured, not matched ones, so that everybody's begin at the same pictures.
        place = {row: number for number, row in enumerate(self.rows)}
        for track in self.sightings.values():
            segments: dict[int, list[_Sighting]] = {}
            for sighting in track:
                segments.setdefault(place[sighting.row] // global_motion.SEGMENT_FRAMES, []).append(sighting)
            for segment in segments.values():
                joints, true_joints = _stacked(segment, "joints"), _stacked(segment, "true_joints")
                if len(segment) > global_motion.ALIGNED_FRAMES:
                    self._add("w_mpjpe_mm", global_motion.w_mpjpe_mm(joints, true_joints))
                    self._add("wa_mpjpe_mm", global_motion.wa_mpjpe_mm(joints, true_joints))
            roots, true_roots = (
                pelvis(_stacked(track, name), self.points.hips)[:, 0] for name in ("joints", "true_joints")
            )
            if global_motion.path_length(true_roots) >= LEAST_PATH_M:
                self._add("rte_percent", global_motion.rte_percent(roots, true_roots))
            for run in self._runs(track, place):
                self._add_run(run)

    def _add_run(self, run: list[_Sighting]) -> None:
        """Jitter and sliding need pictures in a row."""
        rate = self.truth.frame_rate / self._step()
        self._add("jitter", global_motion.jitter_10m_per_s3(_stacked(run, "joints"), rate))
        self._add("true_jitter", global_motion.jitter_10m_per_s3(_stacked(run, "true_joints"), rate))
        self._add("foot_sliding_mm", global_motion.foot_sliding_mm(_stacked(run, "soles"), _stacked(run, "true_soles")))

    def _step(self) -> float:
        """Pictures of the footage from one measured picture to the next."""
        return float(np.median(np.diff(self.truth.source_frame[self.rows]))) if len(self.rows) > 1 else 1.0

    def _runs(self, track: list[_Sighting], place: dict[int, int]) -> list[list[_Sighting]]:
        """The track cut wherever a picture is missing or the time step changes."""
        runs = [track[:1]]
        for before, after in itertools.pairwise(track):
            gap = self.truth.source_frame[after.row] - self.truth.source_frame[before.row]
            if place[after.row] - place[before.row] == 1 and gap == self._step():
                runs[-1].append(after)
            else:
                runs.append([after])
        return runs


def _stacked(sightings: list[_Sighting], name: str) -> np.ndarray:
    return np.stack([getattr(sighting, name) for sighting in sightings])


def _to_world(world_from_camera: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]


def _project(points: np.ndarray, focal_px: float, principal_point_px: np.ndarray) -> np.ndarray:
    """(..., 3) camera-frame points to (..., 2) footage pixels."""
    return focal_px * points[..., :2] / np.maximum(points[..., 2:], _NEAREST_M) + principal_point_px


def _raster_indices(
    pixel_px: np.ndarray, raster: tuple[int, ...], footage_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows, in a (h, w) raster over the whole footage, of (..., 2) footage pixels."""
    scale = np.array([raster[1] / footage_size[0], raster[0] / footage_size[1]])
    indices = np.floor((np.asarray(pixel_px, dtype=np.float64) + 0.5) * scale).astype(np.int64)
    return indices[..., 0], indices[..., 1]


def _compare_frame_masks(frame: Frame, truth: np.ndarray, footage_size: tuple[int, int]) -> MaskCounts:
    """Compare at the pixels of the true mask, inside the region that the predicted one covers."""
    prediction = unpack_mask(frame)
    left, top, right, bottom = frame.mask_box_px
    x = (np.arange(truth.shape[1]) + 0.5) * footage_size[0] / truth.shape[1] - 0.5
    y = (np.arange(truth.shape[0]) + 0.5) * footage_size[1] / truth.shape[0] - 0.5
    columns = np.floor((x - left) / (right - left) * prediction.shape[1]).astype(np.int64)
    rows = np.floor((y - top) / (bottom - top) * prediction.shape[0]).astype(np.int64)
    inside_x, inside_y = (columns >= 0) & (columns < prediction.shape[1]), (rows >= 0) & (rows < prediction.shape[0])
    return compare_masks(prediction[np.ix_(rows[inside_y], columns[inside_x])], truth[np.ix_(inside_y, inside_x)])
