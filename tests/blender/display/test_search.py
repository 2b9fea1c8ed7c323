# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's search finds every operator, and everything that has a tooltip says in it what it does and in which unit.

Exceptions stand here one by one, each with its reason; one that is not needed any more fails as well.
"""

import re

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.sections import search_menu

NOT_SEARCHED = {
    "human3r.select_person": "the button of a row, which says whom; the viewport and the outliner select as well",
    "human3r.go_to_contact": "the button of a row, which says where to; the timeline goes there as well",
    "human3r.get_weights": "the button of a row in the preferences, which says what",
    "human3r.remove_data": "the button of a row in the preferences, which says what",
    "human3r.reload": "a developer's tool: it is in the menu where Blender shows what is for developers",
}
NO_UNDO = {
    **dict.fromkeys(
        (
            "human3r.cancel_capture",
            "human3r.copy_error",
            "human3r.cancel_task",
            "human3r.dismiss_task",
            "human3r.allow_online",
            "human3r.show_preferences",
            "human3r.open_data_folder",
            "human3r.copy_diagnostics",
            "human3r.self_test",
            "human3r.verify_data",
        ),
        "changes nothing in the file, on disk or in the preferences",
    ),
    **dict.fromkeys(
        ("human3r.choose_python", "human3r.clear_python", "human3r.clear_body_file"),
        "the preferences, which Blender's undo leaves alone",
    ),
    **dict.fromkeys(
        (
            "human3r.install_engine",
            "human3r.repair_engine",
            "human3r.update_engine",
            "human3r.remove_engine",
            "human3r.get_weights",
            "human3r.get_body",
            "human3r.import_data",
            "human3r.remove_data",
        ),
        "files of the installation, not of the scene",
    ),
    **dict.fromkeys(
        ("human3r.add_preset", "human3r.retarget_save_preset", "human3r.retarget_remove_preset"),
        "a preset's file in the user's folder",
    ),
    "human3r.reveal_take": "opens a folder in another program",
    "human3r.remove_take": "a take's file on the disk",
    "human3r.save_to_take": "writes a take; its end makes an undo step of its own",
    "human3r.export": "writes files; the scene stays",
    "human3r.send_to_farm": "writes a job for a farm; the scene stays",
    "human3r.reload": "the add-on's code, not the scene",
    "human3r.frame_people": "where a view stands, which is no part of Blender's undo",
    "human3r.show_colors": "the shading of one view, which is no part of Blender's undo",
}
DIMENSIONLESS = {
    "point_confidence": "the model's own measure, which has none",
    "color": "a colour",
    "most_people": "a number of people",
}
STATE = {"Human3RPreferences.bl_idname": "Blender's own, the add-on's name"}
UNIT = re.compile(
    r"\b(meters|pixels|seconds|(frames|keys) per second|frames?|rows?|points|score|0 \(none\) to 1)\b",
    re.IGNORECASE,
)


def every(base):
    for cls in base.__subclasses__():
        if ".human3r_blender." in cls.__module__ and cls.is_registered:
            yield cls
        yield from every(cls)


def of_operator(cls):
    """The operator as Blender has it; its Python class knows less."""
    return getattr(bpy.ops.human3r, cls.bl_idname.partition(".")[2]).get_rna_type()


OPERATORS = sorted(set(every(bpy.types.Operator)), key=lambda cls: cls.bl_idname)
GROUPS = sorted({*every(bpy.types.PropertyGroup), *every(bpy.types.AddonPreferences)}, key=lambda cls: cls.__name__)


def options(cls):
    return getattr(cls, "bl_options", set())


def properties():
    """(Where, property) of every property that somebody can see, or set from a script."""
    for cls in OPERATORS:
        yield from ((cls.bl_idname, item) for item in of_operator(cls).properties if item.identifier != "rna_type")
    for cls in GROUPS:
        yield from (
            (cls.__name__, item) for item in cls.bl_rna.properties if item.identifier not in ("rna_type", "name")
        )


def is_plain(text):
    """Whether a text is fit for a tooltip: Blender adds the full stop, and breaks lines."""
    return len(text) > 15 and not text.endswith(".") and "`" not in text and "  " not in text


def test_there_are_as_many_as_one_knows_of():
    assert len(OPERATORS) > 45 and len(GROUPS) >= 6 and len(list(properties())) > 100


@pytest.mark.parametrize("cls", OPERATORS, ids=lambda cls: cls.bl_idname)
def test_every_operator_says_what_it_does(cls):
    assert cls.bl_idname.startswith("human3r.") and cls.__name__.startswith("HUMAN3R_OT_")
    assert cls.bl_label[:1].isupper() and not cls.bl_label.endswith(".")
    text = of_operator(cls).description
    assert is_plain(text) and text.lower() != cls.bl_label.lower()


def test_the_search_finds_every_operator():
    hidden = {cls.bl_idname for cls in OPERATORS if "INTERNAL" in options(cls)}
    assert hidden == set(NOT_SEARCHED)
    in_menus = [
        cls
        for package in ("", *(package for _, _, package in search_menu.submenus()))
        for cls in search_menu.operators_in(package)
    ]
    assert len(in_menus) == len(set(in_menus))
    assert {cls.bl_idname for cls in in_menus} == {cls.bl_idname for cls in OPERATORS} - hidden
    for name, _, package in search_menu.submenus():
        assert search_menu.operators_in(package), f"{name} is empty"
        assert getattr(bpy.types, name).bl_label


def test_labels_are_not_taken_for_one_another():
    """In one menu; elsewhere the search shows in which menu an entry is."""
    for package in ("", *(package for _, _, package in search_menu.submenus())):
        labels = [cls.bl_label for cls in search_menu.operators_in(package)]
        assert len(labels) == len(set(labels))


def test_every_change_can_be_undone():
    without = {cls.bl_idname for cls in OPERATORS if "UNDO" not in options(cls)}
    assert without == set(NO_UNDO)


def test_every_property_says_what_it_is():
    wrong = [
        f"{where}.{item.identifier}: {item.description!r}"
        for where, item in properties()
        if not is_plain(item.description)
        and f"{where}.{item.identifier}" not in STATE
        and not (item.identifier.startswith("filter_") and item.is_hidden)
    ]  # the file browser's own
    assert wrong == []


def test_every_number_has_its_unit():
    wrong = [
        f"{where}.{item.identifier}: {item.description!r}"
        for where, item in properties()
        if item.type in ("INT", "FLOAT") and not UNIT.search(item.description) and item.identifier not in DIMENSIONLESS
    ]
    assert wrong == []
    lengths = [item for _, item in properties() if item.type == "FLOAT" and item.unit == "LENGTH"]
    assert lengths and all("meters" in item.description for item in lengths)


def test_every_choice_says_what_it_means():
    wrong = [
        f"{where}.{item.identifier}: {choice.identifier}"
        for where, item in properties()
        if item.type == "ENUM"
        for choice in item.enum_items
        if not is_plain(choice.description)
    ]
    assert wrong == []


@pytest.mark.parametrize("host", search_menu.HOSTS)
def test_the_menu_is_where_the_search_looks(host):
    assert search_menu._draw_entry in getattr(bpy.types, host)._dyn_ui_initialize()
