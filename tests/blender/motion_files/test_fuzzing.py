# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged motion files: each is read or refused, and nothing else happens."""

import io
import pickle

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files import importing
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files.options import MotionOptions
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files.reading import read

from tests.fuzzing import mutations, survives

from .made import Known, body

pytestmark = pytest.mark.fuzz

KNOWN = Known.make(frames=4)
PERSON = {
    "pose_world": KNOWN.of(*range(24)),
    "trans_world": KNOWN.trans,
    "betas": np.zeros((4, 10)),
    "frame_ids": np.arange(4),
    "verts": np.zeros((4, 2, 3)),
}


def arrays(**values) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **values)
    return stream.getvalue()


SEEDS = {
    "a.npz": arrays(poses=KNOWN.of(*range(55)), trans=KNOWN.trans, betas=KNOWN.betas, fps=30.0, gender="male"),
    "b.npz": arrays(global_orient=KNOWN.of(0), body_pose=KNOWN.of(*range(1, 22)), expression=np.zeros((4, 12))),
    "c.pkl": pickle.dumps({0: PERSON, 3: PERSON}, 2),
    "d.pkl": pickle.dumps({"people": {1: {"frames": [0, 1, 2, 3], "smplx_world": {"pose": KNOWN.of(*range(55))}}}}),
    "e.pkl": pickle.dumps(
        {f"{index}.jpg": {"tid": [1], "camera": [np.zeros(3)], "smpl": [{"body_pose": np.tile(np.eye(3), (23, 1, 1)),
         "global_orient": np.eye(3)[None]}]} for index in range(3)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_motions(tmp_path, name):
    path = tmp_path / name

    def used() -> None:
        found = importing.upright(importing.with_rate(read(path), MotionOptions()), MotionOptions(), body())
        for person in found.people:
            assert (
                np.isfinite(person.poses).all() and np.isfinite(person.trans).all() and np.isfinite(person.betas).all()
            )
            assert (np.diff(person.frames) > 0).all() and len(person.frames) == len(person.poses)

    path.write_bytes(SEEDS[name])
    assert survives(used, ())
    for data in mutations(SEEDS[name], 150, seed=len(name)):
        path.write_bytes(data)
        survives(used, (UserError,))
