# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scenes whose truth is known: points seen by cameras on a path, and takes of a textured room."""

import cv2
import numpy as np

from engine.camera_pass.clip import Clip
from engine.camera_pass.observations import Observations, Seen
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import PROTOCOL_VERSION, Frame, TakeHeader, pack_mask
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter
from tests.engine.stages.textured_room import pinhole, pose, see

SIZE = (320, 240)
FOCAL = 300.0


def exhausted(generator):
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def walk(count, length=4.0):
    """(count, 4, 4) `world_from_camera`: sideways past the points, swaying and turning a little."""
    share = np.linspace(0, 1, count)
    return np.stack(
        [pose((length * s, 0.1 * np.sin(9 * s), 0.4 * s), 6 * np.sin(5 * s), 3 * np.sin(7 * s)) for s in share]
    )


def cloud(random, count, reach=8.0):
    """(count, 3) points before a camera that walks to the right."""
    return random.uniform((-3, -1.5, 3), (reach, 1.5, 9), (count, 3))


def seen_by(points, world_from_camera, focal, half=(320.0, 240.0)):
    """(n,) numbers and (n, 2) centered pixels of the points that one camera sees."""
    camera_from_world = np.linalg.inv(world_from_camera)
    inside = points @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    pixel = inside[:, :2] / np.maximum(inside[:, 2:], 1e-9) * focal
    shown = (inside[:, 2] > 0.5) & (np.abs(pixel) < half).all(axis=1)
    return np.flatnonzero(shown), pixel[shown]


def observed(points, path, focal, random=None, noise_px=0.0):
    """What the cameras of a path see of points."""
    seen = Observations()
    for camera in path:
        track, pixel = seen_by(points, camera, focal)
        if random is not None:
            pixel = pixel + random.normal(0, noise_px, pixel.shape)
        seen.add(Seen(track, pixel))
    return seen


def write_room(folder, path, live, focal_px=FOCAL, decorate=None, size=SIZE):
    """A clip of the textured room without people; `decorate` may change each (h, w) picture in place."""
    (folder / "frames").mkdir()
    settings = CaptureSettings(source=str(folder / "frames"), take=str(folder / "take.h3r"))
    body = BodyModel.load(default_body_path())
    center = np.array(size) // 2
    header = TakeHeader(PROTOCOL_VERSION, "test", size, 24.0, len(path), "none", "mannequin", settings)
    with TakeWriter(folder / "take.h3r") as take:
        take.write(header)
        for index, (camera, told) in enumerate(zip(path, live, strict=True)):
            grey, _ = see(camera, pinhole(size, FOCAL), size)
            if decorate is not None:
                decorate(grey)
            cv2.imwrite(str(folder / "frames" / f"{index:04d}.png"), grey)
            take.write(_empty_frame(index, told, focal_px, center, size))
    return Clip(folder / "take.h3r", settings, body)


def _empty_frame(index, world_from_camera, focal_px, center, size):
    nobody = np.zeros((0, 3))
    return Frame(
        index=index,
        source_frame=index,
        time_s=index / 24,
        focal_px=focal_px,
        world_from_camera=world_from_camera,
        principal_point_px=center.astype(float),
        track_id=np.zeros(0, np.int32),
        score=np.zeros(0),
        pose_axis_angle=np.zeros((0, 55, 3)),
        betas=np.zeros((0, 10)),
        expression=np.zeros((0, 10)),
        translation=nobody,
        head_point=nobody,
        head_px=np.zeros((0, 2)),
        mask_size=size,
        mask_box_px=(-0.5, -0.5, size[0] - 0.5, size[1] - 0.5),
        mask_bits=pack_mask(np.zeros(size[::-1], bool)),
    )
