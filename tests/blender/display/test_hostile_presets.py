# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings presets of strangers: they are read, not executed, and set everything that they hold or nothing."""

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.capture import preset_files, properties

LEAD = "import bpy\nsettings = bpy.context.scene.human3r\n"


def values(settings):
    return {name: getattr(settings, name) for name in properties.preset_names()}


@pytest.mark.parametrize(
    "text",
    [
        LEAD + "settings.stride = 3\nimport os\nos.makedirs({made!r})\n",
        LEAD + "settings.stride = 3\nsettings.recipe = __import__('os').makedirs({made!r})\n",
        LEAD + "settings.stride = 3\nopen({made!r}, 'w')\n",
        LEAD + "settings.stride = 3\nsettings.stride.__class__.x = 4\n",
        LEAD + "settings.stride = 3\nsettings.max_points = " + "9" * 10_000,
        LEAD + "settings.stride = 3\nsettings.clean = 1e999\n",
        LEAD + "settings.stride = 3\nsettings.voxel_size = '1'\n",
        LEAD + "settings.stride = 3\nsettings.max_points = 2**70\n",
        LEAD + "settings.stride = 3\nsettings.max_points = 5000000000000\n",
        LEAD + "settings.stride = 3\nsettings.recipe = '\\ud800'\n",
        LEAD + "settings.stride = 3\nsettings.device = 'toaster'\n",
        LEAD + "settings.stride = " + "(" * 300,
        LEAD + "settings.stride = " + "-" * 50_000 + "1",
        LEAD + "settings.stride = " + "[" * 150 + "]" * 150,
        LEAD + "settings.stride = 3\n" + "# long\n" * 20_000,
        LEAD + "settings.stride = 3\n\0",
        LEAD + "settings.stride = 3\nraise SystemExit\n",
        "<xml/>",
        "settings.stride",
    ],
)
def test_what_is_no_preset_changes_and_executes_nothing(scene, tmp_path, text):
    made, path = tmp_path / "made", tmp_path / "mine.py"
    path.write_text(text.replace("{made!r}", repr(str(made))))
    scene.human3r.stride = 5
    before = values(scene.human3r)
    with pytest.raises(RuntimeError, match=r"The settings preset mine\.py cannot be used") as refused:
        bpy.ops.human3r.use_preset(filepath=str(path))
    assert "Traceback" not in str(refused.value)
    assert values(scene.human3r) == before and not made.exists()


@pytest.mark.parametrize("content", [b"\xff\xfes\0e\0t\0", b"\x80", "settings.stride = 3".encode("utf-16")])
def test_other_encodings_are_refused(scene, tmp_path, content):
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match="cannot be used"):
        bpy.ops.human3r.use_preset(filepath=str(path))


def test_settings_of_another_version_are_left_out_and_the_footage_stays(scene, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("\ufeff" + LEAD + "settings.stride = 7\nsettings.tomorrow = 3\nsettings.source = '/secret'\n")
    scene.human3r.source = "/videos/clip.mp4"
    assert bpy.ops.human3r.use_preset(filepath=str(path)) == {"FINISHED"}
    assert scene.human3r.stride == 7 and scene.human3r.source == "/videos/clip.mp4"
    assert preset_files.read(path).values.keys() == {"stride", "tomorrow", "source"}


def test_defaults_come_before_what_follows_them(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(LEAD + "settings.voxel_size = -1\nsettings.use_defaults()\nsettings.stride = 2\n")
    assert preset_files.read(path) == preset_files.SettingsPreset({"stride": 2}, True)
