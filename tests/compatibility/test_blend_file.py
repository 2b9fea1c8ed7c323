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


def test_a_copy_of_a_person_is_a_person_of_its_own(opened):
    """Although neither holds its Actions, as people do since 0.1.0."""
    anna = looking.people(opened)[0]
    assert "human3r_raw" not in anna
    before = [looking.place(anna, bone) for bone in ("pelvis", "head")]
    looking.choose(anna, looking.mesh_of(anna))
    assert bpy.ops.object.duplicate() == {"FINISHED"}
    made = bpy.context.view_layer.objects.active
    looking.choose(made)
    assert bpy.ops.human3r.rename_person(name="Twin") == {"FINISHED"}
    assert (made.name, looking.mesh_of(made).name, anna.name) == ("Twin", "Twin mesh", "Anna")
    assert bpy.ops.human3r.clean_up(strength=1.0, everyone=False) == {"FINISHED"}
    assert anna.animation_data.action["human3r_strength"] != made.animation_data.action["human3r_strength"] == 1.0
    assert bpy.ops.human3r.delete_people() == {"FINISHED"}
    assert "Twin" not in opened.objects and looking.mesh_of(anna).name == "Anna mesh"
    assert bpy.ops.human3r.show_version(version="RAW", everyone=True) == {"FINISHED"}
    assert bpy.ops.human3r.show_version(version="CLEAN", everyone=True) == {"FINISHED"}
    np.testing.assert_allclose([looking.place(anna, bone) for bone in ("pelvis", "head")], before, atol=1e-6)
