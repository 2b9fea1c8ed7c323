# SPDX-License-Identifier: GPL-3.0-or-later
"""Which panels the tab has, in which order and when; and numbers that a checkbox switches off."""

import bpy
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.declaring import settings_of
from bl_ext.user_default.human3r_blender.engine.contract.settings import CaptureSettings
from bl_ext.user_default.human3r_blender.human3r_blender import sections
from bl_ext.user_default.human3r_blender.human3r_blender.blender.properties import SWITCH
from bl_ext.user_default.human3r_blender.human3r_blender.capture import properties, recent_takes
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions

SWITCHED = {
    name: item
    for settings_type in (CaptureSettings, ImportOptions)
    for name, item in settings_of(settings_type).items()
    if item.means_off
}


def panels():
    """All panels of the tab, as they are registered."""
    found = [panel for panel in bpy.types.Panel.__subclasses__() if getattr(panel, "bl_category", "") == "Human3R"]
    return [panel for panel in found if panel.is_registered]


def tops():
    """Those that hang from no other."""
    return [panel for panel in panels() if not getattr(panel, "bl_parent_id", "")]


def shown():
    return [
        panel.bl_label
        for panel in tops()
        if panel.bl_label == "Capture" or not hasattr(panel, "poll") or panel.poll(bpy.context)
    ]


def test_every_section_is_a_panel_of_its_own_in_order(addon):
    titles = [panel.bl_label for panel in tops()]
    assert titles == ["Capture", *(package.TITLE for package in sections.packages())]
    folders = [panel.__module__.rsplit(".", 2)[1] for panel in tops()]
    known = ["capture", "takes", "people", "display", "clean_up", "ground", "retarget", "export"]
    assert [folder for folder in folders if folder in known] == known


def test_an_empty_scene_has_only_what_applies(addon, scene, synthetic, build, tmp_path, monkeypatch):
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path))  # nobody has captured anything yet
    recent_takes.switch_off()
    assert shown() == ["Capture"]
    build(synthetic())
    assert {"Capture", "People", "Retarget", "Export"} <= set(shown())
    assert len(shown()) >= 7


def test_settings_are_in_two_closed_groups(addon):
    below = [panel for panel in panels() if getattr(panel, "bl_parent_id", "") == "HUMAN3R_PT_capture"]
    assert [panel.bl_label for panel in below] == ["Settings", "Advanced"]
    assert all("DEFAULT_CLOSED" in panel.bl_options for panel in below)


def test_a_checkbox_stands_for_the_number_that_is_stored(addon, scene):
    settings = scene.human3r
    assert (settings.end, settings.use_end, settings.voxel_size > 0, settings.use_voxel_size) == (0, False, True, True)
    settings.use_end = True
    assert settings.end > 0
    settings.end = 17
    settings.use_end = True
    assert settings.end == 17, "what was typed was overwritten"
    settings.use_end = False
    assert settings.end == 0
    settings.voxel_size = 0.0
    assert not settings.use_voxel_size
    settings.use_voxel_size = True
    assert settings.voxel_size == pytest.approx(CaptureSettings.voxel_size)


@pytest.mark.parametrize("name", sorted(SWITCHED))
def test_what_a_checkbox_begins_with_is_allowed(addon, scene, name):
    settings = scene.human3r
    assert len(SWITCHED) > 6
    setattr(settings, name, 0)
    assert not getattr(settings, SWITCH + name)
    setattr(settings, SWITCH + name, True)
    assert SWITCHED[name].allows(SWITCHED[name].kind(getattr(settings, name)))
    assert getattr(settings, name) == pytest.approx(SWITCHED[name].first_value)


def test_presets_hold_numbers_and_no_checkboxes():
    assert not [name for name in properties.preset_names() if name.startswith(SWITCH)]
