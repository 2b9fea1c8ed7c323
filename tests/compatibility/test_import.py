# SPDX-License-Identifier: GPL-3.0-or-later
"""A take that an earlier version wrote becomes the scene that its numbers say."""

import bpy
import numpy as np
import pytest

from tests.compatibility import looking


@pytest.fixture
def imported(written):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.human3r.ground, scene.human3r.clean = "off", 0.0
    assert bpy.ops.human3r.import_take(filepath=str(written / "people.h3r")) == {"FINISHED"}
    return scene


def test_everybody_and_everything_is_where_it_was(imported, known):
    wanted = known["people"]
    assert [person.name for person in looking.people(imported)] == wanted["names"]
    assert (imported.frame_start, imported.frame_end) == (1, wanted["frames"])
    assert (imported.render.resolution_x, imported.render.resolution_y) == tuple(wanted["size"])
    assert imported.render.fps / imported.render.fps_base == pytest.approx(wanted["rate"])
    assert len(looking.only(imported, "points").data.vertices) == wanted["points"]
    looking.check_places(imported, wanted, np.eye(4))


def test_shapes_are_those_of_the_take(imported, known, tmp_path):
    imported.human3r_export.formats = {"NPZ"}
    assert bpy.ops.human3r.export(filepath=str(tmp_path / "people")) == {"FINISHED"}
    files = sorted(tmp_path.glob("people*.npz"))
    assert len(files) == 2
    for path, betas in zip(files, known["people"]["betas"], strict=True):
        with np.load(path) as motion:
            np.testing.assert_allclose(motion["betas"].ravel()[:10], betas, atol=1e-5)
