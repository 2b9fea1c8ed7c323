# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground truth of made-up clips, and takes that tell it exactly: what measuring is tested with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.contract.body_model import BodyModel
from engine.contract.messages import Frame, Message, PointMap, pack_mask
from engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from engine.contract.skeleton import HEAD
from engine.ground_truth import ClipTruth, SmplxPeople

SIZE = (64, 48)
FRAME_RATE = 25.0


def walking_truth(seed: int = 0, frames: int = 12, people: int = 2) -> ClipTruth:
    """People who walk to the right in front of a camera that turns and moves; everything known."""
    random = np.random.default_rng(seed)
    time = np.arange(frames) / FRAME_RATE
    turn = axis_angle_to_matrix(np.stack([0 * time, 0.1 * np.sin(2 * time), 0.05 * np.cos(3 * time)], axis=-1))
    world_from_camera = np.tile(np.eye(4), (frames, 1, 1))
    world_from_camera[:, :3, :3] = turn
    world_from_camera[:, :3, 3] = 0.2 * np.stack([np.sin(3 * time), np.cos(2 * time), time], axis=-1)
    pose = np.cumsum(random.normal(size=(frames, people, 55, 3)) * 0.01, axis=0) + random.normal(size=(55, 3)) * 0.1
    upright = np.diag([1.0, -1.0, -1.0])  # the rest pose has y up and faces +z: here the camera, with y down
    heading = axis_angle_to_matrix(random.normal(size=(frames, people, 3)) * [0.02, 0.5, 0.02])
    camera_from_world = np.swapaxes(turn, -1, -2)
    pose[:, :, 0] = matrix_to_axis_angle(camera_from_world[:, None] @ upright @ heading)
    start = np.stack([np.linspace(-0.8, 0.8, people), np.zeros(people), np.full(people, 4.0)], axis=-1)
    world = start + time[:, None, None] * [1.5, 0.0, 0.2]
    translation = np.einsum("nij,npj->npi", camera_from_world, world - world_from_camera[:, None, :3, 3])
    mask = random.integers(0, people + 1, (frames, SIZE[1], SIZE[0])).astype(np.uint8)
    return ClipTruth(
        name=f"made-up {seed}",
        footage_size=SIZE,
        frame_rate=FRAME_RATE,
        source_frame=np.arange(frames),
        world_from_camera=world_from_camera,
        focal_px=np.full(frames, 60.0),
        principal_point_px=np.tile([31.5, 23.5], (frames, 1)),
        people=SmplxPeople(
            pose.astype(np.float32),
            random.normal(size=(people, 10)).astype(np.float32),
            np.zeros((frames, people, 10), np.float32),
            translation.astype(np.float32),
        ),
        present=np.ones((frames, people), bool),
        expected=np.ones((frames, people), bool),
        person_mask=mask,
        depth_m=random.uniform(1, 6, (frames, SIZE[1], SIZE[0])).astype(np.float32),
    )


def true_messages(truth: ClipTruth, body: BodyModel) -> Iterator[Message]:
    """The messages of a take that reconstructs the clip perfectly."""
    width, height = truth.footage_size
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    pixel_px = np.stack([columns, rows], axis=-1).astype(np.float32)
    assert isinstance(truth.people, SmplxPeople) and truth.present is not None
    assert truth.person_mask is not None and truth.depth_m is not None
    for index in range(len(truth)):
        slots = np.flatnonzero(truth.present[index])
        pose, betas = truth.people.pose_axis_angle[index, slots], truth.people.betas[slots]
        expression, translation = truth.people.expression[index, slots], truth.people.translation[index, slots]
        heads = body.posed_joints(axis_angle_to_matrix(pose), betas, expression, translation)[:, HEAD]
        focal, centre = float(truth.focal_px[index]), truth.principal_point_px[index]
        yield Frame(
            index=index,
            source_frame=int(truth.source_frame[index]),
            time_s=index / truth.frame_rate,
            focal_px=focal,
            world_from_camera=truth.world_from_camera[index],
            principal_point_px=centre,
            track_id=slots.astype(np.int32) + 7,
            score=np.ones(len(slots), np.float32),
            pose_axis_angle=pose,
            betas=betas,
            expression=expression,
            translation=translation,
            head_point=heads,
            head_px=focal * heads[:, :2] / heads[:, 2:] + centre,
            mask_size=(width, height),
            mask_box_px=(-0.5, -0.5, width - 0.5, height - 0.5),
            mask_bits=pack_mask(truth.person_mask[index] > 0),
        )
        rays = np.concatenate([(pixel_px - centre) / focal, np.ones((height, width, 1))], axis=-1)
        yield PointMap(
            frame_index=index,
            point_camera=(rays * truth.depth_m[index][..., None]).astype(np.float32),
            pixel_px=pixel_px,
            color=np.zeros((height, width, 3), np.uint8),
            confidence=np.ones((height, width), np.float32),
        )


def changed_frames(messages: Iterator[Message], **changes: object) -> Iterator[Message]:
    """The same messages with some fields of every frame replaced; a callable gets the frame."""
    for message in messages:
        if isinstance(message, Frame):
            values = {name: change(message) if callable(change) else change for name, change in changes.items()}
            message = replace(message, **values)  # type: ignore[arg-type]
        yield message
