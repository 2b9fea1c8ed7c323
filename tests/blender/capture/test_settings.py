# SPDX-License-Identifier: GPL-3.0-or-later
"""A setting is declared once: Blender's property, what a preset holds and what the report tells follow."""

from dataclasses import dataclass, fields
from pathlib import Path

import addon_utils
import bpy
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.declaring import check_settings, names_of, setting, settings_of
from bl_ext.user_default.human3r_blender.engine.contract.settings import CaptureSettings
from bl_ext.user_default.human3r_blender.engine.contract.take_export import TakeExportSettings
from bl_ext.user_default.human3r_blender.engine.motion.clean_up import CleanUpSettings
from bl_ext.user_default.human3r_blender.human3r_blender.blender.properties import settings_from, with_settings
from bl_ext.user_default.human3r_blender.human3r_blender.capture import layout, panel, setting_presets, settings_panels
from bl_ext.user_default.human3r_blender.human3r_blender.capture.properties import Human3RSettings
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import layout as export_layout
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import panel as retarget_panel
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from tests.fixtures import parsers

EXTENSION = "bl_ext.user_default.human3r_blender"
SIZES = {"small": ("Small", "For pockets"), "large": ("Large", "For walls")}

REAL = {
    CaptureSettings: ("human3r", ""),
    ImportOptions: ("human3r", ""),
    CleanUpSettings: ("human3r_cleanup", ""),
    ExportSettings: ("human3r_export", "export_"),
    TakeExportSettings: ("human3r_export", "export_"),
    RetargetSettings: ("human3r_retarget", "retarget_"),
}
"""All settings that people choose: the group of properties in the scene, and how their options begin."""
NO_SETTINGS = {"contacts", "lock", "place"}
"""Fields of measured constants, which nobody chooses."""

OTHER_OPTIONS = {
    "source": "argument 0",
    "body_path": "--body",
    "export_formats": "--export",
    "export_overwrite": "--overwrite",
    "strength": "--clean",
    "lock_feet": None,  # a conversion's clean-up always holds feet
    "retarget_calibration": None,  # poses are matched by hand
}
OTHER_PROPERTIES = {"model": "model_source", "frame_rate of ExportSettings": "rate"}
IN_THE_PREFERENCES = {"body", "body_path"}
PRIVATE = {"source", "take", "footage", "camera_file", "height"}
"""Texts, which the report leaves out altogether: they may hold paths and names."""


@dataclass(frozen=True)
class MadeUp:
    """One of each kind."""

    tint: str = setting("small", label="Tint", choices=SIZES)
    """How it is tinted."""
    pieces: int = setting(3, label="Pieces", least=2, most=9, zero="none at all")
    """How many there are."""
    pace: float | None = setting(None, label="Pace", above=0, most=50, none="as it comes", unit="frames per second")
    """How fast it goes."""
    chance: float = setting(0.25, label="Chance", above=0, below=1, unit="share")
    """How likely it is."""
    edge: float = setting(0.5, label="Edge", least=0.25, soft_most=4, unit="meters")
    """How long its edge is."""
    delay: float = setting(1.5, label="Delay", least=0, unit="seconds")
    """How late it comes."""
    shiny: bool = setting(True, label="Shiny")
    """Whether it shines."""
    where: str = setting("", label="Where", unit="path")
    """Where it is kept."""

    def __post_init__(self) -> None:
        check_settings(self)


@pytest.fixture
def with_made_up(addon):
    """The scene's settings, with those of `MadeUp` among them."""
    own = dict(Human3RSettings.__annotations__)
    addon_utils.disable(EXTENSION)
    with_settings(MadeUp)(Human3RSettings)
    addon_utils.enable(EXTENSION, default_set=True)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    yield bpy.context.scene.human3r
    addon_utils.disable(EXTENSION)
    Human3RSettings.__annotations__.clear()
    Human3RSettings.__annotations__.update(own)
    addon_utils.enable(EXTENSION, default_set=True)


