# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of settings: the shipped ones hold, one's own come and go, and the video is nobody's preset."""

from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.capture import properties, setting_presets

SHIPPED = sorted((setting_presets.SHIPPED / "presets" / setting_presets.FOLDER).glob("*.py"))
OF_THE_MACHINE = {"model_source", "checkpoint", "recipe", "device", "precision"}


def values(settings):
    return {name: getattr(settings, name) for name in properties.preset_names()}


def use(path):
    assert bpy.ops.human3r.use_preset(filepath=str(path)) == {"FINISHED"}


def stir(settings):
    """Change every setting that a preset may hold."""
    for name in properties.preset_names():
        item = settings.bl_rna.properties[name]
        if item.type == "BOOLEAN":
            setattr(settings, name, not item.default)
        elif item.type == "ENUM":
            setattr(
                settings,
                name,
                next(choice.identifier for choice in item.enum_items if choice.identifier != item.default),
            )
        elif item.type == "STRING":
            setattr(settings, name, "stirred")
        else:
            setattr(settings, name, item.hard_min + 0.25 if item.type == "FLOAT" else item.hard_min + 7)


def test_there_are_presets_for_the_usual_wishes():
    assert {path.stem for path in SHIPPED} >= {"Standard", "Fast_Preview", "Best_Quality", "Live"}
    assert str(SHIPPED[0].parent.resolve()) in [
        str(Path(path).resolve()) for path in bpy.utils.preset_paths(setting_presets.FOLDER)
    ]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_presets_leave_nothing_to_what_was_before(scene, path):
    settings = scene.human3r
    settings.source, settings.take, settings.start, settings.end = "/videos/clip.mp4", "/takes/clip.h3r", 5, 50
    use(path)
    first = values(settings)
    stir(settings)
    machine = {name: getattr(settings, name) for name in OF_THE_MACHINE}
    use(path)
    again = values(settings)
    assert {name: value for name, value in first.items() if name not in OF_THE_MACHINE} == {
        name: value for name, value in again.items() if name not in OF_THE_MACHINE
    }
    assert {name: again[name] for name in OF_THE_MACHINE} == machine
    settings.model_source = "EMBEDDED"
    made, options = settings.capture_settings(), settings.import_options()  # which check every value
    assert (made.source, made.take, made.start, made.end) == ("/videos/clip.mp4", "/takes/clip.h3r", 5, 50)
    assert options.import_people


def test_the_standard_is_what_the_addon_starts_with(scene):
    fresh = values(scene.human3r)
    stir(scene.human3r)
    assert all(value != fresh[name] for name, value in values(scene.human3r).items())
    use(next(path for path in SHIPPED if path.stem == "Standard"))
    assert {name: value for name, value in values(scene.human3r).items() if name not in OF_THE_MACHINE} == {
        name: value for name, value in fresh.items() if name not in OF_THE_MACHINE
    }


def test_presets_differ_in_what_their_names_say(scene):
    found = {}
    for path in SHIPPED:
        use(path)
        found[path.stem] = values(scene.human3r)
    assert found["Fast_Preview"]["stride"] > found["Standard"]["stride"] == found["Best_Quality"]["stride"]
    assert found["Fast_Preview"]["voxel_size"] > found["Best_Quality"]["voxel_size"] > 0
    assert found["Best_Quality"]["pose_correctives"] and found["Live"]["follow"]


def test_ones_own_preset_is_saved_used_and_removed(scene):
    settings = scene.human3r
    stir(settings)
    settings.source = "/videos/clip.mp4"
    mine = values(settings)
    assert bpy.ops.human3r.add_preset(name="Night shots, hand-held") == {"FINISHED"}
    path = next(Path(bpy.utils.user_resource("SCRIPTS", path="presets/human3r")).glob("Night*.py"))
    text = path.read_text()
    assert all(f"settings.{name} = " in text for name in mine) and "clip.mp4" not in text
    use(SHIPPED[0])
    assert values(settings) != mine
    settings.source = "/videos/other.mp4"
    use(path)
    assert values(settings) == mine and settings.source == "/videos/other.mp4"
    assert bpy.ops.human3r.add_preset(name="Night_shots__hand-held", remove_name=True) == {"FINISHED"}
    assert not path.exists()


def test_a_preset_that_cannot_be_used_says_so(scene, tmp_path):
    before = values(scene.human3r)
    with pytest.raises(RuntimeError, match="no such preset"):
        bpy.ops.human3r.use_preset(filepath=str(tmp_path / "absent.py"))
    broken = tmp_path / "broken.py"
    broken.write_text("import bpy\nbpy.context.scene.human3r.device = 'toaster'\n")
    with pytest.raises(RuntimeError, match="cannot be used"):
        bpy.ops.human3r.use_preset(filepath=str(broken))
    assert values(scene.human3r) == before
