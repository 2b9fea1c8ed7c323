# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend file with earlier results opens with everything that it held."""

import bpy
import numpy as np
import pytest

from tests.compatibility import looking
from tests.fixtures import registered


def test_the_settings_are_those_that_were_saved(opened, known):
    for group, values in known["scene"]["settings"].items():
        assert registered.values(getattr(opened, group), list(values)) == values, group
    retarget = opened.human3r_retarget
    assert (retarget.source.name, retarget.character.name) == ("Anna", known["scene"]["character"])
    assert retarget.preset == known["scene"]["rig_preset"]
    assert {row.key: row.bone for row in retarget.rows if row.bone} == known["scene"]["rig_rows"]


def test_the_people_move_as_they_did(opened, known):
    assert bpy.ops.human3r.show_people() == {"FINISHED"}
    assert bpy.ops.human3r.show_version(version="RAW", everyone=True) == {"FINISHED"}
    looking.check_places(opened, known["people"], known["scene"]["root_matrix"])


def test_nothing_is_missing(opened, known):
    saved = known["scene"]
    assert sorted(item.name for item in opened.objects) == saved["objects"]
    assert {action.name for action in bpy.data.actions} >= set(saved["actions"])
    anna, bob = looking.people(opened)
    assert (anna.name, bob.name, opened.frame_current) == ("Anna", "Bob", saved["frame"])
    assert looking.version(anna) == looking.version(bob) == "clean"
    np.testing.assert_allclose(looking.mesh_of(bob).color, saved["color"])
    np.testing.assert_allclose(looking.only(opened, "root").matrix_world, saved["root_matrix"], atol=1e-6)
    assert len(looking.only(opened, "points").data.vertices) == known["people"]["points"]
    assert looking.place(opened.objects[saved["character"]], "mixamorig7:Hips") == pytest.approx(
        saved["character_hips"], abs=1e-4
    )
    assert anna.visible_get() and not bob.visible_get()