def test_properties_follow(with_made_up):
    assert settings_from(with_made_up, MadeUp) == MadeUp()
    known = with_made_up.bl_rna.properties
    assert [(item.identifier, item.name, item.description) for item in known["tint"].enum_items] == [
        (word, *texts) for word, texts in SIZES.items()
    ]
    assert (known["pieces"].hard_min, known["pieces"].hard_max) == (0, 9)  # 0 means something beside the range
    assert (known["pieces"].name, known["pieces"].description) == ("Pieces", "How many there are. 0: none at all")
    assert (known["pace"].default, known["pace"].hard_min, known["pace"].hard_max) == (0, 0, 50)  # 0 is None
    assert known["pace"].description == "How fast it goes. 0: as it comes"
    assert 0 < known["chance"].hard_min < 0.02 and 0.98 < known["chance"].hard_max < 1
    assert (known["chance"].subtype, known["edge"].unit, known["delay"].unit) == ("FACTOR", "LENGTH", "TIME_ABSOLUTE")
    assert (known["edge"].hard_min, known["edge"].soft_max, known["where"].subtype) == (0.25, 4, "FILE_PATH")
    with_made_up.pace, with_made_up.tint, with_made_up.shiny = 24, "large", False
    assert settings_from(with_made_up, MadeUp, where="here") == MadeUp("large", pace=24.0, shiny=False, where="here")


def test_presets_and_the_report_follow(addon, with_made_up):
    with_made_up.tint, with_made_up.pieces, with_made_up.where = "large", 7, "/home/quentin/secret"
    assert bpy.ops.human3r.add_preset(name="Made Up") == {"FINISHED"}
    path = Path(bpy.utils.user_resource("SCRIPTS", path="presets/human3r")) / "Made_Up.py"
    report = addon.diagnostics.report()
    assert "human3r.tint large" in report and "human3r.pieces 7" in report and "human3r.delay 1.5" in report
    assert "secret" not in report
    standard = setting_presets.SHIPPED / "presets" / setting_presets.FOLDER / "Standard.py"
    assert bpy.ops.human3r.use_preset(filepath=str(standard)) == {"FINISHED"}
    assert settings_from(with_made_up, MadeUp) == MadeUp()
    assert bpy.ops.human3r.use_preset(filepath=str(path)) == {"FINISHED"}
    assert (with_made_up.tint, with_made_up.pieces) == ("large", 7)
    assert bpy.ops.human3r.add_preset(name="Made Up", remove_name=True) == {"FINISHED"} and not path.exists()


def chosen(settings_type):
    return [item.name for item in fields(settings_type) if item.name not in NO_SETTINGS]


def property_name(settings_type, name):
    """What the setting's property is called."""
    return OTHER_PROPERTIES.get(f"{name} of {settings_type.__name__}", OTHER_PROPERTIES.get(name, name))


@pytest.mark.parametrize("settings_type", REAL)
def test_every_setting_has_a_property(scene, settings_type):
    there = getattr(scene, REAL[settings_type][0]).bl_rna.properties.keys()
    wanted = {property_name(settings_type, name) for name in chosen(settings_type) if name not in IN_THE_PREFERENCES}
    assert wanted - set(there) == set()


def test_the_report_tells_every_setting_and_no_path_or_name(addon, scene):
    scene.human3r.source, scene.human3r.take = "/videos/secret.mp4", "/videos/secret.h3r"
    scene.human3r.checkpoint, scene.human3r_retarget.report = "/weights/secret.pt", "secret on Hero"
    told = addon.diagnostics.report()
    assert "secret" not in told and "body file not chosen" in told
    for settings_type, (group, _) in REAL.items():
        for name in chosen(settings_type):
            if name not in PRIVATE | IN_THE_PREFERENCES:
                assert f"  {group}.{property_name(settings_type, name)} " in told, name


def test_every_setting_has_an_option():
    convert = parsers.commands_of(parsers.HUMAN3R)["convert"]
    for settings_type, (_, prefix) in REAL.items():
        for name in chosen(settings_type):
            option = OTHER_OPTIONS.get(prefix + name, "--" + (prefix + name).replace("_", "-"))
            assert option is None or option in convert, option


@pytest.mark.parametrize("settings_type", REAL)
def test_every_setting_is_called_something_and_explained(settings_type):
    for item in settings_of(settings_type).values():
        assert item.label and len(item.help) > 10, item.name


@pytest.mark.parametrize(
    ("settings_type", "modules"),
    [
        (CaptureSettings, (panel, settings_panels)),
        (ImportOptions, (layout,)),
        (ExportSettings, (export_layout,)),
        (RetargetSettings, (retarget_panel,)),
    ],
)
def test_every_setting_is_drawn(settings_type, modules):
    """Where its group is drawn, or itself; what the preferences hold is not."""
    source = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in modules)
    for name in names_of(settings_type):
        drawn = property_name(settings_type, name), settings_of(settings_type)[name].group or name
        assert name in IN_THE_PREFERENCES or any(f'"{text}"' in source for text in drawn), name
