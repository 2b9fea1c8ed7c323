# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what is true of a clip as a take: what the engine would write if it were never wrong.

    python tools/truth_take.py TRUTH.npz FOOTAGE.mp4 TAKE.h3r

Run in the engine's environment. Imported into Blender it is the scene to compare a reconstruction with. Points come
from every `POINTS_EVERY`-th picture's depth map, people left out, with the footage's colours.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout, whose engine this belongs to

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import PROTOCOL_VERSION, Frame, Message, ScenePoints, TakeEnd, TakeHeader, pack_mask
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings
from engine.contract.skeleton import HEAD
from engine.contract.take import TakeWriter
from engine.ground_truth import ClipTruth, SmplxPeople, read_truth
from engine.video.footage import open_footage

POINTS_EVERY = 4
CONFIDENT = 10.0
VOXEL_M = 0.08
"""What the points' size follows from: those of a map with every eighth pixel just touch."""


def messages(truth: ClipTruth, footage: Path, take: Path) -> Iterator[Message]:
    """The records of the take. Its world is the first camera's frame, as every take's."""
    body = BodyModel.load(default_body_path())
    first_from_world = np.linalg.inv(truth.world_from_camera[0])
    yield TakeHeader(
        PROTOCOL_VERSION,
        "ground truth",
        truth.footage_size,
        truth.frame_rate,
        len(truth),
        truth.name,
        truth.body,
        CaptureSettings(
            source=str(footage.absolute()), take=str(take.absolute()), voxel_size=VOXEL_M, body="mannequin"
        ),
    )
    rows = {int(source): row for row, source in enumerate(truth.source_frame)}
    for picture in open_footage(str(footage)).pictures():
        if (row := rows.get(picture.source_frame)) is not None:
            pose = first_from_world @ truth.world_from_camera[row]
            yield true_frame(truth, body, row, pose)
            if row % POINTS_EVERY == 0 and truth.depth_m is not None:
                yield _points(truth, row, pose, picture.rgb)
    yield TakeEnd("complete", len(truth))


def true_frame(truth: ClipTruth, body: BodyModel, row: int, pose: np.ndarray) -> Frame:
    """The record of one row of a truth with people and masks, its camera being at `pose` (4, 4)."""
    people = truth.people
    assert isinstance(people, SmplxPeople) and truth.present is not None and truth.person_mask is not None
    there = np.flatnonzero(truth.present[row])
    pose_axis_angle, betas = people.pose_axis_angle[row, there], people.betas[there]
    expression, translation = people.expression[row, there], people.translation[row, there]
    head = body.posed_joints(axis_angle_to_matrix(pose_axis_angle), betas, expression, translation)[:, HEAD]
    focal, centre = float(truth.focal_px[row]), truth.principal_point_px[row]
    width, height = truth.footage_size
    mask = truth.person_mask[row] > 0
    return Frame(
        index=row,
        source_frame=int(truth.source_frame[row]),
        time_s=float(truth.source_frame[row]) / truth.frame_rate,
        focal_px=focal,
        world_from_camera=pose,
        principal_point_px=centre,
        track_id=there.astype(np.int32),
        score=np.ones(len(there), np.float32),
        pose_axis_angle=pose_axis_angle,
        betas=betas,
        expression=expression,
        translation=translation,
        head_point=head,
        head_px=focal * head[:, :2] / head[:, 2:] + centre,
        mask_size=(mask.shape[1], mask.shape[0]),
        mask_box_px=(-0.5, -0.5, width - 0.5, height - 0.5),
        mask_bits=pack_mask(mask),
    )


def _points(truth: ClipTruth, row: int, pose: np.ndarray, rgb: np.ndarray) -> ScenePoints:
    assert truth.depth_m is not None and truth.person_mask is not None
    depth, width, height = truth.depth_m[row].astype(np.float64), *truth.footage_size
    # The map has every n-th pixel, from n // 2 on: those whose value it is, and not the middles of its own cells.
    every_x, every_y = width // depth.shape[1], height // depth.shape[0]
    x, y = np.meshgrid(np.arange(every_x // 2, width, every_x), np.arange(every_y // 2, height, every_y))
    kept = np.isfinite(depth) & (depth > 0) & (truth.person_mask[row] == 0)
    rays = (np.stack([x, y], axis=-1) - truth.principal_point_px[row]) / truth.focal_px[row]
    points = np.concatenate([rays, np.ones((*depth.shape, 1))], axis=-1)[kept] * depth[kept][:, None]
    return ScenePoints(
        frame_index=row,
        replaces_all=False,
        position=points @ pose[:3, :3].T + pose[:3, 3],
        color=rgb[y[kept], x[kept]],
        confidence=np.full(len(points), CONFIDENT, np.float32),
    )


def main(truth_file: Path, footage: Path, take: Path) -> None:
    unfinished = take.with_suffix(".part")
    with TakeWriter(unfinished) as writer:
        for message in messages(read_truth(truth_file), footage, take):
            writer.write(message)
    unfinished.replace(take)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
