# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes whose camera, people and points are known."""

from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import messages, rotations
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.settings import CaptureSettings
from bl_ext.user_default.human3r_blender.engine.contract.take import TakeWriter
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder


@pytest.fixture(scope="session")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@dataclass
class Synthetic:
    """A take made of smooth random motion: people who walk and turn before a camera that moves and turns."""

    frames: int = 12
    people: int = 2
    rate: float = 30.0
    times: np.ndarray | None = None
    size: tuple[int, int] = (640, 360)
    focal: float = 500.0
    principal_point: tuple[float, float] = (331.0, 170.5)
    points: int = 300
    seed: int = 1
    source: str = "walk.mp4"
    body_path: str = ""
    pose_scale: float = 0.4
    betas: str = "constant"
    absent: dict[int, list[int]] = field(default_factory=dict)
    """Track id to the frames that do not show that person."""

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        count = self.frames
        self.times = np.arange(count) / self.rate if self.times is None else np.asarray(self.times)
        phase = np.arange(count)[:, None] / max(count, 20) * 2 * np.pi

        def smooth(*shape, scale=1.0, speed=1):
            """(T, *shape) sums of a sine and a constant."""
            size = int(np.prod(shape))
            waves = np.sin(phase * speed + rng.uniform(0, 6.3, size)) * rng.normal(0, scale, size)
            return (waves + rng.normal(0, scale, size)).reshape(count, *shape)

        self.world_from_camera = np.tile(np.eye(4), (count, 1, 1))
        # The world of a take is its first camera.
        turn = smooth(3, scale=0.2)
        self.world_from_camera[:, :3, :3] = rotations.axis_angle_to_matrix(turn - turn[0])
        move = smooth(3, scale=0.3)
        self.world_from_camera[:, :3, 3] = move - move[0]
        self.poses = smooth(self.people, 55, 3, scale=self.pose_scale).astype(np.float32)
        # Upright before the camera, y down, and turning all the way round.
        upright = rotations.axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]))
        for person in range(self.people):
            spin = np.zeros((count, 3))
            spin[:, 1] = np.linspace(0, 2 * np.pi, count) + person
            world = upright @ rotations.axis_angle_to_matrix(spin)
            in_camera = np.swapaxes(self.world_from_camera[:, :3, :3], -1, -2) @ world
            self.poses[:, person, 0] = rotations.matrix_to_axis_angle(in_camera)
        self.shape = rng.normal(0, 1, (self.people, 10)).astype(np.float32)
        self.betas_seen = np.repeat(self.shape[None], count, 0)
        if self.betas == "noisy":
            self.betas_seen = self.betas_seen + rng.normal(0, 0.3, self.betas_seen.shape).astype(np.float32)
            self.betas_seen[0] += 1.0
        self.expressions = smooth(self.people, 10).astype(np.float32)
        start = np.stack([np.linspace(-1, 1, self.people), np.zeros(self.people), np.full(self.people, 4.0)], -1)
        self.heads = (start + smooth(self.people, 3, scale=0.2)).astype(np.float32)
        self.cloud = rng.uniform([-4, -2, 1], [4, 1.5, 9], (self.points, 3)).astype(np.float32)
        self.cloud_color = rng.integers(0, 256, (self.points, 3), dtype=np.uint8)
        self.cloud_confidence = rng.uniform(1, 5, self.points).astype(np.float32)
        self.focals = self.focal + 20 * np.sin(np.arange(count))

    @property
    def header(self):
        settings = CaptureSettings(source=self.source, take="take.h3r", body=self.body_path)
        return messages.TakeHeader(
            messages.PROTOCOL_VERSION,
            "test",
            self.size,
            self.rate,
            self.frames,
            "none",
            Path(self.body_path).name or "mannequin",
            settings,
        )

    def frame(self, index):
        shown = [p for p in range(self.people) if index not in self.absent.get(p, [])]
        people = len(shown)
        return messages.Frame(
            index=index, source_frame=index, time_s=float(self.times[index]), focal_px=float(self.focals[index]),
            world_from_camera=self.world_from_camera[index], principal_point_px=np.array(self.principal_point),
            track_id=np.array(shown, dtype=np.int32), score=np.ones(people, np.float32),
            pose_axis_angle=self.poses[index, shown], betas=self.betas_seen[index, shown],
            expression=self.expressions[index, shown], translation=np.zeros((people, 3), np.float32),
            head_point=self.heads[index, shown], head_px=np.zeros((people, 2), np.float32),
            mask_size=(8, 1), mask_box_px=(-0.5, -0.5, 7.5, 0.5), mask_bits=np.zeros(1, np.uint8),
        )  # fmt: skip

    def final(self, index):
        """A frame of this take as what a pass over the whole clip says."""
        frame = self.frame(index)
        return messages.FinalFrame(
            **{item.name: getattr(frame, item.name) for item in fields(messages.FinalFrame) if item.name != "refined"}
        )

    def scene_points(self, first, last, replaces_all=False):
        return messages.ScenePoints(
            0, replaces_all, self.cloud[first:last], self.cloud_color[first:last], self.cloud_confidence[first:last]
        )

    def messages(self):
        """All messages after the header, points in two parts and then the final cloud."""
        half = self.points // 2
        yield self.scene_points(0, half)
        for index in range(self.frames):
            yield self.frame(index)
            if index == self.frames // 2:
                yield self.scene_points(half, self.points)
        yield self.scene_points(0, self.points, replaces_all=True)
        yield messages.TakeEnd("complete", self.frames)

    def write(self, path: Path) -> Path:
        with TakeWriter(path) as writer:
            writer.write(self.header)
            for message in self.messages():
                writer.write(message)
        return path

    def joints_in_root(self, body, index, person, betas=None):
        """(55, 3) where the contract puts the joints, in the root's frame."""
        betas = self.shape[person] if betas is None else betas
        rotation = rotations.axis_angle_to_matrix(self.poses[index, person])
        expression, head = self.expressions[index, person], self.heads[index, person]
        translation = body.translation_from_head(rotation, betas, expression, head)
        joints = body.posed_joints(rotation, betas, expression, translation)
        pose = self.world_from_camera[index]
        return coordinates.points_to_root(joints @ pose[:3, :3].T + pose[:3, 3])

    def vertices_in_root(self, body, index, person, with_pose_correctives=True):
        """(V, 3) where the contract puts the surface, in the root's frame."""
        rotation = rotations.axis_angle_to_matrix(self.poses[index, person])
        betas, expression, head = self.shape[person], self.expressions[index, person], self.heads[index, person]
        translation = body.translation_from_head(rotation, betas, expression, head)
        vertices = body.vertices(betas, expression, self.poses[index, person], translation, with_pose_correctives)
        pose = self.world_from_camera[index]
        return coordinates.points_to_root(vertices @ pose[:3, :3].T + pose[:3, 3])


@pytest.fixture(scope="session")
def synthetic():
    """Make a take: `synthetic(frames=..., people=...)`."""
    return Synthetic


@pytest.fixture
def build(scene):
    """Build a synthetic take into the test's scene at once; left as it is, unless the options say otherwise."""

    def run(take, **options):
        options = {"ground": "off", "clean": 0.0} | options
        made = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(**options))
        for message in take.messages():
            made.add(message)
        made.finish()
        assert made.work() is False
        return made

    return run


@pytest.fixture(scope="session")
def go_to():
    """Set a scene to a frame, fractions included."""

    def run(scene, frame):
        whole = int(np.floor(frame))
        scene.frame_set(whole, subframe=float(frame - whole))

    return run


@pytest.fixture(scope="session")
def armatures():
    """The armatures of a builder's people, in the order of their tracks."""
    return lambda made: family.people_under(made.root)


@pytest.fixture(scope="session")
def mesh_of():
    """The mesh object of an armature."""
    return lambda armature: next(child for child in armature.children if child.type == "MESH")
