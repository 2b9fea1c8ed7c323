# SPDX-License-Identifier: GPL-3.0-or-later
"""``--clean STRENGTH``: how strongly, and that it was."""

import json

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family, versions
from bl_ext.user_default.human3r_blender.human3r_blender.scene.builder import ImportOptions

from .conftest import hoppers


@pytest.mark.parametrize(
    ("arguments", "strength"), [((), ImportOptions.clean), (("--clean", "0.3"), 0.3), (("--clean", "0"), 0.0)]
)
def test_the_strength_is_in_the_file_and_in_the_summary(tmp_path, arguments, strength):
    take, output, summary = hoppers().write(tmp_path / "hop.h3r"), tmp_path / "hop.blend", tmp_path / "summary.json"
    assert command_line.main(["import", str(take), "--output", str(output), "--json", str(summary), *arguments]) == 0
    assert json.loads(summary.read_text())["results"][0]["clean"] == strength
    bpy.ops.wm.open_mainfile(filepath=str(output))
    (item,) = (found for found in bpy.context.scene.objects if found.get(tags.ROLE) == tags.ARMATURE)
    if strength:
        assert versions.shown(item) == tags.CLEAN and family.action(item, tags.RAW) is not None
        assert versions.settings_of(item).strength == pytest.approx(strength)
    else:
        assert versions.shown(item) == tags.RAW and family.action(item, tags.CLEAN) is None


@pytest.mark.parametrize(("arguments", "refined", "told"), [
    ((), True, False), (("--no-import-camera",), False, True), (("--no-refine",), False, False),
    (("--clean", "0"), False, False),
])  # fmt: skip
def test_whether_the_place_was_refined_is_said(tmp_path, capfd, arguments, refined, told):
    take, output, summary = hoppers().write(tmp_path / "hop.h3r"), tmp_path / "hop.blend", tmp_path / "summary.json"
    assert command_line.main(["import", str(take), "--output", str(output), "--json", str(summary), *arguments]) == 0
    assert json.loads(summary.read_text())["results"][0]["place_refined"] == refined
    assert ("not refined in place" in "".join(capfd.readouterr())) == told


def test_a_strength_that_is_none_is_refused(tmp_path, capfd):
    take, output = hoppers().write(tmp_path / "hop.h3r"), tmp_path / "hop.blend"
    assert command_line.main(["import", str(take), "--output", str(output), "--clean", "1.5"]) == 1
    said = capfd.readouterr().err
    assert "[bad-setting]" in said and "from 0 (off) to 1" in said and not output.exists()
